"""Whole runs: the same bytes on any number of cores, after a kill, in another folder; and nothing is done twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crates import unmet_requirements

from .conftest import (
    CLONED,
    MICRO,
    assert_same,
    breaches_of_all,
    clone_to,
    environment,
    without_network,
    write_config,
)


def test_the_results_keep_the_contract(micro_run):
    clone, _ = micro_run
    assert breaches_of_all(clone.folder / "results", MICRO) == []


def test_a_run_needs_no_network(micro_run):
    clone, _ = micro_run
    within = without_network()
    if not within:
        pytest.skip("this machine permits no network namespace (`unshare --net`, as root)")
    asks = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    asked = subprocess.run([*within, sys.executable, "-c", asks], capture_output=True, text=True, check=False)
    assert "Network is unreachable" in asked.stderr, "the namespace in which the fixture ran has a route"
    assert (clone.folder / "results" / "micro" / "report" / "index.html").is_file()


def test_no_file_of_a_run_is_outside_its_folders(micro_run):
    clone, _ = micro_run
    beside = {path.name for path in clone.folder.iterdir()} - {*CLONED, "micro.yaml"}
    assert beside == {"results", "logs", "benchmarks", ".snakemake"}
    leftovers = [path for path in (clone.folder / "results").rglob("*") if path.name.startswith(".") and path.is_file()]
    assert [path for path in leftovers if path.name != ".snakemake_timestamp"] == []


def test_a_second_run_plans_nothing(micro_run):
    clone, config = micro_run
    assert clone.snakemake("-n", "--configfile", str(config)).plans_nothing


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_both_entry_points_plan_the_whole_pipeline(tmp_path, snakefile):
    clone = clone_to(tmp_path / "clone")
    run = clone.snakemake("-n", "--cores", "1", snakefile=snakefile)
    assert run.code == 0, run.text
    seeds = 5
    assert run.planned["mofa"] == seeds
    assert 10 < sum(run.planned.values()) - seeds <= 20


def test_two_cores_in_another_folder_give_the_same_bytes(micro_run, tmp_path):
    clone, config = micro_run
    other = clone_to(tmp_path / "elsewhere" / "deeper")
    folder = tmp_path / "work"
    folder.mkdir()
    run = other.snakemake("--cores", "2", "--configfile", str(config), "--directory", str(folder), cwd=tmp_path)
    assert run.code == 0, run.text
    assert_same(clone.folder / "results", folder / "results")


def test_another_cpus_kernels_give_the_same_answers(micro_run, tmp_path, monkeypatch):
    # the last bits differ between CPU types; what a reader of the report sees must not
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    clone, config = micro_run
    other = clone_to(tmp_path / "clone")
    run = other.snakemake("results/micro/stratification/strata.tsv", "--cores", "2", "--configfile", str(config))
    assert run.code == 0, run.text
    tables = ("interferon/classes.tsv", "integration/robustness.tsv", "stratification/strata.tsv")
    here, there = (folder / "results" / "micro" for folder in (clone.folder, other.folder))
    assert [name for name in tables if (here / name).read_bytes() != (there / name).read_bytes()] == []
    model = "integration/model.hdf5"
    assert (here / model).read_bytes() != (there / model).read_bytes(), "the kernels were the same"


def test_the_crate_of_a_run_meets_every_requirement_of_its_profiles(micro_run, tmp_path):
    clone, _ = micro_run
    assert unmet_requirements(clone.folder / "results" / "micro" / "provenance", tmp_path) == []


def test_a_moved_clone_plans_nothing(micro_run, tmp_path):
    clone, _ = micro_run
    moved = tmp_path / "moved"
    shutil.copytree(clone.folder, moved, copy_function=shutil.copy2)
    run = type(clone)(moved).snakemake("-n", "--configfile", str(moved / "micro.yaml"))
    assert run.plans_nothing, run.text


def test_a_changed_library_module_reruns_what_uses_it_and_nothing_before(micro_run, tmp_path):
    clone, _ = micro_run
    changed = tmp_path / "changed"
    shutil.copytree(clone.folder, changed, copy_function=shutil.copy2)
    module = changed / "workflow" / "scripts" / "stratifn" / "stratification" / "labels.py"
    module.write_text(module.read_text() + "\nCHANGED = True\n")
    run = type(clone)(changed).snakemake("-n", "--cores", "1", "--configfile", str(changed / "micro.yaml"))
    assert run.code == 0, run.text
    planned = set(run.planned)
    assert "stratification" in planned
    assert not planned & {"simulate", "inputs.micro", "normalization.micro", "mofa", "interferon"}


KILL_POINTS = (
    "simulated/samples.tsv",
    "inputs/samples.tsv",
    "normalization/quality.tsv",
    "differential_expression/summary.tsv",
    "interferon/classes.tsv",
    "integration/factors.tsv",
    "stratification/strata.tsv",
    "report/methods.md",
)


def check_killed_and_resumed(micro_run, folder: Path, point: str) -> None:
    clone, config = micro_run
    other = clone_to(folder)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", str(config)]
    process = subprocess.Popen(
        command, cwd=other.folder, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    waited_for = other.folder / "results" / "micro" / point
    deadline = time.monotonic() + 300
    while not waited_for.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.poll() is None, "the run ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (other.folder / "results" / "micro" / "provenance" / "outputs.tsv").exists()
    assert other.snakemake("--unlock", "--configfile", str(config)).code == 0
    run = other.snakemake("--cores", "2", "--configfile", str(config))
    assert run.code == 0, run.text
    assert_same(clone.folder / "results", other.folder / "results")


def test_a_killed_run_is_resumed_to_the_same_bytes(micro_run, tmp_path):
    check_killed_and_resumed(micro_run, tmp_path / "killed", "integration/models/seed_1.hdf5")


@pytest.mark.full
@pytest.mark.parametrize("point", KILL_POINTS)
def test_a_run_killed_anywhere_is_resumed_to_the_same_bytes(micro_run, tmp_path, point):
    check_killed_and_resumed(micro_run, tmp_path / "killed", point)


def test_a_cohort_without_controls_is_analysed_as_far_as_it_can_be(tmp_path, assert_the_checked_design_was_fitted):
    clone = clone_to(tmp_path / "clone")
    simulate = {"patients": 8, "controls": 0, "genes": 300, "cpgs": 200, "seed": 3}
    config = MICRO | {"control": None, "diseases": ["SLE", "RA"], "cohorts": [{"name": "micro", "simulate": simulate}]}
    run = clone.snakemake("--cores", "2", "--configfile", str(write_config(tmp_path / "c.yaml", config)))
    assert run.code == 0, run.text
    assert breaches_of_all(clone.folder / "results", config) == []
    results = clone.folder / "results" / "micro"
    assert_the_checked_design_was_fitted(results, config, clone.folder)
    assert "this run has no controls" in (results / "interferon" / "classes.tsv").read_text()
    assert "No class could be given" in (results / "report" / "index.html").read_text()
    assert (results / "differential_expression" / "SLE_vs_RA.tsv.gz").exists()


def test_a_cohort_without_expression_is_integrated_all_the_same(micro_run, tmp_path):
    clone, _ = micro_run
    folder = tmp_path / "work"
    shutil.copytree(clone.folder / "results" / "micro" / "simulated", folder)
    views = [
        {"name": "methylation", "kind": "beta", "path": "methylation.parquet"},
        {"name": "cells", "kind": "proportion", "path": "cells.tsv"},
        {"name": "cytokines", "kind": "concentration", "path": "cytokines.tsv"},
    ]
    config = MICRO | {"cohorts": [{"name": "plain", "samples": "samples.tsv", "views": views}]}
    config |= {"integration": {"factors": 5, "seeds": [1]}}
    path = write_config(folder / "my.yaml", config)
    run = clone.snakemake("--cores", "2", "--directory", str(folder), "--configfile", str(path))
    assert run.code == 0, run.text
    assert breaches_of_all(folder / "results", config) == []
    results = folder / "results" / "plain"
    assert "there is no view rna" in (results / "interferon" / "notes.tsv").read_text()
    assert "one seed cannot show robustness" in (results / "report" / "index.html").read_text()
    # a sheet that is another one by then is refused by the provenance, also where Snakemake cannot see it
    sheet = folder / "samples.tsv"
    before = sheet.stat()
    sheet.write_text(sheet.read_text().replace("\tF\t", "\tM\t", 1))
    os.utime(sheet, ns=(before.st_atime_ns, before.st_mtime_ns))
    forced = ("--forcerun", "provenance", "--directory", str(folder), "--configfile", str(path))
    run = clone.snakemake("results/plain/provenance/inputs.tsv", "--cores", "1", *forced)
    assert run.code != 0
    assert "samples.tsv" in run.text
    assert "the file that an earlier job read" in run.text
