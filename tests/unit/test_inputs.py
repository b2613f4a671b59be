"""Inputs: files of strangers become canonical matrices, or one message that names everything that is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from stratifn.inputs import GeneNames, Groups, read_cohort
from stratifn.inputs.gene_ids import named_genes
from stratifn.inputs.near import near_matches
from stratifn.inputs.reading import read_matrix, read_sheet
from stratifn.shared.checks import Checks
from stratifn.shared.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "samples.schema.yaml").read_text())
GENES = GeneNames({"DDX58": "RIGI"}, {"ENSG00000137959": "IFI44L"})
GROUPS = Groups(["SLE", "pSS"], "HC", ["SLE", "pSS", "DM"])
SAMPLES = [f"S{number:02d}" for number in range(12)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sheet():
    disease = ["SLE"] * 4 + ["pSS"] * 4 + ["HC"] * 4
    return pd.DataFrame({"sample": SAMPLES, "disease": disease, "sex": ["F", "M"] * 6, "age": range(30, 42)})


@pytest.fixture
def counts():
    values = np.random.default_rng(1).poisson(20, (5, 12))
    return pd.DataFrame(values, index=["IFI44L", "DDX58", "A", "B", "C"], columns=SAMPLES)


def write(frame: pd.DataFrame, path: str, label: str = "gene_id") -> str:
    frame.to_csv(path, sep="," if ".csv" in path else "\t", index_label=label)
    return path


def read(sheet, views: dict[str, tuple[str, str]], groups=GROUPS, checks=(), lenders=None, **settings):
    sheet.to_csv("samples.tsv", sep="\t", index=False)
    settings = {"columns": {}, "labels": {}, "types": {}} | settings
    settings["views"] = [
        {"name": name, "kind": kind, "round": False, "size_factors": (lenders or {}).get(name, "own")}
        for name, (kind, _) in views.items()
    ]
    paths = {"samples": "samples.tsv"} | {name: path for name, (_, path) in views.items()}
    return read_cohort(settings, paths, groups, GENES, SCHEMA, checks)


def refusal(*arguments, **settings) -> str:
    with pytest.raises(InputError) as error:
        read(*arguments, **settings)
    return str(error.value)


# --- what is understood ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["m.tsv", "m.tsv.gz", "m.csv", "m.csv.gz", "m.parquet", "m.h5ad"])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_format_in_both_orientations_gives_the_same_matrix(folder, sheet, counts, path, transposed):
    frame = counts.T if transposed else counts
    if path.endswith(".parquet"):
        frame.to_parquet(path)
    elif path.endswith(".h5ad"):
        ad.AnnData(counts.T.astype(float)).write_h5ad(path)
    else:
        write(frame, path)
    rna = read(sheet, {"rna": ("counts", path)}).views["rna"]
    assert list(rna.obs_names) == SAMPLES
    assert np.array_equal(rna.to_df().to_numpy(), counts.T.to_numpy())
    assert rna.var["gene_name"].tolist() == ["IFI44L", "RIGI", "A", "B", "C"]


def test_parquet_without_an_index_of_pandas_is_read_in_blocks_of_columns(folder, sheet, counts, monkeypatch):
    monkeypatch.setattr("stratifn.inputs.parquet.CELLS_PER_BLOCK", 2 * len(counts))
    frame = counts.rename_axis("gene").reset_index()
    frame.insert(1, "gene_name", frame["gene"])
    frame.to_parquet("m.parquet", index=False)
    assert np.array_equal(read(sheet, {"rna": ("counts", "m.parquet")}).views["rna"].X, counts.T.to_numpy())


def test_a_parquet_table_of_text_or_without_values_is_refused(folder, sheet, counts):
    counts.astype(str).replace(str(counts.iloc[1, 4]), "low").to_parquet("m.parquet")
    assert "low" in refusal(sheet, {"rna": ("counts", "m.parquet")})
    counts.reset_index().iloc[:, :1].to_parquet("m.parquet", index=False)
    assert "ids and values" in refusal(sheet, {"rna": ("counts", "m.parquet")})


def test_the_sheets_own_names_are_mapped(folder, sheet, counts):
    sheet = sheet.rename(columns={"sample": "gsm", "disease": "condition", "sex": "gender"})
    sheet["condition"] = sheet["condition"].replace({"HC": "Control", "SLE": "lupus patient"})
    sheet["gender"] = sheet["gender"].map({"F": "Female", "M": "male"})
    cohort = read(
        sheet,
        {"rna": ("counts", write(counts, "c.tsv"))},
        columns={"sample": "gsm", "disease": "condition", "sex": "gender"},
        labels={"HC": "Control", "SLE": "lupus patient"},
    )
    assert cohort.samples["disease"].value_counts().to_dict() == {"SLE": 4, "pSS": 4, "HC": 4}
    assert cohort.samples["sex"].tolist() == ["F", "M"] * 6
    assert "renamed" in cohort.notes.set_index("item").loc["sex", "what"]


def test_samples_of_other_known_diseases_are_left_out_and_named(folder, sheet, counts):
    sheet.loc[3, "disease"] = "DM"
    cohort = read(sheet, {"rna": ("counts", write(counts, "c.tsv"))})
    assert "S03" not in cohort.samples["sample"].tolist()
    assert "S03" not in cohort.views["rna"].obs_names
    assert cohort.notes.set_index("item").loc["S03", "what"] == "left out"


def test_samples_missing_from_one_view_stay_in_the_cohort(folder, sheet, counts):
    other = counts.drop(columns=["S01", "S05"]) / 100
    cohort = read(
        sheet, {"rna": ("counts", write(counts, "c.tsv")), "cells": ("proportion", write(other.clip(0, 0.1), "p.tsv"))}
    )
    samples = cohort.samples.set_index("sample")
    assert (~samples["in_cells"]).sum() == 2
    missing = cohort.notes[cohort.notes["what"] == "missing"]
    assert missing["item"].tolist() == ["S01", "S05"]


def test_a_gene_name_column_and_r_style_headers_are_understood(folder, sheet, counts):
    annotated = counts.set_axis([f"ENSG0000000000{n}.{n}" for n in range(5)])
    annotated.insert(0, "gene_name", counts.index)
    rna = read(sheet, {"rna": ("counts", write(annotated, "a.tsv"))}).views["rna"]
    assert rna.var_names[0] == "ENSG00000000000"
    assert rna.var["gene_name"].tolist() == ["IFI44L", "RIGI", "A", "B", "C"]
    lines = counts.to_csv(sep="\t", header=True).splitlines()
    Path("r.tsv").write_text("\n".join([lines[0].removeprefix("\t"), *lines[1:]]) + "\n")
    shifted = read(sheet, {"rna": ("counts", "r.tsv")}).views["rna"]
    assert np.array_equal(shifted.X, counts.T.to_numpy())


def test_values_below_the_limit_of_detection_are_kept_as_such(folder, sheet, counts):
    analytes = (counts.loc[["A", "B"]] / 7).astype(object)
    analytes.loc["A", "S02"] = "<0.7"
    analytes.loc["B", "S03"] = None
    view = read(sheet, {"cytokines": ("concentration", write(analytes, "a.tsv"))}).views["cytokines"]
    assert view.var["lod"].iloc[0] == 0.7
    assert np.isnan(view.var["lod"].iloc[1])
    assert view.layers["below_lod"].sum() == 1
    assert np.isnan(view["S02", "A"].X[0, 0])


def test_byte_order_marks_and_windows_line_ends_do_no_harm(folder, sheet, counts):
    text = counts.to_csv(sep="\t", index_label="gene").replace("\n", "\r\n")
    Path("c.tsv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert np.array_equal(read(sheet, {"rna": ("counts", "c.tsv")}).views["rna"].X, counts.T.to_numpy())


def test_ids_that_look_like_numbers_stay_as_they_are_written(folder, sheet, counts):
    names = [f"{number:03d}" for number in range(12)]
    sheet["sample"], counts.columns = names, names
    assert list(read(sheet, {"rna": ("counts", write(counts, "c.tsv"))}).views["rna"].obs_names) == names


def test_salmons_fractional_counts_are_rounded_when_asked_to(folder, sheet, counts):
    write(counts + 0.4, "c.tsv")
    sheet.to_csv("samples.tsv", sep="\t", index=False)
    view = {"name": "rna", "kind": "counts", "round": True}
    settings = {"columns": {}, "labels": {}, "types": {}, "views": [view]}
    cohort = read_cohort(settings, {"samples": "samples.tsv", "rna": "c.tsv"}, GROUPS, GENES, SCHEMA, ())
    assert np.array_equal(cohort.views["rna"].X, counts.T.to_numpy())
    assert "rounded" in cohort.notes["what"].tolist()


# --- genes ----------------------------------------------------------------------------------------------------------


def test_an_old_symbol_is_not_mended_when_the_current_one_is_there_too():
    _, names, _ = named_genes(["DDX58", "RIGI"], None, GENES, "rna")
    assert names == ["DDX58", "RIGI"]


def test_registry_genes_get_their_symbol_from_ensembl_ids():
    ids, names, _ = named_genes(["ENSG00000137959.4", "ENSG00000000001.2"], None, GENES, "rna")
    assert ids == ["ENSG00000137959", "ENSG00000000001"]
    assert names == ["IFI44L", "ENSG00000000001"]


def test_symbols_that_a_spreadsheet_damaged_are_noted():
    _, _, notes = named_genes(["2-Mar", "IFI44L"], None, GENES, "rna")
    assert any("2-Mar" in reason and "spreadsheet" in reason for *_, reason in notes)


@pytest.mark.parametrize(
    ("theirs", "ours"), [("X01-A", "01.A"), ("s_1", "S 1"), ("7", "007"), ("Patient.12", "patient-12")]
)
def test_ids_that_software_changed_are_recognised_as_near(theirs, ours):
    assert near_matches([theirs], [ours, "other"]) == {theirs: ours}


# --- what is refused ------------------------------------------------------------------------------------------------


def damaged(frame, cell, value):
    frame = frame.astype(object)
    frame.iloc[cell] = value
    return frame


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("counts", -3, "-3 at IFI44L / S01"),
        ("counts", 1.5, "whole numbers"),
        ("counts", None, "a count in every cell"),
        ("counts", 2**31, "at most 2147483647"),
        ("counts", "abc", "'abc' at IFI44L / S01"),
        ("counts", "inf", "finite numbers"),
        ("beta", 1.2, "between 0 and 1"),
        ("proportion", 45, "divide by 100"),
        ("concentration", -1, "0 or more"),
        ("concentration", "low", "'low' at IFI44L / S01"),
        ("continuous", "high", "'high' at IFI44L / S01"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row_and_column(folder, sheet, counts, kind, value, expected):
    frame = counts if kind in ("counts", "continuous", "concentration") else counts / 1000
    path = write(damaged(frame, (0, 1), value), "m.tsv")
    message = refusal(sheet, {"rna" if kind == "counts" else "other": (kind, path)})
    assert expected in message
    assert "m.tsv" in message


def test_problems_of_every_file_come_in_one_message(folder, sheet, counts):
    sheet.loc[1, "sample"] = "S00"
    sheet.loc[2, "disease"] = "SLEE"
    bad = damaged(counts, (0, 4), -1)
    cells = damaged(counts / 1000, (1, 5), 7.0)
    message = refusal(sheet, {"rna": ("counts", write(bad, "c.tsv")), "cells": ("proportion", write(cells, "p.tsv"))})
    for part in ("`S00` 2 times", "`SLEE` in 1 sample", "Did you mean `SLE`?", "-1 at", "7 at", "c.tsv", "p.tsv"):
        assert part in message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s.drop(columns="disease"), "no column `disease`"),
        (lambda s: s.rename(columns={"disease": "Disease "}), "Did you mean `Disease`?"),
        (lambda s: s.assign(disease=s["disease"].replace("pSS", "SLE")), "no sample with `pSS`"),
        (lambda s: s.assign(disease=s["disease"].replace("HC", "SLE")), "no sample with the control label `HC`"),
        (lambda s: s.assign(sample=["a b", *s["sample"][1:]]), "the sample id 'a b'"),
        (lambda s: s.assign(sample=["../x", *s["sample"][1:]]), "the sample id '../x'"),
        (lambda s: s.assign(sample=["s01", *s["sample"][1:]]), "differs only by case"),
        (lambda s: s.assign(sex=["f?", *s["sex"][1:]]), "'f?' in sample S00 (line 2)"),
        (lambda s: s.assign(age=[240, *s["age"][1:]]), "'240' in sample S00 (line 2)"),
        (lambda s: s.assign(age=["old", *s["age"][1:]]), "'old' in sample S00 (line 2)"),
        (lambda s: s.assign(patient=["p1", "p1", *s["sample"][2:]]), "one sample per patient"),
    ],
)
def test_a_wrong_sheet_is_refused_with_what_to_mend(folder, sheet, counts, change, expected):
    assert expected in refusal(change(sheet), {"rna": ("counts", write(counts, "c.tsv"))})


def test_ids_in_one_table_only_are_listed_both_ways_with_near_matches(folder, sheet, counts):
    renamed = counts.rename(columns={"S03": "s.03", "S04": "unknown"})
    message = refusal(sheet, {"rna": ("counts", write(renamed, "c.tsv"))})
    assert "2 ids that are not in the sheet: s.03, unknown" in message
    assert "lacks: S03, S04" in message
    assert "`s.03` may be the sheet's `S03`" in message


def test_a_sample_that_no_matrix_holds_is_refused(folder, sheet, counts):
    message = refusal(sheet, {"rna": ("counts", write(counts.drop(columns="S07"), "c.tsv"))})
    assert "in no matrix: S07" in message


def test_duplicated_ids_are_refused(folder, sheet, counts):
    twice = counts.set_axis(["A", "A", "B", "C", "D"])
    assert "`A` 2 times" in refusal(sheet, {"rna": ("counts", write(twice, "c.tsv"))})
    columns = counts.set_axis(["S00", "S00", *SAMPLES[2:]], axis=1)
    assert "`S00` 2 times" in refusal(sheet, {"rna": ("counts", write(columns, "c.tsv"))})


def test_a_sample_without_a_single_count_is_refused(folder, sheet, counts):
    counts["S02"] = 0
    assert "sample S02: found no count at all" in refusal(sheet, {"rna": ("counts", write(counts, "c.tsv"))})


def test_annotation_columns_inside_a_matrix_are_named(folder, sheet, counts):
    counts.insert(0, "description", ["x", "y", "z", "u", "v"])
    message = refusal(sheet, {"rna": ("counts", write(counts, "c.tsv"))})
    assert "text in description" in message


def test_a_matrix_of_other_samples_says_which_ids_look_alike(folder, sheet, counts):
    counts.columns = [f"X{name.replace('S', 'S-')}" for name in counts.columns]
    sheet["sample"] = [name.replace("S", "S_") for name in sheet["sample"]]
    message = refusal(sheet, {"rna": ("counts", write(counts, "c.tsv"))})
    assert "expected samples of the sheet such as S_00" in message


def test_the_check_of_the_design_runs_on_typed_samples(folder, sheet, counts):
    seen = []
    checks = [Checks(samples=lambda samples: seen.append(samples) or [])]
    read(sheet, {"rna": ("counts", write(counts, "c.tsv"))}, checks=checks)
    assert seen[0]["age"].dtype.kind in "if"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"sample\tdisease\n\xff\xfe\tSLE\n", "UTF-8"),
        (b"sample\tdisease\nS\x001\tSLE\n", "NUL"),
        (b"sample\tdisease\nS1\n", "1 cell;"),
        (b"sample\tsample\nS1\tSLE\n", "`sample` twice"),
        (b"sample\tdisease\n", "a header and no row below it"),
    ],
)
def test_a_sheet_that_is_no_table_is_refused(folder, content, expected):
    Path("s.tsv").write_bytes(content)
    with pytest.raises(InputError, match="the file|header|line") as error:
        read_sheet("s.tsv")
    assert expected in str(error.value)


def test_files_that_cannot_be_read_are_refused_in_words(folder):
    for name, content in {
        "m.tsv": b"\xff\xfe\x00x\n",
        "m.tsv.gz": b"no gzip",
        "m.parquet": b"no",
        "m.h5ad": b"no",
    }.items():
        Path(name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            read_matrix(name)
    with pytest.raises(InputError, match="nothing there"):
        read_matrix("absent.tsv")
    with pytest.raises(InputError, match="Excel"):
        Path("m.xlsx").write_bytes(b"PK\x03\x04rest")
        read_matrix("m.xlsx")


def test_links_out_of_an_hdf5_file_are_refused(folder):
    with h5py.File("secret.h5", "w") as handle:
        handle["x"] = [1.0]
    ad.AnnData(np.ones((2, 2))).write_h5ad("m.h5ad")
    with h5py.File("m.h5ad", "a") as handle:
        del handle["X"]
        handle["X"] = h5py.ExternalLink("secret.h5", "x")
    with pytest.raises(InputError, match="a link to elsewhere"):
        read_matrix("m.h5ad")


def test_a_large_matrix_is_read_in_blocks_with_the_right_cells_named(folder, monkeypatch):
    monkeypatch.setattr("stratifn.inputs.parquet.CELLS_PER_BLOCK", 10)
    frame = damaged(pd.DataFrame(np.arange(60).reshape(20, 3), columns=["a", "b", "c"]).add_prefix("S"), (17, 2), "?")
    frame.index = [f"g{number}" for number in frame.index]
    with gzip.open("m.tsv.gz", "wt") as handle:
        frame.to_csv(handle, sep="\t", index_label="gene")
    raw = read_matrix("m.tsv.gz")
    assert raw.texts == {(17, 2): "?"}
    assert raw.values.shape == (20, 3)
    assert raw.values[19, 0] == 57


def test_a_view_keeps_whose_size_factors_it_takes_and_has_no_sample_without_one(folder, sheet, counts):
    views = {"rna": ("counts", write(counts, "c.tsv")), "te": ("counts", write(counts, "te.tsv"))}
    lent = read(sheet, views, lenders={"te": "rna"}).views
    assert lent["te"].uns["size_factors"] == "rna" and "size_factors" not in lent["rna"].uns
    write(counts.drop(columns=["S03", "S07"]), "c.tsv")
    message = refusal(sheet, views, lenders={"te": "rna"})
    assert "te.tsv" in message and "2 samples that rna does not have: S03, S07" in message
    assert read(sheet, views).views["te"].n_obs == 12


@pytest.mark.parametrize(
    ("theirs", "hint"),
    [
        ("Lupus_{}_L001", "`Lupus_S00_L001` for `S00`"),
        ("other{:.0}{.__class__}", "a file `ids` with the columns `id` and `sample`"),
    ],
)
def test_ids_that_hold_those_of_the_sheet_are_recognised(folder, sheet, counts, theirs, hint):
    renamed = counts.rename(columns=lambda name: theirs.format(name, name))
    assert hint in refusal(sheet, {"rna": ("counts", write(renamed, "c.tsv"))})


def test_ids_that_r_changed_are_told_as_such(folder, sheet, counts):
    sheet["sample"] = [f"{number:02d}-A" for number in range(len(sheet))]
    renamed = counts.set_axis([f"X{number:02d}.A" for number in range(counts.shape[1])], axis=1)
    assert "check.names = FALSE" in refusal(sheet, {"rna": ("counts", write(renamed, "c.tsv"))})
