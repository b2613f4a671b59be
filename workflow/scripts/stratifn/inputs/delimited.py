"""The one reader of delimited text, for sheets and matrices alike: it counts the cells of every row.

Rows are split by Python's `csv`; whole blocks of rows that all have their cells are turned into numbers by Arrow.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stratifn.inputs.raw_matrix import Correction
from stratifn.inputs.text import Block, lines_of
from stratifn.shared.errors import InputError, Problem

DELIMITERS = {"tabs": "\t", "commas": ",", "semicolons": ";"}
_BY_ENDING = {".tsv": "tabs", ".txt": "tabs", ".tab": "tabs", ".csv": "commas"}
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
COMMENT = "#"
PREVIEW_ROWS = 200
# characters of the first cell of a wrong row
LONGEST_SHOWN = 40
# of a wide matrix a few rows are enough to see how it is laid out
PREVIEW_CELLS = 2_000_000


@dataclass(frozen=True)
class Row:
    """Cells of a row as they are written, and the line where it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Preview:
    """The first rows of a file, split into cells.

    Attributes
    ----------
    path
        As the user wrote it.
    delimiter
        Between the cells.
    rows
        Rows that are not blank, comments among them.
    """

    path: str
    delimiter: str
    rows: list[Row]

    @property
    def header(self) -> Row:
        """The first row that is no comment."""
        return self.rows[self.header_position]

    @property
    def header_position(self) -> int:
        """Its place among `rows`. A first line such as ``#gene<tab>S1`` over rows of as many cells is a header."""
        for position, row in enumerate(self.rows):
            after = self.rows[position + 1] if position + 1 < len(self.rows) else row
            if not row.cells[0].startswith(COMMENT) or (len(row.cells) > 1 and len(row.cells) == len(after.cells)):
                return position
        return 0

    @property
    def body(self) -> list[Row]:
        """The rows below the header."""
        return self.rows[self.header_position + 1 :]

    def line_with(self, cell: str) -> str:
        """Say in which line a cell first is."""
        lines = (row.line for row in self.body if cell in map(str.strip, row.cells))
        return f"line {next(lines, self.header.line)}"

    def cells(self, columns: Sequence[int], first_line: int) -> Iterator[str]:
        """Yield the cells of some columns from a line on, without white space around them."""
        for row in self.rows:
            if row.line >= first_line:
                yield from (row.cells[number].strip() for number in columns if number < len(row.cells))


def preview(path: str, block: Block, corrections: list[Correction]) -> Preview:
    """Split the first rows of a file and find out what is between their cells.

    Parameters
    ----------
    path
        As the user wrote it.
    block
        The first block of the file.
    corrections
        Gains a line where the delimiter is not the one of the file's ending.
    """
    wanted = _BY_ENDING.get(ending(path))
    lines = _first_lines(block)
    name = _delimiter(lines, wanted)
    if wanted and name != wanted:
        corrections.append(("the file", f"delimiter: {name} although its name ends in `{ending(path)}`"))
    rows: list[Row] = []
    cells = 0
    for row in rows_of(path, Block(block.line, "".join(lines).encode()), DELIMITERS[name]):
        if any(cell.strip() for cell in row.cells):
            rows.append(row)
            cells += len(row.cells)
        if len(rows) >= PREVIEW_ROWS or cells > PREVIEW_CELLS:
            break
    if not rows:
        raise InputError(Problem(path, "the file", "only blank lines", "a header and rows", "Fill it.", code="IN-005"))
    return Preview(path, DELIMITERS[name], rows)


def ending(path: str) -> str:
    """Return the ending of a file's name in small letters, without that of its compression."""
    name = path.lower()
    for compressed in COMPRESSED:
        name = name.removesuffix(compressed)
    return Path(name).suffix


def _first_lines(block: Block) -> list[str]:
    lines: list[str] = []
    cells = 0
    for line in lines_of(block):
        lines.append(line)
        cells += max(line.count(mark) for mark in DELIMITERS.values())
        if len(lines) > 2 * PREVIEW_ROWS or (cells > PREVIEW_CELLS and len(lines) > 2):
            break
    return lines


