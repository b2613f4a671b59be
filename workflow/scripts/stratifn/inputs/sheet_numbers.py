"""Numbers as people write them in a sheet: with a unit, a decimal comma, or as ``>300``; and dates, which are none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from stratifn.inputs.answers import Note
from stratifn.inputs.number_marks import number_marks
from stratifn.inputs.types import MOSTLY, as_number, cells_named, known_types
from stratifn.shared.errors import Problem, listed
from stratifn.shared.samples import FACTOR, NUMBER

AGE = "age"
_NUMBER = re.compile(
    r"(?P<limit>[<>]=?|[\u2264\u2265])?\s*(?P<number>[+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s].*)?"
)
_SIDES = {"<": "<", "<=": "<", "\u2264": "<", ">": ">", ">=": ">", "\u2265": ">"}
_MONTH = r"(jan|feb|mar|m\u00e4r|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-z]*\.?"
_DATE = re.compile(
    r"(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](\d{4}|\d{2})"
    rf"|\d{{1,2}}\.?[-./ ]*{_MONTH}([-./, ]*(\d{{4}}|\d{{2}}))?|{_MONTH}[-./ ]*\d{{1,4}}(, *\d{{4}})?)"
    r"([T ]\d{1,2}:\d{2}.*)?",
    re.IGNORECASE,
)
_YEAR_OF_BIRTH = re.compile(r"(19|20)\d{2}(\.0)?")
# a column with fewer numbers than this share has no damaged numbers in it, but dates
NUMBERS = 0.5


@dataclass(frozen=True)
class _Cell:
    """A cell that holds a number: its digits, the side of a limit (``<``, ``>`` or empty), and its unit."""

    number: str
    side: str
    unit: str

    @classmethod
    def of(cls, written: str, units: Collection[str]) -> _Cell | None:
        """Read a cell; None where it is no number, or has a unit that is not one of those of its column."""
        found = _NUMBER.fullmatch(written)
        unit = (found["unit"] or "").strip() if found else ""
        if found is None or (unit and unit.lower().rstrip(".") not in units):
            return None
        return cls(found["number"], _SIDES.get(found["limit"] or "", ""), unit)


def plain_numbers(
    samples: pd.DataFrame, path: str, declared: Mapping[str, str], design: Collection[str], schema: Mapping[str, Any]
) -> tuple[pd.DataFrame, list[Note], list[Problem]]:
    """Write the numbers of every column of numbers plainly; what cannot be one stays as it is.

    A value beyond a limit (``>300``) is that limit: of such a column only the order means anything.

    Parameters
    ----------
    samples
        Text, NaN where missing; indexed by the line of the sheet.
    path
        The sheet's name in messages.
    declared
        The config's `types`.
    design
        The columns that the model uses.
    schema
        JSON Schema of a row of the sheet; ``units`` are those that the numbers of a column may be written with.

    Returns
    -------
    pandas.DataFrame, list of Note, list of Problem
        Problems: dates, numbers that can be read two ways, limits within the range of the other values, limits in
        the design. The cells of a problem are empty, so that they are told once.
    """
    samples, notes, problems = samples.copy(), [], []
    known = known_types(schema)
    for name in samples.columns:
        kind = known.get(name) or declared.get(name)
        if kind == FACTOR:
            continue
        column = _Column(name, samples[name].dropna(), samples["sample"], kind == NUMBER, path)
        units = schema["properties"].get(name, {}).get("units", ())
        read, said, found = column.read(units, name in design)
        samples.loc[read.index, name] = read
        notes += said
        problems += found
    return samples, notes, problems


@dataclass(frozen=True)
class _Column:
    """A column of the sheet that may be one of numbers.

    Attributes
    ----------
    name, cells, samples, path
        Its name, its cells that are not missing, the names of the samples, and the sheet's name in messages.
    certain
        Whether schema or config say that it is one of numbers.
    """

    name: str
    cells: pd.Series
    samples: pd.Series
    certain: bool
    path: str

    def read(self, units: Collection[str], in_design: bool) -> tuple[pd.Series, list[Note], list[Problem]]:
        """Return the cells that are to be written in another way, what was done to them, and what is wrong."""
        odd = self.cells[self.cells.map(as_number).isna()]
        dates = self._dates()
        unread = odd.drop(dates.index, errors="ignore")
        cells = {row: cell for row, written in unread.items() if (cell := _Cell.of(written, units))}
        if (odd.empty and dates.empty) or not self._is_number(odd, len(dates), cells):
            return odd[:0], [], []
        problems = [self._date_problem(dates)] if len(dates) else []
        limits = pd.Series({row: cell for row, cell in cells.items() if cell.side}, dtype=object)
        if len(limits) and in_design:
            problems.append(self._design_problem(limits))
        # with marks between thousands too, a cell of a sheet is refused
        texts = [text for text in self._texts(cells) if text.count(",") + text.count(".") < 2]
        marks, _, unclear = number_marks(self.path, texts, lambda cell: f"column {self.name}")
        if unclear:
            told = [row for row, cell in cells.items() if "," in cell.number]
            unclear = [replace(problem, fix=problem.fix + self._or_words()) for problem in unclear]
            return _emptied(self.cells[[*dates.index, *told]]), [], [*problems, *unclear]
        plain = pd.Series({row: marks.plain(cell.number) or "" for row, cell in cells.items()}, dtype=object)
        plain = plain[[not np.isnan(as_number(text)) for text in plain]]
        limits = limits[limits.index.isin(plain.index)]
        problems += self._overlaps(plain, limits)
        read = pd.concat([plain, _emptied(dates)])
        return read, list(self._notes({row: cells[row] for row in plain.index})), problems

    def _dates(self) -> pd.Series:
        years = self.name == AGE
        return self.cells[
            [bool(_DATE.fullmatch(cell) or (years and _YEAR_OF_BIRTH.fullmatch(cell))) for cell in self.cells]
        ]

    def _is_number(self, odd: pd.Series, dates: int, cells: Mapping[int, _Cell]) -> bool:
        if self.certain:
            return True
        numbers = len(self.cells) - len(odd) + len(cells)
        amounts = {*self.cells.drop(odd.index), *(cell.number for cell in cells.values() if not cell.side)}
        enough = numbers + dates >= MOSTLY * len(self.cells) and numbers >= NUMBERS * len(self.cells)
        # `<50` and `>=50` alone are two groups
        return enough and len(amounts) > 1

    def _texts(self, cells: Mapping[int, _Cell]) -> Iterator[str]:
        yield from (cell.number for cell in cells.values())
        yield from self.cells.drop(list(cells))

    def _date_problem(self, dates: pd.Series) -> Problem:
        if self.name == AGE:
            # the values themselves identify people: they are not repeated in messages and logs
            lines = listed((f"{self.samples[row]} in line {row}" for row in dates.index), 5)
            found = f"dates or years of birth in {len(dates)} samples ({lines})"
            fix = "Replace them with ages. Dates of birth identify people: do not pass them on with a sheet."
            return Problem(self.path, f"column {self.name}", found, "ages in years at sampling", fix, code="IN-054")
        found = f"dates: {cells_named(dates, self.samples)}"
        fix = "Enter the numbers again, in cells that are formatted as text: a spreadsheet makes a date of 5.2 or 3-4."
        return Problem(self.path, f"column {self.name}", found, "numbers", fix + self._or_words(), code="IN-055")

    def _or_words(self) -> str:
        """Say what to do where the column is none of numbers."""
        if self.certain:
            return ""
        return f" If {self.name} is not a number, set `types: {{{self.name}: factor}}` in the config."

    def _design_problem(self, limits: pd.Series) -> Problem:
        found = f"values beyond a limit: {cells_named(self.cells[limits.index], self.samples)}"
        fix = (
            f"Take {self.name} out of the design (it is still compared with factors, scores and strata by ranks), or make "
            "groups of it, such as `high` and `low`, in a column of its own."
        )
        expected = "a measured amount in every sample: a model needs the value, and only its limit is known"
        return Problem(self.path, f"column {self.name}", found, expected, fix, code="IN-057")

    def _overlaps(self, plain: pd.Series, limits: pd.Series) -> Iterator[Problem]:
        """Find limits with another value beyond them: which of the two is larger, nobody knows."""
        values = self.cells.map(as_number)
        values[plain.index] = plain.astype(float)
        for side, sign in (("<", 1.0), (">", -1.0)):
            of_side = limits.index[[cell.side == side for cell in limits]]
            if of_side.empty:
                continue
            widest = of_side[int(np.argmax(sign * values[of_side].to_numpy()))]
            beyond = values.index[sign * values < sign * values[widest]]
            if len(beyond):
                shown = cells_named(self.cells[beyond], self.samples)
                found = f"{cells_named(self.cells[[widest]], self.samples)}, and values beyond this limit: {shown}"
                limit = self.cells[widest]
                fix = f"Write `{limit}` for these values too, or leave the cells of the other assay empty."
                fix += self._or_words()
                expected = "values that can be put in order"
                yield Problem(self.path, f"column {self.name}", found, expected, fix, code="IN-056")

    def _notes(self, cells: Mapping[int, _Cell]) -> Iterator[Note]:
        units = sorted({cell.unit for cell in cells.values() if cell.unit})
        if units:
            count = sum(bool(cell.unit) for cell in cells.values())
            yield "samples", self.name, "corrected", f"units: {listed(units)} removed from {count} cells"
        commas = sum("," in cell.number for cell in cells.values())
        if commas:
            yield "samples", self.name, "corrected", f"decimal comma: read as such in {commas} cells"
        written = self.cells[[row for row, cell in cells.items() if cell.side]]
        if len(written):
            counts = written.value_counts().sort_index()
            shown = listed(f"`{cell}` in {count} samples" for cell, count in counts.items())
            yield "samples", self.name, "at the limit", f"{shown}: ranked at the limit"


def _emptied(cells: pd.Series) -> pd.Series:
    return pd.Series(np.nan, index=cells.index, dtype=object)
