"""Interferon classes: cut-offs from the controls, their certainty, types, prevalence."""

from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import default_origin, of_kind, settings_of
from stratifn.interferon import Cohort, analyse_cohort
from stratifn.interferon.cutoffs import RULES, interval_centiles, plausible_cutoffs, resample_controls, widen
from stratifn.interferon.published import published_prevalence
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import load_registry

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
REGISTRY = load_registry(RESOURCES / "signatures")
RICE = REGISTRY.signature("RICE_CROW_6").symbols
GENES = np.array([*REGISTRY.genes(REGISTRY.default_panel), *(f"BACKGROUND{i}" for i in range(450))])
BASE = np.random.default_rng(0).uniform(4, 11, len(GENES))
QUICK = settings_of("interferon", bootstraps=200)


def healthy(n, rng):
    """log2 means of healthy people; interferon genes go up and down together."""
    own = rng.normal(0, 0.3, (n, len(GENES)))
    return BASE + own + np.isin(GENES, GENES[:-450]) * rng.normal(0, 0.5, (n, 1))


def sequenced(log2, rng):
    mean = 2**log2 * np.exp(rng.normal(0, 0.25, (len(log2), 1)))
    return rng.poisson(rng.gamma(20, mean / 20)).astype(float)


def view(values, names=None):
    names = [f"S{i:04d}" for i in range(len(values))] if names is None else names
    return ad.AnnData(values, obs=pd.DataFrame(index=names), var=pd.DataFrame({"gene_name": GENES}, index=GENES))


def sheet(**counts):
    disease = [name for name, n in counts.items() for _ in range(n)]
    return pd.DataFrame({"sample": [f"S{i:04d}" for i in range(len(disease))], "disease": disease})


def analyse(values, samples, settings=QUICK, control="HC", origin=default_origin(), kind="counts"):  # noqa: B008
    return analyse_cohort(
        of_kind(view(values), kind), Cohort(samples, control, origin), Knowledge(REGISTRY, ()), settings
    )


def raised(log2, genes, amount):
    return log2 + np.isin(GENES, genes) * np.asarray(amount)[:, None]


def test_modules_count_from_none_in_the_healthy_to_three_in_the_raised():
    rng = np.random.default_rng(8)
    up = raised(healthy(20, rng), GENES[:-450], np.full(20, 3.0))
    found = analyse(sequenced(np.vstack([healthy(30, rng), up]), rng), sheet(HC=30, SLE=20)).classes
    by_disease = found.groupby("disease")["modules_active"].mean()
    assert by_disease["SLE"] == 3 and by_disease["HC"] < 0.4


def false_positive_rates(cohorts, n_controls=24, n_new=50, bootstraps=500, seed=17):
    """Share of new healthy people called high and borderline, and how often the interval holds the true cut-off."""
    population_rng = np.random.default_rng(99)
    of_panel = np.flatnonzero(np.isin(GENES, RICE))
    population = healthy(20000, population_rng)[:, of_panel]
    true_mean, true_sd = population.mean(axis=0), population.std(axis=0)
    true_cutoff = 2 * ((population - true_mean) / true_sd).mean(axis=1).std()
    high, borderline, covered = [], [], []
    for cohort in range(cohorts):
        rng = np.random.default_rng([seed, cohort])
        log2 = healthy(n_controls + n_new, rng)
        samples = sheet(HC=n_controls, new=n_new)
        found = analyse(log2, samples, replace(QUICK, bootstraps=bootstraps), kind="continuous")
        new = found.classes.query("disease == 'new'")["ifn_class"]
        high.append((new == "high").mean())
        borderline.append((new == "borderline").mean())
        reference = found.reference
        members = reference.positions(reference.panel["RICE_CROW_6"])
        location, scale = (reference.arrays[f"{what}.zscore"][members] for what in ("location", "scale"))
        order = [list(GENES[of_panel]).index(gene) for gene in reference.panel["RICE_CROW_6"].genes]
        at_cutoff = true_mean[order] + true_cutoff * true_sd[order]
        on_run_scale = ((at_cutoff - location) / scale).mean()
        cutoff = reference.cutoff("RICE_CROW_6", "zscore")
        covered.append(cutoff.cutoff_low <= on_run_scale <= cutoff.cutoff_high)
    return np.mean(high), np.mean(borderline), np.mean(covered)


def test_healthy_people_are_rarely_called_high():
    high, borderline, covered = false_positive_rates(cohorts=12)
    # bounds of the full test, with room for 12 cohorts (600 people, 12 intervals)
    assert high <= 0.035 and borderline <= 0.12 and covered >= 0.7


@pytest.mark.full
def test_healthy_people_are_rarely_called_high_over_three_times_200_cohorts():
    # three seeds: the coverage of 200 intervals alone has a standard error of 0.02
    rates = np.array([false_positive_rates(cohorts=200, seed=seed) for seed in (3, 17, 29)])
    assert (rates[:, 0] <= 0.025).all()
    assert (rates[:, 1] <= 0.10).all()
    assert 0.90 <= rates[:, 2].mean() <= 0.98


