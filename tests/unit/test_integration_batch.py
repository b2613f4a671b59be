"""A known batch is taken out on request, and only where it can be told apart from disease."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.integration import prepare_views
from stratifn.integration.batch import regress_out
from stratifn.shared.errors import InputError

N = 90


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    samples = [f"P{number:02d}" for number in range(N)]
    batch = pd.Series(rng.choice(["one", "two", "three"], size=N, p=[0.5, 0.3, 0.2]), samples, name="batch")
    disease = pd.DataFrame({"disease": rng.choice(["HC", "SLE"], size=N)}, samples)
    # uneven, as in real cohorts
    disease.iloc[:20] = "SLE"
    effect = batch.map({"one": 0.0, "two": 3.0, "three": -2.0}).to_numpy()[:, None]
    signal = 1.5 * (disease["disease"] == "SLE").to_numpy()[:, None]
    values = 0.3 * rng.normal(size=(N, 12)) + effect + signal
    return values, batch, disease


def difference(values, labels, a, b):
    return np.nanmean(values[labels == a], axis=0) - np.nanmean(values[labels == b], axis=0)


def test_batch_effects_go_and_the_disease_effect_stays(data):
    values, batch, disease = data
    corrected = regress_out(values, batch, disease)
    healthy = (disease["disease"] == "HC").to_numpy()
    for other in ("two", "three"):
        assert np.abs(difference(corrected[healthy], batch[healthy].to_numpy(), other, "one")).max() < 0.5
    assert difference(corrected, disease["disease"].to_numpy(), "SLE", "HC") == pytest.approx(1.5, abs=0.3)


def test_the_correction_equals_least_squares_by_hand(data):
    values, batch, disease = data
    sick = (disease["disease"] == "SLE").to_numpy(float)
    one, two, three = ((batch == level).to_numpy(float) for level in ("one", "two", "three"))
    design = np.column_stack([np.ones(N), sick, one - two, three - two])
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    by_hand = values - design[:, 2:] @ coefficients[2:]
    np.testing.assert_allclose(regress_out(values, batch, disease), by_hand, atol=1e-10)


def test_missing_values_stay_missing_and_the_rest_is_fitted_on_what_is_there(data):
    values, batch, disease = data
    values[:5, 0] = np.nan
    corrected = regress_out(values, batch, disease)
    assert np.isnan(corrected[:5, 0]).all()
    alone = regress_out(values[5:, :1], batch.iloc[5:], disease.iloc[5:])
    np.testing.assert_allclose(corrected[5:, :1], alone, atol=1e-12)


def test_a_batch_confounded_with_disease_is_refused(data):
    values, batch, disease = data
    confounded = (disease["disease"] == "SLE").map({True: "a", False: "b"}).rename("batch")
    with pytest.raises(InputError, match="cannot be told apart from disease"):
        regress_out(values, confounded, disease)


def test_one_batch_or_an_unknown_batch_is_refused(data):
    values, batch, disease = data
    with pytest.raises(InputError, match="one batch"):
        regress_out(values, pd.Series("one", batch.index, name="batch"), disease)
    with pytest.raises(InputError, match="missing values"):
        regress_out(values, batch.where(batch != "three"), disease)


def test_the_request_is_in_the_settings_and_in_the_notes(data):
    values, batch, disease = data
    samples = disease.assign(batch=batch).rename_axis("sample").reset_index()
    views = {"rna": ad.AnnData(pd.DataFrame(values, batch.index, [f"g{d}" for d in range(12)]))}
    prepared = prepare_views(views, samples, settings_of("integration", regress_out="batch"))
    assert prepared.notes["what"].tolist() == ["regressed out before integration"]
    view = prepared.views[0]
    np.testing.assert_allclose(view.values * view.scale + view.means, regress_out(values, batch, disease), atol=1e-10)
    with pytest.raises(InputError, match="no column site"):
        prepare_views(views, samples, settings_of("integration", regress_out="site"))
