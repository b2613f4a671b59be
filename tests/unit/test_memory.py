"""A validation asks for memory by the number of cells of its matrices, whatever they compress to."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from stratifn.running.memory import BASE, TO_SPARE, matrix_cells, validation_megabytes

FEATURES, SAMPLES = 3000, 200


@pytest.fixture(scope="module")
def frame():
    # mostly zeros: compressed, a cell takes a fraction of a byte
    values = np.random.default_rng(0).poisson(0.1, (FEATURES, SAMPLES))
    names = [f"S{number:03d}" for number in range(SAMPLES)]
    return pd.DataFrame(values, [f"ENSG{number:011d}" for number in range(FEATURES)], names)


def write(frame, path):
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".h5ad":
        values = frame.to_numpy().T.astype(np.float32)
        ad.AnnData(csr_matrix(values) if "sparse" in path.name else values).write_h5ad(path, compression="gzip")
    else:
        frame.to_csv(path, sep="," if ".csv" in path.name else "\t", index_label="id")
    return path


@pytest.mark.parametrize("name", ["m.tsv", "m.csv", "m.tsv.gz", "m.csv.gz", "m.parquet", "m.h5ad", "sparse.h5ad"])
def test_the_cells_of_a_matrix_are_counted_in_every_format(frame, tmp_path, name):
    assert matrix_cells(write(frame, tmp_path / name)) == pytest.approx(frame.size, rel=0.01)


@pytest.mark.parametrize("name", ["m.tsv", "m.tsv.gz"])
@pytest.mark.parametrize("wide", [False, True])
def test_the_cells_of_long_text_are_estimated_from_its_beginning(frame, tmp_path, monkeypatch, name, wide):
    monkeypatch.setattr("stratifn.running.memory.LOOKED_AT", 100_000)
    path = write(frame.T if wide else frame, tmp_path / name)
    assert matrix_cells(path) == pytest.approx(frame.size, rel=0.1)


@pytest.mark.parametrize("name", ["m.tsv", "m.tsv.gz", "m.parquet", "m.h5ad"])
@pytest.mark.parametrize("content", [b"", b"\xff\x00no matrix", b"\x1f\x8b\x08\x00"])
def test_a_file_that_is_no_matrix_still_gets_the_job_that_says_so(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert TO_SPARE * BASE <= validation_megabytes({str(path): "counts"}) < TO_SPARE * BASE + 2


def test_a_file_that_is_not_made_yet_is_no_small_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        validation_megabytes({str(tmp_path / "absent.tsv"): "counts"})


def test_matrices_and_a_reference_add_up_and_counts_take_more_than_fractions(frame, tmp_path):
    path = str(write(frame, tmp_path / "m.parquet"))
    counts, fractions = (validation_megabytes({path: kind}) for kind in ("counts", "beta"))
    assert TO_SPARE * BASE < fractions < counts < validation_megabytes({path: "counts"}, [path])
