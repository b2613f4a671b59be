"""Interferon on real data: what the samples are known to be, and what real matrices do to a score."""

import sys
from importlib import import_module
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import default_origin, of_kind, settings_of
from stratifn.interferon import METHODS, Cohort, analyse_cohort, from_parts, place_patients, to_parts
from stratifn.registry.knowledge import Knowledge, load_knowledge
from stratifn.registry.signatures import load_axis_sets, load_registry

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
DATA = SHARED / "data"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared real data")

COHORTS = {
    "airway": ("ifn-stimulated-airway/counts.tsv.gz", "ifn-stimulated-airway/samples.tsv", "stimulus", "counts"),
    "lupus_array": ("sle-blood/GSE65391_expr_log2.tsv.gz", "sle-blood/GSE65391_samples.tsv", "group", "continuous"),
    "lupus_rnaseq": ("sle-blood/GSE72509_expr_log2.tsv.gz", "sle-blood/GSE72509_samples.tsv", "group", "continuous"),
    "sjogren": ("pss-salivary-gland/counts.tsv.gz", "pss-salivary-gland/samples.tsv", "condition", "counts"),
    "myositis": ("myositis-muscle/counts.tsv.gz", "myositis-muscle/samples.tsv", "Phenotype", "counts"),
    "scleroderma": ("ssc-blood/expr_log2_symbol.tsv.gz", "ssc-blood/samples.tsv", "condition", "continuous"),
}
CONTROL = {
    "airway": "Control",
    "lupus_array": "Healthy_sample",
    "lupus_rnaseq": "Healthy_sample",
    "sjogren": "nonSS",
    "myositis": "AMP",
    "scleroderma": "Control",
}


def load(name):
    matrix, sheet, group, kind = COHORTS[name]
    table = pd.read_csv(DATA / matrix, sep="\t", index_col=0)
    table = table[~table.index.duplicated()]
    samples = pd.read_csv(DATA / sheet, sep="\t")
    samples = samples.rename(columns={samples.columns[0]: "sample", group: "disease"}).sort_values("sample")
    data = ad.AnnData(table.T.astype(float))
    data.var["gene_name"] = data.var_names
    return data[samples["sample"].tolist()].copy(), samples, kind


def analyse(name, **settings):
    data, samples, kind = load(name)
    registry = load_registry(ROOT / "resources" / "signatures")
    axes = load_axis_sets(ROOT / "resources" / "gene_sets" / "axes.tsv")
    return analyse_cohort(
        of_kind(data, kind),
        Cohort(samples, CONTROL[name], default_origin()),
        Knowledge(registry, axes),
        settings_of("interferon", **settings),
    )


@pytest.fixture(scope="module")
def results():
    few = {"airway": 4, "myositis": 9}
    return {name: analyse(name, min_controls=few.get(name, 10)) for name in COHORTS}


def auc(classes, disease, control):
    patients, controls = (classes.loc[classes["disease"] == group, "score"].to_numpy() for group in (disease, control))
    difference = patients[:, None] - controls
    return (difference > 0).mean() + (difference == 0).mean() / 2


@pytest.mark.parametrize(
    ("name", "disease", "least"),
    [
        ("lupus_array", "Disease_sample", 0.88),
        ("lupus_rnaseq", "Disease_sample", 0.88),
        ("sjogren", "pSS", 0.85),
        ("myositis", "IBM", 0.95),
    ],
)
def test_patients_score_above_controls(results, name, disease, least):
    assert auc(results[name].classes, disease, CONTROL[name]) >= least


@pytest.mark.parametrize(("name", "share"), [("lupus_array", 0.85), ("lupus_rnaseq", 0.65)])
def test_share_of_lupus_patients_above_the_cutoff(results, name, share):
    row = results[name].prevalence.query("signature == 'RICE_CROW_6' and disease == 'Disease_sample'").iloc[0]
    assert row["prevalence"] == pytest.approx(share, abs=0.1)
    assert row["ci_low"] < row["prevalence"] < row["ci_high"]


def test_scleroderma_blood_has_a_weak_signal_with_an_interval_and_its_missing_genes_named(results):
    found = results["scleroderma"]
    assert auc(found.classes, "systemic sclerosis patient", "Control") == pytest.approx(0.63, abs=0.03)
    row = found.prevalence.query("signature == 'RICE_CROW_6' and disease == 'systemic sclerosis patient'").iloc[0]
    assert 0 < row["ci_low"] < row["ci_high"] < 1
    assert found.notes.query("item == 'RICE_CROW_6'")["reason"].str.contains("SIGLEC1").any()


def test_myositis_scores_five_of_six_genes_and_names_the_missing_one(results):
    rice = results["myositis"].scores.query("signature == 'RICE_CROW_6' and method == 'zscore'")
    assert rice["genes_found"].eq(5).all() and rice["status"].eq("ok").all()
    assert rice["reason"].str.contains("ISG15").all()


def test_no_score_is_absurd_or_infinite(results):
    for name, found in results.items():
        scores = found.scores["score"].dropna()
        assert np.isfinite(scores).all() and scores.abs().max() < 50, name


