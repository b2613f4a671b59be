"""Evidence of what jobs read and wrote, taken at the act: manifests of results, digests of the user's files.

Every job writes a manifest (path, bytes, sha256) of its outputs and digests each file before it reads it. A result must be
what its producer's manifest says. A file of the user's is listed in a table of sources by the first job that reads it; later
readers and the provenance compare with that table.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stratifn.shared.columns import table_of
from stratifn.shared.errors import MACHINE, InputError, Problem, listed
from stratifn.shared.machine import AGAIN, WRITTEN, MachineError, damaged
from stratifn.shared.tables import read_table, write_table

# one table for manifests and sources: a reference's manifest may be in a folder of any name
EVIDENCE = table_of("provenance/outputs.tsv")
# a manifest is called so, with the job's name before it where a folder has several
MANIFEST = "files.tsv"


@dataclass(frozen=True)
class Digest:
    """What is in a file.

    Attributes
    ----------
    bytes
        Its size.
    sha256
        SHA-256 of its content, hexadecimal.
    """

    bytes: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.bytes} bytes with the SHA-256 {self.sha256[:12]}..."


@dataclass(frozen=True)
class Reading:
    """The files that a job reads, as they were before it read them.

    Attributes
    ----------
    digests
        By path, as the rule names it; of the files that evidence lists.
    states
        Size, time of the last change (ns) and inode, by path.
    unlisted
        The files that no evidence lists: the user's, read for the first time.
    """

    digests: Mapping[str, Digest]
    states: Mapping[str, tuple[int, int, int] | None]
    unlisted: list[str]

    def digest(self, path: str) -> Digest | None:
        """Digest a file of the user's that is read for the first time; `require_unchanged` tells if it is what was read.

        Not before: a mistake in a large file is found in less time than its digest takes.
        """
        return self.digests.get(path) or digest_of(path)

    def require_unchanged(self) -> None:
        """Compare every file with its state before it was read.

        Raises
        ------
        InputError
            A file was changed, replaced or removed meanwhile.
        """
        changed = [path for path, state in self.states.items() if _state(path) != state]
        if changed:
            raise InputError([_changed_while_read(path) for path in changed])


def digest_of(path: str | os.PathLike) -> Digest | None:
    """Digest a file; None where there is none, or none that may be read."""
    try:
        with open(path, "rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
            return Digest(os.fstat(handle.fileno()).st_size, sha256)
    except (FileNotFoundError, PermissionError):
        return None


def begin_reading(paths: Iterable[str], manifests: Collection[str], sources: Collection[str]) -> Reading:
    """Compare what a job is going to read with the evidence of other jobs, and remember the state of the rest.

    Parameters
    ----------
    paths
        Every input of the job.
    manifests, sources
        Those of the inputs that are manifests and tables of sources.

    Raises
    ------
    MachineError
        Lists every result that is missing or is not what its producer wrote.
    InputError
        Lists every file of the user's that is not what an earlier job read.
    """
    results, used = written(manifests), listed_sources(sources)
    digests: dict[str, Digest] = {}
    states = {}
    damages, edits, unlisted = [], [], []
    for path in sorted(set(paths) - set(manifests)):
        where, states[path] = os.path.normpath(path), _state(path)
        if where not in results | used:
            unlisted += [path] if os.access(path, os.R_OK) else []
            continue
        found = digest_of(path)
        damages.append(_damage(path, found, results.get(where)))
        edits.append(_edit(path, found, used.get(where)))
        if found:
            digests[path] = found
    _require_none(damages, MachineError)
    _require_none(edits, InputError)
    return Reading(digests, states, unlisted)


def digests_of(paths: Iterable[str | os.PathLike], folder: Path | None = None) -> dict[str, Digest]:
    """Digest files, folders file by file, by their path as it is given or relative to `folder`.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    found = {}
    for file in files_of(paths):
        digest = digest_of(file)
        if digest is None:
            raise FileNotFoundError(f"{file} was not written")
        found[Path(os.path.relpath(file, folder)).as_posix() if folder else os.fspath(file)] = digest
    return found


def _require_none(problems: Iterable[Problem | None], error: type[InputError] | type[MachineError]) -> None:
    found = [problem for problem in problems if problem]
    if found:
        raise error(found)


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _damage(path: str, found: Digest | None, expected: Digest | None) -> Problem | None:
    """Tell that a result is not what its producer wrote."""
    if expected in (None, found):
        return None
    if found:
        happened = f"is not what stratifn wrote there ({found}; it wrote {expected})"
        return Problem(path, "the file", happened, WRITTEN, f"delete it and {AGAIN}", MACHINE)
    happened = "cannot be read: permission is denied" if os.path.exists(path) else "is missing"
    return Problem(path, "the file", happened, WRITTEN, AGAIN, MACHINE)


def _edit(path: str, found: Digest | None, expected: Digest | None) -> Problem | None:
    """Tell that a file of the user's is not the one that an earlier job read."""
    if expected in (None, found):
        return None
    return Problem(
        path,
        "the file",
        str(found or "no file that can be read"),
        f"the file that an earlier job read: {expected}",
        "Restore it, or keep this one, `touch` it and run again: all results will come from it.",
        code="IN-230",
    )


def _changed_while_read(path: str) -> Problem:
    return Problem(
        path,
        "the file",
        "a file that was changed while it was read",
        "the same file until the job has ended",
        "Wait until it is complete and run again.",
        code="IN-231",
    )


