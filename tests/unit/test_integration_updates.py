"""The faster updates are mofapy2's own, value by value."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.integration import prepare_views, train_mofa
from stratifn.integration.updates import install_sufficient_statistics


def simulated(missing: str):
    rng = np.random.default_rng(0)
    samples = [f"P{number:03d}" for number in range(70)]
    z = rng.normal(size=(70, 4))
    views = {}
    for name, count in (("a", 150), ("b", 60), ("c", 30)):
        weights = rng.normal(size=(4, count)) * (rng.random((4, count)) < 0.5)
        values = z @ weights + rng.normal(size=(70, count))
        views[name] = ad.AnnData(pd.DataFrame(values, samples, [f"{name}{d}" for d in range(count)]))
    if missing != "nothing":
        views["b"] = views["b"][15:].copy()
    if missing == "views and values":
        views["c"].X[rng.random((70, 30)) < 0.2] = np.nan
        views["c"].X[3] = np.nan
        views["b"].X[0, 0] = np.nan
    return views, pd.DataFrame({"sample": samples})


@pytest.mark.parametrize("missing", ["nothing", "views", "views and values"])
def test_bound_and_factors_equal_mofapy2s_own_in_double_precision(missing, tmp_path):
    views, samples = simulated(missing)
    settings = settings_of("integration", factors=8, float32=False, max_iterations=120)
    model_input = prepare_views(views, samples, settings)
    ours = train_mofa(model_input, settings, 1, tmp_path / "ours.hdf5")
    stock = train_mofa(model_input, settings, 1, tmp_path / "stock.hdf5", stock_updates=True)
    # both sum in another order; 1e-9 relative is what the bound may differ by
    np.testing.assert_allclose(ours.elbo_trace, stock.elbo_trace, rtol=1e-9)
    np.testing.assert_allclose(ours.factors, stock.factors, atol=1e-6)
    for one, other in zip(ours.views, stock.views, strict=True):
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-6)
        np.testing.assert_allclose(one.tau, other.tau, rtol=1e-6)
    assert ours.iterations == stock.iterations


def test_single_precision_finds_the_factors_of_double_precision(tmp_path):
    views, samples = simulated("views and values")
    models = []
    for single in (True, False):
        settings = settings_of("integration", factors=4, float32=single)
        models.append(train_mofa(prepare_views(views, samples, settings), settings, 1, tmp_path / "model.hdf5"))
    # single precision holds 7 digits; training amplifies their rounding
    np.testing.assert_allclose(models[0].factors, models[1].factors, atol=5e-3)


def test_the_bound_never_falls(tmp_path):
    views, samples = simulated("views and values")
    settings = settings_of("integration", factors=6, float32=False)
    trace = train_mofa(prepare_views(views, samples, settings), settings, 2, tmp_path / "model.hdf5").elbo_trace
    assert (np.diff(trace) > -1e-9 * np.abs(trace[1:])).all()


@pytest.mark.parametrize("single", [True, False])
def test_copies_of_a_feature_do_not_break_the_noise(single, tmp_path):
    views, samples = simulated("nothing")
    views["c"].X[:, 1:4] = views["c"].X[:, [0]]
    settings = settings_of("integration", factors=8, float32=single, max_iterations=400)
    model = train_mofa(prepare_views(views, samples, settings), settings, 1, tmp_path / "model.hdf5")
    for view in model.views:
        assert (view.tau > 0).all()
    assert np.isfinite(model.elbo)


def build(likelihoods=("gaussian",), groups: int = 1, **options):
    from mofapy2.run.entry_point import entry_point

    rng = np.random.default_rng(0)
    data = [[(rng.random((20, 16)) < 0.5).astype(float) for _ in range(groups)] for _ in likelihoods]
    entry = entry_point()
    entry.set_data_options(scale_views=False, scale_groups=False, center_groups=True, use_float32=False)
    entry.set_data_matrix(data, likelihoods=list(likelihoods))
    model = {"factors": 3, "spikeslab_factors": False, "spikeslab_weights": True, "ard_factors": groups > 1}
    entry.set_model_options(**{**model, "ard_weights": True, **options.pop("model", {})})
    entry.set_train_options(seed=1, **options)
    entry.build()
    return entry


@pytest.mark.parametrize(
    ("entry_options", "reason"),
    [
        ({"likelihoods": ("bernoulli",)}, "not Gaussian"),
        ({"groups": 2}, "another prior"),
        ({"dropR2": 0.01}, "dropped"),
        ({"weight_views": True}, "weight_views"),
        ({"model": {"spikeslab_weights": False}}, "not Gaussian with sparse weights"),
        ({"model": {"spikeslab_factors": True}}, "another prior"),
    ],
)
def test_other_models_keep_mofapy2s_updates_and_the_reason_is_named(entry_options, reason):
    entry = build(**entry_options)
    assert reason in install_sufficient_statistics(entry.model, entry.train_opts)
    assert "updateParameters" not in vars(entry.model.nodes["Z"])


def test_classes_of_mofapy2_stay_as_they_are():
    from mofapy2.core.nodes.Z_nodes import Z_Node

    before = Z_Node.updateParameters
    entry = build()
    assert install_sufficient_statistics(entry.model, entry.train_opts) is None
    assert "updateParameters" in vars(entry.model.nodes["Z"])
    assert Z_Node.updateParameters is before
    assert "updateParameters" not in vars(build().model.nodes["Z"])
