"""Blocks of a delimited file as tables: every row has its cells, the numbers are converted by Arrow."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stratifn.inputs.delimited import Preview, Row, RowJudge, open_quote, rows_of
from stratifn.inputs.number_marks import NumberMarks
from stratifn.inputs.text import Block
from stratifn.inputs.types import numbers_of
from stratifn.shared.errors import InputError
from stratifn.shared.vocabulary import MISSING_MARKS

if TYPE_CHECKING:
    import pyarrow as pa


class RowBlocks:
    """Turns blocks of whole lines into tables.

    Parameters
    ----------
    preview
        Of the file.
    width
        Cells of a row.
    texts, numbers
        Positions of the columns that are read: as they are written, and as numbers where they are some.
    marks
        How numbers are written.
    last_line
        First cell of the row at which the matrix ends, or None.

    Attributes
    ----------
    judge
        What is wrong with the rows, and which were left out.
    ended
        Whether the row at which the matrix ends was met.
    """

    def __init__(
        self,
        preview: Preview,
        width: int,
        texts: Sequence[int],
        numbers: Sequence[int],
        marks: NumberMarks,
        last_line: str | None = None,
    ):
        self.path, self.delimiter = preview.path, preview.delimiter
        self.width, self.texts, self.columns, self.marks = width, list(texts), list(numbers), marks
        self.judge, self.ended = RowJudge(self.path, width), False
        self._last_line = last_line

    def table(self, block: Block) -> tuple[pa.Table, np.ndarray] | None:
        """Return the columns of a block (texts first), and the line of every row; None of a block without rows."""
        block = self._until_end(block)
        if not block.data.strip():
            return None
        table = self._parsed(block.data)
        lines = np.arange(block.line, block.line + block.data.count(b"\n"))
        if table is None or table.num_rows != len(lines) or _blank(table):
            rows = list(self.judge.kept(rows_of(self.path, block, self.delimiter)))
            lines = np.array([row.line for row in rows], dtype=int)
            if not rows:
                return None
            table = self._parsed(_written(rows, self.delimiter))
        if table is None:
            raise ValueError("rows of equal length could not be split into cells")
        return table, lines

    def numbers(self, column: pa.ChunkedArray, lines: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
        """Return the numbers of a column, and what is written in the cells that are neither number nor missing.

        Raises
        ------
        InputError
            A cell of several lines: its quote is not closed.
        """
        if _is_number(column.type):
            return column.to_numpy(), {}
        cells = column.to_pylist()
        broken = next((number for number, cell in enumerate(cells) if "\n" in cell.strip()), None)
        if broken is not None:
            raise InputError(open_quote(self.path, int(lines[broken])))
        return numbers_of(cells, self.marks.plain)

    def _until_end(self, block: Block) -> Block:
        if self._last_line is None:
            return block
        mark = self._last_line.encode()
        at = 0 if block.data.startswith(mark) else block.data.find(b"\n" + mark) + 1
        if at > 0 or block.data.startswith(mark):
            self.ended = True
            return Block(block.line, block.data[:at])
        return block

    def _parsed(self, data: bytes) -> pa.Table | None:
        """Split and convert rows; None where any has another number of cells than the header."""
        import pyarrow as pa
        from pyarrow import csv as arrow

        wrong = False

        def note_row(row: object) -> str:
            nonlocal wrong
            wrong = True
            return "skip"

        kept = [*self.texts, *self.columns]
        options = {
            "read_options": arrow.ReadOptions(
                use_threads=False,
                block_size=len(data) + 1,
                column_names=[str(number) for number in range(self.width)],
            ),
            "parse_options": arrow.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=note_row
            ),
        }
        convert = {
            "null_values": sorted(MISSING_MARKS),
            "strings_can_be_null": False,
            "decimal_point": self.marks.decimal,
        }

        def read(columns: list[int], as_text: list[int]) -> pa.Table:
            return arrow.read_csv(
                io.BytesIO(data),
                convert_options=arrow.ConvertOptions(
                    include_columns=[str(number) for number in columns],
                    column_types={str(number): pa.string() for number in as_text},
                    **convert,
                ),
                **options,
            )

        table = read(kept, self.texts)
        if wrong:
            return None
        # Arrow also reads dates, times and truth values, which are no numbers here
        odd = [number for number in self.columns if not _is_number(table.schema.field(str(number)).type)]
        if odd:
            again = read(odd, odd)
            for number in odd:
                table = table.set_column(kept.index(number), str(number), again.column(str(number)))
        return table


def _blank(table: pa.Table) -> bool:
    """Tell whether a row may be blank but for its delimiters: one without an id."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.equal(pc.utf8_trim_whitespace(table.column(0)), "")).as_py())


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)


def _written(rows: list[Row], delimiter: str) -> bytes:
    """Write rows as delimited text again."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(row.cells for row in rows)
    return text.getvalue().encode()
