"""Who is unlike the reference: a p value that holds for people whom the model did not see, and finds those who differ."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.stats import f as f_distribution

from defaults import settings_of
from stratifn.integration import prepare_views, train_mofa
from stratifn.shared.claims import CLAIMS, EVERYBODY, SUPPORTED, UNSUPPORTED, standing
from stratifn.transfer import project_factors
from stratifn.transfer.folds import fold_models, terms
from stratifn.transfer.limits import CENTILES, FEWEST_SAMPLES, LEVEL, TAIL_SHARE, Tail, fit_limits
from stratifn.transfer.verdicts import CERTAINTY, lower_bound, placement_verdicts

PEOPLE, FACTORS = 80, 3
FEATURES = {"rna": 150, "protein": 60}


def people(n: int, seed: int, noise=np.random.Generator.standard_normal) -> dict[str, pd.DataFrame]:
    """Three factors that hold 40 % of the variance of each feature, around 8 and with an SD of 2."""
    loadings = np.random.default_rng(0)
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, FACTORS))
    frames = {}
    for name, count in FEATURES.items():
        weights = loadings.standard_normal((FACTORS, count))
        weights *= np.sqrt(0.4) / np.linalg.norm(weights, axis=0)
        values = 8 + 2 * (z @ weights + np.sqrt(0.6) * noise(rng, (n, count)))
        frames[name] = pd.DataFrame(values, [f"P{i:03d}" for i in range(n)], [f"{name}{d}" for d in range(count)])
    return frames


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A model trained on people of whom some lack a view or a value, its limits, and what it was trained on."""
    frames = people(PEOPLE, 1)
    frames["protein"] = frames["protein"].iloc[15:].mask(np.random.default_rng(2).random((PEOPLE - 15, 60)) < 0.02)
    settings = settings_of("integration", factors=5, convergence="fast")
    sheet = pd.DataFrame({"sample": frames["rna"].index})
    views = {name: ad.AnnData(frame) for name, frame in frames.items()}
    model = train_mofa(prepare_views(views, sheet, settings), settings, 1, tmp_path_factory.mktemp("m") / "model.hdf5")
    active = int(model.active(settings.min_r2).sum())
    return model, fit_limits(model.views, frames, active), frames


def judged(reference, frames):
    model, limits, _ = reference
    values = {
        view.name: frames[view.name][list(view.features)].to_numpy() for view in model.views if view.name in frames
    }
    return [
        limits.judge({name: rows[i] for name, rows in values.items()}) for i in range(len(next(iter(values.values()))))
    ]


def share_out(found) -> float:
    return float(np.mean([one.pvalue <= LEVEL for one in found]))


def test_people_whom_the_model_did_not_see_are_out_once_in_a_hundred_times(reference):
    found = judged(reference, people(1000, 5))
    assert share_out(found) <= 0.03
    pvalues = np.array([one.pvalue for one in found])
    assert 0.1 <= np.mean(pvalues <= 0.2) <= 0.35
    assert all(one.reason == "" for one in found if one.pvalue > LEVEL)


def test_people_with_every_feature_raised_by_one_sd_are_out_with_the_reason(reference):
    raised = {name: frame + 2 for name, frame in people(100, 6).items()}
    found = judged(reference, raised)
    assert share_out(found) >= 0.95
    assert all(one.reason.startswith("unlike the reference (p = ") for one in found if one.pvalue <= LEVEL)
    assert all("is explained least (residuals 1." in one.reason for one in found if one.pvalue <= LEVEL)


def test_a_few_wild_values_make_nobody_an_outlier(reference):
    frames = people(100, 7)
    frames["rna"].iloc[:, :3] += 12
    assert share_out(judged(reference, frames)) <= 0.1


def test_a_patient_far_along_a_factor_is_out_although_the_factor_explains_it(reference):
    model, _, _ = reference
    frames = people(20, 8)
    for view in model.views:
        frames[view.name] += 40 * view.scale * view.weights[:, 0]
    found = judged(reference, frames)
    assert share_out(found) == 1
    assert all("the factors lie outside the reference's range" in one.reason for one in found)


