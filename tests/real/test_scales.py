"""Real matrices pass the checks of rows and scale without a word, and their transforms do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stratifn.inputs.not_features import without_other_rows
from stratifn.inputs.orientation import features_in_rows
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.reading import read_matrix
from stratifn.inputs.scales import scale_findings

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="needs the shared real data")
COUNTS = {
    "airway": "counts.csv.gz",
    "dream-reference-repeated-counts": "counts.tsv.gz",
    "ifn-stimulated-airway": "counts.tsv.gz",
    "myositis-muscle": "counts.tsv.gz",
    "paired-visits-muscle-counts": "counts.tsv.gz",
    "pss-salivary-gland": "counts.tsv.gz",
    "simulated-multifactor": "counts.parquet",
}
CONTINUOUS = (
    ("breast-tcga", "train_mrna.tsv.gz", "rna"),
    ("breast-tcga", "train_mirna.tsv.gz", "mirna"),
    ("breast-tcga", "train_protein.tsv.gz", "protein"),
    ("four-studies-one-biology", "expression.tsv.gz", "rna"),
    ("sle-blood", "GSE65391_expr_log2.tsv.gz", "rna"),
    ("sle-blood", "GSE72509_expr_log2.tsv.gz", "rna"),
    ("sle-visits", "modules.tsv.gz", "rna"),
    ("ssc-blood", "expr_log2_symbol.tsv.gz", "rna"),
)
ARRAYS = [each for each in CONTINUOUS if each[0] in ("sle-blood", "ssc-blood")]


def read(folder: str, file: str) -> RawMatrix:
    raw = read_matrix(str(DATA / folder / file))
    sheet = next(path for path in sorted((DATA / folder).iterdir()) if "sample" in path.name or "subtype" in path.name)
    if file.startswith("GSE"):
        sheet = DATA / folder / f"{file[:8]}_samples.tsv"
    table = pd.read_csv(sheet, sep="," if sheet.suffix == ".csv" else "\t", dtype=str)
    matrix, problems = features_in_rows(raw, [cell for column in table for cell in table[column].dropna()])
    assert problems == []
    return matrix


def said(matrix: RawMatrix, values: np.ndarray, kind: str, view: str = "rna") -> list[str]:
    matrix = RawMatrix(matrix.path, np.array(values), matrix.rows, matrix.columns)
    matrix, left_out, problems = without_other_rows(matrix, kind, pd.DataFrame({"sample": matrix.columns}), {})
    found = scale_findings(matrix, {"name": view, "kind": kind})
    return [
        *map(str, left_out),
        *(each.code for each in problems + found.problems),
        *(what for _, what, _ in found.notes),
    ]


@pytest.mark.parametrize(("folder", "file", "view"), CONTINUOUS)
def test_real_values_on_a_log_scale_pass(folder, file, view):
    matrix = read(folder, file)
    assert said(matrix, matrix.values, "continuous", view) == []


@pytest.mark.parametrize("folder", COUNTS)
def test_real_counts_pass_whole_or_as_salmon_counts_them_and_a_part_of_the_genes_does(folder):
    matrix = read(folder, COUNTS[folder])
    counts, generator = matrix.values, np.random.default_rng(1)
    salmon = counts + (counts > 0) * (generator.random(counts.shape) < 0.35) * generator.random(counts.shape)
    for values in (counts, salmon, salmon[:, :1], salmon * generator.lognormal(0, 0.05, counts.shape)):
        assert said(matrix, values, "counts") == []
    some = np.sort(generator.permutation(len(counts))[:300])
    panel = RawMatrix(matrix.path, counts, [matrix.rows[row] for row in some], matrix.columns)
    assert said(panel, counts[some], "counts") == said(panel, salmon[some], "counts") == []


@pytest.mark.parametrize("folder", COUNTS)
def test_transforms_of_real_counts_do_not_pass(folder):
    matrix = read(folder, COUNTS[folder])
    counts = matrix.values
    cpm = counts / counts.sum(axis=0) * 1e6
    lengths = np.random.default_rng(1).lognormal(8, 0.8, len(counts))[:, None]
    tpm = counts / lengths / (counts / lengths).sum(axis=0) * 1e6
    assert said(matrix, counts, "continuous") == ["IN-110"]
    for values in (cpm, tpm):
        assert said(matrix, values, "counts") == said(matrix, np.rint(values), "counts") == ["IN-114"]
        assert said(matrix, values.round(3), "continuous") == ["IN-111"]
    assert said(matrix, cpm / lengths * 1000, "counts") == ["IN-116"]
    for values in (np.log2(cpm + 1), np.log2(tpm + 1), np.log2(cpm + 0.1)):
        assert said(matrix, values, "counts") == ["IN-113"]
        assert said(matrix, values, "continuous") == []
    assert said(matrix, np.rint(np.log2(cpm + 1)), "counts") == ["IN-116"]


@pytest.mark.parametrize(("folder", "file", "view"), ARRAYS)
def test_real_arrays_do_not_pass_unlogged_logged_twice_or_as_another_kind(folder, file, view):
    matrix = read(folder, file)
    values = matrix.values
    assert said(matrix, 2**values, "continuous", view) == said(matrix, 2**values, "continuous", "arrays") == ["IN-111"]
    assert said(matrix, np.log2(values), "continuous", view) == ["scale in doubt"]
    assert said(matrix, values, "counts") == ["IN-113"]
    assert said(matrix, values, "concentration", "proteins") == ["IN-118"]
