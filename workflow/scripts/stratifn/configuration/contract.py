"""The contract of the results: which files a configuration has, and what is in the columns of every table."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from stratifn.configuration.user_files import view_names
from stratifn.running.manifests import EVIDENCE
from stratifn.shared.columns import UNNAMED, Table
from stratifn.shared.comparisons import contrast_names, interferon_contrast_names
from stratifn.shared.vocabulary import MISSING, RNA

INTEGER = re.compile(r"^-?\d+$")
CHECKS = {
    "text": lambda cells: cells.ne(""),
    "number": lambda cells: pd.to_numeric(cells, errors="coerce").notna() & ~cells.str.contains("inf", case=False),
    "integer": lambda cells: cells.str.match(INTEGER),
    "boolean": lambda cells: cells.isin(["true", "false"]),
}
# what `when:` of an entry can ask of a cohort, or of new patients
CONDITIONS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    RNA: lambda item: RNA in view_names(item),
    "several_diseases": lambda item: len(item["diseases"]) > 1,
    "simulate": lambda item: bool(item.get("simulate")),
}


@dataclass(frozen=True)
class Output:
    """A file or folder that a configuration has.

    Attributes
    ----------
    path
        Below the folder of the cohort, or of the new patients.
    phase
        The phase that writes it; empty for files outside the phases' folders.
    kind
        ``table``, ``file``, ``sources``, ``manifest`` or ``folder``.
    entry
        Its entry in ``outputs.yaml``, with the columns of a table.
    """

    path: str
    phase: str
    kind: str
    entry: Mapping[str, Any]

    @property
    def is_one_of_many(self) -> bool:
        """Tell whether it is one file of several that are named after views, contrasts, diseases or seeds."""
        return "{" in self.entry["path"]


def holds(condition: str | None, item: Mapping[str, Any]) -> bool:
    """Tell whether a cohort, or new patients, meet an entry's ``when:``; without one they always do."""
    return condition is None or CONDITIONS[condition](item)


def entries(part: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """List the entries of the contract, or of its part ``transfer``, as (kind, entry); a bare path is an entry too."""
    for section, kind in (
        ("tables", "table"),
        ("files", "file"),
        ("sources", "sources"),
        ("manifests", "manifest"),
        ("folders", "folder"),
    ):
        for entry in part[section]:
            yield kind, entry if isinstance(entry, Mapping) else {"path": entry}


def phase_of(entry: Mapping[str, Any]) -> str:
    """Name the phase that writes an entry: the first folder of its path, where the entry names no other."""
    first, slash, _ = entry["path"].partition("/")
    return entry.get("phase", first if slash else "")


def phase_tables(part: Mapping[str, Any], phase: str) -> list[str]:
    """Return the paths of a phase's tables as the contract writes them."""
    return [entry["path"] for kind, entry in entries(part) if kind == "table" and phase_of(entry) == phase]


def outputs(part: Mapping[str, Any], item: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> list[Output]:
    """List every output of a cohort, or of new patients.

    Parameters
    ----------
    part
        The contract, or its part ``transfer``.
    item
        The cohort, or the new patients, as completed by `stratifn.configuration.config.complete_config`.
    names
        What each placeholder of the paths stands for.
    """
    return [
        Output(path, phase_of(entry), kind, entry)
        for kind, entry in entries(part)
        if holds(entry.get("when"), item)
        for path in _filled(entry["path"], names)
    ]


def _filled(path: str, names: Mapping[str, Sequence[str]]) -> Iterator[str]:
    placeholders = re.findall(r"\{([a-z_]+)\}", path)
    for values in product(*(names[placeholder] for placeholder in placeholders)):
        yield path.format_map(dict(zip(placeholders, values, strict=True)))


def cohort_outputs(contract: Mapping[str, Any], cohort: Mapping[str, Any], config: Mapping[str, Any]) -> list[Output]:
    """List every output of a cohort of a completed configuration."""
    diseases = cohort["diseases"]
    names = {
        "view": view_names(cohort),
        "disease": diseases,
        "seed": [str(seed) for seed in config["integration"]["seeds"]],
        "contrast": [
            *contrast_names(diseases, cohort["control"], config["contrasts"]),
            *interferon_contrast_names(diseases),
        ],
        "simulated_view": [view["path"] for view in cohort["views"]],
    }
    return outputs(contract, cohort, names)


def transfer_outputs(contract: Mapping[str, Any], item: Mapping[str, Any]) -> list[Output]:
    """List every output of new patients of a completed configuration."""
    return outputs(contract["transfer"], item, {"view": view_names(item)})


def named_tables(part: Mapping[str, Any], found: Iterable[Output]) -> dict[str, str]:
    """Name every table for the report by its file, and by its phase too where the contract has several files so called.

    Tables that are one of many (per contrast or view) have no name.

    Returns
    -------
    dict
        Name to path.
    """
    stems = Counter(_stem(entry["path"]) for kind, entry in entries(part) if kind == "table")
    return {
        f"{output.phase}_{_stem(output.path)}" if stems[_stem(output.path)] > 1 else _stem(output.path): output.path
        for output in found
        if output.kind == "table" and not output.is_one_of_many
    }


def _stem(path: str) -> str:
    return PurePosixPath(path).name.partition(".")[0]


def breaches(folder: Path, expected: Iterable[Output]) -> list[str]:
    """Compare results with the contract.

    Parameters
    ----------
    folder
        ``results/{cohort}`` or ``results/transfer/{name}``.
    expected
        What `cohort_outputs` or `transfer_outputs` lists.

    Returns
    -------
    list of str
        One sentence per breach: an output that is missing, a file that this configuration does not have, columns that
        differ, cells of another type.
    """
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    files = {name for name in files if not Path(name).name.startswith(".")}
    known: set[str] = set()
    found: list[str] = []
    for output in expected:
        inside = f"{output.path}/"
        known |= {name for name in files if name == output.path or name.startswith(inside)}
        if not (folder / output.path).exists():
            found.append(f"{output.path} is missing")
        elif output.kind == "table":
            found += _table_breaches(folder / output.path, output.path, Table.of(output.entry))
        elif output.kind in ("sources", "manifest"):
            found += _table_breaches(folder / output.path, output.path, EVIDENCE)
    return found + [f"{name} is not in the contract of this configuration" for name in sorted(files - known)]


def _table_breaches(path: Path, name: str, table: Table) -> Iterator[str]:
    text = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    columns, named = list(text.columns), list(table.columns)
    if not _fits(columns, named, table.more):
        yield f"{name} has the columns {', '.join(columns)}; the contract says {', '.join(named)}"
        return
    for header in columns:
        column, cells = table.column(header) or UNNAMED, text[header]
        if column.missing:
            cells = cells[cells.ne(MISSING) & cells.ne("")]
        wrong = cells[~CHECKS[column.kind](cells)]
        if len(wrong):
            yield f"{name}, column {header}: {wrong.iloc[0]!r} is no {column.rule} ({len(wrong)} cells)"


def _fits(columns: list[str], named: list[str], more: bool) -> bool:
    """Tell whether columns come in the contract's order; a starred name stands for any number of columns."""
    rest = list(columns)
    for name in named:
        if "*" in name:
            while rest and fnmatch.fnmatchcase(rest[0], name):
                rest.pop(0)
        elif not rest or rest.pop(0) != name:
            return False
    return more or not rest
