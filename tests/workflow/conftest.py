"""Whole runs, each in a clone of its own so that nothing of one is seen by another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from stratifn.configuration.config import complete_config
from stratifn.configuration.contract import breaches, cohort_outputs, transfer_outputs

ROOT = Path(__file__).resolve().parents[2]
CLONED = ("Snakefile", "workflow", "config", "resources", "profiles", "envs")
MICRO = {
    "cohorts": [
        {"name": "micro", "simulate": {"patients": 4, "controls": 8, "genes": 300, "cpgs": 200, "seed": 3}},
    ],
    "interferon": {"min_controls": 5, "bootstraps": 100},
    "integration": {"factors": 5, "seeds": [1, 2], "convergence": "fast"},
    "stratification": {"clusters": [2, 4], "resamples": 20},
}
SCHEMA, CONTRACT = (
    yaml.safe_load((ROOT / "workflow" / "schemas" / name).read_text())
    for name in ("config.schema.yaml", "outputs.yaml")
)
# the one file that differs between machines
NOT_COMPARED = "provenance/machine.tsv"


@dataclass(frozen=True)
class Clone:
    """A copy of the workflow, and how to run it."""

    folder: Path

    def snakemake(
        self, *arguments: str, cwd: Path | None = None, snakefile: str = "Snakefile", within: Sequence[str] = ()
    ) -> Run:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.folder / snakefile), *arguments]
        command = [*within, *command]
        done = subprocess.run(
            command, cwd=cwd or self.folder, env=environment(), capture_output=True, text=True, check=False
        )
        return Run(done.returncode, done.stdout + done.stderr)


@dataclass(frozen=True)
class Run:
    """How a run ended and what it printed."""

    code: int
    text: str

    @property
    def planned(self) -> dict[str, int]:
        """Number of jobs of each rule, from the table that Snakemake prints."""
        table = re.search(r"^job +count\n[- ]+\n((?:\S+ +\d+\n)+)", self.text, re.MULTILINE)
        rows = [line.split() for line in table.group(1).splitlines()] if table else []
        return {rule: int(count) for rule, count in rows if rule != "total"}

    @property
    def plans_nothing(self) -> bool:
        return self.code == 0 and "Nothing to be done" in self.text


def environment() -> dict[str, str]:
    """Give the environment of a user: nothing of the test's own Python path."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SNAKEMAKE_PROFILE")}


def without_network() -> list[str]:
    """Give what runs a command in a network namespace without a route; empty where the machine does not permit one."""
    command = ["unshare", "--net"]
    permitted = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0
    return command if permitted else []


def clone_to(folder: Path) -> Clone:
    folder.mkdir(parents=True)
    for name in CLONED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return Clone(folder)


def write_config(path: Path, config: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config))
    return path


def bytes_of(results: Path) -> dict[str, bytes]:
    files = {path.relative_to(results).as_posix(): path for path in results.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.endswith(NOT_COMPARED)}


def assert_same(one: Path, other: Path) -> None:
    first, second = bytes_of(one), bytes_of(other)
    assert set(first) == set(second)
    assert [name for name in sorted(first) if first[name] != second[name]] == []
    assert len(first) > 50


def breaches_of_all(results: Path, config: dict) -> list[str]:
    """List where the results of a configuration's cohorts and new patients break the contract."""
    complete = complete_config(config, SCHEMA, CONTRACT)
    expected = {cohort["name"]: cohort_outputs(CONTRACT, cohort, complete) for cohort in complete["cohorts"]}
    expected |= {f"transfer/{item['name']}": transfer_outputs(CONTRACT, item) for item in complete["transfer"]}
    return [f"{name}: {breach}" for name, outputs in expected.items() for breach in breaches(results / name, outputs)]


@pytest.fixture(scope="session")
def micro_run(tmp_path_factory, assert_the_checked_design_was_fitted) -> tuple[Clone, Path]:
    """A finished run of the micro cohort inside its clone, on one core, without a network where that can be had."""
    clone = clone_to(tmp_path_factory.mktemp("micro") / "clone")
    config = write_config(clone.folder / "micro.yaml", MICRO)
    run = clone.snakemake("--cores", "1", "--configfile", str(config), within=without_network())
    assert run.code == 0, run.text
    assert_the_checked_design_was_fitted(clone.folder / "results" / "micro", MICRO, clone.folder)
    return clone, config


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory, assert_the_checked_design_was_fitted) -> Path:
    """The results folder of the shipped demo, run as `make demo` runs it."""
    clone = clone_to(tmp_path_factory.mktemp("demo") / "clone")
    run = clone.snakemake("--cores", "2")
    assert run.code == 0, run.text
    results = clone.folder / "results" / "demo"
    demo = yaml.safe_load((clone.folder / "config" / "config.yaml").read_text())
    assert_the_checked_design_was_fitted(results, demo, clone.folder)
    return results
