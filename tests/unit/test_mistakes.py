"""Every class of mistakes: what a case changes is named by its code, and a clean cohort has no problem and no note."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from mistakes import CASES, Cohort

for module in sorted(path.stem for path in (Path(__file__).parents[1] / "mistakes").glob("[a-z]*.py")):
    import_module(f"mistakes.{module}")


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Cohort.clean(tmp_path)


def test_a_clean_cohort_has_no_problem(cohort):
    assert cohort.problems() == []


@pytest.mark.parametrize(
    ("code", "case"),
    [(code, case) for code in sorted(CASES) for case in CASES[code]],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_a_mistake_is_named_by_its_code(cohort, code, case):
    case(cohort)
    problems = cohort.problems()
    assert code in {problem.code for problem in problems}, problems
    assert all(problem.found and problem.expected and problem.fix for problem in problems)
