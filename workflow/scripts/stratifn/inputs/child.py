"""Read a file in a child process: what ends that process does not end the job.

HDF5 and Arrow are native code, which a damaged file can bring to a crash. The child inherits everything that is
imported, so that it costs some hundredths of a second; the numbers come back in memory that both see.
"""

from __future__ import annotations

import faulthandler
import json
import mmap
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from stratifn.inputs.contents import EXPORT_AGAIN
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.shared.errors import MACHINE, InputError, Problem
from stratifn.shared.files import reading_users
from stratifn.shared.machine import WORKER, MachineError, fault_error

Allocate = Callable[[tuple[int, int], type], np.ndarray]


def read_in_child(path: str, expected: str, read: Callable[[Allocate], RawMatrix]) -> RawMatrix:
    """Read a matrix in a child process.

    Parameters
    ----------
    path
        The file, as the user wrote it.
    expected
        What the file should be, for the message.
    read
        Reads it; it takes the memory of the values from the function that it is given, at most once.

    Raises
    ------
    InputError
        The file is not what it should be, or ended the process that read it.
    MachineError
        The machine could not read it, or ended the process for lack of memory.
    """
    if not hasattr(os, "memfd_create"):  # elsewhere than on Linux
        with reading_users(path, expected, EXPORT_AGAIN):
            return read(np.empty)
    values, words = os.memfd_create("values"), os.memfd_create("words")
    try:
        child = os.fork()
        if child == 0:
            _child(path, expected, read, values, words)
        _, status = os.waitpid(child, 0)
        _check_end(path, expected, status)
        return _received(path, values, words)
    finally:
        os.close(values)
        os.close(words)


def _child(path: str, expected: str, read: Callable[[Allocate], RawMatrix], values: int, words: int) -> None:
    """Read, leave what was found in the two files, and end without the parent's clean-up."""
    code = 1
    try:
        # the parent says in a sentence what ended this process
        faulthandler.disable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        told = _told(path, expected, read, values)
        with open(words, "wb", closefd=False) as handle:
            handle.write(json.dumps(told).encode())
        code = 0
    finally:
        os._exit(code)


def _told(path: str, expected: str, read: Callable[[Allocate], RawMatrix], values: int) -> dict:
    def allocate(shape: tuple[int, int], dtype: type) -> np.ndarray:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        _refuse_claim(path, shape, size)
        os.ftruncate(values, max(size, 1))
        return np.frombuffer(mmap.mmap(values, max(size, 1)), dtype, count=int(np.prod(shape))).reshape(shape)

    try:
        with reading_users(path, expected, EXPORT_AGAIN):
            matrix = read(allocate)
    except (InputError, MachineError) as error:
        return {"problems": [asdict(problem) for problem in error.problems]}
    return {
        "shape": matrix.values.shape,
        "dtype": matrix.values.dtype.str,
        "rows": matrix.rows,
        "columns": matrix.columns,
        "gene_names": matrix.gene_names,
        "texts": [[row, column, text] for (row, column), text in matrix.texts.items()],
        "corrections": matrix.corrections,
        "made_by": matrix.made_by,
        "kinds": matrix.kinds,
    }


def _refuse_claim(path: str, shape: tuple[int, int], size: int) -> None:
    """Refuse a file that says it holds more than this machine could."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        found = f"{shape[0]} x {shape[1]} values, {size / 2**30:.0f} GB"
        expected = f"a matrix that fits into the memory of this machine ({memory / 2**30:.0f} GB)"
        raise InputError(Problem(path, "the file", found, expected, EXPORT_AGAIN, code="IN-015"))


def _check_end(path: str, expected: str, status: int) -> None:
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        raise fault_error(
            replace(WORKER, happened="could not be read because the process that read it was killed"), path
        )
    if code in (-signal.SIGTERM, -signal.SIGINT):
        os.kill(os.getpid(), -code)
    if code:
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        found = f"a file that ends the process that reads it ({how})"
        raise InputError(Problem(path, "the file", found, expected, EXPORT_AGAIN, code="IN-014"))


def _received(path: str, values: int, words: int) -> RawMatrix:
    with open(words, "rb", closefd=False) as handle:
        handle.seek(0)
        told = json.loads(handle.read())
    if "problems" in told:
        problems = [Problem(**problem) for problem in told["problems"]]
        faults = [problem for problem in problems if problem.kind == MACHINE]
        raise MachineError(faults) if faults else InputError(problems)
    shape = tuple(told["shape"])
    count = int(np.prod(shape))
    matrix = np.empty(shape, told["dtype"])
    if count:
        shared = mmap.mmap(values, count * matrix.itemsize)
        matrix = np.frombuffer(shared, told["dtype"], count=count).reshape(shape)
    return RawMatrix(
        path,
        matrix,
        told["rows"],
        told["columns"],
        told["gene_names"],
        {(row, column): text for row, column, text in told["texts"]},
        [(item, what) for item, what in told["corrections"]],
        made_by=told["made_by"],
        kinds=tuple(told["kinds"]),
    )
