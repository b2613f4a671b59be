"""A run cannot lie: reruns follow content, and a file that is another one by then is refused by name."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import MICRO, Clone, Run, assert_same, clone_to, environment, write_config

YEAR = 365 * 24 * 3600


@pytest.fixture
def finished(micro_run, tmp_path) -> Clone:
    """A copy of the finished micro run that a test may damage."""
    clone, _ = micro_run
    shutil.copytree(clone.folder, tmp_path / "clone", copy_function=shutil.copy2)
    return Clone(tmp_path / "clone")


def plan(clone: Clone, *arguments: str) -> Run:
    return clone.snakemake("-n", "--configfile", str(clone.folder / "micro.yaml"), *arguments)


def go_on(clone: Clone, *targets: str) -> Run:
    return clone.snakemake(*targets, "--cores", "2", "--configfile", str(clone.folder / "micro.yaml"))


def verify(folder: Path, *arguments: str) -> Run:
    """Run the check behind `make verify`."""
    command = [sys.executable, "-m", "stratifn.configuration.verification", *arguments]
    path = {"PYTHONPATH": str(folder / "workflow" / "scripts")}
    done = subprocess.run(command, cwd=folder, env=environment() | path, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout + done.stderr)


def test_times_alone_rerun_nothing(finished):
    files = [path for path in finished.folder.rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    random.Random(1).shuffle(files)
    for path in files:
        path.touch()
    assert plan(finished).plans_nothing
    for path in (finished.folder / "results" / "micro" / "simulated").iterdir():
        os.utime(path, (time.time() + YEAR, time.time() + YEAR))
    assert plan(finished).plans_nothing


def test_a_second_clone_of_the_same_commit_reruns_nothing(micro_run, tmp_path):
    # the results are beside the user's configuration, and the pipeline is cloned again elsewhere
    clone, _ = micro_run
    work = tmp_path / "work"
    work.mkdir()
    for name in ("results", ".snakemake", "micro.yaml"):
        source = clone.folder / name
        shutil.copytree(source, work / name, copy_function=shutil.copy2) if source.is_dir() else shutil.copy2(
            source, work
        )
    other = clone_to(tmp_path / "another" / "clone")
    arguments = ("--configfile", str(work / "micro.yaml"), "--directory", str(work))
    assert other.snakemake("-n", *arguments, cwd=tmp_path).plans_nothing


EDITS = {
    "workflow/scripts/stratification.py": ("stratification", {"mofa", "interferon", "integration.micro"}),
    "workflow/scripts/stratifn/integration/quality.py": (
        "integration.micro",
        {"mofa", "interferon", "normalization.micro"},
    ),
    "resources/signatures/signatures.tsv": ("interferon", set()),
    "workflow/report/frame.css": ("report.micro", {"mofa", "interferon", "stratification", "export"}),
    "envs/stratifn.yaml": ("simulate", set()),
}


@pytest.mark.parametrize("edited", EDITS)
def test_an_edited_file_of_the_pipeline_reruns_what_uses_it_and_what_follows(finished, edited):
    rule, untouched = EDITS[edited]
    path = finished.folder / edited
    before = path.stat()
    path.write_text(path.read_text() + ("\n" if edited.endswith((".css", ".yaml", ".py")) else "#\n"))
    # an editor, a clone or a copy may give any time
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns - YEAR))
    run = plan(finished)
    assert rule in run.planned, run.text
    assert "provenance" in run.planned
    assert not untouched & set(run.planned)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def edit(path: Path) -> None:
    path.write_text(path.read_text().replace("\tlow\t", "\thigh\t") + "\n")


def delete(path: Path) -> None:
    path.unlink()


def check_damage(finished: Clone, micro_run: tuple[Clone, Path], name: str, damage: Callable[[Path], None]) -> None:
    """A damaged result is named by the check and by the next job that reads it; deleted, it is made again."""
    path = finished.folder / "results" / "micro" / name
    damage(path)
    checked = verify(finished.folder, "results", "--config", "micro.yaml")
    assert checked.code == 1
    assert re.findall(r"^  (\S+) ", checked.text, re.MULTILINE) == [f"results/micro/{name}"]
    if path.exists():
        # the job that made the damaged file would make it anew: another one has to read it
        lost = "provenance/outputs.tsv" if name.startswith("report/") else "report/index.html"
        (finished.folder / "results" / "micro" / lost).unlink()
        refused = go_on(finished)
        assert refused.code != 0
        assert f"results/micro/{name}" in refused.text
        # a manifest has none that says what it was
        assert re.search("is not what stratifn wrote there|is damaged", refused.text)
        assert "Traceback" not in refused.text
        path.unlink()
    run = go_on(finished)
    assert run.code == 0, run.text
    assert_same(micro_run[0].folder / "results", finished.folder / "results")
    assert verify(finished.folder, "results", "--config", "micro.yaml").code == 0


def test_a_hand_edited_table_is_refused_and_made_again_when_it_is_deleted(finished, micro_run):
    check_damage(finished, micro_run, "stratification/summary.tsv", edit)


@pytest.mark.full
@pytest.mark.parametrize(("name", "damage"), [
    *((name, damage) for name in (
        "simulated/methylation.parquet", "simulated/rna.tsv.gz", "inputs/samples.types.json", "inputs/rna.h5ad",
        "normalization/rna.h5ad", "integration/models/seed_1.hdf5", "integration/model.hdf5", "stratification/model.npz",
        "differential_expression/SLE_vs_HC.tsv.gz", "interferon/classes.tsv", "inputs/files.tsv",
    ) for damage in (flip_a_bit, truncate, delete)),
    ("interferon/classes.tsv", edit), ("report/methods.md", edit), ("inputs/sources.tsv", edit),
])  # fmt: skip
def test_any_damaged_result_is_refused_and_made_again_when_it_is_deleted(finished, micro_run, name, damage):
    check_damage(finished, micro_run, name, damage)


@pytest.mark.parametrize("name", ["report/index.html", "stratification/summary.tsv", "cohort.h5mu"])
def test_a_lost_result_is_planned_again(finished, name):
    (finished.folder / "results" / "micro" / name).unlink()
    assert plan(finished).planned


def users_cohort(micro_run: tuple[Clone, Path], folder: Path) -> Path:
    """Files of a user's, whose configuration is returned."""
    clone, _ = micro_run
    shutil.copytree(clone.folder / "results" / "micro" / "simulated", folder / "data")
    (folder / "data" / "mine.gmt").write_text("my_set\tmine\tISG15\tIFI44\tIFI27\tMX1\tOAS1\tIFIT1\n")
    views = [
        {"name": "rna", "kind": "counts", "path": "data/rna.tsv.gz"},
        {"name": "cells", "kind": "proportion", "path": "data/cells.tsv"},
    ]
    cohort = {"name": "mine", "samples": "data/samples.tsv", "views": views}
    settings = {
        "integration": {"factors": 5, "seeds": [1]},
        "differential_expression": {"gene_sets": ["data/mine.gmt"]},
    }
    return write_config(folder / "my.yaml", MICRO | settings | {"cohorts": [cohort]})


