"""Held-out patients of a real cohort, placed with a frozen reference, against a joint run of everybody.

The joint run is cut at the reference's number of strata. Two fits of one cohort do not cut it alike when the number of
strata is not certain, so every figure is compared with the reference's own: its bootstrap Jaccard, and how well the
reference's own training patients agree with the joint run (no transfer can do better than that).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from defaults import settings_of
from stratifn.integration import (
    factors_table,
    posterior_of_cohort,
    prepare_views,
    select_model,
    train_mofa,
    variance_table,
)
from stratifn.shared.package_data import output_contract
from stratifn.stratification import find_strata, stratum_arrays, stratum_model
from stratifn.stratification.selection import candidates
from stratifn.stratification.space import factor_space
from stratifn.transfer import (
    FrozenView,
    LearntModel,
    Measured,
    Phases,
    Source,
    freeze_reference,
    load_reference,
    place_patients,
    write_reference,
)

SHARED = Path(__file__).resolve().parents[3] / "shared"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared real data")
VERSION = output_contract()["version"]
VIEWS = ("mrna", "mirna", "protein")
INTEGRATION, STRATIFICATION = settings_of("integration"), settings_of("stratification")
# the views are on a log scale already, and there is nothing to score
PHASES = Phases(transform=lambda frozen, view: view, score=None, strata=stratum_model)
MEASURED = Measured("other", "microarray")


def fitted(views, samples, folder, seeds):
    model_input = prepare_views(views, samples, INTEGRATION)
    models = [train_mofa(model_input, INTEGRATION, seed, folder / f"seed_{seed}.hdf5") for seed in seeds]
    integration = select_model(models, INTEGRATION)
    robust = integration.robustness.query("robust")["factor"].tolist()
    factors = factors_table(integration).set_index("sample")
    return integration, factors, variance_table(integration, model_input), robust


@pytest.fixture(scope="module")
def joint(breast, tmp_path_factory):
    """Strata of all patients for every number of strata."""
    views, samples = breast
    _, factors, variance, robust = fitted(views, samples, tmp_path_factory.mktemp("joint"), (1, 2, 3, 4, 5))
    points = np.ascontiguousarray(factor_space(factors, variance, robust).coordinates(factors))
    tried = candidates(points, np.arange(2, 9), STRATIFICATION)
    return {each.k: pd.Series(each.mixture.membership.argmax(axis=1), factors.index) for each in tried}


def held_out(breast, joint, folder, split: int) -> dict[str, float]:
    """Freeze a reference of two thirds, place the last third with it, and compare with the joint run."""
    views, samples = breast
    order = np.random.default_rng(split).permutation(len(samples))
    inside = samples.iloc[np.sort(order[:100])].reset_index(drop=True)
    outside = samples.iloc[np.sort(order[100:])].reset_index(drop=True)
    integration, factors, variance, robust = fitted(views, inside, folder, (1, 2, 3))
    posterior = posterior_of_cohort(integration.model, views, factors, "")
    strata = find_strata(posterior.mean, variance, robust, inside, None, STRATIFICATION, posterior)
    reference = freeze_reference(
        Source("breast", VERSION, {}, "other", "microarray"),
        {name: FrozenView("continuous", {"features": view.var_names.to_numpy(str)}) for name, view in views.items()},
        LearntModel(
            integration.model.views,
            integration.active,
            integration.model.samples,
            stratum_arrays(strata.model),
            pd.DataFrame({"stratum": strata.jaccard.keys(), "jaccard": strata.jaccard.values(), "label": ""}),
        ),
        views,
        None,
        [],
    )
    write_reference(reference, folder / "reference.json", folder / "arrays.npz")
    reference = load_reference(folder, VERSION)
    new = {name: view[outside["sample"].tolist()].copy() for name, view in views.items()}
    placed = place_patients(reference, new, outside, PHASES, MEASURED).patients.set_index("sample")
    row = {
        "split": split,
        "k": strata.number,
        "jaccard": float(np.mean(list(strata.jaccard.values()))),
        "outside": placed["out_of_reference"].mean(),
    }
    if strata.number == 1:
        return row
    labels = joint[strata.number]
    row["ari"] = adjusted_rand_score(labels[placed.index], placed["stratum"])
    row["ari_training"] = adjusted_rand_score(labels[strata.stratum.index], strata.stratum)
    for missing in VIEWS:
        rest = {name: view for name, view in new.items() if name != missing}
        stratum = place_patients(reference, rest, outside, PHASES, MEASURED).patients.set_index("sample")["stratum"]
        row[f"ari_without_{missing}"] = adjusted_rand_score(labels[stratum.index], stratum)
        row[f"same_without_{missing}"] = adjusted_rand_score(placed["stratum"], stratum)
    return row


def test_held_out_patients_are_placed_as_well_as_the_reference_knows_its_own(breast, joint, tmp_path):
    table = pd.DataFrame([held_out(breast, joint, tmp_path, split) for split in range(3)])
    shown = "\n" + table.round(2).to_string()
    middle = table.median()
    # three splits: one of them moves the median by as much as 0.1 (measured 0.92, of the training patients 0.84)
    assert middle["ari"] >= middle["ari_training"] - 0.1, shown
    assert middle["ari"] >= 0.75, shown
    assert all(middle[f"same_without_{view}"] >= 0.7 for view in VIEWS), shown
    assert table["outside"].mean() <= 0.1, shown


@pytest.mark.full
def test_held_out_patients_are_placed_as_well_as_the_reference_knows_its_own_over_20_splits(breast, joint, tmp_path):
    table = pd.DataFrame([held_out(breast, joint, tmp_path, split) for split in range(20)])
    shown = "\n" + table.round(2).to_string()
    with_strata = table[table["k"] > 1]
    middle = with_strata.median()
    # measured over the 19 splits whose reference has strata: 0.84, and 0.81 of the reference's own training patients
    assert middle["ari"] >= 0.75, shown
    # what is lost is lost where the bootstrap says so: in the least stable quarter
    stable = with_strata["jaccard"] >= 0.85
    assert with_strata.loc[stable, "ari"].median() >= 0.75, shown
    least_stable = with_strata["jaccard"] <= with_strata["jaccard"].quantile(0.25)
    stable_ari, unstable_ari = (with_strata.loc[which, "ari"].median() for which in (~least_stable, least_stable))
    assert unstable_ari <= stable_ari - 0.2, shown
    assert all(middle[f"ari_without_{view}"] >= 0.6 for view in VIEWS), shown
    # patients of the very cohort: one in a hundred is expected
    assert table["outside"].mean() <= 0.05, shown


@pytest.mark.full
def test_with_the_usual_bound_of_stability_what_is_lost_follows_it_over_20_splits(breast, joint, tmp_path, monkeypatch):
    # why the bound is 0.85 and not 0.75: divisions between the two do not come back
    monkeypatch.setattr("stratifn.stratification.selection.bound_of", lambda claim, criterion: 0.75)
    table = pd.DataFrame([held_out(breast, joint, tmp_path, split) for split in range(20)])
    shown = "\n" + table.round(2).to_string()
    with_strata = table[table["k"] > 1]
    stable = with_strata["jaccard"] >= 0.85
    assert with_strata.loc[stable, "ari"].median() >= 0.75 > with_strata.loc[~stable, "ari"].median(), shown
