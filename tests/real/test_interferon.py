"""Interferon on real data: what the samples are known to be, and what real matrices do to a score."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import default_origin, of_kind, settings_of
from stratifn.interferon import METHODS, Cohort, analyse_cohort, from_parts, place_patients, to_parts
from stratifn.registry.knowledge import Knowledge
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
    assert stimulated.min() > controls.max() + 5


def test_gamma_has_the_highest_type_ii_and_another_type_than_alpha_and_beta(results):
    classes = results["airway"].classes
    gamma, others = classes["disease"] == "IFNg", classes["disease"] != "IFNg"
    assert classes.loc[gamma, "type_ii"].min() > classes.loc[others, "type_ii"].max() + 3
    assert set(classes.loc[gamma, "ifn_type"]) == {"I+II"}
    assert set(classes.loc[classes["disease"] == "IFNa", "ifn_type"]) == {"I"}
    assert not set(classes.loc[classes["disease"].isin(["IFNa", "IFNb"]), "ifn_type"]) & {"II", "I+II"}
    assert set(classes.loc[classes["disease"] == "Control", "ifn_type"]) == {"none"}


def test_all_stimulated_cells_have_three_active_modules_and_no_control_has_one(results):
    classes = results["airway"].classes
    control = classes["disease"] == "Control"
    assert (classes.loc[~control, "modules_active"] == 3).all() and (classes.loc[control, "modules_active"] == 0).all()


def test_four_controls_make_no_class_unless_the_config_says_so(results):
    classes = analyse("airway").classes
    assert classes["ifn_class"].eq("unscored").all() and classes["reason"].str.contains("4 controls").all()
    assert set(results["airway"].classes.query("disease == 'IFNa'")["ifn_class"]) == {"high"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lupus_array", "2 of 6 genes of AYBEY_IFN2_6"),
        ("lupus_rnaseq", "2 of 6 genes of AYBEY_IFN2_6"),
        ("scleroderma", "3 of 6 genes of AYBEY_IFN2_6"),
        ("myositis", "genes of AYBEY_IFN"),
    ],
)
def test_incomplete_type_sets_give_no_type(results, name, said):
    classes = results[name].classes
    assert classes["ifn_type"].isna().all() and classes["reason"].str.contains(said).all()


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
