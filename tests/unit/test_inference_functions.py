"""The parts of the batched engine, each against its definition or R: sums, trend, prior, shrinkage."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from pydeseq2.dds import DeseqDataSet
from pydeseq2.default_inference import DefaultInference
from pydeseq2.utils import nbinomFn
from scipy.special import digamma, gammaln, polygamma
from scipy.stats import chi2, norm

from stratifn.inference import BatchedInference, fit_dispersion_prior, fit_dispersion_trend
from stratifn.inference.prior import matched_prior_variance
from stratifn.inference.special_functions import SERIES_FROM, log_choose_sum, polygamma_sums, split_counts
from stratifn.inference.trend import TrendNotFitted, fit_parametric_trend

COUNTS = np.array([0, 0, 1, 3, 11, 12, 13, 40, 500, 20_000, 3_000_000] * 4, dtype=float)


def split(counts):
    large, above = np.empty(len(counts)), np.empty(SERIES_FROM)
    return large[: split_counts(counts, large, above)], above


@pytest.mark.parametrize("a", [1e-3, 0.1, 1.0, 7.7, 300.0, 1e5])
def test_polygamma_sums_equal_scipy(a):
    """1e-10 relative; scipy's own differences lose digits for a large `a`, where it is the less exact one."""
    found = polygamma_sums(*split(COUNTS), a)
    np.testing.assert_allclose(found[0], (digamma(COUNTS + a) - digamma(a)).sum(), rtol=1e-10)
    np.testing.assert_allclose(found[1], (polygamma(1, a) - polygamma(1, COUNTS + a)).sum(), rtol=1e-9)


def test_polygamma_sums_stay_exact_where_differences_cancel():
    """For a tiny dispersion the digamma difference is y/a to first order; a plain difference has no digit of it."""
    counts = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(polygamma_sums(*split(counts), 1e14)[0], 6e-14, rtol=1e-12)


@pytest.mark.parametrize("shape", [1e-3, 0.5, 10.0, 1e6])
def test_log_choose_sum_equals_scipy(shape):
    expected = (gammaln(COUNTS + shape) - gammaln(shape) - gammaln(COUNTS + 1)).sum()
    np.testing.assert_allclose(log_choose_sum(COUNTS, shape), expected, rtol=1e-10)


def trend_example():
    gene = np.arange(1, 61)
    means = 10 ** np.linspace(0, 4, 60)
    dispersions = (0.1 + 3 / means) * np.exp(0.5 * np.sin(gene))
    dispersions[[6, 29]] *= 100
    dispersions[14] = 1e-8
    return means, dispersions


def test_trend_equals_r():
    """R 4.2.2, DESeq2 1.38.3, parametricDispersionFit on the same numbers; 1e-7 because both stop iterating."""
    means, dispersions = trend_example()
    use = dispersions > 1e-6
    found = fit_parametric_trend(means[use], dispersions[use])
    np.testing.assert_allclose(found, [0.108343799639482, 3.178475046844273], rtol=1e-7)


def test_trend_of_the_genes_that_pydeseq2_keeps_is_the_same_trend():
    """PyDESeq2 drops genes far from the curve and asks again; the answer must stand."""
    means, dispersions = trend_example()
    covariates, targets = pd.Series(1 / means), pd.Series(dispersions)
    first, predictions, converged = BatchedInference().dispersion_trend_gamma_glm(covariates, targets)
    ratios = targets / predictions
    kept = (ratios >= 1e-4) & (ratios < 15)
    second, _, _ = BatchedInference().dispersion_trend_gamma_glm(covariates[kept], targets[kept])
    assert converged
    np.testing.assert_allclose(second, first, rtol=1e-6)


def test_trend_with_a_negative_coefficient_is_refused_as_in_r():
    means, _ = trend_example()
    with pytest.raises(TrendNotFitted):
        fit_parametric_trend(means, 0.01 * means)
    _, _, converged = BatchedInference().dispersion_trend_gamma_glm(pd.Series(1 / means), pd.Series(0.01 * means))
    assert not converged


def test_trend_without_usable_genes_is_refused():
    with pytest.raises(TrendNotFitted):
        fit_parametric_trend(np.array([10.0]), np.array([0.1]))


def shrinkage_example(n_genes=80):
    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(12), np.repeat([0.0, 1.0], 6), np.tile([0.0, 1.0], 6)])
    coefficients = np.vstack([rng.uniform(2, 7, n_genes), rng.normal(0, 0.7, n_genes), rng.normal(0, 0.2, n_genes)])
    size_factors = np.exp(rng.normal(0, 0.2, 12))
    mean = size_factors[:, None] * np.exp(design @ coefficients)
    alpha = rng.uniform(0.02, 0.3, n_genes)
    counts = rng.negative_binomial(1 / alpha, 1 / (1 + alpha * mean))
    return design, counts, 1 / alpha, np.log(size_factors), 15, 0.3, "L-BFGS-B", 1


def objective(example, gene, beta):
    design, counts, size, offset, others, scale, _, index = example
    return nbinomFn(beta, design, counts[:, gene], size[gene], offset, others, scale, index)


def test_shrunken_coefficients_are_the_highest_mode():
    """Never a lower posterior than PyDESeq2's optimizer reaches; where both found one mode, within 0.01."""
    example = shrinkage_example()
    ours, _, converged = BatchedInference().lfc_shrink_nbinom_glm(*example)
    theirs, _, _ = DefaultInference(n_cpus=1).lfc_shrink_nbinom_glm(*example)
    gain = np.array([objective(example, g, theirs[g]) - objective(example, g, ours[g]) for g in range(len(ours))])
    assert converged.all()
    assert gain.min() > -1e-8
    same_mode = gain < 1e-3
    assert same_mode.mean() > 0.9
    np.testing.assert_allclose(ours[same_mode], theirs[same_mode], atol=1e-2)