def test_a_gene_that_does_not_vary_among_controls_is_floored_and_named(results):
    # SIGLEC1 lies at the array's lower bound in every control of GSE65391
    rice = results["lupus_array"].scores.query("signature == 'RICE_CROW_6' and method == 'zscore'")
    assert rice["reason"].str.contains("SIGLEC1").all()


def test_alpha_beta_and_lambda_stand_far_above_every_control_in_type_i(results):
    classes = results["airway"].classes
    controls = classes.query("disease == 'Control'")["type_i"]
    stimulated = classes[classes["disease"].isin(["IFNa", "IFNb", "IFNl3"])]["type_i"]
    # mean log2 rise over the 184 genes of the profiles
    assert stimulated.min() > controls.max() + 2


@pytest.fixture(scope="module")
def profiles():
    # the folder of the benchmarks is not on the path of the tests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        yield import_module("response_profiles")


def test_response_profiles_are_those_of_the_stimulated_cells(profiles):
    data, samples = profiles.load(DATA / "ifn-stimulated-airway", "counts.tsv.gz", "samples.tsv", "stimulus", "counts")
    learnt = profiles.learn(data, samples["disease"].to_numpy(), load_registry(ROOT / "resources" / "signatures"))
    shipped = pd.read_csv(ROOT / "resources" / "signatures" / "response_profiles.tsv", sep="\t")
    # rounding of the last of four digits
    pd.testing.assert_frame_equal(learnt, shipped, rtol=0, atol=1.01e-4)


def test_cells_are_typed_right_by_profiles_that_were_learnt_without_them(profiles):
    # IFN-lambda is in no profile: type III has the response of type I
    types = profiles.left_out(DATA / "ifn-stimulated-airway", load_knowledge()).groupby("stimulus")
    found = {stimulus: set(rows["ifn_type"]) for stimulus, rows in types}
    assert found["IFNa"] == found["IFNb"] == found["IFNl3"] == {"I"}
    gamma = types.get_group("IFNg")
    assert set(gamma["ifn_type"]) <= {"II", "I+II"} and (gamma["type_ii_low"] > gamma["type_i_high"]).all()
    assert not found["Control"] & {"I", "II", "I+II"}


def test_people_of_other_tissues_have_the_types_that_are_known_there(results):
    # lupus: type I in blood; pSS: type II prominent in the gland (Hall 2012); the muscle of inclusion body myositis as it is found
    for name in ("lupus_array", "lupus_rnaseq"):
        types = results[name].classes.query("disease == 'Disease_sample'")["ifn_type"].value_counts(normalize=True)
        assert types["I"] >= 0.5 and types.get("II", 0) + types.get("I+II", 0) <= 0.05
    for name, disease in (("sjogren", "pSS"), ("myositis", "IBM")):
        types = results[name].types
        found = types[types["disease"] == disease]
        assert (found["type_ii_low"] > found["type_ii_cutoff"]).mean() >= 0.5
    for name in ("lupus_array", "lupus_rnaseq", "sjogren", "myositis", "scleroderma"):
        classes = results[name].classes
        controls = classes.loc[classes["disease"] == CONTROL[name], "ifn_type"]
        assert controls.isin(["I", "II", "I+II"]).mean() <= 0.05


def test_all_stimulated_cells_have_three_active_modules_and_no_control_has_one(results):
    classes = results["airway"].classes
    control = classes["disease"] == "Control"
    assert (classes.loc[~control, "modules_active"] == 3).all() and (classes.loc[control, "modules_active"] == 0).all()


def test_four_controls_make_no_class_unless_the_config_says_so(results):
    classes = analyse("airway").classes
    assert classes["ifn_class"].eq("unscored").all() and classes["reason"].str.contains("4 controls").all()
    assert set(results["airway"].classes.query("disease == 'IFNa'")["ifn_class"]) == {"high"}


@pytest.mark.parametrize(
    ("name", "found"), [("lupus_array", 121), ("lupus_rnaseq", 121), ("scleroderma", 133), ("myositis", 122)]
)
def test_a_type_from_some_of_the_genes_says_how_many(results, name, found):
    classes = results[name].classes
    assert classes["ifn_type"].notna().all()
    assert classes["reason"].str.contains(f"type from {found} of 184 genes").all()


@pytest.mark.parametrize("name", ["sjogren", "scleroderma"])
def test_one_real_patient_alone_gets_its_scores_from_the_frozen_reference(results, name):
    data, samples, kind = load(name)
    frozen = from_parts(*to_parts(results[name].reference))
    expected = results[name].scores.set_index(["sample", "signature", "method"])["score"]
    for row in (0, len(samples) - 1):
        scores, _ = place_patients(data[[row]].copy(), kind, samples.iloc[[row]], frozen)
        scores = scores.set_index(["sample", "signature", "method"])["score"]
        assert len(scores) == len(frozen.panel) * len(METHODS)
        assert np.nanmax(np.abs(scores - expected.loc[scores.index])) <= 1e-12


def test_practice_signatures_agree_as_near_duplicates_do(results):
    pair = results["lupus_array"].agreement.set_index(["signature_a", "signature_b"]).loc["AZ_IFNGS_4", "RICE_CROW_6"]
    assert pair["spearman"] > 0.85 and pair["shared_genes"] == 3
