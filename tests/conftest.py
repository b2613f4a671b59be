"""What tests share: where things are, and a CI in which an expected test cannot skip."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stratifn.configuration.config import complete_config
from stratifn.differential_expression import Question
from stratifn.differential_expression.possible import possible_comparisons
from stratifn.inputs import GeneNames, Groups, read_cohort
from stratifn.registry.knowledge import load_knowledge
from stratifn.shared.checks import Checks
from stratifn.shared.design import model_matrix
from stratifn.shared.package_data import config_schema, output_contract, sheet_schema
from stratifn.shared.tables import read_table

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def assert_the_checked_design_was_fitted():
    """Compare the model matrix of validation, made again from the user's files, with the one that a run has fitted."""

    def compare(results: Path, config: Mapping[str, Any], folder: Path) -> None:
        complete = complete_config(dict(config), config_schema(), output_contract())
        (cohort,) = [each for each in complete["cohorts"] if each["name"] == results.name]
        base, sheet = (results / "simulated", "samples.tsv") if cohort["simulate"] else (folder, cohort["samples"])
        paths = {"samples": str(base / sheet)} | {view["name"]: str(base / view["path"]) for view in cohort["views"]}
        groups = Groups(cohort["diseases"], cohort["control"], complete["diseases"])
        genes = GeneNames.of(load_knowledge().registry)
        checked: list[pd.DataFrame] = []
        checks = [Checks(samples=lambda samples: checked.append(samples) or [])]
        read_cohort(cohort, paths, groups, genes, sheet_schema(), checks)
        fitted = read_table(results / "differential_expression" / "design.tsv").set_index("sample")
        tested = checked[0][checked[0]["in_rna"]]
        possible = possible_comparisons(tested, Question.of(cohort, complete["contrasts"]))
        if possible.reason:
            assert fitted.empty
            return
        expected = model_matrix(tested, cohort["design"], possible.question.control).matrix
        # ten digits are printed
        pd.testing.assert_frame_equal(fitted, expected, rtol=1e-9, atol=0)

    return compare


@pytest.fixture(scope="session")
def browser():
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failure, but for the real data, which only the project's own machines have."""
    outcome = yield
    report = outcome.get_result()
    real_without_data = "real" in Path(str(item.path)).parts and not SHARED.exists()
    if report.skipped and os.environ.get("CI") == "true" and not real_without_data and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr}"
