"""Every class of mistakes: what a case changes is named by its code, and a clean cohort has no problem and no note."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from mistakes import CASES, Cohort
from stratifn.configuration.mistakes_page import mistakes_page
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.package_data import mistakes

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow" / "scripts" / "stratifn"
CODE = re.compile(r"IN-\d{3}")
# classes that `make check` of a cohort cannot meet, or that no small file shows: the test that does
ELSEWHERE = {
    "IN-002": "tests/unit/test_entry_point.py",
    "IN-009": "tests/unit/test_inputs_reader.py",
    "IN-015": "tests/unit/test_inputs_reader.py",
    "IN-131": "tests/unit/test_design.py",
    "IN-143": "tests/unit/test_design.py",
    **{f"IN-{number}": "tests/unit/test_config.py" for number in (185, 186, 187)},
    "IN-203": "tests/unit/test_integration.py",
    **{f"IN-{number}": "tests/unit/test_normalization.py" for number in (210, 212, 213)},
    **{f"IN-{number}": "tests/unit/test_transfer.py" for number in (220, *range(222, 230), 232)},
    **{f"IN-{number}": "tests/unit/test_manifests.py" for number in (230, 231)},
}

for module in sorted(path.stem for path in (Path(__file__).parents[1] / "mistakes").glob("[a-z]*.py")):
    import_module(f"mistakes.{module}")


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Cohort.clean(tmp_path)


def test_a_clean_cohort_has_no_problem_and_no_note(cohort):
    assert cohort.problems() == []
    assert cohort.validated().notes.empty


def test_columns_that_the_config_names_and_symbols_beside_ids_are_no_news(cohort):
    cohort.sheet = cohort.sheet.rename(columns={"sex": "gender"})
    cohort.cohort["columns"] = {"sex": "gender"}
    ids = [f"ENSG{number:011d}" for number in range(len(cohort.matrices["rna"]))]
    symbols = cohort.matrices["rna"].index
    cohort.matrices["rna"] = cohort.matrices["rna"].set_axis(ids)
    cohort.matrices["rna"].insert(0, "gene_name", symbols)
    assert cohort.validated().notes.empty


def test_what_was_turned_or_is_lacking_is_a_note(cohort):
    cohort.matrices["rna"] = cohort.matrices["rna"].drop("RSAD2").T
    notes = cohort.validated().notes
    assert notes["reason"].tolist() == [
        "orientation: the samples are its rows",
        "5 of 6 genes of RICE_CROW_6; not found: RSAD2",
    ]


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


def classes() -> dict[str, dict[str, str]]:
    return {code: each for family in mistakes()["families"] for code, each in family["classes"].items()}


def problem_calls() -> list[tuple[Path, ast.Call]]:
    calls = [(path, node) for path in sorted(LIBRARY.rglob("*.py")) for node in ast.walk(ast.parse(path.read_text()))]
    return [
        (path, node) for path, node in calls if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem"
    ]


def test_every_problem_of_the_input_has_a_code():
    for path, call in problem_calls():
        kinds = {"MACHINE", "STRATIFN", "INPUT"} & {each.id for each in ast.walk(call) if isinstance(each, ast.Name)}
        assert kinds or {keyword.arg for keyword in call.keywords} & {"code", None}, f"{path}:{call.lineno}"


def test_the_registry_has_the_classes_of_the_code_and_no_others():
    used = {code for path in LIBRARY.rglob("*.py") for code in CODE.findall(path.read_text())}
    assert used == set(classes())
    assert len(used) >= 120


def test_a_code_is_given_once_and_every_class_is_explained():
    written = re.findall(r"^ +(IN-\d{3}):", (ROOT / "workflow" / "schemas" / "mistakes.yaml").read_text(), re.MULTILINE)
    assert len(written) == len(set(written)) == len(classes())
    for each in classes().values():
        assert set(each) == {"title", "why", "fix"}
        assert all(text and "|" not in text for text in each.values())
        assert not each["title"].endswith(".") and each["why"].endswith((".", "!")) and each["fix"].endswith(".")


def test_every_class_has_a_case_or_a_test_of_its_own():
    assert set(classes()) == set(CASES) | set(ELSEWHERE)
    assert not set(CASES) & set(ELSEWHERE)
    for code, path in ELSEWHERE.items():
        assert code in (ROOT / path).read_text(), f"{path} does not test {code}"


def test_the_page_is_the_registry():
    page = (ROOT / "docs" / "input-errors.md").read_text()
    assert page == mistakes_page()
    assert all(f"| {code} |" in page for code in classes())


def test_of_one_class_in_one_file_the_first_20_are_printed():
    many = [Problem("a.tsv", f"line {n}", "x", "y", "z", code="IN-011") for n in range(50)]
    other = [
        Problem("a.tsv", "header", "x", "y", "z", code="IN-016"),
        Problem("b.tsv", "line 1", "x", "y", "z", code="IN-011"),
    ]
    message = str(InputError(many + other))
    assert message.count("IN-011]") == 21
    assert "  - and 30 more of IN-011\n" in message
    assert message.startswith("Input: 52 problems; nothing was computed.")
    assert "line 20:" not in message
    assert "header: found x" in message