@pytest.mark.full
def test_an_input_that_is_edited_between_two_jobs_ends_the_run(micro_run, tmp_path):
    clone, _ = micro_run
    config = users_cohort(micro_run, tmp_path)
    arguments = ("--cores", "2", "--configfile", str(config), "--directory", str(tmp_path))
    run = clone.snakemake("results/mine/interferon/classes.tsv", *arguments)
    assert run.code == 0, run.text
    sheet = tmp_path / "data" / "samples.tsv"
    before, text = sheet.stat(), sheet.read_text()
    # of the same size and time: Snakemake cannot see it
    sheet.write_text(text.replace("\tF\t", "\tM\t", 1))
    os.utime(sheet, ns=(before.st_atime_ns, before.st_mtime_ns))
    run = clone.snakemake(*arguments)
    assert run.code != 0
    assert "data/samples.tsv" in run.text
    assert "an earlier job read" in run.text
    assert not (tmp_path / "results" / "mine" / "provenance" / "inputs.tsv").exists()
    # what the message says to do works
    sheet.write_text(text)
    os.utime(sheet)
    run = clone.snakemake(*arguments)
    assert run.code == 0, run.text
    listed = (tmp_path / "results" / "mine" / "provenance" / "inputs.tsv").read_text()
    assert re.findall(r"^data/\S+", listed, re.MULTILINE) == [
        "data/cells.tsv", "data/mine.gmt", "data/rna.tsv.gz", "data/samples.tsv"
    ]  # fmt: skip
    # an edited gene set reruns what reads it, and not the models
    (tmp_path / "data" / "mine.gmt").write_text("my_set\tmine\tISG15\tIFI44\tIFI27\tMX1\tOAS1\tIFIT3\n")
    planned = set(clone.snakemake("-n", *arguments).planned)
    assert "differential_expression.mine" in planned
    assert not planned & {"inputs.mine", "mofa", "interferon"}
