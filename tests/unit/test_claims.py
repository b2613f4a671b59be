"""Claims carry their evidence: how criteria are judged, and that every text names the bound that was used."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from stratifn.configuration.claims_page import claims_page
from stratifn.normalization import described
from stratifn.report.claim_words import caveats, missing_words, qualified
from stratifn.report.methods import methods_text
from stratifn.report.sections.pages import build_sections
from stratifn.running.installation import software_versions
from stratifn.shared import claims
from stratifn.shared.claims import CLAIMS, EVERYBODY, NOT_COMPUTED, Measured, judged, standing, verdicts_table

from .test_report import example_tables, example_verdicts, headline, results, volcano

CRITERIA = [(claim.key, criterion.key) for claim in CLAIMS.values() for criterion in claim.criteria]


def rows(**values):
    verdicts = example_verdicts(**values)
    return standing(verdicts, "strata", EVERYBODY)


def test_a_claim_is_as_good_as_its_worst_criterion():
    assert rows().verdict == "supported"
    assert rows(strata__stability=0.7).verdict == "weak"
    found = rows(strata__stability=0.7, strata__null_pvalue=0.2)
    assert found.verdict == "unsupported"
    assert [row["criterion"] for row in found.failing] == ["null_pvalue", "stability"]


def test_what_could_not_be_computed_does_not_lower_a_claim_unless_nothing_is_left_to_claim():
    assert rows(strata__missing_view=np.nan).verdict == "supported"
    no_calls = standing(example_verdicts(calls__called=np.nan), "calls", "SLE_vs_HC")
    assert no_calls.verdict == NOT_COMPUTED
    assert standing(verdicts_table([]), "calls", "SLE_vs_HC").verdict == NOT_COMPUTED


def test_a_bound_belongs_to_the_good_side():
    for direction, value in ((claims.AT_LEAST, 0.5), (claims.AT_MOST, 0.5)):
        criterion = claims.Criterion("c", "", direction, 0.5, claims.WEAK)
        assert criterion.holds(value)
        assert not criterion.holds(value + (0.1 if direction == claims.AT_MOST else -0.1))


def test_a_criterion_whose_bound_is_a_setting_asks_for_it():
    with pytest.raises(ValueError, match=r"stratification\.alpha"):
        judged("strata", EVERYBODY, [Measured("null_pvalue", 0.01)])


def test_every_criterion_has_its_words():
    assert missing_words() == []


@pytest.mark.parametrize(("claim", "criterion"), CRITERIA)
def test_a_failing_criterion_is_told_with_its_value_and_bound(claim, criterion):
    record = CLAIMS[claim].criterion(criterion)
    bound = 0.125 if record.bound is None else record.bound
    value = bound + (0.0625 if record.direction == claims.AT_MOST else -0.0625)
    verdicts = judged(claim, "x", [Measured(criterion, value, bound, "the reason")])
    found = standing(verdicts, claim, "x")
    words = caveats(found)
    assert words and "nan" not in words
    if record.failed == claims.WEAK:
        assert qualified("Claim", found) == f"Claim. Weak evidence: {words}."
    elif record.failed == claims.UNSUPPORTED:
        assert qualified("Claim", found) == f"Not supported: {words}."


def page_words(tables, disease=None) -> str:
    shown = results(tables, {"SLE_vs_HC": volcano([0.01, 0.5, 0.9])})
    shown = shown if disease is None else shown.of_disease(disease)
    text = [*headline(shown)]
    for section in build_sections(shown):
        text += [str(getattr(item, "text", getattr(item, "caption", ""))) for item in section.content]
        text += [item.frame.to_csv() for item in section.content if hasattr(item, "frame")]
    return "\n".join(text) + (methods_text(shown, software_versions(), described) if disease is None else "")


# claims whose bound is named by the page although they hold
NAMED = [
    ("factor", "seeds_matched", 0.6, "60 %"),
    ("factor", "seed_correlation", 0.5, "0.5"),
    ("strata", "stability", 0.75, "0.75"),
    ("strata", "null_pvalue", 0.25, "0.25"),
    ("stratum_label", "auc", 0.6, "at least 0.6"),
]


@pytest.mark.parametrize(("claim", "criterion", "bound", "written"), NAMED)
def test_another_bound_changes_every_text_that_names_it(claim, criterion, bound, written):
    tables = example_tables()
    before = page_words(tables)
    verdicts = tables["verdicts"].copy()
    verdicts.loc[(verdicts["claim"] == claim) & (verdicts["criterion"] == criterion), "bound"] = bound
    after = page_words(tables | {"verdicts": verdicts})
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert changed and all(written in line for line in changed)
    if claim != "stratum_label":
        # the page and the methods both
        assert len(changed) >= 2


# a value between today's bound and another one, what the pages then say, and what they no longer say
TURNED = [
    ("calls", "leading_component", 0.6, 0.7, "leading"),
    ("prevalence", "borderline", 1.0, 2.0, "borderline patients outnumber"),
    ("factor", "seed_correlation", 0.93, 0.9, None),
    ("interferon_factor", "follows_score", 0.45, 0.4, "its absolute rank correlation"),
    ("interferon_factor", "signature_auc", 0.7, 0.6, "its weights rank the signature's genes"),
    ("strata", "clear_null_pvalue", 0.02, 0.03, ", above 0.0"),
    ("strata", "smallest_stratum", 4.0, 3.0, "every division leaves a stratum"),
    ("strata", "stability", 0.8, 0.7, "may not be found again"),
    ("strata", "one_diagnosis", 0.6, 0.7, "repeat the diagnosis"),
    ("strata", "one_batch", 0.6, 0.7, "repeat the batch"),
    ("strata", "missing_view", 0.6, 0.7, "follow which samples have"),
    ("stratum_label", "margin", 0.04, 0.01, "fits nearly as well"),
]


@pytest.mark.parametrize(("claim", "criterion", "value", "bound", "words"), TURNED)
def test_another_bound_in_the_registry_turns_the_verdict_and_its_words(
    monkeypatch, claim, criterion, value, bound, words
):
    failing = {f"{claim}__{criterion}": value}
    tables = example_tables()
    strict = page_words(tables | {"verdicts": example_verdicts(**failing)}) + page_words(
        tables | {"verdicts": example_verdicts(**failing)}, "SLE"
    )
    record = CLAIMS[claim]
    changed = tuple(replace(c, bound=bound) if c.key == criterion else c for c in record.criteria)
    monkeypatch.setitem(CLAIMS, claim, replace(record, criteria=changed))
    verdicts = example_verdicts(**failing)
    assert (verdicts.loc[verdicts["claim"] == claim, "verdict"] == "supported").all()
    loose = page_words(tables | {"verdicts": verdicts}) + page_words(tables | {"verdicts": verdicts}, "SLE")
    assert strict != loose
    if words == "leading":
        words = "a batch that coincides"
    if words:
        assert words in strict and words not in loose


def test_the_headline_never_loses_its_caveat():
    tables = example_tables()
    weak = example_verdicts(prevalence__healthy_controls=0, strata__one_batch=0.9)
    said = " ".join(headline(results(tables | {"verdicts": weak})))
    assert "Weak evidence: the controls are not healthy people" in said and "they largely repeat the batch" in said
    unsupported = example_verdicts(interferon_factor__robust=0)
    said = " ".join(headline(results(tables | {"verdicts": unsupported})))
    assert "No interferon factor" in said and "not robust over seeds" in said
    contrasts = {"SLE_vs_HC": volcano([0.01, 0.5, 0.9])}
    calls = example_verdicts(calls__permuted_calls=0.4)
    said = " ".join(headline(results(tables | {"verdicts": calls}, contrasts).of_disease("SLE")))
    assert "1 genes higher and 0 lower in SLE than in HC" in said
    assert "Weak evidence: permuted labels call 40 % as many genes (at most 5 % are expected)" in said


def test_the_page_of_claims_is_that_of_the_registry(root):
    assert (root / "docs" / "claims.md").read_text(encoding="utf-8") == claims_page()


@pytest.mark.parametrize(("claim", "criterion"), CRITERIA)
def test_another_bound_in_the_registry_changes_the_page_of_claims(monkeypatch, claim, criterion):
    before, record = claims_page(), CLAIMS[claim]
    changed = tuple(replace(c, bound=0.4375, setting="") if c.key == criterion else c for c in record.criteria)
    monkeypatch.setitem(CLAIMS, claim, replace(record, criteria=changed))
    assert claims_page().count("0.4375") == before.count("0.4375") + 1


def test_no_doc_repeats_a_bound_of_a_claim(root):
    # the pages of results of a benchmark and of a test tell what was measured with a bound, and may name it
    told = {"strata": r"Jaccard (above|of at least) 0\.", "factor": r"\|r\| of at least 0\."}
    for page in ("interpretation.md", "methods.md", "usage.md", "outputs.md"):
        text = (root / "docs" / page).read_text(encoding="utf-8")
        assert [words for words in told.values() if re.search(words, text)] == [], page


def test_a_required_criterion_that_was_not_checked_is_said():
    verdicts = example_verdicts(calls__permuted_calls=np.nan)
    found = standing(verdicts, "calls", "SLE_vs_HC")
    assert found.verdict == "supported"
    assert "Not checked: mean number of calls on permuted labels" in qualified("Seven genes", found)
    contrasts = {"SLE_vs_HC": volcano([0.01, 0.5, 0.9])}
    said = " ".join(headline(results(example_tables() | {"verdicts": verdicts}, contrasts).of_disease("SLE")))
    assert "Not checked" in said


def test_a_weak_cut_off_and_a_weak_label_are_said_where_they_are_used():
    weak = example_verdicts(cutoff__healthy_controls=0, stratum_label__margin=0.01)
    page = page_words(example_tables() | {"verdicts": weak}, "SLE")
    assert "Evidence for the cut-off is weak: the controls are not healthy people" in page
    assert "1 interferon (weak label): 5" in page


def test_the_methods_say_what_the_bound_of_stability_does():
    text = methods_text(results(example_tables()), software_versions(), described)
    assert re.search(r"mean bootstrap Jaccard index \[\d+\] of at least 0.85", text)