def test_bootstrap_interval_of_the_cutoff_covers_the_true_one():
    # scores alone, so that 400 cohorts are quick: normal scores, true cut-off 2
    rng = np.random.default_rng(11)
    rows = resample_controls(24, 500, seed=1)
    rule = RULES["mean_2sd"]
    covered = []
    for _ in range(400):
        scores = rng.normal(size=24)
        low, high = np.percentile(plausible_cutoffs(rule, scores, widen(scores)[:, None], rows), interval_centiles(24))
        covered.append(low <= 2 <= high)
    assert 0.90 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_cutoff_rule_is_near_its_population_value(rule):
    scores = np.random.default_rng(12).normal(size=20000)
    expected = {"mean_2sd": 2.0, "percentile_95": 1.645}[rule]
    assert RULES[rule].rule(scores) == pytest.approx(expected, abs=0.05)


def test_percentile_rule_needs_40_controls_and_says_so():
    rng = np.random.default_rng(13)
    settings = replace(QUICK, cutoff="percentile_95")
    few = analyse(sequenced(healthy(30, rng), rng), sheet(HC=20, SLE=10), settings)
    assert few.classes["ifn_class"].eq("unscored").all() and few.classes["score"].notna().all()
    assert few.classes["reason"].str.contains("percentile_95 needs 40 controls, there are 20").all()
    many = analyse(sequenced(healthy(60, rng), rng), sheet(HC=45, SLE=15), settings)
    assert not many.classes["ifn_class"].eq("unscored").any()


@pytest.mark.parametrize(("control", "said"), [(None, "no controls"), ("HC", "9 controls")])
def test_without_enough_controls_only_rank_scores_are_given(control, said):
    rng = np.random.default_rng(14)
    found = analyse(sequenced(healthy(20, rng), rng), sheet(HC=9, SLE=11), control=control)
    by_method = found.scores.groupby("method")["score"].apply(lambda scores: scores.notna().all())
    assert by_method.to_dict() == {
        "median_fold_change": False,
        "module": False,
        "singscore": True,
        "ssgsea": True,
        "zscore": False,
    }
    assert len(found.classes) == 20 and found.classes["ifn_class"].eq("unscored").all()
    assert found.classes["reason"].str.contains(said).all()
    assert len(found.reference_table) == len(found.scores) / 20
    assert found.prevalence["prevalence"].isna().all() and (found.prevalence["n"] == 0).all()


def test_controls_all_from_another_batch_refuse_scores_against_controls():
    rng = np.random.default_rng(15)
    samples = sheet(HC=12, SLE=12).assign(batch=["a"] * 12 + ["b"] * 12)
    found = analyse(sequenced(healthy(24, rng), rng), samples)
    assert found.classes["ifn_class"].eq("unscored").all()
    assert found.notes["reason"].str.contains("no batch has both controls and patients").any()
    zscores = found.scores.query("method == 'zscore'")
    assert zscores["score"].isna().all() and zscores["reason"].str.contains("no batch has both").all()


def test_a_batch_without_controls_is_said_and_scored():
    rng = np.random.default_rng(16)
    samples = sheet(HC=12, SLE=12).assign(batch=["a"] * 18 + ["b"] * 6)
    found = analyse(sequenced(healthy(24, rng), rng), samples)
    assert not found.classes["ifn_class"].eq("unscored").any()
    assert found.notes["reason"].str.contains("no control comes from batch b").any()


def test_anti_interferon_therapy_masks_the_class_and_leaves_the_prevalence():
    rng = np.random.default_rng(17)
    samples = sheet(HC=12, SLE=12).assign(anti_ifn=[np.nan] * 12 + ["anifrolumab", "yes"] + ["no"] * 10)
    found = analyse(sequenced(healthy(24, rng), rng), samples)
    treated = found.classes["sample"].isin(["S0012", "S0013"])
    assert found.classes.loc[treated, "ifn_class"].eq("unscored").all()
    assert found.classes.loc[treated, "score"].notna().all()
    assert found.classes.loc[treated, "reason"].str.contains("anti-IFN").all()
    assert not found.classes.loc[~treated, "ifn_class"].eq("unscored").any()
    assert (found.prevalence.query("disease == 'SLE'")["n"] == 10).all()


def test_a_sample_without_expression_has_its_row():
    rng = np.random.default_rng(18)
    found = analyse(sequenced(healthy(24, rng), rng), sheet(HC=12, SLE=13))
    absent = found.classes.set_index("sample").loc["S0024"]
    assert absent["ifn_class"] == "unscored" and absent["reason"] == "not in the expression matrix"


