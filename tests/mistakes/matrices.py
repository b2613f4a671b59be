"""Matrices whose rows, ids or values are wrong."""

from __future__ import annotations

import io

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from mistakes import Cohort, mistake


def replaced(cohort: Cohort, name: str, old: str, new: str) -> None:
    """Replace something once in the text of a matrix."""
    text = cohort.text(name)
    assert old in text
    cohort.files[f"{name}.tsv"] = text.replace(old, new, 1).encode()


def as_parquet(cohort: Cohort, frame: pd.DataFrame) -> None:
    content = io.BytesIO()
    frame.to_parquet(content, index=False)
    cohort.files["rna.tsv"] = content.getvalue()


def as_h5ad(cohort: Cohort, name: str, value: object) -> None:
    """Write the expression as a sparse AnnData with one of its parts replaced (None takes it out)."""
    frame, path = cohort.matrices["rna"].T.astype(float), cohort.folder / "written.h5ad"
    obs, var = pd.DataFrame(index=frame.index), pd.DataFrame(index=frame.columns)
    ad.AnnData(csr_matrix(frame.to_numpy()), obs=obs, var=var).write_h5ad(path)
    with h5py.File(path, "a") as file:
        if name:
            del file[name]
        if value is not None:
            file[name or "uns/link"] = value
    cohort.files["rna.tsv"] = path.read_bytes()


@mistake("IN-010")
def a_quote_that_is_not_closed(cohort: Cohort) -> None:
    replaced(cohort, "rna", "\nGENE7\t", '\n"GENE7\t')


@mistake("IN-011")
def a_cell_lost_in_the_middle_of_a_row(cohort: Cohort) -> None:
    row = next(line for line in cohort.text("methylation").splitlines() if line.startswith("cg00000003"))
    cells = row.split("\t")
    replaced(cohort, "methylation", row, "\t".join(cells[:9] + cells[10:]))


@mistake("IN-011")
def a_file_cut_in_the_middle(cohort: Cohort) -> None:
    cohort.files["cytokines.tsv"] = cohort.text("cytokines")[:-40].encode()


@mistake("IN-012")
def numbers_with_a_point_and_with_a_comma(cohort: Cohort) -> None:
    row = cohort.text("cytokines").splitlines()[2]
    replaced(cohort, "cytokines", row, row.replace(".", ","))


@mistake("IN-013")
def thousands_or_fractions(cohort: Cohort) -> None:
    cohort.matrices["rna"] = (cohort.matrices["rna"] + 1000).map(lambda value: f"{value:,}")


@mistake("IN-014")
def a_damaged_parquet_file(cohort: Cohort) -> None:
    cohort.files["rna.tsv"] = b"PAR1" + b"\x07" * 99


@mistake("IN-014")
def a_damaged_hdf5_file(cohort: Cohort) -> None:
    cohort.files["rna.tsv"] = b"\x89HDF\r\n\x1a\n" + b"\x07" * 99


@mistake("IN-016")
def a_column_of_parquet_twice(cohort: Cohort) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(pa.table([["A"], [1], [2]], names=["id", "S01", "S01"]), content)
    cohort.files["rna.tsv"] = content.getvalue()


@mistake("IN-017")
def blanks_between_the_columns(cohort: Cohort) -> None:
    cohort.files["cytokines.tsv"] = cohort.text("cytokines").replace("\t", " ").encode()


@mistake("IN-018")
def a_gene_of_parquet_without_an_id(cohort: Cohort) -> None:
    frame = cohort.matrices["rna"].rename_axis("id").reset_index()
    frame.loc[3, "id"] = None
    as_parquet(cohort, frame)


@mistake("IN-019")
def hdf5_without_a_matrix(cohort: Cohort) -> None:
    as_h5ad(cohort, "X", None)


@mistake("IN-020")
def hdf5_of_text(cohort: Cohort) -> None:
    as_h5ad(cohort, "X", np.full((36, 40), b"a"))


