"""What is not a feature is not analysed: left out and named where that is certain, refused where it may be one."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stratifn.inputs import GeneNames, Groups, read_cohort
from stratifn.inputs.not_features import NOT_FEATURES, without_other_rows
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.shared.errors import InputError
from stratifn.shared.vocabulary import VIEW_KINDS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "samples.schema.yaml").read_text())
SAMPLES = [f"P{number:02d}" for number in range(12)]
SHEET = pd.DataFrame(
    {
        "sample": SAMPLES,
        "disease": ["SLE"] * 6 + ["HC"] * 6,
        "age": [31.5, 40, 22, 58, 61, 33, 47, 29, 55, 38, 44, 50],
        "centre": ["A", "B", "C"] * 4,
        "CRP": np.linspace(1, 20, 12).round(1),
    }
)
GENERATOR = np.random.default_rng(4)
GENES = pd.DataFrame(GENERATOR.poisson(50, (6, 12)) + 1.0, index=["IFI44L", "MX1", "A", "B", "C", "D"], columns=SAMPLES)
CELLS = pd.DataFrame(GENERATOR.dirichlet(np.ones(5), 12).T, index=["T", "B", "NK", "mono", "pDC"], columns=SAMPLES)


def matrix(frame: pd.DataFrame) -> RawMatrix:
    lines = np.arange(2, len(frame) + 2)
    return RawMatrix("m", frame.to_numpy(float).copy(), list(frame.index), list(frame.columns), lines=lines)


def judged(frame: pd.DataFrame, kind: str = "counts", sheet: pd.DataFrame = SHEET, columns=None):
    return without_other_rows(matrix(frame), kind, sheet, columns or {})


def row(values, name: str, frame: pd.DataFrame = GENES) -> pd.DataFrame:
    return pd.concat([frame.iloc[:2], pd.DataFrame([np.broadcast_to(values, 12)], [name], SAMPLES), frame.iloc[2:]])


@pytest.mark.parametrize("kind", VIEW_KINDS)
@pytest.mark.parametrize("frame", [GENES, CELLS])
def test_features_stay_as_they_are(frame, kind):
    kept, left_out, problems = judged(frame, kind)
    assert (left_out, problems) == ([], [])
    assert np.array_equal(kept.values, frame.to_numpy())


LEFT_OUT = {
    "__no_feature": ("counts", "HTSeq"),
    "__alignment_not_unique": ("counts", "HTSeq"),
    "__too_low_aQual": ("counts", "HTSeq"),
    "no_feature": ("counts", "HTSeq"),
    "N_unmapped": ("counts", "STAR"),
    "N_noFeature": ("counts", "STAR"),
    "Unassigned_MultiMapping": ("counts", "featureCounts"),
    "ERCC-00002": ("counts", "spike-in"),
    "POS_A(128)": ("counts", "control probe"),
    "AFFX-BioB-5_at": ("continuous", "control probe"),
    "P-value": ("proportion", "deconvolution"),
    "Correlation": ("proportion", "deconvolution"),
    "RMSE": ("proportion", "deconvolution"),
    "Absolute score (sig.score)": ("proportion", "deconvolution"),
    "Total": ("counts", "sum"),
    "Library size": ("counts", "sum"),
    "Mean": ("concentration", "summary"),
    "age": ("continuous", "sample sheet"),
    "Plate": ("concentration", "sample sheet"),
    "PlateID": ("concentration", "sample sheet"),
    "batch": ("beta", "sample sheet"),
    "sample_id": ("counts", "sample sheet"),
    "disease": ("counts", "sample sheet"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_name_that_no_feature_has_is_left_out_and_named(name):
    kind, what = LEFT_OUT[name]
    frame = row(GENERATOR.uniform(0, 1, 12).round(3), name)
    kept, left_out, problems = judged(frame, kind)
    ((item, reason),) = left_out
    assert item == name and what in reason and reason.startswith("not a feature: ")
    assert problems == []
    assert kept.rows == list(GENES.index)
    assert np.array_equal(kept.values, GENES.to_numpy())
    assert kept.lines.tolist() == [2, 3, 5, 6, 7, 8]


def test_every_kind_of_name_has_an_example_here():
    assert {what.what for what in NOT_FEATURES} == {
        next(what.what for what in NOT_FEATURES if what.names.fullmatch(name)) for name in LEFT_OUT
    }


@pytest.mark.parametrize(
    "name",
    ["MAX", "SD", "RIN", "ID", "ERCC1", "ERCC6L2", "TOTALLY", "SUMO1", "AGER", "POSTN", "NEGR1", "SITE1", "SEX2", "CD4", "cg00000029"],
)  # fmt: skip
def test_genes_whose_names_look_alike_stay(name):
    assert judged(row(7.0, name))[0].rows[2] == name


def test_no_symbol_of_a_human_gene_is_left_out():
    path = ROOT / "resources" / "genes" / "human_protein_coding.tsv"
    symbols = pd.read_csv(path, sep="\t", keep_default_na=False)["gene_symbol"].tolist()
    assert not [name for name in symbols if any(what.names.fullmatch(name) for what in NOT_FEATURES)]


def test_a_cluster_called_ambiguous_is_one_of_cells_and_a_counter_of_reads():
    assert judged(row(0.01, "ambiguous", CELLS), "proportion")[1] == []
    assert judged(row(100, "ambiguous"))[1] != []


# --- by their values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("frame", "kind"), [(GENES, "counts"), (CELLS, "proportion"), (CELLS.round(3), "proportion")])
@pytest.mark.parametrize("name", ["Gesamt", "lymphocytes"])
def test_a_row_that_is_the_sum_of_the_others_is_left_out_whatever_its_name(frame, kind, name):
    kept, left_out, _ = judged(row(frame.sum(), name, frame), kind)
    assert left_out == [(name, "not a feature: the sum of the other rows, in every sample")]
    assert kept.rows == list(frame.index)


def test_the_sum_is_that_of_the_features_even_beside_other_rows_that_are_none():
    frame = row(GENES.sum(), "Gesamt")
    frame.loc["__no_feature"] = 1234.0
    assert [name for name, _ in judged(frame)[1]] == ["Gesamt", "__no_feature"]


def test_a_sum_that_fails_in_one_sample_is_a_feature():
    sums = GENES.sum()
    sums["P11"] += 5
    assert judged(row(sums, "Gesamt"))[1] == []


@pytest.mark.parametrize(
    "frame",
    [
        GENES * 0,
        pd.DataFrame(0.5, index=["T", "B"], columns=SAMPLES),
        # in two samples a half may be chance
        row(CELLS.sum(), "half", CELLS).iloc[:, :2],
    ],
)
def test_halves_and_zeros_are_no_sums(frame):
    assert judged(frame, "proportion")[1] == []


def test_row_numbers_of_a_data_frame_are_left_out():
    assert judged(row(np.arange(12.0), "Unnamed: 0"))[1] == [("Unnamed: 0", "not a feature: row numbers")]
    assert judged(row(np.arange(12.0), "MX2"))[1] == judged(row(5.0, "X"))[1] == []


def test_text_in_a_row_that_is_no_feature_is_no_problem_of_the_matrix():
    read = matrix(row(np.nan, "Plate"))
    read.texts = {(2, 0): "plate 1", (3, 1): "?"}
    assert without_other_rows(read, "counts", SHEET, {})[0].texts == {(2, 1): "?"}


def test_nothing_but_rows_that_are_no_features_is_refused():
    names = ["__no_feature", "__ambiguous", "N_unmapped"]
    _, _, (problem,) = judged(GENES.iloc[:3].set_axis(names))
    assert problem.code == "IN-102" and "__ambiguous" in problem.found


# --- columns of the sheet -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "columns"),
    [
        ("CRP", SHEET["CRP"], {}),
        ("crp", SHEET["CRP"], {}),
        ("c_reactive", SHEET["CRP"], {"CRP": "c_reactive"}),
    ],
)
def test_a_column_of_the_sheet_in_the_matrix_is_refused_where_it_may_be_a_feature(name, values, columns):
    kept, left_out, (problem,) = judged(row(values.to_numpy(), name), "concentration", columns=columns)
    assert problem.code == "IN-101" and "`CRP`" in problem.found and name in problem.where
    assert left_out == [] and name in kept.rows


def test_a_column_of_the_sheet_is_known_in_another_order_of_the_samples_and_as_codes():
    frame = row(SHEET["CRP"].to_numpy(), "CRP").iloc[:, ::-1]
    assert [problem.code for problem in judged(frame)[2]] == ["IN-101"]
    sheet = SHEET.assign(smoking=["yes", "no"] * 6)
    assert [problem.code for problem in judged(row([1.0, 0.0] * 6, "smoking"), sheet=sheet)[2]] == ["IN-101"]


def test_a_feature_that_only_shares_its_name_with_a_column_of_the_sheet_stays():
    kept, left_out, problems = judged(row(SHEET["CRP"].to_numpy() * 1.01, "CRP"))
    assert "CRP" in kept.rows and (left_out, problems) == ([], [])
    sheet = SHEET.assign(ISG15=["high", "low"] * 6)
    assert judged(row(GENERATOR.uniform(0, 9, 12), "ISG15"), sheet=sheet)[2] == []


# --- pairs of samples -----------------------------------------------------------------------------------------------


def test_a_matrix_of_pairs_of_samples_is_refused():
    correlations = pd.DataFrame(np.corrcoef(GENES.T), SAMPLES, SAMPLES)
    for frame in (correlations, correlations.iloc[:11], correlations.iloc[:, :11]):
        (problem,) = judged(frame, "continuous")[2]
        assert problem.code == "IN-100" and "P00" in problem.found


def test_features_that_have_numbers_as_samples_have_are_features():
    frame = pd.DataFrame(1.0, [str(n) for n in range(1, 200)], [str(n) for n in range(1, 13)])
    sheet = SHEET.assign(sample=[str(n) for n in range(1, 13)])
    assert judged(frame, sheet=sheet)[2] == []


# --- memory, and the whole validation -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_left_out_within_the_memory_of_the_matrix(monkeypatch, order):
    monkeypatch.setattr("stratifn.inputs.raw_matrix.ROWS_PER_BLOCK", 1_000)
    values = np.asarray(np.random.default_rng(1).random((30_000, 100)), dtype=np.float32, order=order)
    before = values[[0, 2, 999, 1001, 29_999]].copy()
    rows = [f"cg{number:08d}" for number in range(len(values))]
    rows[1], rows[1000] = "age", "batch"
    tracemalloc.start()
    kept, left_out, _ = without_other_rows(RawMatrix("m", values, rows, SAMPLES * 9), "beta", SHEET, {})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # the names alone are 30,000 pointers, copied a few times
    assert peak < values.nbytes / 2
    assert [name for name, _ in left_out] == ["age", "batch"]
    assert kept.rows[998] == "cg00000999" and kept.rows[999] == "cg00001001"
    assert np.array_equal(kept.values[[0, 1, 998, 999, 29_997]], before)


@pytest.mark.parametrize("transposed", [False, True])
def test_the_notes_name_what_was_left_out_and_the_matrix_is_that_without_it(tmp_path, monkeypatch, transposed):
    monkeypatch.chdir(tmp_path)
    frame = row(GENERATOR.poisson(900, 12).astype(float), "ERCC-00002")
    frame.loc["age"] = SHEET["age"].to_numpy()
    SHEET.drop(columns="CRP").to_csv("samples.tsv", sep="\t", index=False)
    with gzip.open("m.tsv.gz", "wt") as handle:
        (frame.T if transposed else frame).to_csv(handle, sep="\t", index_label="id")
    views = [{"name": "rna", "kind": "counts", "round": False}]
    settings = {"columns": {}, "labels": {}, "types": {}, "views": views}
    paths = {"samples": "samples.tsv", "rna": "m.tsv.gz"}

    def read():
        return read_cohort(settings, paths, Groups(["SLE"], "HC"), GeneNames({}, {}), SCHEMA, ())

    cohort = read()
    assert np.array_equal(cohort.views["rna"].X, GENES.T.to_numpy())
    left_out = cohort.notes[cohort.notes["what"] == "left out"]
    assert left_out["item"].tolist() == ["ERCC-00002", "age"]
    assert left_out["view"].tolist() == ["rna", "rna"]
    # without `round`, ages such as 31.5 were no counts
    frame.rename(index={"age": "aged"}).to_csv("m.tsv.gz", sep="\t", index_label="id")
    with pytest.raises(InputError, match="31.5 at aged"):
        read()
