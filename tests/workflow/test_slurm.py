"""On a real Slurm, by the shipped profile: the bytes of a local run, every job with the resources of its rule."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import NamedTuple

import pytest

from .conftest import MICRO, Run, assert_same, clone_to, write_config

# nothing but the pace differs from a user's run: jobs of the micro cohort last seconds
PROFILE = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "3")


class SlurmJob(NamedTuple):
    """What Slurm says of a job of Snakemake's."""

    rule: str
    state: str
    memory: str
    time_limit: str


def jobs_of(run: Run) -> list[SlurmJob]:
    """Every job of a run, in the order of submission."""
    run_id = re.search(r"^SLURM run ID: (\S+)$", run.text, re.MULTILINE).group(1)
    command = ["squeue", "--noheader", "--states=all", "--sort=i", "--format=%k|%T|%m|%l", f"--name={run_id}"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    jobs = [SlurmJob(*line.split("|")) for line in listing.splitlines()]
    return [job._replace(rule=re.sub("^rule_|_wildcards_.*", "", job.rule)) for job in jobs]


@pytest.fixture(scope="session", autouse=True)
def slurm():
    """Skip where no Slurm answers, before anything is run: `.ci/slurm` starts one."""
    if shutil.which("sinfo") is None:
        pytest.skip("Slurm is not installed: there is no sinfo")
    answer = subprocess.run(["sinfo"], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        pytest.skip(f"no Slurm answers: {answer.stderr.splitlines()[-1]}")


@pytest.fixture(scope="module")
def slurm_run(tmp_path_factory):
    """A finished run of the micro cohort on Slurm: its clone, its configuration, and what was printed."""
    clone = clone_to(tmp_path_factory.mktemp("slurm") / "clone")
    config = write_config(clone.folder / "micro.yaml", MICRO)
    run = clone.snakemake(*PROFILE, "--configfile", str(config))
    assert run.code == 0, run.text
    return clone, config, run


def test_a_run_on_slurm_gives_the_bytes_of_a_local_one(micro_run, slurm_run):
    assert_same(micro_run[0].folder / "results", slurm_run[0].folder / "results")


def test_every_job_runs_on_slurm_and_asks_for_what_its_rule_says(slurm_run):
    _, _, run = slurm_run
    jobs = jobs_of(run)
    assert len(jobs) == sum(run.planned.values()) - run.planned["default"]  # the target itself computes nothing
    assert {job.rule for job in jobs} == set(run.planned) - {"default"}
    assert {job.state for job in jobs} == {"COMPLETED"}
    asked = {job.rule: (job.memory, job.time_limit) for job in jobs}
    assert asked["simulate"] == ("4000M", "1:00:00")
    assert asked["provenance"] == ("1000M", "15:00")
    assert all(time_limit != "UNLIMITED" for _, time_limit in asked.values())


def test_a_second_run_on_slurm_plans_nothing(slurm_run):
    clone, config, _ = slurm_run
    assert clone.snakemake("--dry-run", *PROFILE, "--configfile", str(config)).plans_nothing


def test_a_job_that_is_killed_for_its_memory_starts_again_with_more(tmp_path):
    clone = clone_to(tmp_path / "clone")
    config = write_config(clone.folder / "micro.yaml", MICRO)
    too_little_at_first = "simulate:mem_mb=4000 * attempt - 3900"
    run = clone.snakemake(
        "results/micro/simulated/samples.tsv", *PROFILE,
        "--configfile", str(config), "--set-resources", too_little_at_first,
    )  # fmt: skip
    assert run.code == 0, run.text
    first, second = jobs_of(run)
    assert first.state in ("FAILED", "OUT_OF_MEMORY")  # the latter where cgroups hold the limit
    assert (first.memory, first.time_limit) == ("100M", "1:00:00")
    assert second == SlurmJob("simulate", "COMPLETED", "4100M", "2:00:00")
    (log,) = (clone.folder / ".snakemake" / "slurm_logs").rglob("*.log")  # that of the failed job alone is kept
    assert re.search("exceeded memory limit|oom.kill", log.read_text(), re.IGNORECASE)


def test_a_mistake_in_one_cell_takes_one_job(micro_run, tmp_path):
    clone = clone_to(tmp_path / "clone")
    shutil.copytree(micro_run[0].folder / "results" / "micro" / "simulated", clone.folder / "data")
    sheet = clone.folder / "data" / "samples.tsv"
    sheet.write_text(sheet.read_text().replace("\tSLE\t", "\tSLEE\t", 1))
    views = [{"name": "cells", "kind": "proportion", "path": "data/cells.tsv"}]
    cohort = {"name": "mine", "samples": "data/samples.tsv", "views": views}
    config = write_config(clone.folder / "my.yaml", MICRO | {"cohorts": [cohort]})
    run = clone.snakemake(*PROFILE, "--configfile", str(config))
    assert run.code != 0
    assert [(job.rule, job.state) for job in jobs_of(run)] == [("inputs.mine", "FAILED")]
    # plain Snakemake shows a log once more for Slurm's; the console of `make slurm` tells it once
    assert "found `SLEE`" in run.text
