"""A matrix from delimited text, block by block: ids, numbers, and the cells that are neither number nor missing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stratifn.inputs.contents import EXPORT_AGAIN
from stratifn.inputs.delimited import PREVIEW_ROWS, Preview, open_quote, preview
from stratifn.inputs.formats import PLAIN, Layout, LongTable, format_of
from stratifn.inputs.long_table import read_long_table
from stratifn.inputs.number_marks import number_marks
from stratifn.inputs.raw_matrix import Correction, RawMatrix
from stratifn.inputs.row_blocks import RowBlocks
from stratifn.inputs.text import Block, Text, first_block
from stratifn.shared.errors import InputError, Problem, listed

if TYPE_CHECKING:
    import pyarrow as pa

# so many cells of text are no slip of the pen
MOST_TEXTS = 1_000_000


def read_text_matrix(path: str, dtype: type, name: str | None = None) -> RawMatrix:
    """Read a matrix from delimited text of any of the formats.

    Parameters
    ----------
    path
        As the user wrote it.
    dtype
        Of the values.
    name
        The format, as the config names it; None finds it out.

    Raises
    ------
    InputError
        Rows with too many or too few cells, a quote that is not closed, damaged or undecodable text, nothing at all,
        a file of another format than the one that is named.
    """
    text = Text(path)
    blocks = iter(text)
    first, first_rows = _beginning(text, blocks)
    kind = format_of(first_rows, name)
    layout = kind.layout(first_rows)
    below = itertools.chain([_below(first, layout.first_line)], blocks)
    if isinstance(layout, LongTable):
        matrix = read_long_table(first_rows, layout, below)
    else:
        matrix = _read_wide(first_rows, layout, below, dtype)
    if kind is not PLAIN:
        matrix.corrections.insert(0, ("the file", _recognised(kind.title, layout)))
    matrix.corrections = [*text.corrections, *matrix.corrections]
    matrix.made_by, matrix.kinds = kind.title, kind.kinds
    return matrix


def read_text_ids(path: str, name: str | None = None) -> RawMatrix | None:
    """Read the ids of the columns alone, without a row; parameters as of `read_text_matrix`.

    Returns
    -------
    RawMatrix or None
        Without values; None of a table with a row per sample and feature.
    """
    text = Text(path)
    _, first_rows = _beginning(text, iter(text))
    layout = format_of(first_rows, name).layout(first_rows)
    if isinstance(layout, LongTable):
        return None
    columns = [layout.header[number] for number in layout.numbers]
    return RawMatrix(path, np.empty((0, len(columns))), [], columns)


def _beginning(text: Text, blocks: Iterator[Block]) -> tuple[Block, Preview]:
    """Return the first block of a file and its first rows."""
    first = first_block(blocks, 2 * PREVIEW_ROWS)
    if first is None:
        problem = Problem(text.path, "the file", "nothing in it", "a header and rows", "Fill it.", code="IN-005")
        raise InputError(problem)
    return first, preview(text.path, first, text.corrections)


def _recognised(title: str, layout: Layout | LongTable) -> str:
    names = [layout.header[number] for number in sorted(layout.left_out)]
    noun = "column" if len(names) == 1 else "columns"
    return f"format: {title}" + (f"; {len(names)} {noun} left out: {listed(names)}" if names else "")


def _read_wide(preview: Preview, layout: Layout, blocks: Iterator[Block], dtype: type) -> RawMatrix:
    if not layout.numbers:
        shown = f"only the column{'s' if len(layout.header) > 1 else ''} {listed(layout.header)}"
        fix = "Put tabs between the columns, or give the matrix its columns of numbers."
        problem = Problem(preview.path, "header", shown, "ids and columns of numbers", fix, code="IN-017")
        raise InputError(problem)
    reader = _Reader(preview, layout, dtype)
    for block in blocks:
        reader.add(block)
        if reader.rows.ended:
            break
    matrix = reader.matrix()
    matrix.corrections = [*layout.corrections, *reader.corrections()]
    return matrix


def _below(block: Block, line: int) -> Block:
    """Cut off the lines above a line."""
    start = 0
    for _ in range(line - block.line):
        start = block.data.index(b"\n", start) + 1
    return Block(line, block.data[start:])


@dataclass
class _Reader:
    """Gathers a matrix from the blocks of a file.

    Attributes
    ----------
    preview, layout, dtype
        Of the file, and of the values.
    """

    preview: Preview
    layout: Layout
    dtype: type
    _rows: list[str] = field(default_factory=list)
    _gene_names: list[str] = field(default_factory=list)
    _lines: list[np.ndarray] = field(default_factory=list)
    _texts: dict[tuple[int, int], str] = field(default_factory=dict)
    _trimmed: int = 0

    def __post_init__(self) -> None:
        layout = self.layout
        cells = self.preview.cells(layout.numbers, layout.first_line)
        marks, self._notes, self._problems = number_marks(self.preview.path, cells, self.preview.line_with)
        texts = [number for number in (layout.ids, layout.gene_names) if number is not None]
        self.rows = RowBlocks(
            self.preview, len(layout.header), texts, layout.numbers, marks, last_line=layout.last_line
        )
        self._values: np.ndarray = np.empty((0, len(layout.numbers)), self.dtype)

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        found = self.rows.table(block)
        if found is not None:
            self._add_table(*found)

    def _add_table(self, table: pa.Table, lines: np.ndarray) -> None:
        start = len(self._rows)
        names = 1 if self.layout.gene_names is None else 2
        ids = table.column(0).to_pylist()
        self._trimmed += sum(name != name.strip() for name in ids)
        self._refuse_breaks(ids, lines)
        self._rows += [name.strip() for name in ids]
        if names == 2:
            self._gene_names += [name.strip() for name in table.column(1).to_pylist()]
        self._lines.append(lines)
        # grows in place: a copy of a whole cohort's methylation would not fit
        self._values.resize((start + len(ids), self._values.shape[1]), refcheck=False)
        for position, column in enumerate(table.itercolumns()):
            if position >= names:
                values, odd = self.rows.numbers(column, lines)
                self._values[start:, position - names] = values
                self._texts |= {(start + row, position - names): cell for row, cell in odd.items()}
        self._refuse_prose()

    def _refuse_prose(self) -> None:
        """Refuse a matrix of text before it fills the memory; none of its cells may be lost without a word."""
        if len(self._texts) > MOST_TEXTS:
            (row, column), cell = next(iter(self._texts.items()))
            where = f"{self._rows[row]} / {self.layout.header[self.layout.numbers[column]]}"
            found = f"more than {MOST_TEXTS:,} cells that are no numbers, the first {cell!r} at {where}"
            fix = "Export the values as numbers, and leave cells without a value empty."
            raise InputError(Problem(self.preview.path, "cells", found, "numbers", fix, code="IN-089"))

    def _refuse_breaks(self, ids: list[str], lines: np.ndarray) -> None:
        broken = [line for name, line in zip(ids, lines, strict=True) if "\n" in name]
        if broken:
            raise InputError(open_quote(self.preview.path, int(broken[0])))

    def matrix(self) -> RawMatrix:
        """Return what was gathered.

        Raises
        ------
        InputError
            With every row and mark that is wrong.
        """
        problems = [*self._problems, *self.rows.judge.problems(), *self._cut_off()]
        if not problems and not self._rows:
            found = "a header and no row below it"
            path = self.preview.path
            problems = [Problem(path, "the file", found, "a header and rows", "Fill it.", code="IN-005")]
        if problems:
            raise InputError(problems)
        header = [self.layout.header[number] for number in self.layout.numbers]
        lines = np.concatenate(self._lines)
        return RawMatrix(
            self.preview.path, self._values, self._rows, header, self._gene_names or None, self._texts, lines=lines
        )

    def _cut_off(self) -> Iterator[Problem]:
        """Say where the file has not all that it says it has."""
        path, layout = self.preview.path, self.layout
        if layout.last_line is not None and not self.rows.ended:
            found = f"no line `{layout.last_line}`"
            yield Problem(path, "the end", found, "the whole file", EXPORT_AGAIN, code="IN-244")
        if layout.rows is not None and layout.rows != len(self._rows) and not self.rows.judge.wrong:
            expected = f"{layout.rows}, as the file says at its beginning"
            fix = f"{EXPORT_AGAIN} If rows were added or removed on purpose, correct the number at the beginning."
            yield Problem(path, "rows", str(len(self._rows)), expected, fix, code="IN-244")

    def corrections(self) -> list[Correction]:
        """Say what was left out or read another way."""
        trimmed = [("row ids", f"whitespace: removed around {self._trimmed} of them")] if self._trimmed else []
        return [*self._notes, *self.rows.judge.corrections(), *trimmed]
