"""Columns of every result table, read from ``outputs.yaml``, the only list of them."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from stratifn.shared.package_data import output_contract
from stratifn.shared.vocabulary import ID

# a name of the run in a path; `{level}_vs_{baseline}` is longer than an id
NAME = ID.replace("{0,63}", "*")


@dataclass(frozen=True)
class Column:
    """What the cells of a column are.

    Attributes
    ----------
    kind
        ``text``, ``integer``, ``number`` or ``boolean``.
    missing
        Whether a cell may be missing. In a column of text that may not, ``NA`` is a name.
    digits
        Significant digits of a number; None prints the shortest text that reads back as the same number.
    """

    kind: str
    missing: bool = False
    digits: int | None = None

    @classmethod
    def of(cls, rule: str, digits: int | None = None) -> Column:
        """Read a type as ``outputs.yaml`` writes it: ``number``, or ``number?`` where a cell may be missing."""
        return cls(rule.removesuffix("?"), rule.endswith("?"), digits)

    @property
    def rule(self) -> str:
        """The type as ``outputs.yaml`` writes it."""
        return self.kind + "?" * self.missing


# a column that the contract does not name is read as it is written
UNNAMED = Column("text", missing=True)


@dataclass(frozen=True)
class Table:
    """A table of the contract.

    Attributes
    ----------
    path
        Below the cohort's folder, with ``{view}`` and the like for names of the run.
    columns
        By name, in order; ``*`` in a name stands for anything.
    more
        Whether other columns may follow.
    """

    path: str
    columns: Mapping[str, Column]
    more: bool = False

    @classmethod
    def of(cls, entry: Mapping[str, Any], digits: int | None = None) -> Table:
        """Read an entry of ``outputs.yaml``; numbers have `digits` where it does not say so itself."""
        own = entry.get("digits", {})
        columns = {name: Column.of(rule, own.get(name, digits)) for name, rule in entry["columns"].items()}
        return cls(entry["path"], columns, entry.get("more", False))

    @property
    def pattern(self) -> re.Pattern[str]:
        """What the path below the cohort's folder matches."""
        return path_pattern(self.path)

    def column(self, name: str) -> Column | None:
        """Return what is in a column; None for one that the contract does not name."""
        if name in self.columns:
            return self.columns[name]
        return next((column for star, column in self.columns.items() if fnmatch.fnmatchcase(name, star)), None)


def path_pattern(path: str) -> re.Pattern[str]:
    """Return what a path of the contract matches."""
    return re.compile(re.sub(r"\\\{[a-z_]+\\\}", lambda _: NAME, re.escape(path)))


def tables_of(contract: Mapping[str, Any], digits: int | None = None) -> tuple[Table, ...]:
    """Return the tables that a part of ``outputs.yaml`` lists.

    Parameters
    ----------
    contract
        With a key ``tables``.
    digits
        Significant digits of a number where a table does not say so itself.
    """
    return tuple(Table.of(entry, digits) for entry in contract["tables"])


def table_of(path: str | os.PathLike) -> Table:
    """Find the table that a file is, by the last parts of its path.

    Raises
    ------
    LookupError
        The contract has no such table.
    """
    whole = Path(os.path.abspath(path)).as_posix()
    for table in _contract():
        if re.search(rf"/{table.pattern.pattern}\Z", whole):
            return table
    raise LookupError(f"{path} is no table of the contract (workflow/schemas/outputs.yaml)")


def columns_of(path: str) -> tuple[str, ...]:
    """Return the columns of a table by its path as ``outputs.yaml`` writes it (``transfer/{name}/`` before a transfer's).

    Raises
    ------
    LookupError
        The contract has no such table.
    """
    for table in _contract():
        if table.path == path:
            return tuple(table.columns)
    raise LookupError(f"{path} is no table of the contract (workflow/schemas/outputs.yaml)")


@cache
def _contract() -> tuple[Table, ...]:
    """Return every table; those of new patients first, because their paths are the longer ones."""
    contract = output_contract()
    digits = contract["digits"]
    placed = [
        replace(table, path=f"transfer/{{name}}/{table.path}") for table in tables_of(contract["transfer"], digits)
    ]
    return (*placed, *tables_of(contract, digits), *tables_of(contract["simulated"], digits))


# of the notes of every phase
NOTE_COLUMNS = columns_of("inputs/notes.tsv")
