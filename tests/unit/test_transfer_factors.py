"""Factors of new samples from the weights alone."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.integration import prepare_views, train_mofa
from stratifn.shared.errors import InputError
from stratifn.transfer import project_factors


@pytest.fixture(scope="module")
def model_and_views(tmp_path_factory):
    rng = np.random.default_rng(0)
    samples = [f"P{number:03d}" for number in range(150)]
    z = rng.normal(size=(150, 4))
    frames = {}
    for name, count, active in (("rna", 200, [0, 1, 2]), ("protein", 40, [0, 3])):
        weights = rng.normal(size=(4, count)) * (rng.random((4, count)) < 0.4)
        weights[[k for k in range(4) if k not in active]] = 0
        frames[name] = pd.DataFrame(
            8.0 + 2.0 * (z @ weights) + rng.normal(size=(150, count)), samples, [f"{name}{d}" for d in range(count)]
        )
    frames["protein"] = frames["protein"].iloc[30:].copy()
    frames["protein"] = frames["protein"].mask(rng.random(frames["protein"].shape) < 0.1)
    settings = settings_of("integration", factors=6, float32=False, convergence="slow")
    views = {name: ad.AnnData(frame) for name, frame in frames.items()}
    model_input = prepare_views(views, pd.DataFrame({"sample": samples}), settings)
    return train_mofa(model_input, settings, 1, tmp_path_factory.mktemp("m") / "model.hdf5"), frames


def active(model):
    return np.flatnonzero(model.active(1.0))


def test_training_samples_get_their_training_factors(model_and_views):
    model, frames = model_and_views
    projected = project_factors(model.views, frames)
    assert list(projected.mean.index) == list(model.samples)
    for k in active(model):
        assert np.corrcoef(projected.mean.iloc[:, k], model.factors[:, k])[0, 1] >= 0.9999


def test_one_patient_alone_gets_what_it_gets_in_a_batch(model_and_views):
    model, frames = model_and_views
    together = project_factors(model.views, frames)
    for sample in ("P000", "P077"):
        alone = project_factors(model.views, {name: frame.loc[frame.index == sample] for name, frame in frames.items()})
        for part in ("mean", "sd", "error"):
            np.testing.assert_allclose(
                getattr(alone, part).loc[sample], getattr(together, part).loc[sample], rtol=0, atol=1e-12
            )


def test_the_order_of_patients_and_features_does_not_matter(model_and_views):
    model, frames = model_and_views
    shuffled = {
        name: frame.sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=2)
        for name, frame in frames.items()
    }
    pd.testing.assert_frame_equal(
        project_factors(model.views, shuffled).mean, project_factors(model.views, frames).mean
    )


def test_without_a_view_its_own_factors_fall_back_to_the_prior(model_and_views):
    model, frames = model_and_views
    projected = project_factors(model.views, {"rna": frames["rna"]})
    complete = project_factors(model.views, frames)
    protein_only = [k for k in active(model) if model.r2[0, k] < 1.0]
    of_rna = [k for k in active(model) if model.r2[0, k] >= 1.0]
    assert protein_only
    assert projected.sd.iloc[:, protein_only].min().min() > 0.9
    assert projected.sd.iloc[:, of_rna].max().max() < 0.3
    for k in of_rna:
        assert np.corrcoef(projected.mean.iloc[:, k], complete.mean.iloc[:, k])[0, 1] > 0.99
    assert (projected.observed["protein"] == 0).all()
    assert projected.error["protein"].isna().all()


def test_the_gain_is_what_the_posterior_mean_shows_of_the_factors(model_and_views):
    model, frames = model_and_views
    complete = project_factors(model.views, frames)
    without = project_factors(model.views, {"rna": frames["rna"]})
    known = np.diagonal(without.gain, axis1=1, axis2=2).mean(axis=0)
    protein_only = [k for k in active(model) if model.r2[0, k] < 1.0]
    of_rna = [k for k in active(model) if model.r2[0, k] >= 1.0]
    assert known[protein_only].max() < 0.2 < 0.9 < known[of_rna].min()
    part = without.posterior.of(["P003", "P001"], ["Factor2", "Factor1"])
    assert part.gain.shape == (2, 2, 2) and list(part.mean.index) == ["P003", "P001"]
    assert part.covariance[0, 0, 0] == pytest.approx(without.sd.loc["P003", "Factor2"] ** 2)
    assert (without.sd >= complete.sd - 1e-12).all().all()


def test_missing_features_are_counted_and_unknown_ones_ignored(model_and_views):
    model, frames = model_and_views
    part = frames["rna"].iloc[:, :50].assign(unknown=1e6)
    projected = project_factors(model.views, {"rna": part})
    assert (projected.observed["rna"] == 50).all()
    assert np.abs(projected.mean.to_numpy()).max() < 10


def test_the_error_is_about_one_in_training_and_large_for_a_foreign_sample(model_and_views):
    model, frames = model_and_views
    assert project_factors(model.views, frames).error["rna"].between(0.6, 1.5).all()
    foreign = frames["rna"].iloc[:1] + 5.0 * np.random.default_rng(0).normal(size=(1, 200))
    assert project_factors(model.views, {"rna": foreign}).error["rna"].item() > 5


def test_nothing_observed_is_the_prior(model_and_views):
    model, frames = model_and_views
    nothing = frames["rna"].iloc[:1] * np.nan
    projected = project_factors(model.views, {"rna": nothing})
    assert projected.mean.to_numpy().tolist() == [[0.0] * 6]
    assert projected.sd.to_numpy().tolist() == [[1.0] * 6]


def test_no_view_of_the_model_and_duplicates_are_input_errors(model_and_views):
    model, frames = model_and_views
    with pytest.raises(InputError, match="none of the model's views"):
        project_factors(model.views, {"other": frames["rna"]})
    twice = pd.concat([frames["rna"].iloc[:1]] * 2)
    with pytest.raises(InputError, match="P000 occurs more than once"):
        project_factors(model.views, {"rna": twice})
