"""A matrix from Parquet, a few columns at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stratifn.inputs.child import Allocate
from stratifn.inputs.formats import GENE_NAME, OLINK
from stratifn.inputs.formats.layout import LongColumns
from stratifn.inputs.formats.olink import is_olink, npx_matrix, olink_columns
from stratifn.inputs.long_table import coded
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.types import numbers_of
from stratifn.shared.errors import InputError, Problem, listed

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

CELLS_PER_BLOCK = 4_000_000


def read_parquet(path: str, dtype: type, allocate: Allocate) -> RawMatrix:
    """Read a matrix from Parquet: a column of ids and one per sample (or feature).

    Parameters
    ----------
    path
        As the user wrote it.
    dtype
        Of the values.
    allocate
        Memory for them.

    Raises
    ------
    InputError
        A column twice, no column of numbers, ids that are missing.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return _read(path, file, dtype, allocate)


def parquet_ids(path: str, allocate: Allocate) -> RawMatrix:
    """Read the ids alone; parameters and errors as of `read_parquet`, the values have no columns."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names = _names(path, file)
        # of a row per sample and feature the samples are cells
        index, columns = ("", list[str]()) if is_olink(names) else _columns(path, file, names)
        rows = _texts(path, file, index) if index else []
    return RawMatrix(path, allocate((len(rows), 0), np.float32), rows, columns)


def _names(path: str, file: pq.ParquetFile) -> list[str]:
    names = file.schema_arrow.names
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        fix = "Rename or remove one."
        raise InputError(Problem(path, "columns", f"`{repeated[0]}` twice", "each column once", fix, code="IN-016"))
    return names


def _columns(path: str, file: pq.ParquetFile, names: list[str]) -> tuple[str, list[str]]:
    """Return the column of row ids and those of numbers."""
    index = _index_column(file.schema_arrow)
    columns = [name for name in names if name not in (index, GENE_NAME)]
    if not columns:
        fix = "Export ids and values."
        found = f"only the column{'s' if len(names) > 1 else ''} {listed(names)}"
        raise InputError(Problem(path, "columns", found, "ids and values", fix, code="IN-017"))
    return index, columns


def _read(path: str, file: pq.ParquetFile, dtype: type, allocate: Allocate) -> RawMatrix:
    names = _names(path, file)
    if is_olink(names):
        return _read_olink(path, file, names, dtype, allocate)
    index, columns = _columns(path, file, names)
    gene_names = _texts(path, file, GENE_NAME, required=False) if GENE_NAME in names else None
    rows = _texts(path, file, index)
    values = allocate((file.metadata.num_rows, len(columns)), dtype)
    texts: dict[tuple[int, int], str] = {}
    width = max(1, CELLS_PER_BLOCK // max(1, len(values)))
    for start in range(0, len(columns), width):
        table = file.read(columns[start : start + width], use_threads=False)
        for place, column in enumerate(table.itercolumns(), start=start):
            values[:, place], written = _numbers(column)
            texts |= {(row, place): text for row, text in written.items()}
    return RawMatrix(path, values, rows, columns, gene_names, texts)


def _read_olink(path: str, file: pq.ParquetFile, names: list[str], dtype: type, allocate: Allocate) -> RawMatrix:
    """Read Olink's NPX, a row per sample and assay."""
    texts, numbers = olink_columns(names)

    def column(place: int) -> pa.ChunkedArray:
        return file.read([names[place]], use_threads=False).column(0)

    values, odd = {}, {}
    for what, place in numbers.items():
        values[what], odd[what] = _numbers(column(place))
    lines = np.arange(1, file.metadata.num_rows + 1)
    labels = {what: coded(column(place).chunks) for what, place in texts.items()}
    matrix = npx_matrix(LongColumns(path, labels, values, odd, lines))
    shared = allocate(matrix.values.shape, dtype)
    shared[:] = matrix.values
    note = ("the file", f"format: {OLINK.title}")
    return replace(
        matrix, values=shared, corrections=[note, *matrix.corrections], made_by=OLINK.title, kinds=OLINK.kinds
    )


def _numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, dict[int, str]]:
    """Turn a column into numbers; what is no number (text, a date, a truth value) is kept as text."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column.to_numpy(), {}
    if pa.types.is_null(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64()).to_numpy(), {}
    return numbers_of(column.to_pylist())


def _index_column(schema: pa.Schema) -> str:
    """Name of the column of row ids: the index that pandas wrote, else the first column."""
    indices = (schema.pandas_metadata or {}).get("index_columns", [])
    # a numbered index is written as a description, not as a column
    return next((name for name in indices if isinstance(name, str) and name in schema.names), schema.names[0])


def _texts(path: str, file: pq.ParquetFile, name: str, required: bool = True) -> list[str]:
    cells = file.read([name], use_threads=False).column(0).to_pylist()
    missing = [row for row, cell in enumerate(cells) if cell is None or cell != cell]
    if missing and required:
        found = f"{len(missing)} missing ids, the first in row {missing[0] + 1}"
        fix = "Give every row an id."
        raise InputError(Problem(path, f"column {name}", found, "an id per row", fix, code="IN-018"))
    return ["" if cell is None or cell != cell else str(cell).strip() for cell in cells]
