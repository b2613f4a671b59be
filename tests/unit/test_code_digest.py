"""A changed library module reruns the rules that use it, directly or through others, and no others."""

from __future__ import annotations

import ast
import shutil
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest

from stratifn.running.code_digest import DISTRIBUTIONS, code_digest, dependencies, installed_version

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path):
    shutil.copytree(ROOT / "workflow" / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "scripts"


def test_imports_are_followed_through_packages_and_into_functions():
    names = {path.name for path in dependencies(ROOT / "workflow" / "scripts" / "normalization.py").modules}
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
    before = dependencies(clone / "mofa.py").modules
    path = clone / "stratifn" / "shared" / "samples.py"
    path.write_text(path.read_text() + "\nfrom stratifn.inputs import near\n")
    assert clone / "stratifn" / "inputs" / "near.py" in dependencies(clone / "mofa.py").modules - before


def test_an_edited_script_changes_its_digest(clone):
    before = code_digest(clone / "inputs.py"), code_digest(clone / "mofa.py")
    (clone / "inputs.py").write_text((clone / "inputs.py").read_text() + "# changed\n")
    assert code_digest(clone / "inputs.py") != before[0]
    assert code_digest(clone / "mofa.py") == before[1]


def test_a_part_of_a_phase_that_a_script_does_not_use_is_none_of_its_dependencies(clone):
    # training takes hours; whether its factors can be trusted is judged afterwards
    before = code_digest(clone / "mofa.py"), code_digest(clone / "integration.py")
    path = clone / "stratifn" / "integration" / "quality.py"
    path.write_text(path.read_text() + "\n# changed\n")
    assert code_digest(clone / "mofa.py") == before[0]
    assert code_digest(clone / "integration.py") != before[1]


def test_a_package_that_does_more_than_pass_names_on_counts_as_a_whole(clone):
    before = dependencies(clone / "mofa.py").modules
    package = clone / "stratifn" / "integration" / "__init__.py"
    assert package not in before
    package.write_text(package.read_text() + "\nSCALE = 2.0\n")
    assert package in dependencies(clone / "mofa.py").modules
    assert clone / "stratifn" / "integration" / "quality.py" in dependencies(clone / "mofa.py").modules


def test_another_version_of_a_package_that_makes_numbers_changes_the_digest(clone, monkeypatch):
    before = code_digest(clone / "mofa.py"), code_digest(clone / "simulate.py")
    monkeypatch.setattr(
        "stratifn.running.code_digest.version", lambda name: {"mofapy2": "99"}.get(name) or version(name)
    )
    assert code_digest(clone / "mofa.py") != before[0]
    assert code_digest(clone / "simulate.py") == before[1]


def test_the_version_of_every_package_that_a_script_imports_is_known():
    scripts = (ROOT / "workflow" / "scripts").glob("*.py")
    packages = {package for script in scripts for package in dependencies(script).packages}
    assert {"numpy", "pydeseq2", "mofapy2", "yaml"} <= packages
    assert [package for package in sorted(packages) if installed_version(package) is None] == []
    assert set(DISTRIBUTIONS) <= packages
