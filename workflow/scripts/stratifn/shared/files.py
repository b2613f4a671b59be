"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stratifn.shared.errors import InputError, Problem
from stratifn.shared.machine import MachineError, damaged, machine_error

# temporary files that are being written, in the order in which they were begun, and what each will be
_unfinished: dict[Path, Path] = {}


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place when the block ends well.

    A reader, or a run that is killed half-way, sees the old file or the new one, never a part. Two jobs that
    write the same file at once (a killed scheduler whose jobs live on) each write their own temporary file. What a
    killed job of this machine left behind is removed. The temporary file can be read by its owner alone; `path` gets the
    permissions that the user's umask gives new files.

    Raises
    ------
    MachineError
        The disk is full or the like; it names `path`.
    FileNotFoundError
        The block wrote nothing.
    """
    path = Path(path)
    try:
        with _temporary_beside(path) as temporary:
            _create_private(temporary)
            yield temporary
            if not temporary.stat().st_mtime_ns:
                raise FileNotFoundError(errno.ENOENT, "nothing was written", str(temporary))
            temporary.chmod(_mode_of_new_files())
            with open(temporary, "rb") as handle:
                os.fsync(handle.fileno())
            os.replace(temporary, path)
    except Exception as error:
        fault = machine_error(error, path)
        if fault is None or fault is error:
            raise
        raise fault from error


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = re.sub(r"[^A-Za-z0-9]+", "", platform.node()) or "localhost"
    _remove_leftovers(path, machine)
    # the suffix is kept last because writers (mofapy2, matplotlib, pandas) choose the format by it
    temporary = path.with_name(f".{path.stem}.{machine}-{os.getpid()}.tmp{path.suffix}")
    _unfinished[temporary] = path
    try:
        yield temporary
    finally:
        del _unfinished[temporary]
        temporary.unlink(missing_ok=True)


def _create_private(path: Path) -> None:
    """Create an empty file that only its owner can read, with time zero; whoever opens it to write keeps its mode."""
    # of an earlier process with this number; a link that somebody put there is not followed
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    os.utime(path, (0, 0))


def _mode_of_new_files() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask


def being_written() -> Path | None:
    """Return what `atomic_path` is writing at this moment, innermost where blocks are nested."""
    return next(reversed(_unfinished.values()), None)


def remove_unfinished() -> None:
    """Remove the temporary files that are being written, for a process that ends without leaving its blocks."""
    for temporary in _unfinished:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path, machine: str) -> None:
    """Remove the temporary files of `path` whose process on this machine is dead."""
    pattern = re.compile(re.escape(f".{path.stem}.{machine}-") + r"(\d+)" + re.escape(f".tmp{path.suffix}"))
    for leftover in path.parent.iterdir():
        match = pattern.fullmatch(leftover.name)
        if match and not _is_alive(int(match.group(1))):
            leftover.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # somebody else's, and alive
        return True
    return True


@contextmanager
def reading(path: str | os.PathLike) -> Iterator[None]:
    """Read a file that stratifn itself wrote: whatever goes wrong in the block is a fault of that file.

    Raises
    ------
    MachineError
        The file is damaged, or the machine could not read it; it names `path`.
    """
    try:
        yield
    except (InputError, MachineError):
        raise
    except Exception as error:
        raise (machine_error(error, path) or damaged(path, error)) from error


@contextmanager
def reading_users(path: str | os.PathLike, expected: str, fix: str) -> Iterator[None]:
    """Read a file of the user's: whatever goes wrong in the block is a problem of that file.

    Parameters
    ----------
    path
        The file, as the user wrote it.
    expected, fix
        Of a file that can be opened and is not what it should be.

    Raises
    ------
    InputError
        It is missing, must not be read, or is not what it should be.
    MachineError
        The machine could not read it.
    """
    source, where = os.fspath(path), "the file"
    try:
        yield
    except (InputError, MachineError):
        raise
    except FileNotFoundError as error:
        problem = Problem(source, where, "nothing there", expected, "Correct the path in the config.", code="IN-001")
        raise InputError(problem) from error
    except PermissionError as error:
        problem = Problem(
            source,
            where,
            "no permission to read it",
            expected,
            "Make it readable for you (`chmod u+r`).",
            code="IN-002",
        )
        raise InputError(problem) from error
    except Exception as error:
        fault = machine_error(error, path)
        if fault is not None:
            raise fault from error
        undecodable = isinstance(error, UnicodeDecodeError)
        found = "text that is not UTF-8" if undecodable else " ".join(str(error).split()) or type(error).__name__
        code = "IN-007" if undecodable else "IN-014"
        raise InputError(Problem(source, where, found, expected, fix, code=code)) from error


def write_text(text: str, path: str | os.PathLike) -> None:
    """Write UTF-8 text with Unix line ends, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(value: Any, path: str | os.PathLike) -> None:
    """Write JSON with sorted keys, so that the same value gives the same bytes."""
    write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", path)
