"""A matrix from a table with a row per sample and feature."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from stratifn.inputs.delimited import Preview
from stratifn.inputs.formats.layout import LongColumns, LongTable
from stratifn.inputs.number_marks import number_marks
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.row_blocks import RowBlocks
from stratifn.inputs.text import Block
from stratifn.shared.errors import InputError, Problem

if TYPE_CHECKING:
    import pyarrow as pa


def read_long_table(preview: Preview, layout: LongTable, blocks: Iterable[Block]) -> RawMatrix:
    """Read the columns of a long table, and assemble the matrix.

    Parameters
    ----------
    preview
        Of the file.
    layout
        Where its columns are.
    blocks
        Of the file, from the first row below the header on.

    Raises
    ------
    InputError
        Rows with too many or too few cells, numbers that can be read two ways, or what `layout.assemble` refuses.
    """
    numbers = list(layout.numbers.values())
    marks, notes, problems = number_marks(preview.path, preview.cells(numbers, layout.first_line), preview.line_with)
    rows = RowBlocks(preview, len(layout.header), list(layout.texts.values()), numbers, marks)
    texts: dict[str, list[pa.Array]] = {name: [] for name in layout.texts}
    values: dict[str, list[np.ndarray]] = {name: [] for name in layout.numbers}
    odd: dict[str, dict[int, str]] = {name: {} for name in layout.numbers}
    lines: list[np.ndarray] = []
    for block in blocks:
        found = rows.table(block)
        if found is None:
            continue
        table, lines_of_block = found
        start = sum(map(len, lines))
        lines.append(lines_of_block)
        for position, name in enumerate(layout.texts):
            texts[name] += table.column(position).chunks
        for position, name in enumerate(layout.numbers, start=len(layout.texts)):
            column, written = rows.numbers(table.column(position), lines_of_block)
            values[name].append(column)
            odd[name] |= {start + row: cell for row, cell in written.items()}
    problems += rows.judge.problems()
    if not problems and not lines:
        found_words = "a header and no row below it"
        problems = [Problem(preview.path, "the file", found_words, "a header and rows", "Fill it.", code="IN-005")]
    if problems:
        raise InputError(problems)
    columns = LongColumns(
        preview.path,
        {name: coded(chunks) for name, chunks in texts.items()},
        {name: np.concatenate(parts).astype(float) for name, parts in values.items()},
        odd,
        np.concatenate(lines),
    )
    matrix = layout.assemble(columns)
    matrix.corrections = [*notes, *rows.judge.corrections(), *matrix.corrections]
    return matrix


def coded(chunks: list[pa.Array]) -> tuple[np.ndarray, list[str]]:
    """Return a column of text as codes, and what each code means (without white space around it)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.utf8_trim_whitespace(pa.chunked_array(chunks).cast(pa.string()).fill_null(""))
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()
