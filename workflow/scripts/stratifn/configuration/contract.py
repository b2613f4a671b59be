"""The contract of the results: which files a cohort has, and what is in the columns of every table."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from stratifn.shared.columns import UNNAMED, Table, path_pattern, tables_of
from stratifn.shared.vocabulary import MISSING

INTEGER = re.compile(r"^-?\d+$")
CHECKS = {
    "text": lambda cells: cells.ne(""),
    "number": lambda cells: pd.to_numeric(cells, errors="coerce").notna() & ~cells.str.contains("inf", case=False),
    "integer": lambda cells: cells.str.match(INTEGER),
    "boolean": lambda cells: cells.isin(["true", "false"]),
}


def breaches(folder: Path, contract: Mapping[str, Any]) -> list[str]:
    """Compare a cohort's results with the contract.

    Parameters
    ----------
    folder
        ``results/{cohort}``.
    contract
        The content of ``outputs.yaml``. Of two entries that fit a file the first one has it.

    Returns
    -------
    list of str
        One sentence per breach: a file that is missing or unknown, columns that differ, cells of another type.
    """
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    files = {name for name in files if not Path(name).name.startswith(".")}
    known: set[str] = set()
    found: list[str] = []
    for table in tables_of(contract):
        matches = _matches(table.path, files - known)
        known |= set(matches)
        if not matches and "{" not in table.path and not table.optional:
            found.append(f"{table.path} is missing")
        found += [breach for name in matches for breach in _table_breaches(folder / name, name, table)]
    for path in contract["files"]:
        matches = _matches(path, files - known)
        known |= set(matches)
        # a file per view may be absent where a cohort has none
        if not matches and "{" not in path:
            found.append(f"{path} is missing")
    inside = tuple(f"{name}/" for name in contract["folders"])
    found += [f"{name} is not in the contract" for name in sorted(files - known) if not name.startswith(inside)]
    return found


def _matches(path: str, files: set[str]) -> list[str]:
    pattern = path_pattern(path)
    return sorted(name for name in files if pattern.fullmatch(name))


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
