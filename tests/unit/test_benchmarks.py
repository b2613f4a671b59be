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
