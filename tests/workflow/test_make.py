"""What a user sees of `make`: each problem once, where the log is, what to type next, and nothing of theirs removed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakemake_logger_plugin_stratifn.jobs import Job

from .conftest import ROOT, clone_to, environment, write_config

CLOCK = re.compile(r"^\d\d:\d\d:\d\d  ", re.MULTILINE)


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A clone with a Makefile, whose environment is that of the tests."""
    folder = clone_to(tmp_path_factory.mktemp("make") / "clone").folder
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        if (Path(sys.prefix) / name).exists():
            (folder / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (folder / ".venv" / ".requirements").touch()
    return folder


@pytest.fixture
def mine(tmp_path) -> Path:
    """A small cohort of files, and the configuration for it."""
    samples = [f"P{number:02d}" for number in range(12)]
    sheet = pd.DataFrame({"sample": samples, "disease": ["SLE"] * 6 + ["HC"] * 6})
    sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    counts = pd.DataFrame(np.random.default_rng(1).poisson(30, (50, 12)), columns=samples)
    counts.insert(0, "gene_id", ["IFI27", *(f"G{number}" for number in range(1, 50))])
    counts.to_csv(tmp_path / "counts.tsv", sep="\t", index=False)
    views = [{"name": "rna", "kind": "counts", "path": "counts.tsv"}]
    cohort = {"name": "mine", "samples": "samples.tsv", "views": views}
    return write_config(tmp_path / "my.yaml", {"diseases": ["SLE"], "cohorts": [cohort]})


def make(clone: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run make; return its exit code and all that it printed, without the time of day."""
    # nothing of the make that runs these tests
    own = {key: value for key, value in environment().items() if not key.startswith("MAKE") and key != "MFLAGS"}
    command = ["make", "-C", str(clone), "--no-print-directory", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=own | variables, check=False)
    return done.returncode, CLOCK.sub("", done.stdout + done.stderr)


def test_a_mistake_in_the_sheet_is_told_once_with_its_log_and_nothing_else(clone, mine):
    sheet = mine.with_name("samples.tsv")
    sheet.write_text(sheet.read_text().replace("P03\tSLE", "P03\tSLEE"))
    code, text = make(clone, "run", f"CONFIG={mine}")
    assert code != 0
    assert text.count("found `SLEE` in 1 sample") == 1
    assert text.count("Input: 1 problem; nothing was computed.") == 1
    assert text.count(f"log: {mine.parent}/logs/mine/inputs.log\n") == 1
    assert f"When the problem is solved, start again: make run CONFIG={mine}\n" in text
    for noise in ("Traceback", ".snakemake/scripts", "Missing output files", "results/mine/inputs/", "RuleException"):
        assert noise not in text
    # Snakemake's one line, the plan, start, three of the problem, failed, its log, two on how to go on, make's own
    assert len(text.splitlines()) <= 11, text


def test_the_check_goes_on_after_the_mistakes_of_one_cohort_and_a_run_does_not(clone, mine):
    for target, goes_on in (("check", True), ("run", False)):
        code, text = make(clone, "--dry-run", target, f"CONFIG={mine}")
        assert (code, "--keep-going" in text) == (0, goes_on)


def test_good_input_passes_the_check_in_a_few_lines(clone, mine):
    code, text = make(clone, "check", f"CONFIG={mine}", "CORES=1")
    assert code == 0, text
    assert "1/2  done    Reading and validating the inputs of cohort mine" in text
    assert text.endswith("Configuration and inputs are fine.\n")
    # what the console looks for in a log is what the entry point of a job writes there
    job = Job("", "", (mine.parent / "logs" / "mine" / "inputs.log",), began=0.0)
    assert job.progress() == "rna: 1 of 6 genes of RICE_CROW_6 found"


def test_a_killed_run_says_what_to_type_and_that_works(clone, mine):
    locks = mine.parent / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/mine/inputs/samples.tsv\n")
    code, text = make(clone, "run", f"CONFIG={mine}")
    assert code != 0
    assert f'type `make run CONFIG={mine} ARGS="--unlock"`' in text
    assert "LockException" not in text
    code, text = make(clone, "run", f"CONFIG={mine}", "ARGS=--unlock")
    assert code == 0, text
    assert not any(locks.glob("*"))


def test_a_dry_run_says_what_would_run_and_why(clone, mine):
    code, text = make(clone, "run", f"CONFIG={mine}", "ARGS=-n")
    assert code == 0, text
    assert "  Reading and validating the inputs of cohort mine (missing: files.tsv and 5 more)\n" in text
    assert text.count("Training MOFA on cohort mine, seed 3") == 1
    assert "Nothing was run (-n)." in text
    assert not (mine.parent / "results").exists()


def test_a_mistake_in_the_configuration_is_told_without_a_traceback(clone, mine):
    mine.write_text(mine.read_text() + "interferon: {cutof: mean_2sd}\n")
    code, text = make(clone, "run", f"CONFIG={mine}")
    assert code != 0
    assert text.count("interferon.cutof") == 1
    assert "Traceback" not in text
    # plain Snakemake reads the configuration itself
    plain = [str(clone / ".venv" / "bin" / "snakemake"), "-n", "--logger", "stratifn", "--configfile", str(mine)]
    own = environment() | {"PYTHONPATH": str(clone / "workflow" / "scripts")}
    done = subprocess.run(plain, cwd=clone, capture_output=True, text=True, env=own, check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert said.count("interferon.cutof") == 1
    assert "common.smk" not in said


@pytest.mark.parametrize("target", ["demo", "run", "check", "slurm"])
def test_every_target_names_the_profile_by_its_path_and_takes_arguments(clone, mine, target):
    code, recipe = make(clone, "-n", target, f"CONFIG={mine}", "ARGS=--profile site", HOME="/proc/none")
    assert code == 0, recipe
    folder = clone if target == "demo" else mine.parent
    assert f'--workflow-profile "{clone}/profiles/default"' in recipe
    assert "--logger stratifn" in recipe
    assert "--profile site" in recipe
    # a home that cannot be written holds no caches
    assert f'XDG_CACHE_HOME="{folder}/.snakemake/cache"' in recipe
    assert (f'--profile "{clone}/profiles/slurm"' in recipe) == (target == "slurm")


def test_without_a_configuration_nothing_runs(clone):
    for target in ("run", "check", "slurm"):
        code, text = make(clone, target)
        assert code != 0
        assert f"Name your configuration: make {target} CONFIG=my.yaml" in text


@pytest.mark.parametrize("others", [True, False])
def test_clean_removes_the_demo_and_nothing_of_a_user(tmp_path, others):
    shutil.copy(ROOT / "Makefile", tmp_path)
    files = [f"{folder}/demo/a.tsv" for folder in ("results", "logs", "benchmarks")] + [".snakemake/metadata/a"]
    own = ["results/mine/a.tsv", "logs/mine/a.log", "my.yaml", "benchmarks/results/a.md"] if others else ["my.yaml"]
    for name in (*files, ".venv/bin/python", *own):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    code, text = make(tmp_path, "clean")
    assert code == 0, text
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    # Snakemake's records of the user's runs stay with their results
    assert left == {"Makefile", *own, *([".snakemake/metadata/a"] if others else [])}
