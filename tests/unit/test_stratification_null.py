"""Structureless data give one stratum; planted strata do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr

from stratifn.stratification.null import (
    FAR,
    StructurelessModel,
    copula_root,
    drawn_in,
    null_test,
    tail_dependence,
    unimodal_quantiles,
)
from stratifn.stratification.valley import along_two_parts, valley, whitened

PATIENTS, FACTORS, ALPHA = 120, 8, 0.01
# the number of the pipeline, and the smallest that reaches alpha
DRAWS, FEW_DRAWS = 199, 99
WEIGHTS = np.sqrt([20.0, 15.0, 10.0, 8.0, 5.0, 4.0, 3.0, 2.0])
CLUSTERS = np.arange(2, 9)


def normal(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((PATIENTS, FACTORS))


def correlated_normal(rng: np.random.Generator) -> np.ndarray:
    return normal(rng) @ rng.standard_normal((FACTORS, FACTORS))


def heavy_tails(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_t(3, (PATIENTS, FACTORS))


def heavy_tails_together(rng: np.random.Generator) -> np.ndarray:
    """The multivariate t distribution: patients are extreme on all factors at once."""
    return normal(rng) / np.sqrt(rng.chisquare(3, (PATIENTS, 1)) / 3)


def gradient(position: Callable, spread: float) -> Callable:
    def on_one_factor(rng: np.random.Generator) -> np.ndarray:
        values = normal(rng)
        values[:, 0] = spread * position(rng) + 0.2 * values[:, 0]
        return values

    return on_one_factor


def gradient_across(position: Callable, spread: float) -> Callable:
    def on_all_factors(rng: np.random.Generator) -> np.ndarray:
        return spread * np.outer(position(rng), rng.standard_normal(FACTORS)) + normal(rng)

    return on_all_factors


def uniform(rng: np.random.Generator) -> np.ndarray:
    return rng.random(PATIENTS)


def skewed(rng: np.random.Generator) -> np.ndarray:
    return rng.exponential(size=PATIENTS)


STRUCTURELESS = {
    "one Gaussian": normal,
    "one correlated Gaussian": correlated_normal,
    "t with 3 degrees of freedom": heavy_tails,
    "multivariate t with 3 degrees of freedom": heavy_tails_together,
    "uniform gradient": gradient(uniform, 3.5),
    "skewed gradient": gradient(skewed, 1.0),
    "uniform gradient across factors": gradient_across(uniform, 4.0),
    "skewed gradient across factors": gradient_across(skewed, 1.5),
}


def strata(separation: float) -> Callable:
    """Four strata equally far from one another, `separation` standard deviations apart, on three of the factors."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(8)

    def planted(rng: np.random.Generator) -> np.ndarray:
        values = normal(rng)
        values[:, :3] += separation * corners[np.arange(PATIENTS) % 4]
        return values

    return planted


def pvalue(values: np.ndarray, seed: int, draws: int) -> float:
    points = (values - values.mean(axis=0)) / values.std(axis=0) * WEIGHTS
    return null_test(points, CLUSTERS, draws, np.random.default_rng(seed)).pvalue


def rejections(kind: Callable, repeats: int, draws: int) -> int:
    return sum(pvalue(kind(np.random.default_rng([11, i])), i, draws) <= ALPHA for i in range(repeats))


@pytest.mark.parametrize("kind", STRUCTURELESS)
def test_structureless_data_are_one_stratum(kind):
    assert rejections(STRUCTURELESS[kind], 10, FEW_DRAWS) <= 1


@pytest.mark.full
@pytest.mark.parametrize("kind", STRUCTURELESS)
def test_structureless_data_are_divided_and_supported_as_rarely_as_the_levels_say(kind):
    sets = 100
    found = np.array([pvalue(STRUCTURELESS[kind](np.random.default_rng([11, i])), i, DRAWS) for i in range(sets)])
    for level, bound in ((0.05, 0.08), (0.01, 0.025)):
        # three Monte Carlo standard errors
        assert (found <= level).mean() <= bound + 3 * np.sqrt(bound * (1 - bound) / sets)


@pytest.mark.parametrize(("separation", "at_least"), [(4, 8), (6, 10)])
def test_planted_strata_are_seen(separation, at_least):
    assert rejections(strata(separation), 10, FEW_DRAWS) >= at_least


def test_nearest_unimodal_distribution_has_one_mode():
    rng = np.random.default_rng(1)
    two_modes = np.concatenate([rng.normal(-3, 1, 100), rng.normal(3, 1, 100)])
    probability, value = unimodal_quantiles(two_modes)
    density = np.diff(probability) / np.diff(value)
    mode = density.argmax()
    assert np.all(np.diff(density[: mode + 1]) >= -1e-12)
    assert np.all(np.diff(density[mode:]) <= 1e-12)
    assert value[0] == two_modes.min()
    assert value[-1] == two_modes.max()


def test_unimodal_data_keep_their_distribution():
    values = np.random.default_rng(1).standard_t(3, 500)
    probability, value = unimodal_quantiles(values)
    assert kstest(values, lambda x: np.interp(x, value, probability)).statistic < 0.04