@mistake("IN-021")
def hdf5_of_another_size(cohort: Cohort) -> None:
    as_h5ad(cohort, "X", np.ones((3, 3)))


@mistake("IN-022")
def a_sparse_matrix_with_indices_out_of_it(cohort: Cohort) -> None:
    as_h5ad(cohort, "X/indices", np.full(36 * 40, 999_999))


@mistake("IN-023")
def a_link_to_another_file(cohort: Cohort) -> None:
    as_h5ad(cohort, "", h5py.ExternalLink("/etc/passwd", "/x"))


@mistake("IN-070")
def samples_that_nobody_knows(cohort: Cohort) -> None:
    cohort.matrices["cells"].columns = [f"X{name}" for name in cohort.matrices["cells"].columns]


@mistake("IN-071")
def a_row_without_an_id(cohort: Cohort) -> None:
    replaced(cohort, "rna", "\nGENE7\t", "\n\t")


@mistake("IN-072")
def a_sample_in_the_matrix_alone(cohort: Cohort) -> None:
    cohort.matrices["rna"]["S99"] = 5


@mistake("IN-073")
def a_gene_twice(cohort: Cohort) -> None:
    cohort.matrices["rna"] = pd.concat([cohort.matrices["rna"], cohort.matrices["rna"].iloc[[4]]])


@mistake("IN-074")
def a_sample_in_no_matrix(cohort: Cohort) -> None:
    for name in cohort.matrices:
        cohort.matrices[name] = cohort.matrices[name].drop(columns="S05")


@mistake("IN-075")
def a_second_view_of_counts_without_its_size_factors(cohort: Cohort) -> None:
    cohort.cohort["views"].append({"name": "te", "kind": "counts", "path": "te.tsv", "size_factors": "rna"})
    cohort.files["te.tsv"] = cohort.text("rna").encode()
    cohort.matrices["rna"] = cohort.matrices["rna"].drop(columns="S05")


@mistake("IN-080")
def an_infinite_value(cohort: Cohort) -> None:
    cohort.matrices["cytokines"].iloc[2, 2] = np.inf


@mistake("IN-081")
def a_missing_count(cohort: Cohort) -> None:
    cohort.matrices["rna"] = cohort.matrices["rna"].astype(object)
    cohort.matrices["rna"].iloc[2, 2] = ""


@mistake("IN-082")
def a_negative_count(cohort: Cohort) -> None:
    cohort.matrices["rna"].iloc[2, 2] = -1


@mistake("IN-083")
def a_fraction_of_a_count(cohort: Cohort) -> None:
    cohort.matrices["rna"] = cohort.matrices["rna"] + 0.25


@mistake("IN-084")
def a_count_beyond_all_bounds(cohort: Cohort) -> None:
    cohort.matrices["rna"].iloc[2, 2] = 2**31


@mistake("IN-085")
def a_beta_above_1(cohort: Cohort) -> None:
    cohort.matrices["methylation"].iloc[2, 2] = 1.2


@mistake("IN-086")
def a_proportion_in_percent(cohort: Cohort) -> None:
    cohort.matrices["cells"].iloc[1, 2] *= 100


@mistake("IN-087")
def a_negative_concentration(cohort: Cohort) -> None:
    cohort.matrices["cytokines"].iloc[2, 2] = -0.4


@mistake("IN-088")
def a_column_of_text(cohort: Cohort) -> None:
    cohort.matrices["rna"].insert(0, "biotype", "protein_coding")


@mistake("IN-089")
def a_cell_of_text(cohort: Cohort) -> None:
    cohort.matrices["rna"] = cohort.matrices["rna"].astype(object)
    cohort.matrices["rna"].iloc[2, 2] = "12 (?)"


@mistake("IN-090")
def a_sample_without_a_count(cohort: Cohort) -> None:
    cohort.matrices["rna"]["S05"] = 0


@mistake("IN-091")
def a_parent_population_beside_its_subsets(cohort: Cohort) -> None:
    cohort.matrices["cells"].loc["lymphocytes"] = cohort.matrices["cells"].iloc[:2].sum()
