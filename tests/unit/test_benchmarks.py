"""A run of one part of a benchmark must not cost the results of the others."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.fixture
def measuring(root, monkeypatch):
    # its folder is on the path of the benchmarks, not of the tests
    monkeypatch.setattr(sys, "path", [str(root / "benchmarks"), *sys.path])
    return importlib.import_module("measuring")


def test_a_part_of_a_page_replaces_its_last_version_and_leaves_the_others(measuring, tmp_path):
    page = tmp_path / "results" / "page.md"
    measuring.write_part(page, "# Title\n\nWhat is measured.", "First", "| a |\n| --- |\n| 1 |\n\nRun: one.")
    measuring.write_part(page, "# Title\n\nWhat is measured.", "Second", "two\n\n### Below\n\nmore")
    measuring.write_part(page, "# Title\n\nWhat is measured now.", "First", "anew")
    assert page.read_text(encoding="utf-8") == (
        "# Title\n\nWhat is measured now.\n\n## First\n\nanew\n\n## Second\n\ntwo\n\n### Below\n\nmore\n"
    )


def test_every_part_of_a_page_has_a_table_and_says_which_run_gave_it(root):
    for page in (root / "benchmarks" / "results").glob("*.md"):
        _, *parts = page.read_text(encoding="utf-8").split("\n## ")
        for part in parts:
            assert "\n| --- |" in part, page
            assert "\nRun: `python benchmarks/" in part, page


def test_default_settings_are_those_of_the_schema(measuring):
    assert measuring.default_settings("integration")["seeds"] == [1, 2, 3, 4, 5]
    assert measuring.default_settings("stratification")["resamples"] == 200


def test_the_calibration_gathers_every_row_of_its_pages_and_types_no_number(measuring):
    calibration = importlib.import_module("calibration")
    table = calibration.gathered()
    assert table.notna().all(axis=None) and (table != "").all(axis=None)
    page = calibration.part_of("calibration", "All situations")
    assert calibration.markdown(table) in page
    for source in calibration.SOURCES:
        of_page = calibration.situations_of(source)
        assert len(table[table["what"] == source.what]) == len(of_page) * len(source.measures)
        for measure in source.measures:
            shown = table[(table["what"] == source.what) & (table["measure"] == measure.words)]
            assert shown["measured"].tolist() == of_page[measure.column].tolist()


def test_the_docs_quote_the_calibration(measuring, root):
    calibration = importlib.import_module("calibration")
    quoted = (root / "docs" / "methods.md").read_text().split(calibration.BEGIN)[1].split(calibration.END)[0]
    assert quoted.strip() == calibration.markdown(calibration.summary(calibration.gathered()))