def written(manifests: Iterable[str | os.PathLike]) -> dict[str, Digest]:
    """Read manifests: what jobs wrote, by path.

    Raises
    ------
    MachineError
        A manifest is damaged.
    """
    return {
        os.path.normpath(os.path.join(os.path.dirname(manifest), name)): digest
        for manifest in manifests
        for name, digest in _read(manifest)
    }


def listed_sources(tables: Iterable[str | os.PathLike]) -> dict[str, Digest]:
    """Read tables of sources: what the user's files were, by path.

    Raises
    ------
    MachineError
        A table is damaged.
    InputError
        Two tables disagree: a file was edited between two jobs.
    """
    found: dict[str, Digest] = {}
    problems = []
    for table in tables:
        for name, digest in _read(table):
            path = os.path.normpath(name)
            problems.append(_edit(name, digest, found.setdefault(path, digest)))
    _require_none(problems, InputError)
    return found


def _read(path: str | os.PathLike) -> list[tuple[str, Digest]]:
    rows = read_table(path, EVIDENCE)
    if list(rows.columns) != list(EVIDENCE.columns):
        raise damaged(path, f"its columns are {listed(rows.columns)}")
    # cut off within its last row, it would accuse that row's file
    if not rows["sha256"].str.fullmatch("[0-9a-f]{64}").all():
        raise damaged(path, "a SHA-256 is not complete")
    return [(row.path, Digest(row.bytes, row.sha256)) for row in rows.itertuples()]


def write_evidence(digests: Mapping[str, Digest], path: str | os.PathLike) -> None:
    """Write a table of sources, or of what a job wrote, sorted by path."""
    rows = [(name, digest.bytes, digest.sha256) for name, digest in sorted(digests.items())]
    write_table(pd.DataFrame(rows, columns=list(EVIDENCE.columns)), path, EVIDENCE)


def write_manifest(outputs: Iterable[str | os.PathLike], path: str | os.PathLike) -> None:
    """Digest what a job wrote, folders file by file, and list it by path relative to the manifest.

    Raises
    ------
    FileNotFoundError
        The job did not write one of its outputs.
    """
    write_evidence(digests_of(outputs, Path(path).parent), path)


def files_of(outputs: Iterable[str | os.PathLike]) -> Iterator[Path]:
    """Yield every output, and every file of an output that is a folder.

    Names that start with a dot are half-written files of a killed job, or Snakemake's own time stamps.
    """
    for output in map(Path, outputs):
        if output.is_dir():
            yield from (path for path in output.rglob("*") if path.is_file() and not path.name.startswith("."))
        else:
            yield output


def joined_results(manifests: Collection[str | os.PathLike], folder: Path) -> dict[str, Digest]:
    """Join manifests, and check that every file is still what its producer wrote.

    Parameters
    ----------
    manifests
        Paths; those outside `folder` are left out.
    folder
        ``results/{cohort}`` or ``results/transfer/{name}``.

    Returns
    -------
    dict
        The manifests themselves and all that they list, by path below `folder`.

    Raises
    ------
    MachineError
        Lists every file that is missing or another one.
    """
    manifests = [path for path in manifests if Path(path).is_relative_to(folder)]
    expected = written(manifests)
    _require_none((_damage(path, digest_of(path), digest) for path, digest in sorted(expected.items())), MachineError)
    own = {os.fspath(path): digest for path in manifests if (digest := digest_of(path))}
    return {Path(os.path.relpath(path, folder)).as_posix(): digest for path, digest in (expected | own).items()}


def joined_sources(tables: Iterable[str | os.PathLike]) -> dict[str, Digest]:
    """Join tables of sources, and check that every file is still what was read.

    Raises
    ------
    InputError
        Lists every file that is missing or another one.
    """
    used = listed_sources(tables)
    _require_none((_edit(path, digest_of(path), digest) for path, digest in sorted(used.items())), InputError)
    return used


def differences(folder: Path) -> list[str]:
    """Compare a folder of results with its manifests.

    Parameters
    ----------
    folder
        Of one cohort, or of all results.

    Returns
    -------
    list of str
        One sentence per file that is missing, changed or foreign, by path.
    """
    manifests = [path for path in files_of([folder]) if is_manifest(path)]
    expected: dict[str, list[Digest]] = {}
    joined = {path.as_posix(): path.parents[1] for path in files_of([folder]) if path.match("provenance/outputs.tsv")}
    rows = [(os.path.normpath(root / name), digest) for path, root in joined.items() for name, digest in _read(path)]
    # a manifest that was changed is named itself and says nothing of others, which are joined already
    listed_manifests = dict(rows)
    rows += written(
        path for path in manifests if listed_manifests.get(os.path.normpath(path)) in (None, digest_of(path))
    ).items()
    for name, digest in rows:
        expected.setdefault(name, []).append(digest)
    found = {os.path.normpath(path): path for path in files_of([folder])}
    sentences = dict.fromkeys(set(found) - set(expected) - set(map(os.path.normpath, manifests)), "is in no manifest")
    for name, digests in expected.items():
        now = digest_of(name)
        if now is None:
            sentences[name] = "is missing"
        elif any(digest != now for digest in digests):
            sentences[name] = f"has {now}; stratifn wrote {next(digest for digest in digests if digest != now)}"
    return [f"{name} {sentence}" for name, sentence in sorted(sentences.items())]


def is_manifest(path: Path) -> bool:
    """Tell whether a file has the name of a manifest."""
    return path.name == MANIFEST or path.name.endswith(f"_{MANIFEST}")