def test_draws_keep_scale_and_rank_correlation():
    rng = np.random.default_rng(1)
    values = np.exp(0.3 * rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 800)) * [1, 5]
    drawn = StructurelessModel.fit(values).draw(800, rng)
    np.testing.assert_allclose(drawn.std(axis=0), values.std(axis=0))
    # two samples of 800: the standard error of the difference is about 0.03; the draws are made in principal axes
    assert spearmanr(*drawn.T)[0] == pytest.approx(spearmanr(*values.T)[0], abs=0.1)


def test_draws_have_the_covariance_of_the_data_to_the_last_digit():
    rng = np.random.default_rng(2)
    values = drawn_in(correlated_normal(rng) * WEIGHTS)
    drawn = StructurelessModel.fit(values).draw(PATIENTS, rng)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(values.T), atol=1e-9)


def test_patients_far_out_are_drawn_in_and_nobody_changes_places():
    values = np.random.default_rng(1).standard_t(2, (500, 1))
    near = drawn_in(values)
    np.testing.assert_array_equal(np.argsort(near[:, 0]), np.argsort(values[:, 0]))
    low, middle, high = np.percentile(values, [25, 50, 75])
    inside = np.abs(values - middle) <= FAR * (high - low) / 1.349
    np.testing.assert_allclose(near[inside], values[inside])
    assert np.ptp(near) < 0.6 * np.ptp(values)
    # two strata of equal size are as far apart as they were
    two_modes = np.concatenate([values[:100] / 50 - 5, values[100:200] / 50 + 5])
    np.testing.assert_allclose(drawn_in(two_modes), two_modes)


def test_drawing_in_an_exponential_tail_makes_no_second_mode():
    # the exponential distribution itself, without sampling error
    values = -np.log(1 - (np.arange(20_000) + 0.5) / 20_000)[:, None]
    density, _ = np.histogram(drawn_in(values), bins=40)
    assert (np.diff(density) <= 0).all()


def test_values_that_most_patients_share_are_no_fault():
    values = np.random.default_rng(1).standard_normal((40, 2)) * [0.0, 0.1]
    values[:4, 0] = [1, 2, 3, 9]
    assert np.isfinite(drawn_in(values)).all()
    assert 0 < null_test(values, np.array([2, 3]), 19, np.random.default_rng(1)).pvalue <= 1


def test_fewer_patients_than_axes_can_be_tested():
    few = np.random.default_rng(1).standard_normal((12, 15))
    drawn = StructurelessModel.fit(few).draw(12, np.random.default_rng(2))
    assert np.isfinite(drawn).all()
    assert null_test(few, np.array([2]), 19, np.random.default_rng(3)).pvalue > 0.05


def test_copula_knows_tail_dependence_from_heavy_tails():
    rng = np.random.default_rng(1)
    together, apart = heavy_tails_together(rng), heavy_tails(rng)
    assert tail_dependence(together, copula_root(together)) <= 4
    assert tail_dependence(apart, copula_root(apart)) >= 10


def test_pvalue_is_never_below_one_in_draws_plus_one_and_the_smallest_over_k():
    values = strata(8)(np.random.default_rng(1)) * WEIGHTS
    test = null_test(values, CLUSTERS, 99, np.random.default_rng(1))
    assert test.pvalue == 1 / 100
    assert test.pvalues.min() == test.pvalue
    assert test.pvalues.shape == (len(CLUSTERS),)


def test_two_strata_leave_a_valley_and_one_group_does_not():
    rng = np.random.default_rng(2)
    starts, apart = rng.random((8, 2)), np.outer(5.0 * (np.arange(PATIENTS) % 2), [1, 0, 0, 0])
    groups = [rng.standard_normal((PATIENTS, 4)) for _ in range(5)]
    one, two = ([valley(group + shift, starts) for group in groups] for shift in (0.0, apart))
    assert min(two) > max(one)


def test_the_valley_does_not_depend_on_the_units_of_the_axes():
    rng = np.random.default_rng(3)
    points = rng.standard_normal((PATIENTS, 3)) + 6.0 * (np.arange(PATIENTS) % 2)[:, None]
    labels = np.arange(PATIENTS) % 2
    along = along_two_parts(whitened(points), labels)
    np.testing.assert_allclose(along_two_parts(whitened(points * [1.0, 10.0, 0.1] + 5.0), labels), along, atol=1e-6)
    assert abs(along[labels == 1].mean() - along[labels == 0].mean()) > 5 * along[labels == 0].std()


def test_one_factor_and_two_factors_work():
    rng = np.random.default_rng(1)
    two_modes = np.concatenate([rng.normal(-6, 1, 60), rng.normal(6, 1, 60)])[:, None]
    assert null_test(two_modes, CLUSTERS, 99, rng).pvalue <= 0.01
    assert null_test(rng.standard_normal((80, 1)), CLUSTERS, 99, rng).pvalue > 0.01
    assert null_test(rng.standard_normal((80, 2)), CLUSTERS, 99, rng).pvalue > 0.01
