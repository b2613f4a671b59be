"""No library ends a job without words: panics, a full disk and memory that runs out are told like any other error."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool

import pytest

from stratifn.integration import read_model
from stratifn.running.by_products import by_product
from stratifn.shared.arrays import read_arrays
from stratifn.shared.columns import Column, Table
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import atomic_path, reading_users
from stratifn.shared.machine import FAULTS, MachineError, machine_error
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_anndata, read_table

# what h5py 3.16 says when a disk is full, in an OSError or, where it closes objects, a RuntimeError
HDF5_TEXT = (
    "Can't decrement id ref count (file write failed: time = Wed Nov 25 11:14:56 2026\n, filename = 'results/rna.h5ad', "
    "file descriptor = 3, errno = 28, error message = 'No space left on device', buf = 0x55d624b6d7b8, total write "
    "size = 800, bytes this sub-write = 800, offset = 3545504)"
)
JOB = """
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import SimpleNamespace
import h5py
import numpy as np
import pandas as pd
from jobs import Files
from stratifn.running.entry_point import run
from stratifn.shared.columns import Column, Table
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import atomic_path
from stratifn.shared.tables import read_anndata, write_anndata, write_table

class PanicException(BaseException):
    pass

NOISE = np.random.default_rng(0).random((1000, 1000))

def matrix(folder):
    import anndata as ad
    write_anndata(ad.AnnData(NOISE), f"{folder}/result.h5ad")

def many_small_datasets(folder):
    # the disk is full when they are released, where h5py cannot raise
    with atomic_path(f"{folder}/result.h5") as path, h5py.File(path, "w") as file:
        for number in range(3000):
            file[f"x{number}"] = NOISE[0, :100]

def model(folder):
    # left open when the error comes
    with atomic_path(f"{folder}/result.hdf5") as path:
        file = h5py.File(path, "w")
        file["x"] = NOISE

def table(folder):
    noise = pd.DataFrame(NOISE).add_prefix("noise")
    write_table(noise, f"{folder}/result.tsv", Table("result.tsv", {"*": Column.of("number", 6)}))

def arrays(folder):
    with atomic_path(f"{folder}/result.npz") as path:
        np.savez(path, noise=NOISE)

def panic(folder):
    raise PanicException("comparison function does not implement a total order")

def user_mistake(folder):
    raise InputError(Problem("samples.tsv", "row 3", "x", "a number", "Correct it."))

def plain_sentence(folder):
    raise InputError("integration: no view is left.")

def too_much_memory(folder):
    np.ones((2**24, 2**24))

def too_many_open_files(folder):
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    opened = [open(f"{folder}/{number}", "w") for number in range(100)]

def too_large_a_file(folder):
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    table(folder)

def nothing(folder):
    pass

def damaged_result(folder):
    with open(f"{folder}/rna.h5ad", "wb") as file:
        file.write(b"half")
    read_anndata(f"{folder}/rna.h5ad")

def killed_worker(folder):
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        pool.submit(os._exit, 9).result()

def interrupt(folder):
    raise KeyboardInterrupt

def leave(folder):
    sys.exit(7)

