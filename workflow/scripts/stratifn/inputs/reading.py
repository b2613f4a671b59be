"""Read a sheet or a matrix from a user's file: the content decides the format, not the name."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from stratifn.inputs.child import read_in_child
from stratifn.inputs.contents import HDF5, PARQUET, TEXT, kind_of
from stratifn.inputs.delimited import RowJudge, header_of, preview, rows_of
from stratifn.inputs.formats import OLINK
from stratifn.inputs.hdf5 import h5ad_ids, read_h5ad
from stratifn.inputs.parquet import parquet_ids, read_parquet
from stratifn.inputs.raw_matrix import Correction, RawMatrix
from stratifn.inputs.text import Block, Text
from stratifn.inputs.text_matrix import read_text_ids, read_text_matrix
from stratifn.shared.errors import InputError, Problem


def read_matrix(path: str, dtype: type = np.float64, name: str | None = None) -> RawMatrix:
    """Read a matrix of numbers from delimited text, Parquet or AnnData.

    Parameters
    ----------
    path
        As the user wrote it.
    dtype
        Of the values; float32 halves the memory of methylation.
    name
        The format of delimited text, as the config names it; None finds it out.

    Raises
    ------
    InputError
        If the file cannot be read as a matrix at all. Single bad cells are kept in `RawMatrix.texts`.
    """
    kind = _kind_read_as(path, name)
    if kind == TEXT:
        return read_text_matrix(path, dtype, name)
    # imported here, so that the child inherits it
    if kind == HDF5:
        import anndata.io  # noqa: F401

        return read_in_child(path, "an AnnData file", partial(read_h5ad, path, dtype))
    import pyarrow.parquet  # noqa: F401

    return read_in_child(path, "a Parquet table", partial(read_parquet, path, dtype))


def read_ids(path: str, name: str | None = None) -> RawMatrix | None:
    """Read the ids of a matrix without its values, in the time that the header of a large file takes.

    Parameters
    ----------
    path, name
        As of `read_matrix`.

    Returns
    -------
    RawMatrix or None
        Without values; of delimited text without rows, and of Parquet of a row per sample and feature without any id.
        None of such a text.

    Raises
    ------
    InputError
        As `read_matrix`, for what can be seen without the values.
    """
    kind = _kind_read_as(path, name)
    if kind == TEXT:
        return read_text_ids(path, name)
    if kind == HDF5:
        import anndata.io  # noqa: F401

        return read_in_child(path, "an AnnData file", partial(h5ad_ids, path))
    import pyarrow.parquet  # noqa: F401

    return read_in_child(path, "a Parquet table", partial(parquet_ids, path))


def _kind_read_as(path: str, name: str | None) -> str:
    """Return what a file is; refuse a format of text that is named for another file."""
    kind = kind_of(path)
    if name is not None and kind != TEXT and not (name == OLINK.name and kind == PARQUET):
        fix = "Remove `format` of this view."
        raise InputError(Problem(path, "the file", kind, f"delimited text: `format: {name}`", fix, code="IN-240"))
    return kind


def read_sheet(path: str) -> tuple[pd.DataFrame, list[Correction]]:
    """Read a table of text.

    Returns
    -------
    pandas.DataFrame
        Every cell as text, outer white space removed; the index holds the lines of the file.
    list
        What was put right.

    Raises
    ------
    InputError
        If the file is missing, not UTF-8, has rows of different length, a column twice, or no rows.
    """
    if (kind := kind_of(path)) != TEXT:
        fix = "Save it as tab-separated text (.tsv)."
        raise InputError(Problem(path, "the file", f"{kind}", "a table of text", fix, code="IN-004"))
    text = Text(path)
    blocks = list(text)
    # a quoted cell of several lines may lie across two blocks
    whole = Block(1, b"".join(block.data for block in blocks))
    found = preview(path, whole, text.corrections)
    header, corrections = header_of(found)
    padded = sum(cell != cell.strip() for cell in found.header.cells)
    if padded:
        corrections.append(("header", f"whitespace: removed around {padded} names"))
    problems = _header_problems(path, found.header.line, header)
    judge = RowJudge(path, len(header))
    first = found.body[0].line
    # a header of R's has one cell less than the rows
    below = (row for row in rows_of(path, whole, found.delimiter) if row.line != found.header.line)
    rows = [row for row in judge.kept(below) if row.line >= first]
    problems += judge.problems()
    if problems:
        raise InputError(problems)
    trimmed = sum(cell != cell.strip() for row in rows for cell in row.cells)
    if trimmed:
        corrections.append(("cells", f"whitespace: removed around {trimmed} of them"))
    cells = [[cell.strip() for cell in row.cells] for row in rows]
    frame = pd.DataFrame(cells, columns=header, index=[row.line for row in rows], dtype=object)
    return frame, [*text.corrections, *corrections, *judge.corrections()]


def _header_problems(path: str, line: int, header: list[str]) -> list[Problem]:
    return [
        Problem(path, f"line {line}", f"the column `{name}` twice", "each column once", "Rename one.", code="IN-016")
        for name in sorted({name for name in header if header.count(name) > 1 and name})
    ]