def _delimiter(lines: Sequence[str], wanted: str | None) -> str:
    """Choose the mark that splits most lines into the same number of cells; the ending's where that is one of them."""
    told = [line for line in lines if line.strip() and not line.startswith(COMMENT)]
    regular = {}
    for name, mark in DELIMITERS.items():
        counts = Counter(line.count(mark) for line in told if mark in line)
        regular[name] = counts.most_common(1)[0][1] if counts else 0
    best = max(regular.values(), default=0)
    if wanted and (not best or regular[wanted] >= best / 2):
        return wanted
    return max(regular, key=lambda name: regular[name])


def rows_of(path: str, block: Block, delimiter: str) -> Iterator[Row]:
    """Split the lines of a block into rows; blank lines are none.

    Raises
    ------
    InputError
        A quote that is not closed, so that a cell would swallow the rows after it.
    """
    reader = csv.reader(lines_of(block), delimiter=delimiter)
    while True:
        line = block.line + reader.line_num
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError(open_quote(path, line)) from error
        if cells is None:
            return
        if any("\n" in cell and (delimiter in cell or number == 0) for number, cell in enumerate(cells)):
            raise InputError(open_quote(path, line))
        if cells:
            yield Row(line, cells)


def open_quote(path: str, line: int) -> Problem:
    """Return the problem of a quote that swallows what comes after its cell."""
    return Problem(
        path,
        f"line {line}",
        'a quote (") that is not closed in its cell',
        "quotes in pairs",
        "Remove the quote, or write it twice within a quoted cell.",
        code="IN-010",
    )


class RowJudge:
    """Decides of rows whether they have their cells, and remembers what is wrong and what was left out.

    Parameters
    ----------
    path
        As the user wrote it.
    width
        Cells of a row.
    """

    def __init__(self, path: str, width: int):
        self.path, self.width = path, width
        self.blank, self.comments, self.trimmed = 0, 0, 0
        self.wrong: list[tuple[int, int, str]] = []

    def kept(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows of `width` cells; empty cells beyond the last column are cut off."""
        for row in rows:
            cells = row.cells
            if not any(cell.strip() for cell in cells):
                self.blank += 1
            elif len(cells) == self.width:
                yield row
            elif cells[0].startswith(COMMENT):
                self.comments += 1
            elif len(cells) > self.width and not any(cell.strip() for cell in cells[self.width :]):
                self.trimmed += 1
                yield Row(row.line, cells[: self.width])
            else:
                self.wrong.append((row.line, len(cells), cells[0].strip()[:LONGEST_SHOWN]))

    def problems(self) -> list[Problem]:
        """List the rows with too many or too few cells."""
        fix = "Add the missing cell (empty if its value is unknown) or remove the one too many."
        return [
            Problem(
                self.path,
                f"line {line} (`{first}`)",
                f"{cells} cell{'s' if cells != 1 else ''}",
                f"{self.width} as in the header",
                fix,
                code="IN-011",
            )
            for line, cells, first in self.wrong
        ]

    def corrections(self) -> list[Correction]:
        """Say what was left out."""
        said = [
            (self.blank, "blank rows: {} left out"),
            (self.comments, "comment lines: {} left out"),
            (self.trimmed, "delimiter: empty cells after the last column cut off in {} rows"),
        ]
        return [("the file", words.format(count)) for count, words in said if count]


def header_of(preview: Preview) -> tuple[list[str], list[Correction]]:
    """Return the names of the columns, as many as the rows below have cells.

    R's `write.table` leaves the column of row names without a name; other programs end every row with a delimiter.

    Raises
    ------
    InputError
        There is no row below the header.
    """
    header = [cell.strip() for cell in preview.header.cells]
    if header[0].startswith(COMMENT):
        header[0] = header[0].lstrip(COMMENT).strip()
    body = [row.cells for row in preview.body]
    if not body:
        found = "a header and no row below it"
        raise InputError(Problem(preview.path, "the file", found, "a header and rows", "Fill it.", code="IN-005"))
    one_more = [cells for cells in body if len(cells) == len(header) + 1]
    if 2 * len(one_more) > len(body):
        if any(cells[-1].strip() for cells in one_more):
            return ["", *header], [("header", "row names: the first column has no name in the header")]
        return header, []
    while (
        len(header) > 1 and not header[-1] and not any(cells[len(header) - 1 :][:1] not in ([], [""]) for cells in body)
    ):
        header = header[:-1]
    return header, []
