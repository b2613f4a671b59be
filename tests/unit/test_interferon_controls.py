"""Controls that are not all healthy: left out and named, and what a single control decides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from defaults import default_origin, of_kind
from stratifn.interferon import Cohort, analyse_cohort, from_parts, place_patients, to_parts
from stratifn.interferon.controls import outlying
from stratifn.interferon.cutoffs import mean_2sd
from stratifn.interferon.replicates import disagreeing_replicates
from stratifn.interferon.sensitivity import chance_of_high
from stratifn.interferon.verdicts import interferon_verdicts
from stratifn.registry.knowledge import Knowledge

from .test_interferon_classes import GENES, QUICK, REGISTRY, healthy, raised, sheet, view

PANEL = GENES[:-450]


def cohort(infected, n_controls=24, n_patients=20, seed=1):
    """log2 values: some of the first controls infected (+4), every patient raised by 2."""
    log2 = healthy(n_controls + n_patients, np.random.default_rng(seed))
    amount = np.zeros(len(log2))
    amount[:infected], amount[n_controls:] = 4.0, 2.0
    return raised(log2, PANEL, amount), sheet(HC=n_controls, SLE=n_patients)


def analyse(log2, samples, settings=QUICK):
    data = of_kind(view(log2), "continuous")
    return analyse_cohort(data, Cohort(samples, "HC", default_origin()), Knowledge(REGISTRY, ()), settings)


def classes_of(found, group):
    return found.classes[found.classes["disease"] == group]


@pytest.mark.parametrize("infected", [1, 2, 3])
def test_infected_controls_are_left_out_named_and_the_patients_stay_high(infected):
    found = analyse(*cohort(infected))
    assert (found.reference_table["excluded"] == infected).all()
    assert (found.reference_table["n_controls"] == 24 - infected).all()
    left_out = found.notes[found.notes["what"] == "left out of the interferon reference"]
    assert list(left_out["item"]) == [f"S{i:04d}" for i in range(infected)]
    patients = classes_of(found, "SLE")
    assert (patients["ifn_class"] == "high").mean() >= 0.6
    assert (patients["ifn_class_all_controls"] == "high").mean() <= 0.1


def test_outlying_controls_are_kept_where_the_config_says_so_and_named():
    log2, samples = cohort(1)
    kept = analyse(log2, samples, replace(QUICK, outlying_controls="keep"))
    default = analyse(log2, samples)
    assert (kept.reference_table["excluded"] == 0).all()
    assert kept.notes["item"].eq("S0000").any()
    assert list(kept.classes["ifn_class"]) == list(default.classes["ifn_class_all_controls"])
    assert list(kept.classes["ifn_class"]) == list(kept.classes["ifn_class_all_controls"])


def test_classes_are_those_of_the_other_controls_alone():
    log2, samples = cohort(1)
    found, without = (
        analyse(log2, samples),
        analyse(log2[1:], samples.iloc[1:].assign(sample=samples["sample"][:-1].to_numpy())),
    )
    assert list(found.classes["ifn_class"])[1:] == list(without.classes["ifn_class"])
    assert np.array_equal(found.classes["probability_high"].to_numpy()[1:], without.classes["probability_high"])


def test_a_frozen_reference_gives_the_same_classes_with_and_without_everybody():
    log2, samples = cohort(1)
    found = analyse(log2, samples)
    values, arrays = to_parts(found.reference)
    assert "S0000" not in str(values)
    data, rows = of_kind(view(log2), "continuous"), [0, 30, 43]
    _, placed = place_patients(data[rows].copy(), "continuous", samples.iloc[rows], from_parts(values, arrays))
    expected = found.classes.set_index("sample").loc[placed["sample"]].reset_index()
    pd.testing.assert_frame_equal(placed, expected)


def test_hardly_any_healthy_cohort_has_an_outlying_control():
    rng = np.random.default_rng(3)
    assert np.mean([len(outlying(rng.standard_normal(24))) > 0 for _ in range(2000)]) <= 0.005
    assert np.mean([len(outlying(rng.standard_normal(10))) > 0 for _ in range(2000)]) <= 0.015
    assert list(outlying(np.r_[rng.standard_normal(20), 12.0, 14.0])) == [20, 21]
    assert not len(outlying(np.zeros(24))) and not len(outlying(np.array([0.0, 0.1, 9.0])))


def test_the_prevalence_interval_holds_both_those_with_and_without_the_controls_left_out():
    log2, samples = cohort(1)
    own = ["ci_low", "ci_high"]
    both, kept = analyse(log2, samples), analyse(log2, samples, replace(QUICK, outlying_controls="keep"))
    without = analyse(log2[1:], samples.iloc[1:].assign(sample=samples["sample"][:-1].to_numpy()))
    both, kept, without = (
        found.prevalence.query("disease == 'SLE' and signature == 'RICE_CROW_6'").iloc[0][own]
        for found in (both, kept, without)
    )
    assert both["ci_low"] == kept["ci_low"] < without["ci_low"]
    assert both["ci_high"] == max(kept["ci_high"], without["ci_high"])


def test_leaving_out_one_control_is_what_refitting_without_it_gives():
    log2, samples = cohort(0, n_controls=12)
    found = analyse(log2, samples)
    patients = samples["disease"].eq("SLE").to_numpy()
    influence = found.influence["RICE_CROW_6", "zscore"]
    genes = found.people.genes[:, found.reference.positions(found.reference.panel["RICE_CROW_6"])]
    floor = found.reference.arrays["sd_floor"][found.reference.positions(found.reference.panel["RICE_CROW_6"])]
    shares = []
    for left_out in range(12):
        rest = np.delete(genes[:12], left_out, axis=0)
        scores = ((genes - rest.mean(axis=0)) / np.maximum(rest.std(axis=0, ddof=1), floor)).mean(axis=1)
        shares.append((scores[patients] > mean_2sd(np.delete(scores[:12], left_out))).mean())
    assert np.allclose(influence.shares(patients), shares)
    row = found.reference_table.query("signature == 'RICE_CROW_6' and method == 'zscore'").iloc[0]
    assert row["prevalence_low"] == min(shares) and row["prevalence_high"] == max(shares)
    assert 0 <= row["flipped"] <= patients.sum()


def verdicts_of(log2, samples):
    found = analyse(log2, samples)
    table = interferon_verdicts(found, Cohort(samples, "HC", default_origin()), QUICK)
    return table.set_index(["subject", "criterion"])


def test_verdicts_say_what_weakens_the_cutoff():
    table = verdicts_of(*cohort(1))
    assert table.loc[("RICE_CROW_6", "outlying_controls"), "verdict"] == "weak"
    assert table.loc[("RICE_CROW_6", "enough_controls"), "verdict"] == "supported"
    few = verdicts_of(*cohort(0, n_controls=10))
    assert few.loc[("RICE_CROW_6", "enough_controls"), "verdict"] == "weak"
    assert "is called high with a chance of 0." in few.loc[("RICE_CROW_6", "enough_controls"), "reason"]
    assert few.loc[("RICE_CROW_6", "outlying_controls"), "verdict"] == "supported"
    assert np.isfinite(few.loc[("SLE", "one_control"), "value"])


def test_the_chance_of_a_high_class_grows_with_the_controls_and_is_that_of_the_tolerance_bound():
    chances = [chance_of_high(2.9, n, 0.95) for n in (10, 24, 100, 100000)]
    assert chances == sorted(chances)
    # with endless controls it is the normal tail beyond 2 SD: P(Z > 2 - 2.9)
    assert chances[-1] == pytest.approx(0.816, abs=0.005)
    # healthy people: at most 5 % of 2.3 %
    assert chance_of_high(0.0, 24, 0.95) < 0.01


def test_disagreeing_technical_replicates_are_named():
    samples = pd.DataFrame(
        {
            "sample": list("abcde"),
            "patient": ["p", "p", "q", "q", "r"],
            "disease": "HC",
            "visit": ["V1", "V1", "V1", "V2", "V1"],
            "batch_replicate": ["no", "yes", "no", "yes", "no"],
        }
    )
    scores = pd.Series([0.0, 5.0, 0.0, 5.0, 0.0], index=list("abcde"))
    assert disagreeing_replicates(samples, scores, 1.0) == ["a", "b"]
    assert disagreeing_replicates(samples, scores, 3.0) == []
    # without such a column two samples of a person may be two tissues
    assert disagreeing_replicates(samples.drop(columns="batch_replicate"), scores, 1.0) == []
