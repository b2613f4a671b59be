"""Whatever happens to a run or to its machine, the next run ends with the same bytes. Long: `make test-full`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Clone, assert_same, clone_to, environment

# every run of a chain is killed once, and the last one ends by itself: 20 kills in all
CHAINS = [
    (seed, victim) for victim, seeds in {"snakemake": (1, 2), "worker": (3,), "both": (4,)}.items() for seed in seeds
]
KILLS_PER_CHAIN = 5
# longer than a run of the micro cohort takes: a kill may come too late, and then comes earlier next time
LATEST_KILL = 40.0


def start(clone: Clone, *arguments: str, **variables: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(clone.folder / "Snakefile"), *arguments]
    with open(clone.folder / "console.log", "a") as console:
        return subprocess.Popen(
            command, cwd=clone.folder, env=environment() | variables, start_new_session=True,
            stdout=console, stderr=subprocess.STDOUT,
        )  # fmt: skip


def children(process: int) -> list[int]:
    """List the processes below one, as Linux's /proc tells them."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    try:
        found = [int(child) for child in listed.read_text().split()]
    except FileNotFoundError:
        return []
    return found + [grandchild for child in found for grandchild in children(child)]


def kill(process: subprocess.Popen, victim: str, chance: random.Random) -> None:
    below = children(process.pid)
    if victim == "both":
        os.killpg(process.pid, signal.SIGKILL)
    elif victim == "snakemake":
        os.kill(process.pid, signal.SIGKILL)
    elif below:
        os.kill(chance.choice(below), signal.SIGKILL)
    process.wait(timeout=600)


def check_console(clone: Clone) -> None:
    text = (clone.folder / "console.log").read_text()
    assert "please report" not in text, text


@pytest.mark.full
@pytest.mark.parametrize(("seed", "victim"), CHAINS)
def test_a_run_that_is_killed_five_times_ends_with_the_same_bytes(micro_run, tmp_path, seed, victim):
    finished, config = micro_run
    clone, chance = clone_to(tmp_path / "killed"), random.Random(seed)
    arguments = ("--cores", "2", "--configfile", str(config))
    killed, latest = 0, LATEST_KILL
    while killed < KILLS_PER_CHAIN:
        process = start(clone, *arguments)
        deadline = time.monotonic() + chance.uniform(2, latest)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is not None:
            assert process.returncode == 0, (clone.folder / "console.log").read_text()
            # it was faster: begin again with what a later phase wrote
            latest = max(4.0, latest / 2)
            (clone.folder / "results" / "micro" / "integration" / "models" / "seed_1.hdf5").unlink()
            continue
        kill(process, victim, chance)
        killed += 1
        assert clone.snakemake("--unlock", "--configfile", str(config)).code == 0
    run = clone.snakemake(*arguments)
    assert run.code == 0, run.text
    # jobs that outlived their scheduler may still write what is there already
    assert_same(finished.folder / "results", clone.folder / "results")
    check_console(clone)


@pytest.mark.full
def test_two_runs_at_once_do_not_meet(micro_run, tmp_path):
    finished, config = micro_run
    clone = clone_to(tmp_path / "clone")
    arguments = ("--cores", "1", "--configfile", str(config))
    first = start(clone, *arguments)
    waited_for = clone.folder / "results" / "micro" / "inputs" / "samples.tsv"
    while not waited_for.exists() and first.poll() is None:
        time.sleep(0.05)
    second = clone.snakemake(*arguments)
    assert second.code != 0
    assert "lock" in second.text.lower()
    assert first.wait(timeout=600) == 0
    assert_same(finished.folder / "results", clone.folder / "results")


def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount a disk of its own, where root may."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount the disk of this test")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path):
    yield from mounted(tmp_path / "read_only", "-o", "ro")


@pytest.fixture
def small_disk(tmp_path):
    yield from mounted(tmp_path / "small_disk", "-o", "size=3m")


@pytest.mark.full
def test_a_home_that_cannot_be_written_to_is_no_obstacle(micro_run, tmp_path, read_only):
    finished, config = micro_run
    clone = clone_to(tmp_path / "clone")
    process = start(
        clone, "--cores", "2", "--configfile", str(config), HOME=str(read_only), XDG_CACHE_HOME=str(tmp_path / "cache")
    )
    assert process.wait(timeout=600) == 0, (clone.folder / "console.log").read_text()
    assert_same(finished.folder / "results", clone.folder / "results")


@pytest.mark.full
def test_a_full_disk_ends_the_run_in_words_and_the_run_goes_on_when_there_is_room(micro_run, tmp_path, small_disk):
    finished, config = micro_run
    clone = clone_to(tmp_path / "clone")
    (clone.folder / "results").symlink_to(small_disk)
    arguments = ("--cores", "2", "--configfile", str(config))
    run = clone.snakemake(*arguments)
    assert run.code != 0
    assert "its disk is full" in run.text
    assert "Traceback" not in run.text
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    run = clone.snakemake(*arguments)
    assert run.code == 0, run.text
    assert_same(finished.folder / "results", clone.folder / "results")


@pytest.mark.full
def test_a_folder_that_cannot_be_written_to_ends_the_run_in_words(micro_run, tmp_path, read_only):
    _, config = micro_run
    clone = clone_to(tmp_path / "clone")
    (clone.folder / "results").symlink_to(read_only)
    run = clone.snakemake("--cores", "2", "--configfile", str(config))
    assert run.code != 0
    assert "read-only" in run.text.lower()
    assert "Traceback" not in run.text
