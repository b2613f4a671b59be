"""Strata: found where planted, one where there is nothing, and the same whatever the order of the patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score

from defaults import settings_of
from stratifn.shared.errors import InputError
from stratifn.shared.factor_posterior import FactorPosterior
from stratifn.stratification import find_strata
from stratifn.stratification.consensus import (
    ambiguous_pairs,
    consensus_matrix,
    consensus_partition,
    consensus_with,
    draw_subsets,
)
from stratifn.stratification.kmeans import assign, kmeans, silhouettes
from stratifn.stratification.mixture import fit_mixture, one_hot
from stratifn.stratification.selection import SELECTION_COLUMNS
from stratifn.stratification.space import factor_space, factor_weights
from stratifn.stratification.stability import bootstrap_jaccard

QUICK = settings_of("stratification", resamples=40)
R2 = (20.0, 15.0, 10.0, 8.0, 5.0, 4.0)
# corners of a tetrahedron with unit edges: four strata equally far from one another
CORNERS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(8)


def explained(factors: pd.DataFrame) -> pd.DataFrame:
    rows = [("rna", name, r2) for name, r2 in zip(factors.columns, R2, strict=False)]
    rows += [("methylation", name, -0.1) for name in factors.columns] + [("rna", "total", 99.0)]
    return pd.DataFrame(rows, columns=["view", "factor", "r2"])


def cohort(strata: np.ndarray, separation: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Factors and samples; strata lie `separation` standard deviations apart on the first three factors."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((len(strata), len(R2)))
    values[:, :3] += separation * CORNERS[strata]
    samples = [f"S{i:03d}" for i in range(len(strata))]
    factors = pd.DataFrame(values, samples, [f"Factor{k + 1}" for k in range(len(R2))])
    disease = np.where(strata == 0, "HC", rng.choice(["SLE", "pSS"], len(strata)))
    return factors, pd.DataFrame({"sample": samples, "patient": samples, "disease": disease})


@pytest.fixture(scope="module")
def four():
    strata = np.repeat([0, 1, 2, 3], [40, 30, 25, 25])
    return strata, *cohort(strata, 6.0, seed=3)


@pytest.fixture(scope="module")
def found(four):
    _, factors, samples = four
    return find_strata(factors, explained(factors), list(factors.columns), samples, "HC", QUICK)


def test_planted_strata_are_found_with_their_number(four, found):
    strata, *_ = four
    assert found.number == 4
    assert adjusted_rand_score(strata, found.table["stratum"]) >= 0.9
    assert found.null_pvalue == 1 / 200


def test_strata_are_numbered_by_decreasing_size(found):
    sizes = found.table["stratum"].value_counts().sort_index()
    assert list(sizes.index) == [1, 2, 3, 4]
    assert sizes.is_monotonic_decreasing


def test_selection_has_one_chosen_row_and_a_row_for_one_stratum(found):
    assert list(found.selection.columns) == SELECTION_COLUMNS
    assert list(found.selection["k"]) == list(range(1, 9))
    assert found.selection["chosen"].sum() == 1
    assert found.selection.loc[0, ["pac", "silhouette", "stability", "bic", "null_pvalue"]].isna().all()


def test_order_of_the_patients_does_not_matter(four, found):
    _, factors, samples = four
    shuffled = factors.sample(frac=1, random_state=1)
    again = find_strata(
        shuffled, explained(factors), list(factors.columns), samples.sample(frac=1, random_state=2), "HC", QUICK
    )
    pd.testing.assert_frame_equal(again.table, found.table)
    pd.testing.assert_frame_equal(again.selection, found.selection)
    np.testing.assert_array_equal(again.model.resampled, found.model.resampled)


def test_model_places_the_patients_where_they_are_and_one_alone_like_all(four, found):
    _, factors, _ = four
    placed = found.model.place(FactorPosterior.exact(factors))
    np.testing.assert_array_equal(placed.stratum, found.stratum.loc[factors.index])
    np.testing.assert_allclose(placed.membership.sum(axis=1), 1)
    alone = found.model.place(FactorPosterior.exact(factors.iloc[[7]]))
    assert alone.stratum[0] == placed.stratum[7]
    for part in ("membership", "stability", "informed"):
        np.testing.assert_array_equal(getattr(alone, part)[0], getattr(placed, part)[7])


def test_confidence_is_high_inside_and_low_on_the_border(four, found):
    _, factors, _ = four
    assert found.table["confidence"].median() > 0.95
    assert found.table["stability"].median() > 0.95
    first, second = (
        found.space.coordinates(factors.loc[found.stratum.index[found.stratum == s]]).mean(0) for s in (1, 2)
    )
    middle = (first + second) / 2 / found.space.weight * found.space.sd + found.space.mean
    placed = found.model.place(FactorPosterior.exact(pd.DataFrame([middle], columns=list(found.space.factors))))
    assert placed.confidence[0] < 0.85


def test_controls_left_out_are_placed_in_the_strata_of_the_patients(four):
    strata, factors, samples = four
    without = replace(QUICK, include_controls=False)
    result = find_strata(factors, explained(factors), list(factors.columns), samples, "HC", without)
    controls = strata == 0
    np.testing.assert_array_equal(result.table["clustered"], ~controls)
    assert result.number == 3
    assert adjusted_rand_score(strata[~controls], result.table["stratum"][~controls]) >= 0.9
    patients = factors[~controls]
    mean, sd = patients.mean().to_numpy(), patients.std(ddof=0).to_numpy()
    np.testing.assert_allclose(result.space.mean, mean)
    np.testing.assert_allclose(result.space.sd, sd)


@pytest.mark.parametrize(
    ("robust", "n", "said"),
    [([], 40, "no robust factor"), (["Factor1", "Factor2"], 8, "8 samples; 2 strata need at least 10")],
)
def test_what_cannot_be_stratified_is_one_stratum_with_the_reason(robust, n, said):
    factors, samples = cohort(np.zeros(n, dtype=int), 0.0, seed=1)
    result = find_strata(factors, explained(factors), robust, samples, "HC", QUICK)
    assert said in result.hindrance
    assert result.number == 1
    assert result.table["stratum"].eq(1).all()
    assert result.table["confidence"].isna().all()
    assert result.selection["chosen"].tolist() == [True]


def test_few_samples_limit_the_number_of_strata():
    factors, samples = cohort(np.repeat([0, 1], 10), 12.0, seed=1)
    result = find_strata(factors, explained(factors), ["Factor1", "Factor2", "Factor3"], samples, None, QUICK)
    assert result.selection["k"].max() == 4


def test_unknown_factor_and_unknown_sample_are_input_errors():
    factors, samples = cohort(np.zeros(20, dtype=int), 0.0, seed=1)
    with pytest.raises(InputError, match="Factor9"):
        find_strata(factors, explained(factors), ["Factor9"], samples, None, QUICK)
    with pytest.raises(InputError, match="S000"):
        find_strata(factors, explained(factors), ["Factor1"], samples.iloc[1:], None, QUICK)


def test_the_test_has_enough_draws_for_its_level():
    with pytest.raises(ValueError, match="9 draws cannot reach alpha 0.05"):
        settings_of("stratification", draws=9)


def test_weights_are_the_root_of_the_variance_explained_over_views():
    factors, _ = cohort(np.zeros(30, dtype=int), 0.0, seed=1)
    table = pd.concat([explained(factors), pd.DataFrame([("cells", "Factor1", 5.0)], columns=["view", "factor", "r2"])])
    assert factor_weights(table)["Factor1"] == pytest.approx(5.0)
    space = factor_space(factors.assign(Factor6=1.0), table, ["Factor1", "Factor2", "Factor6"])
    points = space.coordinates(factors)
    np.testing.assert_allclose(points.std(axis=0), np.sqrt([25.0, 15.0]))
    assert space.dropped["Factor6"] == "the same in all samples"
    assert space.dropped["Factor3"] == "not robust over the seeds"


def test_kmeans_and_silhouette_equal_scikit_learn(four):
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    points = four[1].to_numpy()
    centroids, inertia = kmeans(points, np.random.default_rng(1).random((20, 4)))
    labels = np.empty(len(points), dtype=np.int64)
    assert assign(points, centroids, labels) == pytest.approx(inertia)
    theirs = KMeans(4, n_init=20, random_state=1).fit(points)
    assert inertia == pytest.approx(theirs.inertia_, rel=1e-9)
    assert adjusted_rand_score(labels, theirs.labels_) == 1
    assert silhouettes(points, labels[None])[0] == pytest.approx(silhouette_score(points, labels), rel=1e-12)


def test_kmeans_fills_empty_clusters_and_copes_with_equal_points():
    points = np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)
    centroids, inertia = kmeans(points, np.random.default_rng(1).random((4, 3)))
    assert inertia == 0
    assert np.isfinite(centroids).all()


def test_consensus_counts_pairs_that_were_drawn_together():
    labels = np.array([[0, 0, 1], [0, 1, 1], [0, 0, 0]])
    rows = np.array([[0, 1], [0, 2], [0, 1]])
    expected = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(consensus_matrix(labels, rows), expected)


def test_consensus_with_a_stratum_is_the_mean_over_its_other_patients():
    rng = np.random.default_rng(4)
    labels = np.array([0, 0, 0, 1, 1, 2])
    upper = np.triu(rng.random((6, 6)), 1)
    matrix = upper + upper.T + np.eye(6)
    means = consensus_with(matrix, labels, 3)
    assert means.shape == (6, 3)
    assert means[0] == pytest.approx([matrix[0, [1, 2]].mean(), matrix[0, [3, 4]].mean(), matrix[0, 5]])
    assert np.isnan(means[5, 2]), "nobody else is in the last stratum"


def test_people_of_clear_strata_fall_together_in_the_resamples(found):
    table = found.consensus
    assert table.groupby("sample").size().eq(found.number).all()
    own = table.merge(found.table, on="sample", suffixes=("", "_of_sample"))
    inside = own["stratum"] == own["stratum_of_sample"]
    assert own.loc[inside, "consensus"].median() > 0.9
    assert own.loc[~inside, "consensus"].median() < 0.1
    assert ambiguous_pairs(np.array([[1, 0.5, 0], [0.5, 1, 1], [0, 1, 1]])) == pytest.approx(1 / 3)


def test_every_patient_is_in_the_stratum_of_the_nearest_centroid(four):
    points = four[1].to_numpy()
    consensus = (four[0][:, None] == four[0]).astype(float)
    labels, centroids = consensus_partition(points, consensus, 4)
    nearest = np.linalg.norm(points[:, None] - centroids, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(labels, nearest)


def test_subsets_hold_four_fifths_without_repeats():
    rows = draw_subsets(50, 7, np.random.default_rng(1))
    assert rows.shape == (7, 40)
    assert all(len(np.unique(row)) == 40 for row in rows)


def test_bootstrap_jaccard_tells_a_real_stratum_from_half_of_one(four):
    strata, factors, _ = four
    points = factors.to_numpy()
    real = bootstrap_jaccard(points, strata, 50, np.random.default_rng(1))
    assert real.min() > 0.9
    halved = np.where(strata == 0, 4 * (np.arange(len(strata)) % 2), strata)
    split = bootstrap_jaccard(points, np.unique(halved, return_inverse=True)[1], 50, np.random.default_rng(1))
    assert split[[0, -1]].max() < 0.75


def without_a_view(strata: np.ndarray, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, FactorPosterior, np.ndarray]:
    """Strata on the first three factors, which three of ten people have no measurement of: theirs are the prior's 0."""
    factors, samples = cohort(strata, 6.0, seed)
    lacking = np.arange(len(strata)) % 10 < 3
    values = factors.copy()
    values.iloc[lacking, :3] = 0.0
    gain = np.tile(np.eye(len(R2)), (len(strata), 1, 1))
    gain[lacking, :3, :3] = 0.0
    covariance = np.eye(len(R2)) - gain
    return values, samples, FactorPosterior(values, gain, covariance), lacking