def test_a_control_far_above_the_others_is_named():
    rng = np.random.default_rng(19)
    log2 = healthy(24, rng)
    log2[4] = raised(log2[4:5], GENES[:-450], [5.0])[0]
    notes = analyse(sequenced(log2, rng), sheet(HC=12, SLE=12)).notes
    assert "S0004" in set(notes["item"])


def test_classes_follow_the_certainty_about_the_cutoff():
    rng = np.random.default_rng(20)
    log2 = healthy(54, rng)
    log2[24:] = raised(log2[24:], GENES[:-450], np.linspace(0, 5, 30))
    classes = analyse(sequenced(log2, rng), sheet(HC=24, SLE=30)).classes
    expected = np.select(
        [classes["probability_high"] >= 0.95, classes["probability_high"] <= 0.05], ["high", "low"], "borderline"
    )
    assert list(classes["ifn_class"]) == list(expected)
    assert {"high", "borderline", "low"} <= set(classes["ifn_class"])


def test_prevalence_interval_carries_the_cutoffs_uncertainty():
    rng = np.random.default_rng(21)
    log2 = healthy(412, rng)
    log2[12:] = raised(log2[12:], GENES[:-450], np.full(400, 0.8))
    found = analyse(sequenced(log2, rng), sheet(HC=12, SLE=400)).prevalence
    row = found.query("signature == 'RICE_CROW_6' and disease == 'SLE'").iloc[0]
    assert row["ci_low"] <= row["prevalence"] <= row["ci_high"]
    assert row["high"] + row["borderline"] + row["low"] == row["n"] == 400
    of_people_alone = 2 * 1.96 * np.sqrt(0.25 / 400)
    assert row["ci_high"] - row["ci_low"] > 1.5 * of_people_alone


def test_published_figure_stands_only_beside_the_same_specimen_and_healthy_controls():
    def shown(disease, specimen, control_type, signature="RICE_CROW_6"):
        return published_prevalence(REGISTRY, disease, signature, specimen, control_type)

    assert shown("SLE", "whole_blood", "healthy").value == pytest.approx(0.73)
    assert shown("SLE", "whole_blood", "healthy", "AZ_IFNGS_4").value == pytest.approx(0.826)
    assert shown("SLE", "pbmc", "healthy").value is None
    assert shown("SLE", "whole_blood", "other").value is None
    assert shown("pSS", "whole_blood", "healthy").value is None
    assert "53 to 81 %" in shown("pSS", "whole_blood", "healthy").source
    assert shown("pSS", "sorted:monocytes", "healthy", "BRKIC_PSS_MONO_5").value == pytest.approx(0.55)
    assert shown("unheard of", "whole_blood", "healthy") == published_prevalence(REGISTRY, "x", "x", "skin", "healthy")


@pytest.mark.parametrize("signature", ["AYBEY_IFN2_6", "CHAUSSABEL_M5.12"])
def test_a_published_share_of_type_i_is_not_shown_beside_another_signature(signature):
    found = published_prevalence(REGISTRY, "SLE", signature, "whole_blood", "healthy")
    assert found.value is None and found.source == "not comparable: the published shares are of type I signatures"


def test_modules_are_counted_on_half_of_their_genes_and_say_so():
    rng = np.random.default_rng(9)
    up = raised(healthy(20, rng), GENES[:-450], np.full(20, 3.0))
    values, samples = sequenced(np.vstack([healthy(30, rng), up]), rng), sheet(HC=30, SLE=20)
    module = REGISTRY.signature("CHAUSSABEL_M1.2").symbols

    def found(missing):
        data = of_kind(view(values)[:, ~np.isin(GENES, missing)].copy(), "counts")
        return analyse_cohort(data, Cohort(samples, "HC", default_origin()), Knowledge(REGISTRY, ()), QUICK).classes

    some = found(module[:10])
    assert (some.query("disease == 'SLE'")["modules_active"] == 3).all()
    assert some["reason"].str.contains("active modules from genes found: 17 of 27 of CHAUSSABEL_M1.2").all()
    few = found(module[:20])
    assert few["modules_active"].isna().all()
    assert few["reason"].str.contains("no count of active modules: genes found: 7 of 27 of CHAUSSABEL_M1.2").all()


def test_agreement_counts_shared_genes_and_leaves_out_the_controls():
    rng = np.random.default_rng(22)
    log2 = healthy(60, rng)
    log2[30:] = raised(log2[30:], GENES[:-450], np.linspace(0, 4, 30))
    values = sequenced(log2, rng)
    found = analyse(values, sheet(HC=30, SLE=30)).agreement.set_index(["signature_a", "signature_b"])
    pair = found.loc["AZ_IFNGS_4", "RICE_CROW_6"]
    assert pair["shared_genes"] == 3 and pair["spearman"] > 0.9 and pair["kappa"] > 0.5
    n = len(REGISTRY.default_panel)
    assert len(found) == n * (n - 1) / 2
