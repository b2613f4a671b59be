"""Shallow libraries: where sampling alone moves the score too far there is no score, and the reason is told."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import default_origin, of_kind, settings_of
from stratifn.interferon import Cohort, analyse_cohort, from_parts, place_patients, to_parts
from stratifn.interferon.axes import axes_table
from stratifn.interferon.scoring import measure
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import load_axis_sets

QUICK = settings_of("interferon", bootstraps=200)
RESOURCES = Path(__file__).resolve().parents[2] / "resources"
DEPTHS = (1.0, 0.5, 0.3, 0.03, 0.01)
PEOPLE, CONTROLS = 8, 24


def sequenced(registry, depth, seed=1, raised=0.0):
    """Return counts of people at a depth each, in a universe of 2,000 other genes."""
    rng = np.random.default_rng(seed)
    symbols = registry.genes(registry.default_panel)
    genes = np.array([*symbols, *(f"BACKGROUND{i}" for i in range(2000))])
    base = np.concatenate([np.random.default_rng(0).uniform(3, 11, len(symbols)), rng.normal(6, 3, 2000)])
    of_panel = np.arange(len(genes)) < len(symbols)
    log2 = base + rng.normal(0, 0.3, (len(depth), len(genes))) + of_panel * rng.normal(0, 0.4, (len(depth), 1))
    log2 += np.outer(np.broadcast_to(raised, len(depth)), of_panel)
    counts = rng.poisson(rng.gamma(20, 2**log2 / 20) * np.asarray(depth)[:, None]).astype(float)
    names = [f"S{i:03d}" for i in range(len(depth))]
    data = ad.AnnData(counts, obs=pd.DataFrame(index=names), var=pd.DataFrame({"gene_name": genes}, index=genes))
    return of_kind(data, "counts")


def sheet(data, controls=CONTROLS):
    disease = np.where(np.arange(data.n_obs) < controls, "HC", "SLE")
    return pd.DataFrame({"sample": data.obs_names, "disease": disease})


def analyse(data, samples, registry, axes=()):
    return analyse_cohort(data, Cohort(samples, "HC", default_origin()), Knowledge(registry, axes), QUICK)


@pytest.fixture(scope="module")
def depth():
    return np.array([1.0] * CONTROLS + [each for each in DEPTHS for _ in range(PEOPLE)])


@pytest.fixture(scope="module")
def healthy(registry, depth):
    data = sequenced(registry, depth)
    return data, sheet(data), analyse(data, sheet(data), registry)


def test_healthy_people_are_scored_at_a_third_of_the_depth_and_unscored_at_a_thirtieth(healthy, depth):
    classes = healthy[2].classes
    unscored = classes["ifn_class"].eq("unscored").to_numpy()
    assert not unscored[depth >= 0.3].any()
    assert unscored[depth <= 0.03].all()
    assert classes["ifn_class"].eq("low")[depth >= 0.3].mean() >= 0.8


def test_an_unscored_library_has_no_score_by_any_method_and_every_table_says_why(healthy, depth):
    found = healthy[2]
    shallow = set(found.classes["sample"][depth <= 0.03])
    rows = found.scores[found.scores["sample"].isin(shallow) & (found.scores["signature"] == "RICE_CROW_6")]
    assert rows["score"].isna().all() and rows["status"].eq("NA").all()
    for table in (rows, found.classes[found.classes["sample"].isin(shallow)]):
        assert table["reason"].str.contains(r"too shallow a library: at 0\.0\d+ of the controls' depth").all()
        assert table["reason"].str.contains("the cut-off lies").all()
    assert (
        found.classes[found.classes["sample"].isin(shallow)][["score", "type_i", "modules_active"]]
        .isna()
        .all(axis=None)
    )
    assert set(found.notes.query("what == 'unscored'")["item"]) == shallow


def test_a_shallow_library_has_no_sensing_and_no_response(healthy, depth, registry):
    found = healthy[2]
    axes = load_axis_sets(RESOURCES / "gene_sets" / "axes.tsv")
    reference = analyse(*healthy[:2], registry, axes).reference
    table = axes_table(measure(healthy[0], reference), reference, axes, registry)
    rows = table[table["sample"].isin(found.classes["sample"][depth <= 0.03]) & (table["axis"] != "ligand")]
    assert rows["score"].isna().all() and rows["evidence"].str.contains("too shallow a library").all()
    deep = table[~table["sample"].isin(rows["sample"]) & (table["axis"] == "response")]
    assert deep["score"].notna().all()


def test_unscored_libraries_are_not_counted_in_the_prevalence(healthy, depth):
    row = healthy[2].prevalence.query("signature == 'RICE_CROW_6' and disease == 'SLE'").iloc[0]
    assert row["n"] == ((depth > 0.03)[CONTROLS:]).sum()


def test_raised_patients_are_high_at_a_third_of_the_depth(registry, depth):
    data = sequenced(registry, depth, raised=np.where(np.arange(len(depth)) < CONTROLS, 0, 3.0))
    classes = analyse(data, sheet(data), registry).classes["ifn_class"].to_numpy()
    assert (classes[CONTROLS:][depth[CONTROLS:] >= 0.3] == "high").all()
    assert (classes[depth <= 0.03] == "unscored").all()


def test_one_shallow_patient_alone_is_unscored_from_the_frozen_reference(healthy, depth):
    data, samples, found = healthy
    frozen = from_parts(*to_parts(found.reference))
    for place in (CONTROLS, len(depth) - 1):
        scores, classes = place_patients(data[[place]].copy(), "counts", samples.iloc[[place]], frozen)
        expected = found.classes.iloc[place]
        assert classes["ifn_class"].iloc[0] == expected["ifn_class"]
        assert classes["reason"].fillna("").iloc[0] == (expected["reason"] or "")
        assert scores["score"].notna().any() == (depth[place] == 1)


def test_a_shallow_control_is_left_out_of_the_reference_and_named(registry):
    deep = np.ones(CONTROLS + PEOPLE)
    data = sequenced(registry, deep)
    expected = analyse(data[1:].copy(), sheet(data)[1:], registry)
    data.X[0] = np.random.default_rng(5).binomial(data.X[0].astype(int), 0.01)
    found = analyse(data, sheet(data), registry)
    warned = found.notes[found.notes["reason"].str.contains("control S000 is left out of the reference, too shallow")]
    assert len(warned) == 1 and found.reference.n_controls == CONTROLS - 1
    assert found.classes["ifn_class"].iloc[0] == "unscored"
    np.testing.assert_allclose(found.classes["score"].iloc[1:], expected.classes["score"], rtol=1e-12)


def test_too_few_deep_controls_make_no_reference(registry):
    data = sequenced(registry, [0.01] * 4 + [1.0] * (8 + PEOPLE))
    found = analyse(data, sheet(data, controls=12), registry)
    assert found.classes["ifn_class"].eq("unscored").all()
    assert (
        found.classes["reason"].str.contains("8 controls with a library that is deep enough, at least 10 needed").all()
    )


def test_log_values_have_no_depth(registry):
    data = sequenced(registry, np.ones(CONTROLS + PEOPLE))
    data.X = np.log2(data.X + 1)
    classes = analyse(of_kind(data, "continuous"), sheet(data), registry).classes
    assert not classes["ifn_class"].eq("unscored").any()
