"""A changed library module reruns the rules that use it, directly or through others, and no others."""

from __future__ import annotations

import ast
import shutil
from collections import Counter
from pathlib import Path

import pytest

from stratifn.running.code_digest import code_digest, imported_modules

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path):
    shutil.copytree(ROOT / "workflow" / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "scripts"


def test_imports_are_followed_through_packages_and_into_functions():
    names = {path.name for path in imported_modules(ROOT / "workflow" / "scripts" / "normalization.py")}
    assert {"entry_point.py", "size_factors.py", "engine.py", "errors.py"} <= names
    assert "page.py" not in names


def test_moving_the_clone_changes_nothing(clone):
    assert code_digest(clone / "inputs.py") == code_digest(ROOT / "workflow" / "scripts" / "inputs.py")


def test_a_module_that_is_used_through_others_changes_the_digest(clone):
    before = code_digest(clone / "inputs.py"), code_digest(clone / "mofa.py")
    path = clone / "stratifn" / "inputs" / "near.py"
    path.write_text(path.read_text() + "\n# changed\n")
    after = code_digest(clone / "inputs.py"), code_digest(clone / "mofa.py")
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_a_changed_resource_changes_the_digest(clone, tmp_path):
    data = tmp_path / "resources"
    data.mkdir()
    (data / "genes.tsv").write_text("a")
    before = code_digest(clone / "inputs.py", [data])
    (data / "genes.tsv").write_text("b")
    assert code_digest(clone / "inputs.py", [data]) != before


def test_modules_that_several_rules_share_are_parsed_once(clone, monkeypatch):
    parsed, parse = Counter(), ast.parse
    monkeypatch.setattr(ast, "parse", lambda source: parsed.update([source]) or parse(source))
    scripts = sorted(clone.glob("*.py"))
    for script in scripts:
        code_digest(script)
    assert len(parsed) > len(scripts)
    assert set(parsed.values()) == {1}


def test_a_new_import_is_followed_although_the_module_was_read_before(clone):
    before = imported_modules(clone / "mofa.py")
    path = clone / "stratifn" / "shared" / "samples.py"
    path.write_text(path.read_text() + "\nfrom stratifn.inputs import near\n")
    assert clone / "stratifn" / "inputs" / "near.py" in imported_modules(clone / "mofa.py") - before
