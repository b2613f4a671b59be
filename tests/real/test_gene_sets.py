"""Gene sets against limma's own `camera`, and cells under interferon through the whole pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stratifn.differential_expression.camera import camera, gene_model, rank_pvalue

SHARED = Path(__file__).resolve().parents[3] / "shared"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared real data")

# reference, sheet, its column, baseline, level
CASES = {
    "pss": ("pss_limma_camera", "pss-salivary-gland", "condition", "nonSS", "pSS"),
    "airwayifn": ("airwayifn_IFNg_limma_camera", "ifn-stimulated-airway", "stimulus", "Control", "IFNg"),
}


def shared_table(path: str, **options) -> pd.DataFrame:
    return pd.read_csv(SHARED / path, sep="\t", keep_default_na=False, **options)


class Case:
    """The matrix, design and sets that limma was given, and what it said."""

    def __init__(self, name: str):
        reference, folder, column, baseline, level = CASES[name]
        values = shared_table(f"reference/{name}_deseq2_vst_blind.tsv.gz", index_col=0).astype(float)
        groups = shared_table(f"data/{folder}/samples.tsv").set_index("sample")[column].reindex(values.columns)
        others = sorted(set(groups) - {baseline, level})
        # the contrast last, as camera itself arranges the design
        levels = [*others, level]
        self.values = values.to_numpy().T
        self.matrix = np.column_stack([np.ones(len(groups)), *((groups == each).to_numpy(float) for each in levels)])
        self.weights = np.eye(self.matrix.shape[1])[-1]
        self.r = shared_table(f"reference/{reference}.tsv.gz").set_index("gene_set")
        members = shared_table(f"reference/{reference}_sets.tsv.gz")
        position = {gene: i for i, gene in enumerate(values.index)}
        genes_of = members.groupby("gene_set")["gene_id"]
        self.sets = [np.array([position[gene] for gene in genes_of.get_group(each)]) for each in self.r.index]

    def result(self, **options) -> pd.DataFrame:
        tests = camera(gene_model(self.values, self.matrix), self.weights, self.sets, **options)
        return pd.DataFrame([vars(each) for each in tests], index=self.r.index)


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return Case(request.param)


# 1e-6, absolute for correlations and relative for p: R's tables hold ten digits
def test_correlations_and_p_values_are_limma_s(case):
    ours = case.result()
    np.testing.assert_allclose(ours["correlation"], case.r["correlation"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours["pvalue"], case.r["pvalue"], rtol=1e-6)
    assert (np.where(ours["difference"] > 0, "Up", "Down") == case.r["direction"]).all()


def test_p_values_of_a_fixed_correlation_are_limma_s(case):
    np.testing.assert_allclose(case.result(correlation=0.01)["pvalue"], case.r["pvalue_fixed_001"], rtol=1e-6)


def test_p_values_by_ranks_are_limma_s():
    case = Case("pss")
    ours = case.result(use_ranks=True)
    np.testing.assert_allclose(ours["pvalue"], case.r["pvalue_ranks"], rtol=1e-6)
    np.testing.assert_allclose(ours["correlation"], case.r["correlation_ranks"], rtol=0, atol=1e-6)


def test_p_values_by_ranks_are_limma_s_where_the_ranks_are_r_s():
    # Hundreds of genes of these cells have equal values in both groups. R ranks them by the rounding of its
    # decomposition (LINPACK's), which is repeated here; ours gives them one rank, because they say nothing.
    case = Case("airwayifn")
    statistic = last_effects(case.matrix, case.values) / np.sqrt(gene_model(case.values, case.matrix).variances)
    ranks = pd.Series(statistic).rank().to_numpy()
    df = len(case.matrix) - case.matrix.shape[1]
    theirs = case.r["correlation_ranks"].clip(lower=0)
    ours = [rank_pvalue(ranks[s], ranks, c, df) for s, c in zip(case.sets, theirs, strict=True)]
    np.testing.assert_allclose(ours, case.r["pvalue_ranks"], rtol=1e-6)


def last_effects(matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Effect of the last column on each gene, over its standard error for a unit variance, in LINPACK's order."""

    def dot(a, b):
        total = 0.0
        for x, y in zip(a, b, strict=True):
            total += x * y
        return total

    x, rows = matrix.copy(), values.T.copy()
    for j in range(x.shape[1]):
        norm = np.copysign(np.sqrt(dot(x[j:, j], x[j:, j])), x[j, j])
        x[j:, j] *= 1 / norm
        x[j, j] += 1
        reflector = x[j:, j].copy()
        for k in range(j + 1, x.shape[1]):
            x[j:, k] += -dot(reflector, x[j:, k]) / reflector[0] * reflector
        for row in rows:
            row[j:] += -dot(reflector, row[j:]) / reflector[0] * reflector
        x[j, j] = -norm
    return rows[:, x.shape[1] - 1] * np.sign(x[-1 + x.shape[1], -1])
