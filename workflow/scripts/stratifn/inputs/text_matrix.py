"""A matrix from delimited text, block by block: ids, numbers, and the cells that are neither number nor missing."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stratifn.inputs.delimited import PREVIEW_ROWS, Preview, Row, RowJudge, decimal_mark, open_quote, preview, rows_of
from stratifn.inputs.formats import Layout, format_of
from stratifn.inputs.raw_matrix import Correction, RawMatrix
from stratifn.inputs.text import Block, Text, first_block
from stratifn.inputs.types import as_number
from stratifn.shared.errors import InputError, Problem, listed
from stratifn.shared.vocabulary import MISSING_MARKS

if TYPE_CHECKING:
    import pyarrow as pa

# so many cells of text are no slip of the pen: the rest of them is counted and not kept
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
        Rows with too many or too few cells, a quote that is not closed, damaged or undecodable text, nothing at all.
    """
    text = Text(path)
    blocks = iter(text)
    first = first_block(blocks, 2 * PREVIEW_ROWS)
    if first is None:
        raise InputError(Problem(path, "the file", "nothing in it", "a header and rows", "Fill it.", code="IN-005"))
    first_rows = preview(path, first, text.corrections)
    kind = format_of(first_rows, name)
    layout = kind.layout(first_rows)
    if not layout.numbers:
        shown = f"only the column{'s' if len(layout.header) > 1 else ''} {listed(layout.header)}"
        fix = "Put tabs between the columns, or give the matrix its columns of numbers."
        raise InputError(Problem(path, "header", shown, "ids and columns of numbers", fix, code="IN-017"))
    reader = _Reader(first_rows, layout, dtype)
    for block in itertools.chain([_below(first, layout.first_line)], blocks):
        reader.add(block)
        if reader.ended:
            break
    matrix = reader.matrix()
    matrix.corrections = [*text.corrections, *layout.corrections, *reader.corrections()]
    return kind.finish(matrix)


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
    ended
        Whether the row at which the matrix ends was met.
    """

    preview: Preview
    layout: Layout
    dtype: type
    ended: bool = False
    _rows: list[str] = field(default_factory=list)
    _gene_names: list[str] = field(default_factory=list)
    _lines: list[np.ndarray] = field(default_factory=list)
    _texts: dict[tuple[int, int], str] = field(default_factory=dict)
    _problems: list[Problem] = field(default_factory=list)
    _trimmed: int = 0

    def __post_init__(self) -> None:
        self._judge = RowJudge(self.preview.path, len(self.layout.header))
        self._decimal, self._decimal_notes, problems = decimal_mark(self.preview, self.layout.numbers)
        self._problems += problems
        self._values: np.ndarray = np.empty((0, len(self.layout.numbers)), self.dtype)

    def add(self, block: Block) -> None:
        """Add the rows of a block."""
        block = self._until_end(block)
        if not block.data.strip():
            return
        table = self._parsed(block.data)
        lines = np.arange(block.line, block.line + block.data.count(b"\n"))
        if table is None or table.num_rows != len(lines) or self._blank(table):
            rows = list(self._judge.kept(rows_of(self.preview.path, block, self.preview.delimiter)))
            lines = np.array([row.line for row in rows], dtype=int)
            if not rows:
                return
            table = self._parsed(_written(rows, self.preview.delimiter))
        if table is None:
            raise ValueError("rows of equal length could not be split into cells")
        self._add_table(table, lines)

    def _until_end(self, block: Block) -> Block:
        if self.layout.last_line is None:
            return block
        mark = self.layout.last_line.encode()
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

        layout = self.layout
        texts = [number for number in (layout.ids, layout.gene_names) if number is not None]
        kept = [*texts, *layout.numbers]
        options = {
            "read_options": arrow.ReadOptions(
                use_threads=False,
                block_size=len(data) + 1,
                column_names=[str(number) for number in range(len(layout.header))],
            ),
            "parse_options": arrow.ParseOptions(
                delimiter=self.preview.delimiter, newlines_in_values=True, invalid_row_handler=note_row
            ),
        }
        convert = {
            "null_values": sorted(MISSING_MARKS),
            "strings_can_be_null": False,
            "decimal_point": self._decimal,
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

        table = read(kept, texts)
        if wrong:
            return None
        # Arrow also reads dates, times and truth values, which are no numbers here
        odd = [number for number in layout.numbers if not _is_number(table.schema.field(str(number)).type)]
        if odd:
            again = read(odd, odd)
            for number in odd:
                table = table.set_column(kept.index(number), str(number), again.column(str(number)))
        return table

    def _blank(self, table: pa.Table) -> bool:
        """Tell whether a row may be blank but for its delimiters: one without an id."""
        ids = table.column(0)
        return any(not name.strip() for name in ids.to_pylist())

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
                self._values[start:, position - names] = self._numbers(column, start, position - names, lines)

    def _refuse_breaks(self, ids: list[str], lines: np.ndarray) -> None:
        broken = [line for name, line in zip(ids, lines, strict=True) if "\n" in name]
        if broken:
            raise InputError(open_quote(self.preview.path, int(broken[0])))

    def _numbers(self, column: pa.ChunkedArray, row: int, place: int, lines: np.ndarray) -> np.ndarray:
        """Return the numbers of a column; a cell of text is NaN and is remembered."""
        if _is_number(column.type):
            return column.to_numpy()
        values = np.full(len(column), np.nan)
        for number, written in enumerate(column.to_pylist()):
            cell = written.strip()
            if cell in MISSING_MARKS:
                continue
            if "\n" in cell:
                raise InputError(open_quote(self.preview.path, int(lines[number])))
            cell = cell.replace(",", ".") if self._decimal == "," else cell
            values[number] = as_number(cell)
            if np.isnan(values[number]) and len(self._texts) < MOST_TEXTS:
                self._texts[row + number, place] = cell
        return values

    def matrix(self) -> RawMatrix:
        """Return what was gathered.

        Raises
        ------
        InputError
            With every row and mark that is wrong.
        """
        problems = [*self._problems, *self._judge.problems()]
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

    def corrections(self) -> list[Correction]:
        """Say what was left out or read another way."""
        trimmed = [("row ids", f"whitespace: removed around {self._trimmed} of them")] if self._trimmed else []
        return [*self._decimal_notes, *self._judge.corrections(), *trimmed]


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)


def _written(rows: list[Row], delimiter: str) -> bytes:
    """Write rows as delimited text again."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(row.cells for row in rows)
    return text.getvalue().encode()