@pytest.mark.parametrize("number", [2, 3])
def test_people_without_the_view_that_decides_make_no_stratum_and_get_none_with_certainty(number):
    strata = np.arange(120) // 10 % number
    factors, samples, posterior, lacking = without_a_view(strata, seed=5)
    found = find_strata(factors, explained(factors), list(factors.columns), samples, None, QUICK, posterior)
    table = found.table
    assert found.number == number
    np.testing.assert_array_equal(table["informed"], ~lacking)
    np.testing.assert_array_equal(table["clustered"], ~lacking)
    assert adjusted_rand_score(strata[~lacking], table["stratum"][~lacking]) >= 0.9
    assert table["confidence"][~lacking].mean() > 0.95
    assert table["confidence"][lacking].mean() <= (0.65 if number == 2 else 0.5)
    if number == 3:
        # what is left of the strata on the other factors is chance
        assert table["uncertain"][lacking].mean() >= 0.9
    assert not table["uncertain"][~lacking].any()


def test_a_factor_that_few_people_have_makes_no_strata_and_costs_nobody_theirs():
    strata = np.arange(120) % 2
    factors, samples = cohort(strata, 8.0, seed=6)
    gain = np.tile(np.eye(len(R2)), (120, 1, 1))
    gain[:80, 5, 5] = 0.0
    posterior = FactorPosterior(factors, gain, np.eye(len(R2)) - gain)
    found = find_strata(factors, explained(factors), list(factors.columns), samples, None, QUICK, posterior)
    assert found.space.dropped["Factor6"] == "not measured in enough samples"
    assert found.number == 2 and found.table["clustered"].all()


