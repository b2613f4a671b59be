"""Read a sheet or a matrix from a user's file, cell by cell where a cell is not a number."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import reading_users
from stratifn.shared.vocabulary import MISSING_MARKS

if TYPE_CHECKING:
    import h5py
    import pyarrow as pa
    import pyarrow.parquet as pq

DELIMITERS = {".tsv": "\t", ".csv": ",", ".txt": "\t"}
MATRIX_FORMATS = ".tsv, .tsv.gz, .csv, .csv.gz, .parquet or .h5ad"
GENE_NAME = "gene_name"
CELLS_PER_BLOCK = 4_000_000


@dataclass
class RawMatrix:
    """A matrix as in its file, before rows and columns are identified.

    Attributes
    ----------
    path
        The path as the user wrote it.
    values
        rows x columns; NaN where the cell is missing or no number.
    rows, columns
        Their ids, in the order of the file.
    gene_names
        The annotation column `gene_name`, if there is one beside the row ids.
    texts
        Cells that are no numbers: (row, column) to what is written there.
    """

    path: str
    values: np.ndarray
    rows: list[str]
    columns: list[str]
    gene_names: list[str] | None = None
    texts: dict[tuple[int, int], str] = field(default_factory=dict)

    def transposed(self) -> RawMatrix:
        """Swap rows and columns (the annotation of the rows is dropped: it describes features in rows)."""
        texts = {(column, row): text for (row, column), text in self.texts.items()}
        return RawMatrix(self.path, self.values.T, self.columns, self.rows, None, texts)


def read_sheet(path: str) -> pd.DataFrame:
    """Read a table of text: every cell as text, outer white space removed.

    Raises
    ------
    InputError
        If the file is missing, not UTF-8, has rows of different length, a column twice, or no rows.
    """
    delimiter = _delimiter(path, "a sample sheet", ".tsv, .csv (also .gz)")
    # newline=None: line ends of any system, also within one file
    lines = io.StringIO(_text(path), newline=None)
    with reading_users(path, "a table of text", "Export it again."):
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(row)]
    if len(rows) < 2:
        raise InputError(Problem(path, "the file", f"{len(rows)} rows", "a header and a row per sample", "Fill it."))
    header = [cell.strip() for cell in rows[0]]
    # a list of samples alone is a sheet too
    if any(mark in header[0] for mark in "\t,;"):
        _refuse_wrong_delimiter(path, header, delimiter)
    problems = [
        Problem(path, f"line {number}", f"{len(row)} cells", f"{len(header)} as in the header", "Correct the row.")
        for number, row in enumerate(rows[1:], start=2)
        if len(row) != len(header)
    ]
    problems += [
        Problem(path, "header", f"the column `{name}` twice", "each column once", "Rename one.")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    if problems:
        raise InputError(problems)
    return pd.DataFrame([[cell.strip() for cell in row] for row in rows[1:]], columns=header, dtype=object)


def read_matrix(path: str, dtype: type = np.float64) -> RawMatrix:
    """Read a matrix of numbers in any of the supported formats.

    Parameters
    ----------
    path
        The file; its ending tells the format.
    dtype
        Of the values; float32 halves the memory of methylation.

    Raises
    ------
    InputError
        If the file cannot be read as a matrix at all. Single bad cells are kept in `RawMatrix.texts`.
    """
    if not Path(path).is_file():
        raise InputError(Problem(path, "the file", "nothing there", "a matrix", "Correct the path in the config."))
    if path.endswith(".parquet"):
        return _read_parquet(path, dtype)
    if path.endswith(".h5ad"):
        return _read_h5ad(path, dtype)
    return _read_delimited(path, dtype)


def _read_delimited(path: str, dtype: type) -> RawMatrix:
    delimiter = _delimiter(path, "a matrix", MATRIX_FORMATS)
    header, first = _first_rows(path, delimiter)
    # R's write.table leaves the column of row names without a header cell
    if len(first) == len(header) + 1:
        header = ["", *header]
    _refuse_wrong_delimiter(path, header, delimiter)
    annotated = len(header) > 1 and header[1] == GENE_NAME
    columns = header[2:] if annotated else header[1:]
    rows: list[str] = []
    gene_names: list[str] = []
    blocks: list[np.ndarray] = []
    texts: dict[tuple[int, int], str] = {}
    with reading_users(path, "rows of equal length in UTF-8", "Export it again."):
        reader = pd.read_csv(
            path,
            sep=delimiter,
            header=None,
            skiprows=1,
            encoding="utf-8",
            # names that cannot clash, whatever the header holds twice
            names=range(len(header)),
            dtype={0: str, **({1: str} if annotated else {})},
            keep_default_na=False,
            na_values=dict.fromkeys(range(2 if annotated else 1, len(header)), sorted(MISSING_MARKS)),
            chunksize=max(1, CELLS_PER_BLOCK // max(1, len(header))),
            low_memory=False,
        )
        for block in reader:
            if annotated:
                gene_names += block[1].str.strip().tolist()
            values, found = _numbers(block.iloc[:, 2 if annotated else 1 :], dtype)
            texts |= {(row + len(rows), column): text for (row, column), text in found.items()}
            blocks.append(values)
            rows += block[0].str.strip().tolist()
    values = np.concatenate(blocks) if blocks else np.empty((0, len(columns)), dtype)
    return RawMatrix(path, values, rows, [name.strip() for name in columns], gene_names or None, texts)


def _numbers(block: pd.DataFrame, dtype: type) -> tuple[np.ndarray, dict[tuple[int, int], str]]:
    """Turn a block into numbers, remembering the cells that are text."""
    values = np.empty(block.shape, dtype=dtype)
    texts: dict[tuple[int, int], str] = {}
    for number, (_, column) in enumerate(block.items()):
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            values[:, number] = column.to_numpy()
            continue
        # of Parquet and .h5ad nobody has looked at the marks yet
        column = column.where(~column.isin(MISSING_MARKS))
        numbers = pd.to_numeric(column, errors="coerce")
        values[:, number] = numbers.to_numpy(dtype=float)
        odd = np.flatnonzero((numbers.isna() & column.notna()).to_numpy())
        texts |= {(int(row), number): str(column.iloc[row]).strip() for row in odd}
    return values, texts


def _read_parquet(path: str, dtype: type) -> RawMatrix:
    import pyarrow.parquet as pq

    with reading_users(path, "a Parquet table", "Export it again."), pq.ParquetFile(path) as file:
        return _read_columns(path, file, dtype)


def _read_columns(path: str, file: pq.ParquetFile, dtype: type) -> RawMatrix:
    """Read a few columns at a time: methylation of a whole cohort as one table would be another copy of it."""
    names = file.schema_arrow.names
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        raise InputError(Problem(path, "columns", f"{repeated[0]} twice", "each column once", "Rename or remove one."))
    if len(names) < 2:
        raise InputError(Problem(path, "columns", f"{len(names)}", "ids and values", "Export it again."))
    index = _index_column(file.schema_arrow)
    gene_names = _texts(file, GENE_NAME) if GENE_NAME in names else None
    columns = [name for name in names if name not in (index, GENE_NAME)]
    values = np.empty((file.metadata.num_rows, len(columns)), dtype)
    texts: dict[tuple[int, int], str] = {}
    width = max(1, CELLS_PER_BLOCK // max(1, len(values)))
    for start in range(0, len(columns), width):
        block = file.read(columns[start : start + width]).replace_schema_metadata().to_pandas()
        values[:, start : start + width], found = _numbers(block, dtype)
        texts |= {(row, column + start): text for (row, column), text in found.items()}
    return RawMatrix(path, values, _texts(file, index), columns, gene_names, texts)


def _index_column(schema: pa.Schema) -> str:
    """Name of the column of row ids: the index that pandas wrote, else the first column."""
    indices = (schema.pandas_metadata or {}).get("index_columns", [])
    # a numbered index is written as a description, not as a column
    return next((name for name in indices if isinstance(name, str)), schema.names[0])


def _texts(file: pq.ParquetFile, name: str) -> list[str]:
    return file.read([name]).column(0).to_pandas().astype(str).tolist()


def _read_h5ad(path: str, dtype: type) -> RawMatrix:
    import anndata as ad
    import h5py

    with reading_users(path, "an AnnData file", "Export it again."):
        with h5py.File(path) as handle:
            _refuse_links(path, handle)
        data = ad.read_h5ad(path)
        values = data.X.toarray() if hasattr(data.X, "toarray") else np.asarray(data.X)
        names = data.var[GENE_NAME].astype(str).tolist() if GENE_NAME in data.var else None
        return RawMatrix(path, values.T.astype(dtype), data.var_names.tolist(), data.obs_names.tolist(), names)


def _refuse_links(path: str, group: h5py.Group) -> None:
    """Refuse links out of the file: h5py would follow them and read any file of this machine."""
    import h5py

    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink | h5py.SoftLink):
            raise InputError(Problem(path, name, "a link to elsewhere", "data in the file itself", "Export it again."))
        child = group[name]
        if isinstance(child, h5py.Group):
            _refuse_links(path, child)
        elif child.external or child.is_virtual:
            raise InputError(Problem(path, name, "external storage", "data in the file itself", "Export it again."))


def _delimiter(path: str, what: str, formats: str) -> str:
    suffix = Path(path.removesuffix(".gz")).suffix.lower()
    if suffix not in DELIMITERS:
        raise InputError(
            Problem(path, "the file name", f"the ending `{suffix}`", f"{what} as {formats}", "Convert it.")
        )
    return DELIMITERS[suffix]


def _text(path: str) -> str:
    """Read a whole text file, refusing what is no text."""
    with reading_users(path, "a table of text in UTF-8", "Save it as UTF-8."):
        data = gzip.decompress(Path(path).read_bytes()) if path.endswith(".gz") else Path(path).read_bytes()
        text = data.decode("utf-8-sig")
    if "\0" in text:
        raise InputError(Problem(path, "the file", "NUL bytes", "text in UTF-8", "Save it as UTF-8."))
    return text


def _first_rows(path: str, delimiter: str) -> tuple[list[str], list[str]]:
    opener = gzip.open if path.endswith(".gz") else open
    with (
        reading_users(path, "text in UTF-8", "Save it as UTF-8."),
        opener(path, "rt", encoding="utf-8-sig", newline="") as handle,
    ):
        reader = csv.reader(handle, delimiter=delimiter)
        header, first = next(reader, []), next(reader, [])
    if not header:
        raise InputError(
            Problem(path, "line 1", "an empty line", "a header with the ids", "Remove the line or add the header.")
        )
    if not first:
        raise InputError(Problem(path, "the file", "no rows", "a header and a row per feature", "Fill it."))
    return header, first


def _refuse_wrong_delimiter(path: str, header: list[str], delimiter: str) -> None:
    if len(header) > 1:
        return
    others = [name for name, mark in (("tabs", "\t"), ("commas", ","), ("semicolons", ";")) if mark in header[0]]
    found = f"one column, with {others[0]} inside" if others else "one column"
    wanted = "tabs" if delimiter == "\t" else "commas"
    raise InputError(
        Problem(path, "header", found, f"columns between {wanted}", "Save it again or correct its ending.")
    )