def test_shrunken_coefficients_come_with_the_inverse_hessian_of_the_posterior():
    """By central differences of the objective (PyDESeq2's own matrix adds the prior to whole columns)."""
    example = shrinkage_example(n_genes=5)
    beta, inverses, _ = BatchedInference().lfc_shrink_nbinom_glm(*example)
    width = 1e-4
    steps = width * np.eye(3)
    for gene in range(5):
        numeric = np.array(
            [
                [
                    sum(
                        sign * other * objective(example, gene, beta[gene] + sign * steps[i] + other * steps[j])
                        for sign in (1, -1)
                        for other in (1, -1)
                    )
                    / (4 * width**2)
                    for j in range(3)
                ]
                for i in range(3)
            ]
        )
        np.testing.assert_allclose(inverses[gene] @ numeric, np.eye(3), atol=2e-3)


def test_a_prior_as_wide_as_the_sky_shrinks_nothing():
    design, counts, size, offset, *_ = shrinkage_example()
    shrunken, _, _ = BatchedInference().lfc_shrink_nbinom_glm(
        design, counts, size, offset, 1e4, 1e4, "L-BFGS-B", shrink_index=1
    )
    plain, _, _, _ = BatchedInference().irls(counts, np.exp(offset), design, 1 / size, 1e-8, 1e-12)
    np.testing.assert_allclose(shrunken[:, 1], plain[:, 1], atol=1e-4)


@pytest.mark.parametrize(("df", "expected"), [(1, 1.4974974974975), (2, 1.52152152152152), (3, 1.51351351351351)])
def test_prior_variance_with_few_degrees_of_freedom_equals_r(df, expected):
    """R 4.2.2's own steps (estimateDispersionsPriorVar of DESeq2 1.38.3) on the same residuals: equal."""
    gene = np.arange(1, 2001)
    sampling = np.log(chi2.ppf((gene - 0.5) / 2000, df) / df)
    residuals = sampling + np.sqrt(1.5) * norm.ppf((gene * 0.6180339887498949) % 1)
    np.testing.assert_allclose(matched_prior_variance(residuals, df), expected, rtol=1e-12)


def test_prior_variance_is_at_least_a_quarter():
    residuals = np.log(chi2.ppf(np.linspace(0.001, 0.999, 500), 2) / 2)
    assert matched_prior_variance(residuals, 2) == 0.25


def two_groups(counts: np.ndarray, first: int) -> DeseqDataSet:
    """A data set with size factors: samples x genes, of which the first samples are one group."""
    samples = [f"s{i}" for i in range(len(counts))]
    dataset = DeseqDataSet(
        counts=pd.DataFrame(counts, samples, [f"g{i}" for i in range(counts.shape[1])]),
        metadata=pd.DataFrame({"condition": ["a"] * first + ["b"] * (len(counts) - first)}, samples),
        inference=BatchedInference(),
        quiet=True,
    )
    dataset.fit_size_factors()
    return dataset


@pytest.mark.parametrize(("n_samples", "matched"), [(5, True), (8, False)])
def test_prior_is_matched_only_with_three_degrees_of_freedom_or_fewer(n_samples, matched):
    rng = np.random.default_rng(6)
    base = np.exp(rng.uniform(3, 7, 200))
    alpha = (0.05 + 3 / base) * np.exp(rng.normal(0, 0.7, 200))
    counts = rng.negative_binomial(1 / alpha, 1 / (1 + base * alpha), (n_samples, 200))
    dataset = two_groups(counts, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.fit_dispersion_trend()
        dataset.fit_dispersion_prior()
        own = float(dataset.uns["prior_disp_var"])
        fit_dispersion_prior(dataset)
    assert (float(dataset.uns["prior_disp_var"]) != own) == matched
    dataset.fit_MAP_dispersions()
    assert np.isfinite(dataset.var["dispersions"]).all()


def test_trend_of_a_data_set_is_the_one_that_pydeseq2s_loop_finds():
    rng = np.random.default_rng(7)
    base = np.exp(rng.uniform(2, 7, 150))
    alpha = (0.05 + 3 / base) * np.exp(rng.normal(0, 0.5, 150))
    counts = rng.negative_binomial(1 / alpha, 1 / (1 + base * alpha), (10, 150))
    counts[:, 3] = 0
    dataset = two_groups(counts, 5)
    dataset.fit_genewise_dispersions()
    dataset.fit_dispersion_trend()
    expected, coefficients = dataset.var["fitted_dispersions"].copy(), dataset.uns["trend_coeffs"].copy()
    fit_dispersion_trend(dataset)
    np.testing.assert_allclose(dataset.uns["trend_coeffs"], coefficients, rtol=1e-6)
    np.testing.assert_allclose(dataset.var["fitted_dispersions"], expected, rtol=1e-6)
    np.testing.assert_allclose(dataset.disp_function(100.0), coefficients["a0"] + coefficients["a1"] / 100, rtol=1e-6)


def test_data_set_without_parametric_trend_gets_the_mean():
    dataset = two_groups(np.random.default_rng(8).poisson(20, (6, 30)), 3)
    dataset.fit_genewise_dispersions()
    means = dataset.var["_normed_means"]
    dataset.var["genewise_dispersions"] = 0.01 * means
    with pytest.warns(UserWarning, match="mean-based"):
        fit_dispersion_trend(dataset)
    assert dataset.uns["disp_function_type"] == "mean"
