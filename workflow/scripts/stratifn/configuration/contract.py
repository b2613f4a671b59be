"""The contract of the results: which files a cohort has, and what is in the columns of every table."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
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
    for entry in [*contract["tables"], *({"path": path} for path in contract["files"])]:
        pattern = _pattern(entry["path"])
        matches = sorted(name for name in files if pattern.fullmatch(name) and name not in known)
        known |= set(matches)
        # a table per contrast or view may be absent where a cohort has none
        if not matches and "{" not in entry["path"] and not entry.get("optional"):
            found.append(f"{entry['path']} is missing")
        if "columns" in entry:
            found += [breach for name in matches for breach in _table_breaches(folder / name, name, entry)]
    inside = tuple(f"{name}/" for name in contract["folders"])
    found += [f"{name} is not in the contract" for name in sorted(files - known) if not name.startswith(inside)]
    return found


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[a-z_]+\\\}", NAME, re.escape(path)))


def _table_breaches(path: Path, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    columns, named = list(table.columns), list(entry["columns"])
    if not _fits(columns, named, entry.get("more", False)):
        yield f"{name} has the columns {', '.join(columns)}; the contract says {', '.join(named)}"
        return
    for column in columns:
        rule = next((rule for star, rule in entry["columns"].items() if fnmatch.fnmatchcase(column, star)), "text?")
        cells = table[column]
        if rule.endswith("?"):
            cells = cells[cells.ne("NA") & cells.ne("")]
        wrong = cells[~CHECKS[rule.removesuffix("?")](cells)]
        if len(wrong):
            yield f"{name}, column {column}: {wrong.iloc[0]!r} is no {rule} ({len(wrong)} cells)"


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
