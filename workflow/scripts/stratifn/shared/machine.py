"""Faults of the machine, not of the input or of stratifn: a full disk, a quota, a damaged result, memory."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from stratifn.shared.errors import HEADINGS, MACHINE, InputError, Problem


@dataclass(frozen=True)
class Fault:
    """What a file or job suffered from.

    Attributes
    ----------
    happened
        What follows its name in a sentence.
    expected
        What was needed.
    fix
        What to do.
    """

    happened: str
    expected: str
    fix: str


WRITTEN = "the file as stratifn wrote it"
AGAIN = "start the run again (finished results are kept)"
MORE_MEMORY = "ask for more (`--set-resources RULE:mem_mb=...`) or run fewer jobs at once (`--cores`)"
FULL_DISK = Fault(
    "could not be written because its disk is full", "free space on that disk", f"free space there and {AGAIN}"
)
QUOTA = Fault(
    "could not be written because the disk quota is used up",
    "space within the quota",
    f"delete what is no longer needed or ask for a larger quota, and {AGAIN}",
)
READ_ONLY = Fault(
    "could not be written because its file system is read-only",
    "a folder that can be written",
    "run in a writable folder (`--directory`)",
)
DENIED = Fault(
    "could not be read or written because permission is denied",
    "a file and folder that you may read and write",
    "correct its permissions (`ls -ld` shows them), or run in a folder of your own (`--directory`)",
)
DISK = Fault(
    "could not be read or written because the disk reported an input/output error",
    "a disk without errors",
    f"ask the administrators to check the disk, then {AGAIN}",
)
NETWORK = Fault(
    "could not be read or written because the network file system lost it (a stale handle or connection)",
    "a network file system that answers",
    f"check that the folder can be listed on that machine (`ls`), then {AGAIN}",
)
TOO_LARGE = Fault(
    "could not be written because it is larger than this system allows",
    "room for a file of that size",
    f"raise the limit (`ulimit -f unlimited`) or run on another file system (`--directory`), and {AGAIN}",
)
OPEN_FILES = Fault(
    "could not be opened because too many files are open",
    "a higher limit of open files",
    f"raise the limit (`ulimit -n 4096`) and {AGAIN}",
)
PROCESSES = Fault(
    "could not be finished because no further process or thread could be started",
    "a higher limit of processes",
    f"raise the limit (`ulimit -u`) or run fewer jobs at once (`--cores`), and {AGAIN}",
)
MEMORY = Fault("could not be finished because memory ran out", "enough memory", MORE_MEMORY)
WORKER = Fault(
    "could not be finished because one of its processes was killed, most often because memory ran out",
    "processes that live to their end",
    MORE_MEMORY,
)
FAULTS = {
    errno.ENOSPC: FULL_DISK,
    errno.EDQUOT: QUOTA,
    errno.EROFS: READ_ONLY,
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EIO: DISK,
    errno.ESTALE: NETWORK,
    errno.ENOTCONN: NETWORK,
    errno.ESHUTDOWN: NETWORK,
    errno.EREMOTEIO: NETWORK,
    errno.EFBIG: TOO_LARGE,
    errno.EMFILE: OPEN_FILES,
    errno.ENFILE: OPEN_FILES,
    errno.EAGAIN: PROCESSES,
    errno.ENOMEM: MEMORY,
}
# HDF5 and Arrow put it only in the text, some of them in a RuntimeError
ERRNO_IN_TEXT = re.compile(r"\berrno\s*=?\s*(\d+)", re.IGNORECASE)
FILE_IN_TEXT = re.compile(r"filename = '([^']+)'")
NO_THREAD = "can't start new thread"


class MachineError(Exception):
    """The machine stopped the job; the message names the file, where there is one, and what to do.

    Parameters
    ----------
    problems
        One or more, of kind `MACHINE`.
    """

    def __init__(self, problems: Problem | Iterable[Problem]):
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        sentences = [f"{each.source or 'The job'} {each.found}; {each.fix}." for each in self.problems]
        listed = sentences if len(sentences) == 1 else [f"{len(sentences)} problems.", *(f"  - {s}" for s in sentences)]
        super().__init__(f"{HEADINGS[MACHINE]}: " + "\n".join(listed))


def fault_error(fault: Fault, path: str | os.PathLike | None = None) -> MachineError:
    """Make the error of a fault, of the file `path` where there is one."""
    source = os.fspath(path) if path else ""
    where = "the file" if source else "the job"
    return MachineError(Problem(source, where, fault.happened, fault.expected, fault.fix, MACHINE))


def damaged(path: str | os.PathLike, reason: object) -> MachineError:
    """Make the error of a file that stratifn wrote and that is gone, or no longer what was written.

    Parameters
    ----------
    path
        The file.
    reason
        How that was seen: an exception or a few words.
    """
    if isinstance(reason, FileNotFoundError):
        return fault_error(Fault("is missing", WRITTEN, AGAIN), path)
    text = " ".join(str(reason).split()) or type(reason).__name__
    return fault_error(Fault(f"is damaged ({text})", WRITTEN, f"delete it and {AGAIN}"), path)


def machine_error(error: BaseException, path: str | os.PathLike | None = None) -> MachineError | None:
    """Return the `MachineError` of an exception; None where neither it nor its causes come from the machine.

    Parameters
    ----------
    error
        Any exception; its causes are looked at too. A problem of the input is none of the machine's, whatever its
        cause: a sheet without permission to read it is one.
    path
        The file that was being read or written, where that is known better than from the error.
    """
    if isinstance(error, InputError):
        return None
    for each in _with_causes(error):
        if isinstance(each, MachineError):
            return each
        fault = _fault(each)
        if fault is not None:
            return fault_error(fault, path or _file(each))
    return None


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _fault(error: BaseException) -> Fault | None:
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, BrokenProcessPool):
        return WORKER
    if not isinstance(error, OSError | RuntimeError):
        return None
    if NO_THREAD in str(error):
        return PROCESSES
    found = ERRNO_IN_TEXT.search(str(error))
    numbers = (getattr(error, "errno", None), int(found.group(1)) if found else None)
    return next((FAULTS[number] for number in numbers if number in FAULTS), None)


def _file(error: BaseException) -> str | None:
    named = getattr(error, "filename", None)
    found = FILE_IN_TEXT.search(str(error))
    return os.fsdecode(named) if isinstance(named, str | bytes) else found.group(1) if found else None
