"""The type of every column of the sheet, number or factor, decided once; no later code guesses."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from stratifn.inputs.near import near_matches
from stratifn.shared.errors import Problem, listed
from stratifn.shared.samples import FACTOR, NUMBER
from stratifn.shared.vocabulary import MISSING_MARKS

# Python would also read 1_000, nan and inf
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# from this share of numbers on, the other cells are taken for mistakes
MOSTLY = 0.8
# so many different whole numbers may be amounts, or codes of groups: nobody can tell but the sheet's owner
FEWEST_CODES, MOST_CODES = 3, 12
SHOWN = 5


def as_number(cell: str) -> float:
    """Read a finite decimal number; NaN for anything else."""
    number = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    return number if math.isfinite(number) else math.nan


def known_types(schema: Mapping[str, Any]) -> dict[str, str]:
    """Return the type of every column that the schema of the sheet knows."""
    return {name: NUMBER if "number" in rule.get("type", ()) else FACTOR for name, rule in schema["properties"].items()}


def columns_of(design: str) -> set[str]:
    """Return the columns that a design uses; none without a design."""
    return {name.strip() for name in re.split("[+:]", design)}


def cells_named(cells: pd.Series, names: pd.Series) -> str:
    """Name the first of some cells by what is written there, sample and line of the sheet."""
    return listed(
        (f"{written!r} in sample {names[row]} (line {row})" for row, written in cells.items()),
        SHOWN,
    )


def numbers_of(
    cells: Sequence[object], plain: Callable[[str], str | None] = lambda cell: cell
) -> tuple[np.ndarray, dict[int, str]]:
    """Turn the cells of a column into numbers.

    Parameters
    ----------
    cells
        Text, or what a binary file holds (None where it is missing).
    plain
        Writes a cell with a decimal point; None where it could be read two ways.

    Returns
    -------
    numpy.ndarray
        NaN where a cell is missing or no number.
    dict
        What is written in the cells that are neither, by position.
    """
    values, odd = np.full(len(cells), np.nan), {}
    for place, cell in enumerate(cells):
        written = "" if cell is None else str(cell).strip()
        if written in MISSING_MARKS:
            continue
        number = plain(written)
        values[place] = np.nan if number is None else as_number(number)
        if np.isnan(values[place]):
            odd[place] = written if number is None else number
    return values, odd


def typed_sheet(
    samples: pd.DataFrame, path: str, declared: Mapping[str, str], design: str, schema: Mapping[str, Any]
) -> tuple[pd.DataFrame, list[Problem]]:
    """Give every column its type.

    A known column has the type of the schema. Another one is what the config's `types` says, else a number where all
    of its cells are numbers, else a factor.

    Parameters
    ----------
    samples
        Text, NaN where missing; indexed by the line of the sheet.
    path
        The sheet's name in messages.
    declared
        The config's `types`: column to ``factor`` or ``number``.
    design
        The cohort's design; empty where nothing is fitted.
    schema
        JSON Schema of a row of the sheet.

    Returns
    -------
    pandas.DataFrame
        Numbers as float64, everything else as text; NaN where missing.
    list of Problem
        Columns that are neither one nor the other, codes that may be amounts, `types` that cannot be.
    """
    declared = {str(name): kind for name, kind in declared.items()}
    known = known_types(schema)
    problems = list(_declaration_problems(declared, known, samples.columns))
    in_design = columns_of(design)
    # a column without a single value is one of text
    typed = samples.astype(object)
    for name in samples.columns:
        kind = known.get(name) or declared.get(name)
        if kind == FACTOR:
            continue
        cells = samples[name].dropna()
        numbers = cells.map(as_number).astype(float)
        odd = cells[numbers.isna()]
        if kind is None and (cells.empty or len(odd) > (1 - MOSTLY) * len(cells)):
            continue
        # the cells of known columns are held to the schema, with their limits
        if len(odd) and name not in known:
            problems.append(_not_numbers(path, name, odd, samples["sample"], kind))
        elif kind is None and name in in_design:
            problems += _codes(name, numbers)
        typed[name] = numbers.reindex(samples.index)
    return typed, problems


def _not_numbers(path: str, name: str, odd: pd.Series, names: pd.Series, declared: str | None) -> Problem:
    why = f"`types` declares {name}" if declared else "nearly all other cells are"
    fix = "Correct these cells, or leave them empty if the value is unknown"
    fix += "." if declared else f"; if {name} is not a number, set `types: {{{name}: factor}}` in the config."
    return Problem(path, f"column {name}", cells_named(odd, names), f"numbers, as {why}", fix, code="IN-050")


def _codes(name: str, numbers: pd.Series) -> Iterator[Problem]:
    values = sorted(numbers.unique())
    if FEWEST_CODES <= len(values) <= MOST_CODES and all(value.is_integer() for value in values):
        found = f"{len(values)} different whole numbers ({', '.join(f'{value:.0f}' for value in values)}) in the design"
        fix = f"Set `types: {{{name}: number}}` or `types: {{{name}: factor}}` in the config."
        yield Problem(
            "config", f"types.{name}", found, "amounts (number) or codes of groups (factor)", fix, code="IN-051"
        )


def _declaration_problems(
    declared: Mapping[str, str], known: Mapping[str, str], columns: Collection[str]
) -> Iterator[Problem]:
    near = near_matches([name for name in declared if name not in columns], columns)
    for name, kind in declared.items():
        if name not in columns:
            hint = f"Did you mean `{near[name]}`?" if name in near else "Correct the name or remove it."
            yield Problem(
                "config",
                f"types.{name}",
                "no such column in the sheet",
                f"one of {listed(columns)}",
                hint,
                code="IN-052",
            )
        elif known.get(name, kind) != kind:
            yield Problem(
                "config", f"types.{name}", kind, f"{known[name]}, which {name} always is", "Remove it.", code="IN-053"
            )