name, folder, log, problems = sys.argv[1:]
job = SimpleNamespace(
    log=Files(log=log, problems=problems), rule="rule_of_the_test", input=Files(), output=Files(manifest=f"{folder}/files.tsv")
)
run(lambda snakemake: globals()[name](folder), job)
"""


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """A disk of 2 megabytes."""
    folder = tmp_path_factory.mktemp("small_disk")
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small disk that is filled here")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def run_job(root, name, folder, log, problems):
    environment = {"PYTHONPATH": f"{root / 'workflow' / 'scripts'}:{root / 'tests'}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", JOB, name, str(folder), str(log), str(problems)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("matrix", "result.h5ad"),
        ("many_small_datasets", "result.h5"),
        ("model", "result.hdf5"),
        ("table", "result.tsv"),
        ("arrays", "result.npz"),
    ],
)
def test_a_full_disk_is_told_in_one_sentence_and_is_no_crash(root, small_disk, tmp_path, kind, file):
    job = run_job(root, kind, small_disk, tmp_path / "job.log", tmp_path / "problems.json")
    assert job.returncode == 1
    fault = FAULTS[errno.ENOSPC]
    # nothing but the sentence, not even where Cython prints the traceback of what it cannot raise
    assert job.stderr == f"Machine: {small_disk / file} {fault.happened}; {fault.fix}.\n"
    (problem,) = json.loads((tmp_path / "problems.json").read_text())
    assert (problem["kind"], problem["source"]) == ("machine", str(small_disk / file))
    assert "Traceback" in (tmp_path / "job.log").read_text()
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_is_told_when_the_log_is_on_it_too(root, small_disk):
    log, problems = small_disk / "job.log", small_disk / "problems.json"
    filler = small_disk / "filler"
    filler.write_bytes(bytes(2 * 1024**2 - 3 * 4096))
    try:
        job = run_job(root, "table", small_disk, log, problems)
        assert job.returncode == 1
        assert job.stderr.splitlines()[-1].startswith(
            f"Machine: {small_disk / 'result.tsv'} could not be written because its"
        )
        assert "Logging error" not in job.stderr
    finally:
        for path in small_disk.iterdir():
            path.unlink()


def test_a_panic_is_an_error_with_its_traceback_in_the_log(root, tmp_path):
    job = run_job(root, "panic", tmp_path, tmp_path / "job.log", tmp_path / "problems.json")
    assert job.returncode == 1
    assert job.stderr.startswith("stratifn: stopped in rule rule_of_the_test: PanicException: comparison function does")
    assert "please report it" in job.stderr
    (problem,) = json.loads((tmp_path / "problems.json").read_text())
    assert problem["kind"] == "stratifn"
    assert "Traceback" not in job.stderr
    assert "Traceback" in (tmp_path / "job.log").read_text()


def test_a_users_mistake_is_told_and_listed_and_is_no_fault_of_the_machine(root, tmp_path):
    job = run_job(root, "user_mistake", tmp_path, tmp_path / "job.log", tmp_path / "problems.json")
    assert job.returncode == 1
    assert "row 3: found x; expected a number. Correct it." in job.stderr
    assert job.stderr.startswith("Input: 1 problem; nothing was computed.")
    (problem,) = json.loads((tmp_path / "problems.json").read_text())
    assert (problem["kind"], problem["where"]) == ("input", "row 3")


def test_a_job_without_problems_leaves_no_list_of_an_earlier_attempt(root, tmp_path):
    (tmp_path / "problems.json").write_text("[]")
    job = run_job(root, "nothing", tmp_path, tmp_path / "job.log", tmp_path / "problems.json")
    assert job.returncode == 0, job.stderr
    assert not (tmp_path / "problems.json").exists()


def test_a_plain_sentence_is_listed_too(root, tmp_path):
    run_job(root, "plain_sentence", tmp_path, tmp_path / "job.log", tmp_path / "problems.json")
    (problem,) = json.loads((tmp_path / "problems.json").read_text())
    assert (problem["kind"], problem["found"]) == ("input", "Input: integration: no view is left.")


@pytest.mark.parametrize(
    "kind", ["damaged_result", "killed_worker", "too_much_memory", "too_many_open_files", "too_large_a_file"]
)
def test_faults_of_the_machine_need_no_report(root, tmp_path, kind):
    job = run_job(root, kind, tmp_path, tmp_path / "job.log", tmp_path / "problems.json")
    assert job.returncode == 1
    assert job.stderr.startswith("Machine: "), job.stderr
    assert "report" not in job.stderr
    assert "Traceback" not in job.stderr
    assert json.loads((tmp_path / "problems.json").read_text())[0]["kind"] == "machine"


@pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz", "m.h5ad", "m.hdf5", "a.npz", "s.types.json"])
@pytest.mark.parametrize("content", [b"", b"\x89HDF", b"\x1f\x8b\x08\x00", b"\xff\xfe\x00"])
def test_a_damaged_file_of_stratifns_own_is_named_with_what_to_do(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    readers = {
        "t.tsv": lambda: read_table(path, Table("t.tsv", {"a": Column.of("number", 6)})),
        "t.tsv.gz": lambda: read_table(path, Table("t.tsv.gz", {"a": Column.of("number", 6)})),
        "m.h5ad": lambda: read_anndata(path),
        "m.hdf5": lambda: read_model(path),
        "a.npz": lambda: read_arrays(path),
        "s.types.json": lambda: read_samples(tmp_path / "s.tsv"),
    }
    with pytest.raises(MachineError, match=rf"Machine: {path} is damaged .*; delete it and start the run again"):
        readers[name]()
    path.unlink()
    with pytest.raises(MachineError, match=rf"Machine: {path} is missing; start the run again"):
        readers[name]()


@pytest.mark.parametrize(("kind", "code"), [("interrupt", -2), ("leave", 7)])
def test_an_interrupt_and_an_exit_stay_what_they_are(root, tmp_path, kind, code):
    job = run_job(root, kind, tmp_path, tmp_path / "job.log", tmp_path / "problems.json")
    assert job.returncode == code
    assert job.stderr == ""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a.tsv"),
            "a.tsv could not be written because its disk is full",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.tsv"),
            "a.tsv could not be read or written because perm",
        ),
        (PermissionError(errno.EPERM, "Not permitted", "a.tsv"), "a.tsv could not be read or written because perm"),
        (OSError(errno.ESTALE, "Stale file handle", "a.tsv"), "a.tsv could not be read or written because the network"),
        (OSError(errno.EMFILE, "Too many open files", "a.tsv"), "a.tsv could not be opened because too many files"),
        (RuntimeError("can't start new thread"), "The job could not be finished because no further process or thread"),
        (BrokenProcessPool("terminated abruptly"), "The job could not be finished because one of its processes was"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", b"a.tsv"), "a.tsv could not be written because the disk quota"),
        (OSError(errno.EROFS, "Read-only file system", "a.tsv"), "a.tsv could not be written because its file system"),
        (OSError(errno.EIO, "Input/output error", "a.tsv"), "a.tsv could not be read or written because the disk"),
        (
            OSError("Error writing bytes. Detail: [errno 28] No space left"),
            "The job could not be written because its disk",
        ),
        (OSError(HDF5_TEXT), "results/rna.h5ad could not be written because its disk is full"),
        (RuntimeError(HDF5_TEXT), "results/rna.h5ad could not be written because its disk is full"),
        (MemoryError("Unable to allocate 8 GiB"), "The job could not be finished because memory ran out"),
    ],
)
def test_faults_of_the_machine_are_recognised_in_whatever_form_libraries_raise_them(error, sentence):
    assert str(machine_error(error)).startswith(f"Machine: {sentence}")
    try:
        try:
            raise error
        except (OSError, RuntimeError, MemoryError):
            raise ValueError("while writing") from error
    except ValueError as wrapped:
        assert str(machine_error(wrapped)).startswith(f"Machine: {sentence}")


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file", "a.tsv"),
        OSError("Unable to open file (file signature not found)"),
        RuntimeError("28 genes"),
        ValueError("errno = 28"),
    ],
)
def test_other_errors_are_no_faults_of_the_machine(error):
    assert machine_error(error) is None


def test_the_file_is_the_one_that_was_to_be_and_not_its_temporary_name(tmp_path):
    with (
        pytest.raises(MachineError, match=rf"^Machine: {tmp_path}/out\.h5ad could not be written"),
        atomic_path(tmp_path / "out.h5ad") as temporary,
    ):
        raise OSError(errno.ENOSPC, "No space left on device", str(temporary))


@pytest.mark.parametrize(
    ("error", "found", "code"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "a.tsv"), "nothing there", "IN-001"),
        (PermissionError(errno.EACCES, "Permission denied", "a.tsv"), "no permission to read it", "IN-002"),
        (EOFError("Compressed file ended before the end"), "Compressed file ended before the end", "IN-014"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "text that is not UTF-8", "IN-007"),
    ],
)
def test_what_is_wrong_with_a_file_of_the_users_is_a_problem_of_the_input(error, found, code):
    with pytest.raises(InputError) as refused, reading_users("a.tsv", "a table", "Export it again."):
        raise error
    (problem,) = refused.value.problems
    assert (problem.kind, problem.source, problem.found, problem.code) == ("input", "a.tsv", found, code)
    assert machine_error(refused.value) is None


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), OSError(errno.ESTALE, "Stale"), MemoryError()]
)
def test_a_machine_that_cannot_read_a_users_file_is_no_problem_of_the_input(error):
    with pytest.raises(MachineError, match=r"^Machine: a\.tsv could not be"), reading_users("a.tsv", "a table", "Fix."):
        raise error


class PanicException(BaseException):
    """As Rust libraries raise it: no `Exception`."""


@pytest.mark.parametrize("error", [PanicException("no total\norder"), ValueError("no total order")])
def test_a_by_product_that_fails_leaves_a_note_and_the_log_its_traceback(error, caplog):
    def fail():
        raise error

    caplog.set_level("DEBUG", "stratifn")
    result, notes = by_product(fail, "nothing", view="rna", item="gene sets")
    assert result == "nothing"
    assert notes == [("rna", "gene sets", "not computed", f"{type(error).__name__}: no total order")]
    assert "Traceback" in caplog.text


def test_a_by_product_that_succeeds_leaves_no_note():
    assert by_product(lambda: 3, 0, view="rna", item="gene sets") == (3, [])


@pytest.mark.parametrize(
    "error",
    [
        InputError(Problem("a.gmt", "line 1", "", "a name", "Add it.")),
        MemoryError(),
        OSError(errno.ENOSPC, "No space left on device"),
        KeyboardInterrupt(),
    ],
)
def test_a_by_product_hides_neither_users_mistakes_nor_faults_of_the_machine(error):
    def fail():
        raise error

    with pytest.raises(type(error)):
        by_product(fail, None, view="rna", item="gene sets")
