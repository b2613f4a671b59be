"""What tests share: where things are, and a CI in which an expected test cannot skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failure, but for the real data, which only the project's own machines have."""
    outcome = yield
    report = outcome.get_result()
    real_without_data = "real" in Path(str(item.path)).parts and not SHARED.exists()
    if report.skipped and os.environ.get("CI") == "true" and not real_without_data and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr}"
