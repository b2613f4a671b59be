"""How numbers are written in a file: decimal point or decimal comma, and what is between thousands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from stratifn.inputs.raw_matrix import Correction
from stratifn.shared.errors import Problem

# before a number: below or above a limit, or extrapolated beyond the standard curve
_BEFORE = r"(?P<before>[<>*]?\s*[+-]?)"
_AFTER = r"(?P<after>[eE][+-]?\d+)?"
# what is put between thousands and nowhere else in a number: spaces (of three widths), apostrophes
_SPACES = " \u00a0\u202f'\u2019"


_MARKS = re.compile(rf"[,.{_SPACES}]")
# so many cells tell how the others are written
MOST_CELLS = 100_000


def _form(number: str) -> re.Pattern[str]:
    return re.compile(rf"{_BEFORE}(?P<number>{number}){_AFTER}")


_POINT = _form(rf"\d*\.(\d{{1,2}}|\d{{4,}})|0\d*\.\d+|\d{{4,}}\.\d+|\d{{1,3}}([,{_SPACES}]\d{{3}})+\.\d+")
_COMMA = _form(rf"\d*,(\d{{1,2}}|\d{{4,}})|0\d*,\d+|\d{{4,}},\d+|\d{{1,3}}([.{_SPACES}]\d{{3}})+,\d+")
# without a second mark these are three decimals: what wrote them uses points
_WEAK_POINT = _form(r"\d{1,3}\.\d{3}")
# may be thousands or a fraction
_WEAK_COMMA = _form(r"[1-9]\d{0,2},\d{3}")
_THOUSANDS = {
    ",": _form(r"\d{1,3}((,\d{3}){2,}|(,\d{3})+\.\d+)"),
    ".": _form(r"\d{1,3}((\.\d{3}){2,}|(\.\d{3})+,\d+)"),
    _SPACES: _form(rf"\d{{1,3}}([{_SPACES}]\d{{3}})+([.,]\d+)?"),
}


@dataclass(frozen=True)
class NumberMarks:
    """The marks in the numbers of a file.

    Attributes
    ----------
    decimal
        ``.`` or ``,``.
    thousands
        What may be between thousands; empty for nothing.
    """

    decimal: str = "."
    thousands: str = ""

    @cached_property
    def _form(self) -> re.Pattern[str]:
        decimal = re.escape(self.decimal)
        grouped = rf"\d{{1,3}}([{re.escape(self.thousands)}]\d{{3}})+|" if self.thousands else ""
        return _form(rf"({grouped}\d*)({decimal}\d*)?")

    def plain(self, cell: str) -> str | None:
        """Write a cell with a decimal point and nothing between thousands; None where it would be read two ways."""
        if self.decimal == "." and not self.thousands:
            return cell
        match = self._form.fullmatch(cell)
        if match is None:
            # `1.234` among decimal commas
            return None if _POINT.fullmatch(cell) or _WEAK_POINT.fullmatch(cell) else cell
        number = match["number"]
        for mark in self.thousands:
            number = number.replace(mark, "")
        return f"{match['before']}{number.replace(self.decimal, '.')}{match['after'] or ''}"


def number_marks(
    path: str, cells: Iterable[str], where: Callable[[str], str] = lambda cell: "numbers"
) -> tuple[NumberMarks, list[Correction], list[Problem]]:
    """Find out how numbers are written.

    Parameters
    ----------
    path
        As the user wrote it.
    cells
        Cells of the first rows, without white space around them.
    where
        From a cell to where it is, for the messages.

    Returns
    -------
    NumberMarks
        What is certain.
    list, list
        Notes on commas and thousands; the problem of numbers such as ``1,234``, which may be either, or of two decimal
        marks.
    """
    marked = list(islice((cell for cell in cells if _MARKS.search(cell)), MOST_CELLS))
    found = {mark: [cell for cell in marked if form.fullmatch(cell)] for mark, form in _THOUSANDS.items()}
    points, commas, weak_points, weak_commas = (
        [cell for cell in marked if form.fullmatch(cell)] for form in (_POINT, _COMMA, _WEAK_POINT, _WEAK_COMMA)
    )
    by_point, by_comma = [*points, *found[","]], [*commas, *found["."]]
    if commas and not found["."]:
        by_point += weak_points
    if by_point and by_comma:
        shown = f"both `{by_point[0]}` and `{by_comma[0]}`"
        return NumberMarks(), [], [_problem(path, where(by_comma[0]), shown, "one decimal mark", "IN-012")]
    if weak_commas and not by_comma and not found[","]:
        shown = f"`{weak_commas[0]}`, which may be thousands or a fraction"
        return (
            NumberMarks(),
            [],
            [_problem(path, where(weak_commas[0]), shown, "numbers that can be read one way", "IN-013")],
        )
    decimal = "," if by_comma else "."
    grouped = found["." if by_comma else ","] or ([] if by_comma else weak_commas)
    marks = NumberMarks(decimal, ("." if by_comma else ",") * bool(grouped) + _SPACES * bool(found[_SPACES]))
    notes = [("numbers", f"decimal comma: `{commas[0]}` read as such")] if commas else []
    for cell in [*grouped[:1], *found[_SPACES][:1]]:
        notes.append(("numbers", f"thousands: `{cell}` read as {marks.plain(cell)}"))
    return marks, notes, []


def _problem(path: str, where: str, found: str, expected: str, code: str) -> Problem:
    fix = "Write all numbers with a decimal point and without marks between thousands."
    return Problem(path, where, found, expected, fix, code=code)
