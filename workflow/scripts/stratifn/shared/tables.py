"""Tables (TSV) and matrices (AnnData) as every phase reads and writes them."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.shared.columns import UNNAMED, Column, Table, table_of
from stratifn.shared.files import atomic_path, reading
from stratifn.shared.vocabulary import MISSING

if TYPE_CHECKING:
    import anndata as ad

# a cell that starts with one of these, and has more than one character, gains an apostrophe: a spreadsheet would run it
ESCAPED_STARTS = ("=", "+", "-", "@", "'", "\t", "\r")
# digits of a number in a column that the contract does not name
OTHER_DIGITS = 6
_QUOTED = re.compile(r'["\t\r\n]')
_DTYPES = {"text": str, "number": float, "integer": "Int64", "boolean": "boolean"}
_EXACT = {"integer": "int64", "boolean": "bool"}
_ROUNDED = 1e308
# rows that are printed at a time: bounds memory, changes no byte
ROWS_PER_BLOCK = 50_000
# samples of a matrix that are turned at a time
SAMPLES_PER_BLOCK = 64
COMPRESSION = {"compression": "gzip", "compression_opts": 1}


def write_table(frame: pd.DataFrame, path: str | os.PathLike, table: Table | None = None) -> None:
    """Write a table: UTF-8 TSV, `NA` for missing, gzip without name or time for ``.gz``.

    What is written is what `read_table` reads: types, missing cells, names such as ``NA`` and the printed number. The
    index is not written.

    Parameters
    ----------
    frame
        The table; its rows are written in the order given, so sort before.
    path
        ``.tsv`` or ``.tsv.gz``.
    table
        What is in the columns; by default what the contract says of a file of that name.

    Raises
    ------
    LookupError
        Without `table`, a file that the contract does not have.
    """
    table = table_of(path) if table is None else table
    data = "".join(_lines(frame, table)).encode("utf-8")
    with atomic_path(path) as temporary:
        temporary.write_bytes(_gzip(data) if str(path).endswith(".gz") else data)


def _gzip(data: bytes) -> bytes:
    """Compress without file name or time in the header, so that the same table gives the same bytes."""
    return gzip.compress(data, compresslevel=6, mtime=0)


def _lines(frame: pd.DataFrame, table: Table) -> Iterator[str]:
    yield "\t".join(map(_quoted, frame.columns)) + "\n"
    columns = [table.column(name) or _column_of(frame[name]) for name in frame.columns]
    for start in range(0, len(frame), ROWS_PER_BLOCK):
        block = frame.iloc[start : start + ROWS_PER_BLOCK]
        cells = [_printed(block[name], column) for name, column in zip(block.columns, columns, strict=True)]
        if len(cells) == 1:
            # a line with nothing on it would be no row
            cells = [[cell or '""' for cell in cells[0]]]
        yield "".join(map("{}\n".format, map("\t".join, zip(*cells, strict=True))))


def _column_of(values: pd.Series) -> Column:
    """Say by its dtype what a column is that the contract does not name."""
    if pd.api.types.is_bool_dtype(values):
        return Column("boolean", missing=True)
    if pd.api.types.is_integer_dtype(values):
        return Column("integer", missing=True)
    return Column("number", missing=True, digits=OTHER_DIGITS) if pd.api.types.is_float_dtype(values) else UNNAMED


def _printed(values: pd.Series, column: Column) -> list[str]:
    """Print the cells of a column."""
    absent = values.isna().tolist()
    if column.kind == "boolean":
        return [MISSING if no else "true" if value else "false" for value, no in zip(values, absent, strict=True)]
    if column.kind == "text" and not _is_number(values):
        return [
            MISSING if no else _quoted(_escaped(_word(value), column.missing))
            for value, no in zip(values, absent, strict=True)
        ]
    numbers = pd.to_numeric(values).tolist()
    if column.kind == "number":
        return [
            MISSING if no else _number(float(value), column.digits) for value, no in zip(numbers, absent, strict=True)
        ]
    return [MISSING if no else _whole(value) for value, no in zip(numbers, absent, strict=True)]


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _number(value: float, digits: int | None) -> str:
    # beyond this, rounding may pass the largest number that there is
    if digits is None or _ROUNDED < abs(value) < np.inf:
        return repr(value).removesuffix(".0")
    return f"{value:.{digits}g}"


def _whole(value: float) -> str:
    """Print a whole number in full, also where missing cells made the column one of floats."""
    return str(int(value)) if value == value // 1 else _number(value, OTHER_DIGITS)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def _escaped(text: str, missing: bool) -> str:
    """Put an apostrophe before text that a spreadsheet would run, or that would read as a missing cell."""
    is_mark = missing and text == MISSING
    return "'" + text if is_mark or (len(text) > 1 and text.startswith(ESCAPED_STARTS)) else text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def read_table(path: str | os.PathLike, table: Table | None = None) -> pd.DataFrame:
    """Read a table that `write_table` wrote.

    Parameters
    ----------
    path
        ``.tsv`` or ``.tsv.gz``.
    table
        What is in the columns; by default what the contract says of a file of that name.

    Returns
    -------
    pandas.DataFrame
        Text as objects (NaN where missing), numbers as float64, whole numbers and truth values as int64 and bool, or
        as Int64 and boolean where the contract lets cells be missing.

    Raises
    ------
    LookupError
        Without `table`, a file that the contract does not have.
    MachineError
        The file is damaged; it names it.
    """
    table = table_of(path) if table is None else table
    with reading(path):
        return _read_table(path, table)


def _read_table(path: str | os.PathLike, table: Table) -> pd.DataFrame:
    names = list(pd.read_csv(path, sep="\t", nrows=0, encoding="utf-8").columns)
    columns = {name: table.column(name) or UNNAMED for name in names}
    frame = pd.read_csv(
        path,
        sep="\t",
        encoding="utf-8",
        dtype={name: _DTYPES[column.kind] for name, column in columns.items()},
        keep_default_na=False,
        na_values={name: [MISSING] for name, column in columns.items() if column.missing or column.kind != "text"},
        float_precision="round_trip",
        # in a table of one column a name of spaces is a line of them
        skip_blank_lines=False,
    )
    for name, column in columns.items():
        if column.kind == "text":
            frame[name] = _unescaped(frame[name])
        elif column.kind in _EXACT and not column.missing and not frame[name].isna().any():
            frame[name] = frame[name].astype(_EXACT[column.kind])
    return frame


def _unescaped(values: pd.Series) -> pd.Series:
    escaped = (values.str.startswith("'") & values.str.len().gt(1)).eq(True)
    return values.where(~escaped, values.str[1:]) if escaped.any() else values


def write_anndata(data: ad.AnnData, path: str | os.PathLike) -> None:
    """Write a matrix (samples x features) as ``.h5ad``, gzip-compressed, whole or not at all."""
    with atomic_path(path) as temporary:
        if isinstance(data.X, np.ndarray) and not data.X.flags.c_contiguous:
            _write_turned(data, temporary)
        else:
            data.write_h5ad(temporary, **COMPRESSION)


def _write_turned(data: ad.AnnData, path: Path) -> None:
    """Write a matrix that is stored feature by feature, some samples at a time: h5py would first turn a copy of it."""
    import anndata as ad
    import h5py

    parts = {name: getattr(data, name) for name in ("obs", "var", "uns", "obsm", "varm", "layers")}
    ad.AnnData(**parts).write_h5ad(path, **COMPRESSION)
    with h5py.File(path, "r+") as file:
        values = file.create_dataset("X", data.shape, data.X.dtype, chunks=True, **COMPRESSION)
        values.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        rows = values.chunks[0] * max(1, SAMPLES_PER_BLOCK // values.chunks[0])
        for start in range(0, data.n_obs, rows):
            values[start : start + rows] = data.X[start : start + rows]


def read_anndata(path: str | os.PathLike) -> ad.AnnData:
    """Read a ``.h5ad`` that the pipeline itself wrote; a damaged one is a `MachineError`."""
    import anndata as ad

    with reading(path):
        return ad.read_h5ad(Path(path))


def read_features(path: str | os.PathLike) -> pd.DataFrame:
    """Read the annotation of the features of a ``.h5ad`` that the pipeline itself wrote, without its values."""
    import h5py
    from anndata.io import read_elem

    with reading(path), h5py.File(path, "r") as file:
        return read_elem(file["var"])


def read_views(paths: Iterable[str | os.PathLike]) -> dict[str, ad.AnnData]:
    """Read several views; each has the name of its file."""
    return {Path(path).stem: read_anndata(path) for path in paths}


def write_views(views: Mapping[str, ad.AnnData], paths: Iterable[str | os.PathLike]) -> None:
    """Write several views, each to the file of its name."""
    for path in paths:
        write_anndata(views[Path(path).stem], path)


def write_tables(tables: Mapping[str, pd.DataFrame], paths: Iterable[str | os.PathLike]) -> None:
    """Write several tables, each to the file of its name."""
    for path in paths:
        name = Path(path).name
        write_table(tables[name.removesuffix(".gz").removesuffix(".tsv")], path)
