"""The second opinion beside each contrast: R's and scipy's rank-sum test, for all genes at once."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from stratifn.differential_expression import Contrast
from stratifn.differential_expression.analysis import number_of_permutations
from stratifn.differential_expression.contrasts import versus
from stratifn.differential_expression.rank_sum import rank_sum_of, rank_sum_pvalues, smallest_pvalue

# U 0 of 20, variance 20 * 10 / 12; and U 5.5 of 20 with four tied zeros, variance 20 / 12 * (10 - 60 / 72)
BY_HAND = [
    ([1.1, 2.2, 3.3, 4.4], [5.5, 6.6, 7.7, 8.8, 9.9], 2 * norm.sf(9.5 / np.sqrt(200 / 12))),
    ([0, 0, 0, 3, 5], [0, 2, 7, 9], 2 * norm.sf(4 / np.sqrt(20 / 12 * (10 - 60 / 72)))),
]


def counts_view(groups, seed=1, changed=20):
    """A view of 200 genes, of which `changed` are three times as high in SLE, and its samples."""
    rng = np.random.default_rng(seed)
    disease = np.repeat(list(groups), list(groups.values()))
    mean = np.tile(rng.lognormal(5, 1, 200), (len(disease), 1))
    mean[np.ix_(disease == "SLE", np.arange(changed))] *= 3
    counts = rng.negative_binomial(10, 10 / (10 + mean))
    names = [f"S{i}" for i in range(len(disease))]
    view = ad.AnnData(np.zeros(counts.shape), obs=pd.DataFrame(index=names), uns={"kind": "counts"})
    view.layers["normalized"] = counts.astype(float)
    return view, pd.DataFrame({"sample": names, "disease": disease})


@given(seed=st.integers(0, 10_000), ties=st.booleans(), missing=st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_gene_has_the_p_value_of_scipy(seed, ties, missing):
    rng = np.random.default_rng(seed)
    values = rng.poisson(1.5, (17, 30)).astype(float) if ties else rng.lognormal(size=(17, 30))
    if missing:
        values[rng.random(values.shape) < 0.2] = np.nan
    inside = np.arange(17) < 7
    found = rank_sum_pvalues(values, inside)
    for gene, column in enumerate(values.T):
        one, other = (group[np.isfinite(group)] for group in (column[inside], column[~inside]))
        if len(one) and len(other) and len(set(np.r_[one, other])) > 1:
            assert found[gene] == pytest.approx(mannwhitneyu(one, other, method="asymptotic").pvalue, rel=1e-9)
        else:
            assert np.isnan(found[gene])


@pytest.mark.parametrize(("one", "other", "expected"), BY_HAND)
def test_values_by_hand(one, other, expected):
    found = rank_sum_pvalues(np.r_[one, other][:, None], np.arange(len(one) + len(other)) < len(one))
    assert found[0] == pytest.approx(expected, rel=1e-12)


def test_no_gene_has_a_smaller_p_value_than_separated_groups():
    assert smallest_pvalue(3, 3) > 0.05 > smallest_pvalue(4, 4)
    values = np.random.default_rng(1).normal(size=(8, 2000))
    assert np.nanmin(rank_sum_pvalues(values, np.arange(8) < 4)) == pytest.approx(smallest_pvalue(4, 4))


def test_the_groups_of_the_contrast_alone_are_ranked():
    view, samples = counts_view({"HC": 9, "SLE": 9, "DM": 9})
    found = rank_sum_of(view, samples, versus("SLE", "HC"))
    assert (found[:20] < 0.01).mean() > 0.8 and (found[20:] < 0.05).mean() < 0.15
    view.layers["normalized"][samples["disease"].to_numpy() == "DM"] = 0
    np.testing.assert_array_equal(found, rank_sum_of(view, samples, versus("SLE", "HC")))
    assert np.isnan(rank_sum_of(view, samples, Contrast("mean", coefficients={"disease[SLE]": 1.0}))).all()


def test_a_gene_that_one_sample_decides_is_not_seen_by_ranks():
    view, samples = counts_view({"HC": 9, "SLE": 9}, changed=0)
    view.layers["normalized"] += np.random.default_rng(1).random(view.shape)
    before = rank_sum_of(view, samples, versus("SLE", "HC"))
    highest = view.layers["normalized"].argmax(axis=0)
    view.layers["normalized"][highest, np.arange(200)] *= 1000
    np.testing.assert_array_equal(before, rank_sum_of(view, samples, versus("SLE", "HC")))


def test_values_of_another_kind_are_ranked_as_they_are():
    view, samples = counts_view({"HC": 9, "SLE": 9})
    values = ad.AnnData(view.layers["normalized"], uns={"kind": "continuous"})
    pair = versus("SLE", "HC")
    np.testing.assert_array_equal(rank_sum_of(values, samples, pair), rank_sum_of(view, samples, pair))


def test_large_cohorts_are_permuted_too():
    assert number_of_permutations(None, 400) == 10 and number_of_permutations(None, 401) == 2
    assert number_of_permutations(0, 1600) == 0 and number_of_permutations(7, 1600) == 7
