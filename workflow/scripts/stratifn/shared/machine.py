"""Faults of the machine, not of the input or of stratifn: a full disk, a used-up quota, memory."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

# what happened to the file, and what to do
FAULTS = {
    errno.ENOSPC: (
        "could not be written because its disk is full",
        "free space there and start the run again (finished results are kept)",
    ),
    errno.EDQUOT: (
        "could not be written because the disk quota is used up",
        "delete what is no longer needed or ask for a larger quota, and start the run again (finished results are kept)",
    ),
    errno.EROFS: (
        "could not be written because its file system is read-only",
        "run in a writable folder (`--directory`)",
    ),
    errno.EIO: (
        "could not be read or written because the disk reported an input/output error",
        "ask the administrators to check the disk, then start the run again",
    ),
    errno.ENOMEM: (
        "could not be finished because memory ran out",
        "ask for more (`--set-resources RULE:mem_mb=...`) or run fewer jobs at once (`--cores`)",
    ),
}
# HDF5 and Arrow put it only in the text, some of them in a RuntimeError
ERRNO_IN_TEXT = re.compile(r"\berrno\s*=?\s*(\d+)", re.IGNORECASE)
FILE_IN_TEXT = re.compile(r"filename = '([^']+)'")


class MachineError(Exception):
    """The machine stopped the job; the message names the file, where there is one, and what to do.

    Parameters
    ----------
    number
        A key of `FAULTS`.
    path
        The file that was read or written.
    """

    def __init__(self, number: int, path: str | os.PathLike | None):
        happened, advice = FAULTS[number]
        super().__init__(f"{os.fspath(path) if path else 'The job'} {happened}; {advice}.")


def machine_error(error: BaseException, path: str | os.PathLike | None = None) -> MachineError | None:
    """Return the `MachineError` of an exception; None where neither it nor its causes come from the machine.

    Parameters
    ----------
    error
        Any exception; its causes are looked at too.
    path
        The file that was being written, where that is known better than from the error.
    """
    for each in _with_causes(error):
        if isinstance(each, MachineError):
            return each
        number = _number(each)
        if number is not None:
            return MachineError(number, path or _file(each))
    return None


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _number(error: BaseException) -> int | None:
    """Return the key of `FAULTS` for an exception."""
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if not isinstance(error, OSError | RuntimeError):
        return None
    found = ERRNO_IN_TEXT.search(str(error))
    numbers = (getattr(error, "errno", None), int(found.group(1)) if found else None)
    return next((number for number in numbers if number in FAULTS), None)


def _file(error: BaseException) -> str | None:
    named = getattr(error, "filename", None)
    found = FILE_IN_TEXT.search(str(error))
    return os.fsdecode(named) if isinstance(named, str | bytes) else found.group(1) if found else None
