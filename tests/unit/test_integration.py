"""What enters a model, how it is trained and which seed is chosen."""

from __future__ import annotations

import hashlib

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.integration import (
    Settings,
    TrainingError,
    factors_table,
    prepare_views,
    read_model,
    select_model,
    train_mofa,
    training,
    variance_table,
    weights_table,
    write_model,
)
from stratifn.integration.names import model_feature_names
from stratifn.integration.selection import match_factors
from stratifn.integration.variance import variance_explained
from stratifn.shared.errors import InputError

SAMPLES = 60


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:03d}" for number in range(count)]


def cohort(samples: int = SAMPLES, features=(80, 40), factors: int = 3, seed: int = 0):
    """Views that share factors, their sheet, and the factors."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(samples, factors))
    views = {}
    for number, count in enumerate(features):
        weights = rng.normal(size=(factors, count)) * (rng.random((factors, count)) < 0.25)
        values = 5.0 + z @ weights + 0.5 * rng.normal(size=(samples, count))
        frame = pd.DataFrame(values, names("P", samples), names(f"v{number}f", count))
        views[f"view{number}"] = ad.AnnData(frame)
    return views, pd.DataFrame({"sample": names("P", samples)}), z


def best_r(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return match_factors(truth, found)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return settings_of("integration", factors=5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, settings):
    """Three seeds of one cohort with a view missing for a quarter and single missing values."""
    folder = tmp_path_factory.mktemp("models")
    views, samples, z = cohort()
    views["view1"] = views["view1"][SAMPLES // 4 :].copy()
    views["view1"].X[np.random.default_rng(1).random(views["view1"].shape) < 0.05] = np.nan
    model_input = prepare_views(views, samples, settings)
    paths = [folder / f"seed_{seed}.hdf5" for seed in (1, 2, 3)]
    models = [train_mofa(model_input, settings, seed, path) for seed, path in enumerate(paths, start=1)]
    return model_input, models, paths, z


# ---------------------------------------------------------------------------------------------------- the input


def test_most_variable_features_are_kept_and_the_rest_is_counted():
    views, samples, _ = cohort(features=(80,))
    values = views["view0"].X
    values[:, 0] = 7.0
    values[: SAMPLES // 2 + 1, 1] = np.nan
    values[:, 2] *= 100.0
    prepared = prepare_views(views, samples, settings_of("integration", top_features=10))
    row = prepared.selection.iloc[0]
    assert row[["features", "too_many_missing", "constant", "eligible", "selected"]].tolist() == [80, 1, 1, 78, 10]
    variances = np.nanvar(values, axis=0, ddof=1)
    variances[[0, 1]] = 0
    expected = {f"v0f{column:03d}" for column in np.argsort(-variances)[:10]}
    assert set(prepared.views[0].features) == expected
    assert list(prepared.notes["item"]) == ["1 features", "1 features"]


def test_views_are_centred_and_scaled_as_a_whole_so_that_features_keep_their_ratio_of_variances():
    views, samples, _ = cohort(features=(20,))
    prepared = prepare_views(views, samples, settings_of("integration")).views[0]
    assert np.nanstd(prepared.values) == pytest.approx(1.0)
    assert np.abs(prepared.values.mean(axis=0)).max() < 1e-12
    restored = prepared.values * prepared.scale + prepared.means
    np.testing.assert_allclose(restored, views["view0"].X, rtol=1e-12)


def test_a_sample_without_a_view_stays_in_and_the_overlap_says_so():
    views, samples, _ = cohort()
    views["view1"] = views["view1"][10:].copy()
    prepared = prepare_views(views, samples, settings_of("integration"))
    assert len(prepared.samples) == SAMPLES
    assert np.isnan(prepared.views[1].values[:10]).all()
    assert prepared.overlap.to_dict("list") == {"views": ["view0+view1", "view0"], "samples": [50, 10]}


def test_samples_with_too_few_views_are_left_out_and_named():
    views, samples, _ = cohort()
    views["view1"] = views["view1"][1:].copy()
    prepared = prepare_views(views, samples, settings_of("integration", min_views=2))
    assert len(prepared.samples) == SAMPLES - 1
    assert prepared.notes.to_dict("records") == [
        {"view": "view0", "item": "P000", "what": "sample left out", "reason": "too few views"}
    ]


def test_too_few_samples_are_an_input_error_that_says_how_many():
    views, samples, _ = cohort(samples=8)
    with pytest.raises(InputError, match="8 samples .* need at least 10"):
        prepare_views(views, samples, settings_of("integration"))


def test_nothing_that_varies_is_an_input_error():
    views = {"flat": ad.AnnData(pd.DataFrame(np.ones((20, 3)), names("P", 20), names("f", 3)))}
    with pytest.raises(InputError, match="no view has a feature that varies"):
        prepare_views(views, pd.DataFrame({"sample": names("P", 20)}), settings_of("integration"))


def test_a_view_without_varying_features_is_left_out_and_named():
    views, samples, _ = cohort()
    views["flat"] = ad.AnnData(pd.DataFrame(np.ones((SAMPLES, 3)), names("P", SAMPLES), names("f", 3)))
    prepared = prepare_views(views, samples, settings_of("integration"))
    assert [view.name for view in prepared.views] == ["view0", "view1"]
    assert "view left out" in set(prepared.notes["what"])


@pytest.mark.parametrize(("view", "code"), [("a/b", "IN-036"), ("ünicode", "IN-036"), ("data", "IN-203")])
def test_view_names_that_r_cannot_open_are_refused(view, code):
    views, samples, _ = cohort()
    with pytest.raises(InputError, match=code):
        prepare_views({view: views["view0"]}, samples, settings_of("integration"))


def test_features_get_ascii_names_that_are_unique_over_views():
    named = model_feature_names({"rna": ["IFNG", "A/B"], "protein": ["IFNG", "IFN-α", "IFN-alpha"]})
    assert named == {
        "rna": ["IFNG_rna", "A_B"],
        "protein": ["IFNG_protein", "IFN-alpha_protein", "IFN-alpha_protein_2"],
    }


# ------------------------------------------------------------------------------------------------------ training


def test_true_factors_are_found_in_spite_of_missing_views_and_values(trained):
    _, models, _, z = trained
    for model in models:
        assert model.converged
        assert best_r(model.factors, z).min() > 0.97


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_start(trained, settings, tmp_path):
    model_input, models, paths, _ = trained
    train_mofa(model_input, settings, 1, tmp_path / "again.hdf5")
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (paths[0], tmp_path / "again.hdf5")]
    assert digests[0] == digests[1]
    assert models[0].elbo_trace[1] != models[1].elbo_trace[1]


def test_a_model_survives_writing_with_turned_signs(trained, settings, tmp_path):
    _, models, paths, _ = trained
    chosen = select_model(models, settings)
    write_model(chosen.model, paths[chosen.model.seed - 1], tmp_path / "model.hdf5")
    again = read_model(tmp_path / "model.hdf5")
    np.testing.assert_array_equal(again.factors, chosen.model.factors)
    for one, other in zip(again.views, chosen.model.views, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.weights_squared, other.weights_squared)
        assert (one.features, one.scale) == (other.features, other.scale)


def test_what_mofapy2_takes_for_an_exit_is_an_error_and_leaves_no_file(trained, settings, tmp_path, monkeypatch):
    def stop(*_):
        print("All factors shut down, no structure found in the data.")
        raise SystemExit

    monkeypatch.setattr(training, "_run", stop)
    with pytest.raises(TrainingError, match="All factors shut down"):
        train_mofa(trained[0], settings, 1, tmp_path / "model.hdf5")
    assert list(tmp_path.iterdir()) == []


def test_a_type_error_while_training_is_an_error(trained, settings, tmp_path, monkeypatch):
    from mofapy2.core.BayesNet import BayesNet

    def fail(self):
        raise TypeError("inside mofapy2")

    monkeypatch.setattr(BayesNet, "iterate", fail)
    with pytest.raises(TrainingError, match="inside mofapy2"):
        train_mofa(trained[0], settings, 1, tmp_path / "model.hdf5")


def test_an_interrupted_training_is_not_taken_for_a_trained_model(trained, settings, tmp_path, monkeypatch):
    from mofapy2.core.BayesNet import BayesNet

    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(BayesNet, "removeInactiveFactors", interrupt)
    monkeypatch.setattr(BayesNet, "calculateELBO", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_mofa(trained[0], settings, 1, tmp_path / "model.hdf5")
    assert list(tmp_path.iterdir()) == []


def test_values_that_are_not_finite_are_an_error(trained, settings, tmp_path, monkeypatch):
    broken = training._as_model

    def as_model(*arguments):
        model = broken(*arguments)
        model.factors[0, 0] = np.nan
        return model

    monkeypatch.setattr(training, "_as_model", as_model)
    with pytest.raises(TrainingError, match="not finite"):
        train_mofa(trained[0], settings, 1, tmp_path / "model.hdf5")


def test_running_out_of_iterations_is_not_convergence(trained, tmp_path):
    hurried = settings_of("integration", factors=5, max_iterations=12)
    model = train_mofa(trained[0], hurried, 1, tmp_path / "model.hdf5")
    assert (model.converged, model.iterations) == (False, 11)


def test_every_option_is_in_the_file(trained):
    options = read_model(trained[2][0]).options
    assert options["settings"]["factors"] == 5
    assert options["training"]["convergence_mode"] == "medium"
    assert options["model"]["likelihoods"] == ["gaussian", "gaussian"]
    assert options["updates"] == "sufficient statistics"


@pytest.mark.parametrize(
    ("samples", "features"), [(20, (30,)), (10, (12,)), (24, (12, 50)), (12, (3, 2)), (30, (1, 40))]
)
def test_small_cohorts_and_small_views_give_a_model(samples, features, tmp_path):
    views, sheet, _ = cohort(samples, features, factors=1, seed=3)
    settings = settings_of("integration")
    model = train_mofa(prepare_views(views, sheet, settings), settings, 1, tmp_path / "model.hdf5")
    assert 1 <= model.factors.shape[1] <= samples // 2
    chosen = select_model([model], settings)
    assert len(factors_table(chosen)) == samples


def test_noise_alone_gives_no_factors_and_says_so(tmp_path):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(200, 400)), names("P", 200), names("f", 400))
    settings = settings_of("integration", factors=4, min_r2=1.0)
    model_input = prepare_views({"noise": ad.AnnData(frame)}, pd.DataFrame({"sample": frame.index}), settings)
    chosen = select_model([train_mofa(model_input, settings, 1, tmp_path / "model.hdf5")], settings)
    assert chosen.active == 0
    assert "no structure" in chosen.reason
    assert list(factors_table(chosen).columns) == ["sample"]
    assert list(variance_table(chosen, model_input)["factor"]) == ["total"]


# ----------------------------------------------------------------------------------------------------- selection


def test_the_best_bound_is_the_model_and_factors_are_ordered_by_variance(trained, settings):
    model_input, models, _, _ = trained
    chosen = select_model(models, settings)
    assert chosen.seeds["chosen"].sum() == 1
    assert chosen.seeds.loc[chosen.seeds["chosen"], "elbo"].item() == chosen.seeds["elbo"].max()
    table = variance_table(chosen, model_input)
    totals = table[table["factor"] != "total"].groupby("factor", sort=False)["r2"].sum()
    assert (np.diff(totals) <= 1e-9).all()


def test_real_factors_are_robust_and_every_robust_factor_is_in_most_seeds(trained, settings):
    chosen = select_model(trained[1], settings)
    robustness = chosen.robustness
    assert robustness["robust"].head(3).all()
    assert (robustness.loc[robustness["robust"], "seeds_matched"] >= 0.8 * 3).all()
    assert list(robustness.columns) == ["factor", "seeds_matched", "mean_abs_r", "robust"]


def test_one_seed_says_nothing_about_robustness(trained, settings):
    robustness = select_model(trained[1][:1], settings).robustness
    assert robustness["robust"].isna().all()
    assert robustness["mean_abs_r"].isna().all()


def test_the_factor_that_follows_the_score_rises_with_it_and_others_have_their_largest_weight_positive(
    trained, settings
):
    model_input, models, _, z = trained
    for sign in (1, -1):
        score = pd.Series(sign * z[:, 1], index=model_input.samples)
        chosen = select_model(models, settings, score)
        factors = factors_table(chosen).set_index("sample")
        r = factors.corrwith(score)
        assert r[r.abs().idxmax()] > 0.9


def test_the_order_of_seeds_does_not_matter(trained, settings):
    one, other = select_model(trained[1], settings), select_model(trained[1][::-1], settings)
    pd.testing.assert_frame_equal(factors_table(one), factors_table(other))
    pd.testing.assert_frame_equal(one.robustness, other.robustness)


def test_seeds_of_different_input_are_refused(trained, settings, tmp_path):
    views, samples, _ = cohort(seed=9)
    model_input = prepare_views(views, samples.iloc[:50], settings)
    foreign = train_mofa(model_input, settings, 7, tmp_path / "model.hdf5")
    with pytest.raises(InputError, match="different input"):
        select_model([*trained[1], foreign], settings)


def test_weights_carry_the_cohorts_own_feature_ids(tmp_path):
    views, samples, _ = cohort(features=(30, 10))
    views["view1"].var_names = ["v0f001", "IFN-α", "a/b", *names("c", 7)]
    settings = settings_of("integration", factors=3)
    model_input = prepare_views(views, samples, settings)
    chosen = select_model([train_mofa(model_input, settings, 1, tmp_path / "model.hdf5")], settings)
    assert list(weights_table(chosen, "view1")["feature"][:3]) == ["v0f001", "IFN-α", "a/b"]
    assert (model_input.notes["what"].str.startswith("named")).sum() == 4


def test_a_view_that_was_left_out_has_an_empty_table_of_weights(trained, settings):
    table = weights_table(select_model(trained[1], settings), "absent")
    assert table.empty
    assert table.columns[0] == "feature"


def test_a_factor_has_one_partner_only():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(50, 2))
    doubled = np.column_stack([a[:, 0], a[:, 0] + 0.01 * a[:, 1]])
    matched = match_factors(doubled, a[:, :1])
    assert sorted(matched > 0) == [False, True]


def test_a_constant_factor_matches_nothing():
    assert match_factors(np.zeros((10, 1)), np.arange(10.0)[:, None]).tolist() == [0.0]


def test_variance_explained_is_that_of_mofapy2_on_the_samples_that_the_view_has():
    rng = np.random.default_rng(2)
    z, w = rng.normal(size=(30, 2)), rng.normal(size=(12, 2))
    values = z @ w.T + rng.normal(size=(30, 12))
    values[:5] = np.nan
    values[7, 3] = np.nan
    observed = ~np.isnan(values)
    y = np.where(observed, values, 0.0)
    each, together = variance_explained(values, z, w)
    for k in range(2):
        residual = np.square(y - np.where(observed, np.outer(z[:, k], w[:, k]), 0)).sum()
        assert each[k] == pytest.approx(1 - residual / np.square(y).sum(), abs=1e-12)
    assert together == pytest.approx(1 - np.square(y - np.where(observed, z @ w.T, 0)).sum() / np.square(y).sum())