def test_half_a_measurement_lies_between_none_and_all(four, found):
    _, factors, _ = four
    person = factors.iloc[[7]]
    k = len(R2)
    confidence = []
    for share in (0.0, 0.5, 0.9, 1.0):
        gain = share * np.eye(k)[None]
        posterior = FactorPosterior(share * person, gain, (1 - share) * np.eye(k)[None])
        confidence.append(found.model.place(posterior).confidence[0])
    assert confidence == sorted(confidence)
    # nothing is known: the share of the largest stratum
    assert confidence[0] == pytest.approx(found.model.mixture.share.mean(axis=0).max(), abs=1e-9)
    assert confidence[-1] > 0.95


def test_tied_mixture_has_the_likelihood_of_its_density_and_finds_planted_means():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], [60, 40])
    points = rng.multivariate_normal([0, 0], [[1.0, 0.5], [0.5, 2.0]], 100) + 5.0 * labels[:, None]
    fit = fit_mixture(points, one_hot(labels))
    density = sum(
        share * multivariate_normal(mean, fit.within).pdf(points)
        for share, mean in zip(fit.share, fit.mean, strict=True)
    )
    # the ridge and the tolerance of the last step
    assert fit.log_likelihood == pytest.approx(np.log(density).sum(), abs=0.05)
    np.testing.assert_allclose(fit.mean[1] - fit.mean[0], 5.0, atol=0.8)
    np.testing.assert_array_equal(fit.membership.argmax(axis=1), labels)
