"""Two cohorts of lupus blood, one by array and one by RNA-seq, each placed in the other's reference."""

from __future__ import annotations

import pandas as pd
import pytest

from defaults import default_origin, of_kind, settings_of
from stratifn.integration import (
    factors_table,
    posterior_of_cohort,
    prepare_views,
    select_model,
    train_mofa,
    variance_table,
)
from stratifn.interferon import (
    Cohort,
    analyse_cohort,
    from_parts,
    place_by_own_controls,
    reference_of_cohort,
    to_parts,
)
from stratifn.interferon import place_patients as score_patients
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import load_registry
from stratifn.shared.claims import EVERYBODY, UNSUPPORTED, WEAK, standing
from stratifn.shared.package_data import output_contract
from stratifn.stratification import find_strata, stratum_arrays, stratum_model
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

from .test_interferon import ROOT, SHARED, load

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared real data")
VERSION = output_contract()["version"]
HEALTHY, LUPUS = "Healthy_sample", "Disease_sample"
PLATFORM = {"lupus_array": "microarray", "lupus_rnaseq": "rnaseq"}
SETTINGS = settings_of("interferon")
KNOWLEDGE = Knowledge(load_registry(ROOT / "resources" / "signatures"), ())
OWN = f"{SETTINGS.signature}, own controls"
PHASES = Phases(
    # the views are on a log scale already
    transform=lambda frozen, view: view,
    score=lambda values, arrays, rna, samples: score_patients(
        rna, rna.uns["kind"], samples, from_parts(values, arrays)
    )[1],
    strata=stratum_model,
    score_locally=lambda values, arrays, rna, samples, control: place_by_own_controls(
        rna, samples, control, from_parts(values, arrays)
    ),
)


def cohort(name):
    data, samples, kind = load(name)
    return of_kind(data, kind), samples.assign(patient=samples["sample"]).reset_index(drop=True)


def frozen(name, folder):
    """Freeze a cohort as the workflow does."""
    data, samples = cohort(name)
    chosen = settings_of("integration")
    model_input = prepare_views({"rna": data}, samples, chosen)
    integration = select_model([train_mofa(model_input, chosen, 1, folder / "seed_1.hdf5")], chosen)
    factors = factors_table(integration).set_index("sample")
    posterior = posterior_of_cohort(integration.model, {"rna": data}, factors, "")
    strata = find_strata(
        posterior.mean, variance_table(integration, model_input), list(factors.columns), samples, HEALTHY,
        settings_of("stratification", resamples=50), posterior,
    )  # fmt: skip
    stability = pd.DataFrame({"stratum": list(strata.jaccard), "jaccard": list(strata.jaccard.values()), "label": "x"})
    made = freeze_reference(
        Source(name, VERSION, {}, "whole_blood", PLATFORM[name], HEALTHY),
        {"rna": FrozenView.of("continuous", {"features": data.var_names.to_numpy(str)}, data)},
        LearntModel(
            integration.model.views,
            integration.active,
            integration.model.samples,
            stratum_arrays(strata.model),
            stability,
        ),
        {"rna": data},
        to_parts(reference_of_cohort(data, samples, HEALTHY, KNOWLEDGE, SETTINGS)),
        [],
    )
    write_reference(made, folder / "reference.json", folder / "arrays.npz")
    return load_reference(folder, VERSION)


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    """Each cohort in the reference of the other: patients with their disease, and verdicts."""
    found = {}
    for name, other in (("lupus_array", "lupus_rnaseq"), ("lupus_rnaseq", "lupus_array")):
        reference = frozen(other, tmp_path_factory.mktemp(other))
        data, samples = cohort(name)
        measured = Measured("whole_blood", PLATFORM[name], HEALTHY)
        found[name] = place_patients(reference, {"rna": data}, samples, PHASES, measured)
    return found


def counted(placed, name, column):
    """Classes by group: (high, borderline, low)."""
    disease = cohort(name)[1].set_index("sample")["disease"]
    patients = placed[name].patients.set_index("sample")
    table = pd.crosstab(disease.reindex(patients.index), patients[column])
    return table.reindex(columns=["high", "borderline", "low"], fill_value=0).T.to_dict("list")


@pytest.mark.parametrize("name", PLATFORM)
def test_the_batch_of_another_chip_is_out_of_reference(placed, name):
    found = standing(placed[name].verdicts, "placement", EVERYBODY)
    assert found.verdict == UNSUPPORTED
    # all 30 are explained less well than 80 % of the reference's own 30, of whom two are as badly explained as these
    assert placed[name].patients["outlier_pvalue"].max() < 0.05
    assert found.rows["batch"]["value"] == pytest.approx(0.01 ** (1 / 30))
    assert placed[name].notes["what"].eq("differs").any()


def test_classes_by_the_other_chip_are_wrong_and_those_by_own_controls_are_those_of_the_cohort(placed):
    # against the RNA-seq cohort's controls healthy people of the array are low, and most patients borderline or low
    assert counted(placed, "lupus_array", "ifn_class") == {HEALTHY: [0, 0, 10], LUPUS: [2, 11, 7]}
    # against the array's controls everybody of the RNA-seq cohort is high
    assert counted(placed, "lupus_rnaseq", "ifn_class") == {HEALTHY: [10, 0, 0], LUPUS: [20, 0, 0]}
    # against their own: two infected controls of the array are left out; those of the RNA-seq cohort vary
    assert counted(placed, "lupus_array", "ifn_class_local") == {HEALTHY: [2, 0, 8], LUPUS: [17, 1, 2]}
    assert counted(placed, "lupus_rnaseq", "ifn_class_local") == {HEALTHY: [0, 2, 8], LUPUS: [2, 15, 3]}
    for name in PLATFORM:
        data, samples = cohort(name)
        own = analyse_cohort(data, Cohort(samples, HEALTHY, default_origin()), KNOWLEDGE, SETTINGS).classes
        patients = placed[name].patients.set_index("sample")
        own = own.set_index("sample").reindex(patients.index)
        # the SD floors look at genes of similar mean, and the reference lacks 67 of the array's and 18 of the other's
        assert (patients["score_local"] - own["score"]).abs().max() < 0.05
        assert (patients["ifn_class_local"] == own["ifn_class"]).mean() >= 0.95


def test_ten_own_controls_are_enough_and_said_to_be_few(placed):
    array, rnaseq = (standing(placed[name].verdicts, "cutoff", OWN) for name in PLATFORM)
    assert array.verdict == rnaseq.verdict == WEAK
    assert {row["criterion"] for row in array.failing} == {"enough_controls", "outlying_controls"}
    assert {row["criterion"] for row in rnaseq.failing} == {"enough_controls"}
    left_out = placed["lupus_array"].notes.query("what == 'left out of the interferon reference'")["item"]
    assert left_out.tolist() == ["GSM1594234", "GSM1594241"]


def test_too_few_own_controls_leave_everybody_unscored_with_the_reason(placed, tmp_path):
    data, samples = cohort("lupus_array")
    samples.loc[samples.index[samples["disease"] == HEALTHY][:3], "disease"] = "other"
    again = place_patients(frozen("lupus_rnaseq", tmp_path), {"rna": data}, samples, PHASES, Measured(control=HEALTHY))
    assert again.patients["ifn_class_local"].eq("unscored").all()
    assert again.patients["score_local"].isna().all()
    assert (
        again.patients["reason"].str.contains("own controls: 7 controls with expression data, at least 10 needed").all()
    )
    pd.testing.assert_series_equal(again.patients["score"], placed["lupus_array"].patients["score"])
