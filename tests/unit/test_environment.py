"""The environment: one truth for versions, and code that keeps to the house's laws."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = dict(re.findall(r"^([a-z0-9_.-]+)==([^ \\;]+)", LOCK, re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"matplotlib-base": "matplotlib"}
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
LIBRARY = sorted((ROOT / "workflow" / "scripts" / "stratifn").rglob("*.py"))
# what the rooms that serve every phase may know of one another; the others are phases
SERVING = {
    "shared": set(),
    "registry": {"shared"},
    "running": {"shared", "registry"},
    "inference": {"shared"},
    "configuration": {"shared", "registry", "running"},
}
PHASES = {path.parent.name for path in LIBRARY if path.name == "__init__.py"} - {"stratifn", *SERVING}


def test_the_conda_environment_pins_what_the_lock_pins():
    dependencies = yaml.safe_load((ROOT / "envs" / "stratifn.yaml").read_text())["dependencies"]
    python, *pinned = dependencies
    assert python == f"python {PROJECT['requires-python']}"
    versions = {CONDA_NAMES.get(name, name): version for name, version in (pin.split(" ==") for pin in pinned)}
    assert set(versions) == {re.split(r"[<>=]", name)[0] for name in PROJECT["dependencies"]}
    assert versions == {name: PINS[name] for name in versions}


def test_the_lock_holds_a_hash_for_every_pin_and_no_address():
    assert "://" not in LOCK
    blocks = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)
    without = [block.split("==")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
    assert without == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_reads_calls_and_writes_in_25_lines(script):
    tree = ast.parse(script.read_text())
    (main,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert main.name == "main"
    code = [line for line in script.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(code) <= 25


@pytest.mark.parametrize("module", LIBRARY, ids=lambda path: str(path.relative_to(ROOT / "workflow" / "scripts")))
def test_the_library_knows_no_snakemake_and_no_phase_knows_another(module):
    imported = {
        name
        for node in ast.walk(ast.parse(module.read_text()))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        + ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
    }
    assert not {name for name in imported if name.split(".")[0] == "snakemake"}
    own = module.relative_to(ROOT / "workflow" / "scripts" / "stratifn").parts[0]
    others = {name.split(".")[1] for name in imported if name.startswith("stratifn.")} & {*PHASES, *SERVING} - {own}
    allowed = SERVING.get(own, {"shared", "registry", "running", "inference"})
    frozen = {f"stratifn.{phase}.frozen" for phase in PHASES} if own == "transfer" else set()
    assert others - {name.split(".")[1] for name in imported & frozen} <= allowed


@pytest.mark.parametrize("module", LIBRARY, ids=lambda path: str(path.relative_to(ROOT / "workflow" / "scripts")))
def test_no_module_is_longer_than_400_lines(module):
    assert len(module.read_text().splitlines()) <= 400
