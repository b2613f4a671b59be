"""The scale of a view: what is on the right one passes without a word, what is certainly not is refused with numbers."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stratifn.inputs import GeneNames, Groups, read_cohort
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.scales import SCALE_CHECKS, scale_findings
from stratifn.inputs.values import value_problems
from stratifn.shared.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "samples.schema.yaml").read_text())
GENERATOR = np.random.default_rng(7)
N = 24


def of(values: np.ndarray) -> RawMatrix:
    values = np.array(values, dtype=np.float64)
    return RawMatrix("m", values, [f"f{n}" for n in range(len(values))], [f"P{n:02d}" for n in range(values.shape[1])])


def findings(values, kind: str, view: str = "rna", scale: str = "checked"):
    return scale_findings(of(values), {"name": view, "kind": kind, "scale": scale})


def negative_binomial(genes: int = 3000, samples: int = N, spread: float = 2.0) -> np.ndarray:
    means = GENERATOR.lognormal(2.5, spread, genes)[:, None]
    depth = GENERATOR.lognormal(0, 0.3, samples)
    return GENERATOR.poisson(means * depth * GENERATOR.gamma(5, 0.2, (genes, samples))).astype(float)


COUNTS = negative_binomial()
LENGTHS = GENERATOR.lognormal(7, 0.8, len(COUNTS))[:, None]
CPM = COUNTS / COUNTS.sum(axis=0) * 1e6
TPM = COUNTS / LENGTHS / (COUNTS / LENGTHS).sum(axis=0) * 1e6
TMM = CPM / np.exp(np.linspace(-0.2, 0.2, N))
LOG2 = np.log2(CPM + 1)
ARRAY = GENERATOR.normal(GENERATOR.uniform(4, 13, 3000)[:, None], 0.4, (3000, N))
SALMON = COUNTS + (COUNTS > 0) * (GENERATOR.random(COUNTS.shape) < 0.4) * 0.37
NPX = np.abs(GENERATOR.normal(GENERATOR.uniform(2, 11, 92)[:, None], 0.8, (92, N)))
PROTEINS = np.exp2(GENERATOR.normal(GENERATOR.normal(4, 3, 92)[:, None], 1, (92, N)))
CELLS = GENERATOR.dirichlet(np.ones(8), N).T
BETA = np.where(
    GENERATOR.random((2000, N)) < 0.5, GENERATOR.beta(2, 20, (2000, N)), GENERATOR.beta(20, 3, (2000, N))
).clip(0.001, 0.999)
LAB_MEANS = np.array([140, 4.2, 9.8, 5, 42, 250, 7, 90, 25, 1.2, 0.9, 12, 37, 70, 120, 80, 170, 5.5, 30, 300])[:, None]
LABS = LAB_MEANS * GENERATOR.normal(1, 0.12, (20, N))


def with_cells(values: np.ndarray, *cells: float) -> np.ndarray:
    changed = values.copy()
    changed[: len(cells), 0] = cells
    return changed


def some_times(values: np.ndarray, factor: float) -> np.ndarray:
    """Multiply the first third of the samples."""
    return values * np.where(np.arange(values.shape[1]) < values.shape[1] // 3, factor, 1)


RIGHT = {
    "counts": ("counts", "rna", COUNTS),
    "counts of one sample": ("counts", "rna", COUNTS[:, :1]),
    "Salmon's counts": ("counts", "rna", SALMON),
    "length-scaled counts": ("counts", "rna", COUNTS * GENERATOR.lognormal(0, 0.05, COUNTS.shape)),
    "counts of fractions of reads": ("counts", "rna", COUNTS / 2),
    "Salmon's counts of a panel": ("counts", "rna", SALMON[:40]),
    "microRNA": ("counts", "mirna", negative_binomial(400, spread=3)),
    "single cells": ("counts", "rna", GENERATOR.poisson(GENERATOR.lognormal(-3, 1.5, 3000)[:, None] * np.ones(N))),
    "pure Poisson": ("counts", "rna", GENERATOR.poisson(GENERATOR.uniform(0.5, 20, 300)[:, None] * np.ones(N))),
    "counts with features of zeros": ("counts", "rna", np.vstack([np.zeros((3000, N)), COUNTS])),
    "counts thinned to one depth": (
        "counts",
        "rna",
        np.transpose([GENERATOR.multinomial(1_000_000, np.full(3000, 1 / 3000)) for _ in range(N)]),
    ),
    "counts thinned to about one depth": ("counts", "rna", GENERATOR.poisson(np.full((2000, N), 500.0))),
    "a few genes": ("counts", "rna", COUNTS[:3]),
    "nothing but zeros": ("counts", "rna", np.zeros((50, N))),
    "arrays": ("continuous", "rna", ARRAY),
    "log2 CPM": ("continuous", "rna", LOG2),
    "z scores": ("continuous", "rna", GENERATOR.normal(size=(3000, N))),
    "ratios of cycles": ("continuous", "rna", GENERATOR.normal(5, 3, (8, N))),
    "modules between 0 and 1": ("continuous", "rna", GENERATOR.beta(3, 3, (3, N))),
    "NPX": ("continuous", "proteins", NPX),
    "log2 peak areas": ("continuous", "metabolites", GENERATOR.normal(20, 3, (300, N))),
    "blood tests": ("continuous", "labs", LABS),
    "T scores": ("continuous", "scores", GENERATOR.normal(50, 10, (100, N))),
    "points": ("continuous", "scores", GENERATOR.integers(0, 11, (30, N))),
    "volumes": (
        "continuous",
        "imaging",
        GENERATOR.uniform(500, 9000, 200)[:, None] * GENERATOR.normal(1, 0.1, (200, N)),
    ),
    "M-values": ("continuous", "methylation", np.log2(BETA / (1 - BETA))),
    "pg/ml": ("concentration", "proteins", PROTEINS),
    "pg/ml below 30": ("concentration", "proteins", np.minimum(PROTEINS / 100, 30)),
    "ratios around 1": ("concentration", "proteins", GENERATOR.lognormal(0, 0.3, (92, N))),
    "g/l of a few proteins": ("concentration", "labs", GENERATOR.normal([[12.0], [1.1], [0.3], [42]], 0.02, (4, N))),
    "proportions": ("proportion", "cells", CELLS),
    "proportions of a part of the cells": ("proportion", "cells", CELLS * 0.3),
    "sparse proportions": ("proportion", "cells", GENERATOR.dirichlet(np.full(22, 0.1), N).T),
    "one part": ("proportion", "cells", CELLS[:1] / 100),
    "methylation": ("beta", "methylation", BETA),
    "methylation with missing values": ("beta", "methylation", np.where(GENERATOR.random(BETA.shape) < 0.1, np.nan, BETA)),
    "one wrong fraction": ("beta", "methylation", with_cells(BETA, 1.3)),
}  # fmt: skip


@pytest.mark.parametrize("scale", RIGHT)
def test_what_is_on_the_right_scale_passes_without_a_word(scale):
    kind, view, values = RIGHT[scale]
    found = findings(values, kind, view)
    assert (found.problems, found.notes, found.explained) == ([], [], ())


@pytest.mark.parametrize("kind", ["counts", "beta", "proportion", "concentration", "continuous"])
@pytest.mark.parametrize("values", [np.zeros((50, N)), np.full((50, N), np.nan), np.ones((1, 1)), np.zeros((3, 0))])
def test_nothing_is_said_of_nothing(kind, values):
    assert findings(values, kind).problems == findings(values, kind).notes == []


# code and a part of the numbers that the message shows
WRONG = {
    "counts as continuous": ("continuous", "rna", COUNTS, "IN-110", "whole numbers from 0 to"),
    "counts as continuous, another view": ("continuous", "mirna", COUNTS, "IN-110", "whole numbers"),
    "unlogged intensities": ("continuous", "rna", 2**ARRAY, "IN-111", "half of them at most"),
    "unlogged intensities below a background": ("continuous", "arrays", 2**ARRAY - 30, "IN-111", "values from -"),
    "unlogged TPM": ("continuous", "rna", TPM, "IN-111", "values from 0 to"),
    "unlogged folds of a few genes": ("continuous", "rna", 2 ** GENERATOR.normal(3, 3, (8, N)), "IN-111", "values from"),
    "concentrations": ("continuous", "proteins", PROTEINS, "IN-111", "values from"),
    "9999 for missing": ("continuous", "rna", with_cells(ARRAY, 9999, -9999), "IN-112", "from -9,999 to 9,999"),
    "log2 CPM as counts": ("counts", "rna", LOG2, "IN-113", "100 % of them fractions"),
    "log2 CPM of a panel": ("counts", "rna", LOG2[LOG2.mean(axis=1) > 3][:40], "IN-113", "fractions"),
    "arrays as counts": ("counts", "rna", ARRAY, "IN-113", "fractions"),
    "arrays of three samples as counts": ("counts", "rna", ARRAY[:, :3], "IN-113", "fractions"),
    "z scores as counts": ("counts", "rna", GENERATOR.normal(size=(3000, N)), "IN-113", "values from -"),
    "CPM": ("counts", "rna", CPM, "IN-114", "sums per sample from 1,000,000 to 1,000,000"),
    "TPM with two digits": ("counts", "rna", TPM.round(2), "IN-114", "sums per sample"),
    "TPM of one sample": ("counts", "rna", TPM[:, :1], "IN-114", "1,000,000"),
    "whole CPM": ("counts", "rna", np.rint(CPM), "IN-114", "sums per sample"),
    "CPM with edgeR's factors": ("counts", "rna", TMM, "IN-114", "sums per sample"),
    "counts scaled to 10,000": ("counts", "rna", CPM / 100, "IN-114", "10,000"),
    "normalized counts": ("counts", "rna", COUNTS / GENERATOR.lognormal(0, 0.3, N), "IN-115", "multiples of one number"),
    "normalized counts with two digits": (
        "counts",
        "rna",
        (COUNTS / GENERATOR.lognormal(0, 0.3, N)).round(2),
        "IN-115",
        "multiples",
    ),
    "whole log2 CPM": ("counts", "rna", np.rint(LOG2), "IN-116", "times the mean"),
    "FPKM": ("counts", "rna", COUNTS * 4 / LENGTHS * GENERATOR.lognormal(0, 0.2, N), "IN-116", "times the mean"),
    "NPX with negative values": ("concentration", "proteins", NPX - 5, "IN-117", "% of them below 0"),
    "NPX": ("concentration", "proteins", NPX, "IN-118", "92 analytes that vary by 0."),
    "arrays as concentrations": ("concentration", "proteins", ARRAY[:92], "IN-118", "spread that hardly grows"),
    "some samples in percent": ("proportion", "cells", some_times(CELLS, 100), "IN-119", "8 samples that sum to about 100"),
    "some samples divided twice": ("proportion", "cells", some_times(CELLS, 0.01), "IN-119", "8 to about 0.01"),
    "percentages": ("proportion", "cells", CELLS * 100, "IN-120", "sum to 100 to 100"),
    "percentages with one digit": ("proportion", "cells", (CELLS * 100).round(1), "IN-120", "per sample"),
    "divided twice": ("proportion", "cells", CELLS / 100, "IN-121", "sums per sample from 0.01 to 0.01"),
    "M-values": ("beta", "methylation", np.log2(BETA / (1 - BETA)), "IN-122", "outside of 0 to 1"),
    "methylation in percent": ("beta", "methylation", BETA * 100, "IN-123", "values up to 9"),
}  # fmt: skip


@pytest.mark.parametrize("scale", WRONG)
def test_what_is_on_another_scale_is_refused_with_the_numbers_that_show_it(scale):
    kind, view, values, code, numbers = WRONG[scale]
    (problem,) = findings(values, kind, view).problems
    assert problem.code == code
    assert numbers in problem.found, problem.found
    assert problem.expected and problem.fix


def test_every_check_that_refuses_has_a_wrong_scale_here():
    assert {code for *_, code, _ in WRONG.values()} == {check.code for check in SCALE_CHECKS if check.code}


# a name of a sample in a note would reach a report that hides them
@pytest.mark.parametrize("scale", WRONG)
def test_the_numbers_name_no_sample(scale):
    kind, view, values, *_ = WRONG[scale]
    (problem,) = findings(values, kind, view).problems
    assert not any(f"P{number:02d}" in problem.found for number in range(N))


SUSPECTED = {
    "log10 values": ("continuous", "rna", (ARRAY / 3.32).clip(0.1), "no value above"),
    "logged twice": ("continuous", "rna", np.log2(ARRAY.clip(2)), "no value above"),
    "NPX of few analytes": ("concentration", "proteins", NPX[:12], "12 analytes"),
    "rare cells alone": ("proportion", "cells", CELLS * 0.003, "at most 0.003"),
}


@pytest.mark.parametrize("scale", SUSPECTED)
def test_what_is_only_suspected_is_a_note(scale):
    kind, view, values, numbers = SUSPECTED[scale]
    found = findings(values, kind, view)
    assert found.problems == []
    ((item, what, reason),) = found.notes
    assert (item, what) == ("values", "scale in doubt")
    assert numbers in reason


@pytest.mark.parametrize("scale", [name for name, (kind, *_) in WRONG.items() if kind != "continuous"])
def test_single_cells_need_no_message_beside_a_scale_that_explains_them(scale):
    kind, view, values, *_ = WRONG[scale]
    explained = findings(values, kind, view).explained
    left = {problem.code for problem in value_problems(of(values), kind)} - set(explained)
    assert left == set()


def test_a_scale_that_is_insisted_on_is_taken_with_a_note():
    for kind, view, values, code, numbers in WRONG.values():
        found = findings(values, kind, view, "as_given")
        assert found.problems == [] and found.explained == ()
        if next(check for check in SCALE_CHECKS if check.code == code).can_insist:
            ((item, what, reason),) = found.notes
            assert (item, what) == ("values", "scale as given")
            assert numbers in reason


def test_infinite_values_are_left_to_the_check_of_cells():
    assert findings(with_cells(2**ARRAY, np.inf), "continuous").problems == []


def test_a_large_matrix_is_not_copied(monkeypatch):
    monkeypatch.setattr("stratifn.inputs.scales.looked_at.MOST_CELLS", 100_000)
    monkeypatch.setattr("stratifn.inputs.scales.looked_at.ROWS_PER_BLOCK", 2_000)
    monkeypatch.setattr("stratifn.inputs.raw_matrix.ROWS_PER_BLOCK", 2_000)
    values = np.random.default_rng(1).random((60_000, 100), dtype=np.float32)
    matrix = RawMatrix("m", values, [""] * len(values), [""] * 100)
    tracemalloc.start()
    found = scale_findings(matrix, {"name": "methylation", "kind": "beta"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.problems == []
    assert peak < values.nbytes / 4


# --- through the whole validation -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(values: np.ndarray, kind: str, name: str = "rna", **view):
    names = [f"P{number:02d}" for number in range(N)]
    sheet = pd.DataFrame({"sample": names, "disease": ["SLE"] * (N // 2) + ["HC"] * (N // 2)})
    sheet.to_csv("samples.tsv", sep="\t", index=False)
    frame = pd.DataFrame(values, index=[f"G{number}" for number in range(len(values))], columns=names)
    frame.to_csv("m.tsv", sep="\t", index_label="id")
    views = [{"name": name, "kind": kind, "round": False, "scale": "checked"} | view]
    settings = {"columns": {}, "labels": {}, "types": {}, "views": views}
    paths = {"samples": "samples.tsv", name: "m.tsv"}
    return read_cohort(settings, paths, Groups(["SLE"], "HC"), GeneNames({}, {}), SCHEMA, ())


def refusal(*arguments, **view) -> list[str]:
    with pytest.raises(InputError) as error:
        read(*arguments, **view)
    return [problem.code for problem in error.value.problems]


@pytest.mark.parametrize("rounded", [False, True])
def test_rounding_does_not_make_counts_of_tpm_or_logs(folder, rounded):
    # without `round`, the many fractions need no message of their own
    assert refusal(TPM, "counts", round=rounded) == ["IN-114"]
    assert refusal(LOG2, "counts", round=rounded) == ["IN-113"]


def test_salmons_counts_are_still_rounded_when_asked_to(folder):
    assert np.array_equal(read(SALMON, "counts", round=True).views["rna"].X, np.rint(SALMON.T))
    assert refusal(SALMON, "counts") == ["IN-083"]


def test_what_is_insisted_on_is_read_as_it_is_and_noted(folder):
    cohort = read(2**ARRAY, "continuous", scale="as_given")
    np.testing.assert_allclose(cohort.views["rna"].X, 2**ARRAY.T)
    notes = cohort.notes.set_index("what").loc["scale as given"]
    assert notes["view"] == "rna" and "`scale: as_given`" in notes["reason"]


@pytest.mark.parametrize(
    ("values", "kind", "name", "code"),
    [(CELLS * 100, "proportion", "cells", "IN-086"), (BETA * 100, "beta", "methylation", "IN-085"), (NPX - 5, "concentration", "proteins", "IN-087")],
)  # fmt: skip
def test_values_that_the_kind_cannot_hold_are_refused_however_one_insists(folder, values, kind, name, code):
    assert code in refusal(values, kind, name, scale="as_given")
