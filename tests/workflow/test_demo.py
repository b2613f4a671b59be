"""The demo's answers against its truth, which no rule reads."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from stratifn.shared.tables import read_table

from .conftest import ROOT, breaches_of_all

DISEASES = ("SLE", "pSS", "SSc", "DM")


@pytest.fixture(scope="module")
def truth(demo_run):
    return read_table(demo_run / "truth" / "samples.tsv").set_index("sample")


def test_the_demo_keeps_the_contract(demo_run):
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    assert breaches_of_all(demo_run.parent, config) == []


def test_no_rule_but_simulate_touches_the_truth(root):
    rules = [path.read_text() for path in (root / "workflow" / "rules").glob("*.smk")]
    assert sum(text.count("truth") for text in rules) == 2, "the output of simulate: its name and its folder"


def test_interferon_scores_tell_true_status(demo_run, truth):
    classes = read_table(demo_run / "interferon" / "classes.tsv").set_index("sample")
    scored = classes[classes["score"].notna()]
    status = truth["ifn_status"].reindex(scored.index).eq("high")
    assert roc_auc_score(status, scored["score"]) >= 0.95


def test_healthy_controls_are_rarely_called_high(demo_run):
    classes = read_table(demo_run / "interferon" / "classes.tsv")
    assert classes.loc[classes["disease"] == "HC", "ifn_class"].eq("high").mean() <= 0.05


@pytest.mark.parametrize("disease", DISEASES)
def test_called_genes_are_truly_different(demo_run, record_property, disease):
    called = read_table(demo_run / "differential_expression" / f"{disease}_vs_HC.tsv.gz").set_index("gene_id")
    true = read_table(demo_run / "truth" / "differential_expression.tsv")
    true = true[true["disease"] == disease].set_index("gene_id").reindex(called.index)
    is_called = called["padj"] < 0.05
    is_true = true["de"].astype(str).str.lower().eq("true")
    strong = is_true & (true["log2FoldChange"].abs() > 0.5)
    record_property("sensitivity", float((is_called & is_true).sum() / is_true.sum()))
    record_property("sensitivity_above_half_log2", float((is_called & strong).sum() / strong.sum()))
    assert is_called.sum() >= 50
    assert (is_called & ~is_true).sum() / is_called.sum() <= 0.10


def test_strata_are_the_true_ones(demo_run, truth):
    strata = read_table(demo_run / "stratification" / "strata.tsv").set_index("sample")
    assert adjusted_rand_score(truth["stratum"].reindex(strata.index), strata["stratum"]) >= 0.75


def test_most_controls_are_in_the_healthy_like_stratum(demo_run):
    strata = read_table(demo_run / "stratification" / "strata.tsv")
    controls = strata[strata["disease"] == "HC"]
    assert controls["label"].eq("healthy-like").mean() >= 0.7


def test_the_prevalence_is_near_the_published_one(demo_run):
    prevalence = read_table(demo_run / "interferon" / "prevalence.tsv")
    own = prevalence[(prevalence["signature"] == "RICE_CROW_6") & prevalence["published"].notna()]
    assert set(own["disease"]) >= {"SLE", "SSc", "DM"}
    # 24 people per disease: the published figure lies in the interval of ours
    assert ((own["ci_low"] <= own["published"]) & (own["published"] <= own["ci_high"])).all()


def test_every_sample_that_misses_a_view_is_named_in_the_notes(demo_run):
    samples = pd.read_csv(demo_run / "inputs" / "samples.tsv", sep="\t", dtype=str)
    notes = read_table(demo_run / "inputs" / "notes.tsv")
    missing = set(notes.loc[notes["what"] == "missing", ["view", "item"]].itertuples(index=False, name=None))
    views = [column.removeprefix("in_") for column in samples if column.startswith("in_")]
    assert missing == {
        (view, sample) for view in views for sample in samples.loc[samples[f"in_{view}"] == "false", "sample"]
    }
