"""The first screen answers from the tables alone, and never says more than its verdicts support."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from stratifn.report.claim_words import HOLDS
from stratifn.report.sections.answer import answer
from stratifn.report.sections.pages import build_sections
from stratifn.shared.claims import CLAIMS, EVERYBODY, NOT_COMPUTED, SUPPORTED, UNSUPPORTED, WEAK

from .test_report import SAMPLES, example_tables, example_verdicts, pages, results, volcano

CONTRASTS = {"SLE_vs_HC": volcano([0.001, 0.9, 0.002])}


class Screen(HTMLParser):
    """The cells of every table of a page by the id around them, the titles of cells, and the statements."""

    def __init__(self, html: str):
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.titles, self.statements, self.bars, self.notes = [], [], 0, ""
        self.place, self.open = "", []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in ("br", "path", "rect", "circle", "meta", "input", "image", "use", "stop"):
            return
        kind = given.get("class", "").split(" ")
        if tag == "div" and (given.get("id", "").startswith("table-") or "answer" in kind):
            self.place = given.get("id", "answer")
            self.tables[self.place] = []
        if tag == "tr" and self.place:
            self.tables[self.place].append([])
        if tag in ("td", "th") and self.place:
            self.tables[self.place][-1].append("")
            self.titles += [given["title"]] if "title" in given else []
        if tag == "details":
            self.statements.append("")
        self.bars += "bar" in kind
        self.open.append((tag, kind))

    def handle_startendtag(self, tag, attributes):
        """Mind no mark: it holds nothing."""

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tags = [tag for tag, _ in self.open]
        if {"td", "th"} & set(tags) and self.place:
            self.tables[self.place][-1][-1] += data
        if "details" in tags:
            self.statements[-1] += data
        if any("note" in kind for _, kind in self.open):
            self.notes += data

    def table(self, name: str) -> pd.DataFrame:
        header, *rows = self.tables[f"table-{name}"]
        return pd.DataFrame(rows, columns=header).set_index(header[0])

    def rows(self) -> dict[str, list[str]]:
        """Group to the cells of its row."""
        cells = [[" ".join(cell.split()) for cell in row] for row in self.tables["answer"][2:]]
        return {row[0]: row[1:] for row in cells}


@pytest.mark.parametrize("min_cell", [0, 5])
def test_every_number_of_the_first_screen_equals_its_table(min_cell):
    shown = results(example_tables(), CONTRASTS, min_cell=min_cell)
    every = {page: Screen(html) for page, html in pages(shown).items()}
    strata = every["index"].table("strata")
    for page, screen in every.items():
        classes, prevalence = (screen.table(name) for name in ("classes", "prevalence"))
        for group, cells in screen.rows().items():
            samples, scored, high, borderline, low, share, *in_strata = cells
            assert [high, borderline, low] == classes.loc[group, ["high", "borderline", "low"]].tolist(), page
            assert in_strata == strata[group].tolist(), page
            if group not in prevalence.index:
                assert scored == share == ""
                continue
            assert scored == prevalence.loc[group, "n"]
            numbers = re.match(r"(?:supported |weak )?(\d+) % \((\d+) to (\d+)\)$", share)
            if numbers:
                ours = prevalence.loc[group, ["prevalence", "ci_low", "ci_high"]].astype(float)
                assert [int(number) for number in numbers.groups()] == [round(100 * part) for part in ours]
            else:
                assert share.endswith(prevalence.loc[group, "prevalence"])
            assert (
                f"{group} {share.removeprefix('supported ')}" in screen.statements[0]
                or group not in shown.of_disease(page).subject
            )
        assert screen.bars == (2 if min_cell == 0 and page == "index" else 1 if page != "pSS" or min_cell == 0 else 0)


def test_the_number_of_strata_and_of_genes_are_those_of_the_tables():
    tables = example_tables()
    tables["cross_disease"] = pd.DataFrame({"pooled_padj": [0.01] * 3, "class": ["shared", "shared", "none"]})
    interferon, strata, shared = answer(results(tables, CONTRASTS, min_cell=0)).statements
    assert "fall into 2 strata" in strata.sentence and strata.verdict == SUPPORTED
    assert "2 genes change in every disease" in shared.sentence
    said = tables["interferon_factor"].set_index("item")["value"]
    assert f"rho {float(said['spearman']):.2f}" in shared.sentence
    assert "a cut-off from 24 controls" in interferon.sentence
    called = answer(results(tables, CONTRASTS).of_disease("SLE")).statements[2]
    assert "1 genes higher and 0 lower in SLE" in called.sentence


@pytest.mark.parametrize("disease", [None, "SLE", "pSS"])
def test_a_page_has_at_most_three_statements_and_each_leads_to_its_evidence(disease):
    shown = results(example_tables(), CONTRASTS)
    shown = shown if disease is None else shown.of_disease(disease)
    statements = answer(shown).statements
    assert 2 <= len(statements) <= 3
    # what a page of a disease leaves out is in the overview
    sections = {section.id for section in [*build_sections(shown), *build_sections(shown.whole or shown)]}
    assert {each.section for each in statements} <= sections
    assert all(each.reasons for each in statements)


# a criterion that fails, the statement that it lowers, its verdict, what is then said, and what no longer is
LOWERED = [
    ({"strata__null_pvalue": 0.4}, 1, UNSUPPORTED, "Strata are unsupported: p = 0.4", "fall into"),
    ({"strata__one_diagnosis": 0.9}, 1, WEAK, "they largely repeat the diagnosis", "do not follow"),
    ({"strata__one_diagnosis": np.nan}, 1, SUPPORTED, "fall into 2 strata", "do not follow"),
    ({"interferon_factor__robust": 0}, 2, UNSUPPORTED, "No interferon factor", "is the interferon factor"),
    ({"interferon_factor__robust": np.nan}, 2, SUPPORTED, "not known whether the factor is robust", ""),
    ({"prevalence__healthy_controls": 0}, 0, WEAK, "Weak evidence: the controls are not healthy people", ""),
    ({"cutoff__enough_controls": 12}, 0, WEAK, "Weak evidence: 12 controls are few", ""),
    ({"cutoff__controls": 4}, 0, UNSUPPORTED, "Not supported: 4 controls give the cut-off", ""),
]


@pytest.mark.parametrize(("failing", "place", "verdict", "words", "gone"), LOWERED)
def test_a_statement_says_no_more_than_its_verdict_supports(failing, place, verdict, words, gone):
    shown = results(example_tables() | {"verdicts": example_verdicts(**failing)}, CONTRASTS, min_cell=0)
    statement = answer(shown).statements[place]
    assert statement.verdict == verdict
    assert words in statement.sentence
    assert not gone or gone not in statement.sentence


def test_strata_that_are_not_supported_have_no_columns():
    verdicts = example_verdicts(strata__null_pvalue=0.4)
    shown = answer(results(example_tables() | {"verdicts": verdicts}))
    assert shown.strata == {} and all(row.strata == () for row in shown.rows)
    assert list(answer(results(example_tables())).strata) == ["1 interferon", "2 healthy-like"]


def test_the_disease_whose_share_is_weak_is_named_and_the_others_are_not():
    verdicts = example_verdicts()
    of_pss = (verdicts["subject"] == "pSS") & (verdicts["criterion"] == "one_control")
    verdicts.loc[of_pss, ["value", "verdict"]] = [0.4, WEAK]
    shown = answer(results(example_tables() | {"verdicts": verdicts}, min_cell=0))
    assert "Weak evidence for pSS: leaving out one control moves it by 40 points" in shown.statements[0].sentence
    assert [row.verdict for row in shown.rows] == [SUPPORTED, WEAK, ""]


def test_a_published_share_names_its_source_and_size():
    tables = example_tables()
    source = "5-gene signature, whole blood, n = 262: Higgs 2011"
    tables["prevalence"] = tables["prevalence"].assign(
        published=[0.73, np.nan], published_source=[source, "53 to 81 %, other genes, n = 191: Bodewes 2018"]
    )
    screen = Screen(pages(results(tables))["index"])
    assert f"Published: 73 %, {source}" in screen.titles
    assert "published share for SLE (n = 262): 5-gene signature, whole blood: Higgs 2011" in screen.notes
    assert "Published range for pSS (n = 191): 53 to 81 %" in screen.notes
    tables["prevalence"]["published_source"] = "not comparable: the controls are not healthy people"
    tables["prevalence"]["published"] = np.nan
    assert "ublished" not in Screen(pages(results(tables))["index"]).notes


def test_high_patients_outside_the_interferon_stratum_are_counted():
    tables = example_tables()
    shown = results(tables, min_cell=0)
    # person-07 is high, and in stratum 2
    sentence = answer(shown).statements[1].sentence
    assert "1 of 6 people with a high signature are outside the stratum interferon." in sentence
    assert "outside" not in answer(results(tables)).statements[1].sentence, "one person"
    weak = example_verdicts(stratum_label__auc=0.6)
    unnamed = answer(results(tables | {"verdicts": weak}, min_cell=0)).statements[1]
    assert "outside" not in unnamed.sentence, "the stratum is not what it is called"
    assert any("label of stratum 1 interferon is unsupported" in reason for reason in unnamed.reasons)


def test_without_classes_there_is_no_share_and_the_reason_is_said():
    tables = example_tables()
    tables["classes"] = tables["classes"].assign(ifn_class="unscored", score=np.nan, reason="this run has no controls")
    tables["prevalence"] = tables["prevalence"].iloc[:0]
    shown = answer(results(tables, cohort={"control": None}))
    assert shown.classes == () and all(row.classes == () for row in shown.rows)
    assert shown.statements[0].verdict == NOT_COMPUTED and "this run has no controls" in shown.statements[0].sentence
    cells = Screen(pages(results(tables, cohort={"control": None}))["index"]).rows()
    assert cells == {"SLE": ["5", "5", "0"], "pSS": ["<5", "hidden", "hidden"]}


def test_one_stratum_is_not_a_supported_claim_of_several():
    tables = example_tables()
    tables["strata"] = tables["strata"].assign(stratum=1, label="1")
    tables["stability"] = pd.DataFrame({"stratum": [1], "n": [12], "label": ["1"], "jaccard": [np.nan]})
    shown = answer(results(tables))
    assert shown.strata == {} and shown.statements[1].verdict == UNSUPPORTED
    missing = tables["verdicts"][tables["verdicts"]["subject"] != EVERYBODY]
    assert answer(results(example_tables() | {"verdicts": missing})).statements[1].verdict == NOT_COMPUTED


def test_nobody_is_named_on_the_first_screen():
    html = pages(results(example_tables()))["index"]
    first = html[html.index('id="answer"') : html.index('id="cohort"')]
    assert not [sample for sample in SAMPLES if sample in first]


def test_every_criterion_of_the_first_screen_has_words_for_where_it_holds():
    claims = ("prevalence", "cutoff", "strata", "interferon_factor", "calls")
    assert set(HOLDS) == {(name, criterion.key) for name in claims for criterion in CLAIMS[name].criteria}
    interferon, strata, _ = answer(results(example_tables())).statements
    assert (
        "SLE, pSS: the controls are healthy; borderline patients do not outnumber the high ones"
        in interferon.reasons[0]
    )
    assert "association with the diagnosis: Cramer's V 0.1, at most 0.5" in strata.reasons[0]