def test_a_patient_is_compared_by_the_views_that_were_measured(reference):
    found = judged(reference, {"rna": people(400, 9)["rna"]})
    assert share_out(found) <= 0.03
    assert share_out(judged(reference, {"protein": people(100, 9)["protein"] + 2})) >= 0.9
    frames = people(100, 10)
    frames["rna"].iloc[:, : FEATURES["rna"] // 2 + 1] = np.nan
    alone = judged(reference, {"protein": frames["protein"]})
    assert [one.pvalue for one in judged(reference, frames)] == [one.pvalue for one in alone], "half of rna is missing"


def test_nothing_is_said_of_a_patient_of_whom_too_little_was_measured(reference):
    frames = {"rna": people(1, 11)["rna"]}
    frames["rna"].iloc[:, : FEATURES["rna"] // 2 + 1] = np.nan
    (found,) = judged(reference, frames)
    assert np.isnan(found.pvalue)
    assert found.reason == "not compared with the reference: in no view at least 50% of the model's features"


def test_nothing_is_said_by_views_that_hardly_anybody_of_the_reference_has(reference):
    model, _, frames = reference
    few = frames | {"protein": frames["protein"].iloc[: FEWEST_SAMPLES - 1]}
    limits = fit_limits(model.views, few, 3)
    assert [tail.views for tail in limits.tails] == [("rna",)]
    protein = people(1, 12)["protein"][list(model.view("protein").features)].to_numpy()[0]
    assert "fewer than 10 of its samples have protein" in limits.judge({"protein": protein}).reason


def test_many_samples_at_once_have_the_factors_that_each_has_alone(reference):
    model, _, frames = reference
    samples = list(frames["rna"].index)
    values = {view.name: frames[view.name].reindex(samples)[list(view.features)].to_numpy() for view in model.views}
    mean, covariance = terms(model.views, values).posterior([view.name for view in model.views])
    alone = project_factors(model.views, frames)
    np.testing.assert_allclose(mean, alone.mean.loc[samples], rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.sqrt(np.einsum("nkk->nk", covariance)), alone.sd.loc[samples], rtol=0, atol=1e-10)


def test_a_folds_model_does_not_depend_on_its_own_samples(reference):
    model, _, frames = reference
    values = {
        view.name: frames[view.name].reindex(frames["rna"].index)[list(view.features)].to_numpy()
        for view in model.views
    }
    fold, first = next(fold_models(model.views, values))
    changed = {name: array.copy() for name, array in values.items()}
    for array in changed.values():
        array[fold] += 100
    again, second = next(fold_models(model.views, changed))
    assert (fold == again).all() and 0 < len(fold) <= PEOPLE / 10 + 1
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.tau, other.tau)


def test_a_model_without_a_fold_is_close_to_the_model(reference):
    model, _, frames = reference
    values = {
        view.name: frames[view.name].reindex(frames["rna"].index)[list(view.features)].to_numpy()
        for view in model.views
    }
    for _, without in fold_models(model.views, values):
        for one, other in zip(model.views, without, strict=True):
            assert np.corrcoef(one.weights[:, :FACTORS].ravel(), other.weights[:, :FACTORS].ravel())[0, 1] > 0.95
            assert np.median(other.tau / one.tau) == pytest.approx(1, abs=0.15)


def test_the_tail_is_exponential_with_a_mean_that_was_estimated():
    scores = np.random.default_rng(3).standard_normal(60)
    tail = Tail.of(("rna",), scores)
    assert tail.above == 12
    beyond = np.array([0.1, 0.5, 2.0])
    expected = TAIL_SHARE * f_distribution.sf(beyond / tail.excess, 2, 2 * tail.above)
    np.testing.assert_allclose([tail.pvalue(tail.scores[-1] + x) for x in beyond], expected)
    grid = [tail.pvalue(x) for x in np.linspace(-3, 8, 200)]
    assert (np.diff(grid) <= 0).all() and grid[0] == 1.0 and grid[-1] < 1 / 61
    assert tail.pvalue(np.percentile(scores, 50)) == pytest.approx(0.5)


def test_the_same_reference_gives_the_same_limits(reference):
    model, limits, frames = reference
    again = fit_limits(model.views, {name: frame.iloc[::-1] for name, frame in frames.items()}, len(limits.reach.mean))
    for one, other in zip(limits.tails, again.tails, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)


def batch(pvalues) -> pd.DataFrame:
    table = pd.DataFrame({"outlier_pvalue": np.asarray(pvalues, dtype=float)})
    out = table["outlier_pvalue"].le(LEVEL).astype("boolean").mask(table["outlier_pvalue"].isna())
    return placement_verdicts(table.assign(out_of_reference=out))


def test_many_patients_show_together_what_one_cannot():
    assert standing(batch([0.015]), "placement", EVERYBODY).verdict == SUPPORTED
    assert standing(batch([0.015] * 30), "placement", EVERYBODY).verdict == UNSUPPORTED
    own_kind = np.random.default_rng(4).uniform(size=(200, 30))
    assert all(standing(batch(one), "placement", EVERYBODY).verdict == SUPPORTED for one in own_kind)
    nobody = standing(batch([np.nan] * 3), "placement", EVERYBODY)
    assert {row["reason"] for row in nobody.rows.values()} == {"nobody could be compared with the reference"}


def test_the_lower_bound_of_a_share_is_that_of_clopper_and_pearson():
    assert lower_bound(0, 10) == 0
    assert lower_bound(7, 7) == pytest.approx(0.01 ** (1 / 7))


def test_the_claim_names_the_numbers_that_the_code_uses():
    words = CLAIMS["placement"].criterion("batch").meaning
    assert f"{CENTILES[-1]:g} %" in words and f"{100 * CERTAINTY:g} %" in words
