"""Tables (TSV) and matrices (AnnData) as every phase reads and writes them."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from stratifn.shared.files import atomic_path

if TYPE_CHECKING:
    import anndata as ad

MISSING = "NA"
# columns that hold names: there `NA`, `007` and `1e5` are names, neither missing nor numbers
IDENTIFIER_COLUMNS = frozenset("sample patient disease gene_id gene_name feature item".split())
# other columns of words: `NA` is missing
WORD_COLUMNS = frozenset(
    "sex batch visit view what reason contrast gene_set source signature signature_a signature_b method status "
    "label stratum ifn_class ifn_type factor variable test class path name version sha256".split()
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t")


def write_table(frame: pd.DataFrame, path: str | os.PathLike, float_format: str = "%.6g") -> None:
    """Write a table: UTF-8 TSV, `NA` for missing, gzip without name or time for ``.gz``.

    Text that a spreadsheet would run as a formula gets a leading apostrophe. The index is not written.

    Parameters
    ----------
    frame
        The table; its rows are written in the order given, so sort before.
    path
        ``.tsv`` or ``.tsv.gz``.
    float_format
        Six significant digits, but for numbers that others compute on.
    """
    text = _printable(frame).to_csv(
        sep="\t", index=False, na_rep=MISSING, float_format=float_format, lineterminator="\n"
    )
    data = text.encode("utf-8")
    with atomic_path(path) as temporary:
        temporary.write_bytes(_gzip(data) if str(path).endswith(".gz") else data)


def _gzip(data: bytes) -> bytes:
    """Compress without file name or time in the header, so that the same table gives the same bytes."""
    return gzip.compress(data, compresslevel=6, mtime=0)


def _printable(frame: pd.DataFrame) -> pd.DataFrame:
    printable = frame.copy()
    for column in printable.columns:
        values = printable[column]
        if pd.api.types.is_bool_dtype(values):
            printable[column] = values.map({True: "true", False: "false"})
        elif not pd.api.types.is_numeric_dtype(values):
            printable[column] = values.astype(object).map(_harmless, na_action="ignore")
    return printable


def _harmless(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


def read_table(path: str | os.PathLike, words: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a table that `write_table` wrote.

    Parameters
    ----------
    path
        ``.tsv`` or ``.tsv.gz``.
    words
        Columns of text besides `IDENTIFIER_COLUMNS` and `WORD_COLUMNS`.
    """
    header = list(pd.read_csv(path, sep="\t", nrows=0).columns)
    text = IDENTIFIER_COLUMNS | WORD_COLUMNS | set(words)
    return pd.read_csv(
        path,
        sep="\t",
        dtype={column: str for column in header if column in text},
        keep_default_na=False,
        na_values={column: [MISSING] for column in header if column not in IDENTIFIER_COLUMNS},
    )


def write_anndata(data: ad.AnnData, path: str | os.PathLike) -> None:
    """Write a matrix (samples x features) as ``.h5ad``, gzip-compressed, whole or not at all."""
    with atomic_path(path) as temporary:
        data.write_h5ad(temporary, compression="gzip", compression_opts=1)


def read_anndata(path: str | os.PathLike) -> ad.AnnData:
    """Read a ``.h5ad`` that the pipeline itself wrote."""
    import anndata as ad

    return ad.read_h5ad(Path(path))


def read_features(path: str | os.PathLike) -> pd.DataFrame:
    """Read the annotation of the features of a ``.h5ad`` that the pipeline itself wrote, without its values."""
    import h5py
    from anndata.io import read_elem

    with h5py.File(path, "r") as file:
        return read_elem(file["var"])


def read_views(paths: Iterable[str | os.PathLike]) -> dict[str, ad.AnnData]:
    """Read several views; each is called as its file is."""
    return {Path(path).stem: read_anndata(path) for path in paths}


def write_views(views: Mapping[str, ad.AnnData], paths: Iterable[str | os.PathLike]) -> None:
    """Write several views; each file says by its name which one it takes."""
    for path in paths:
        write_anndata(views[Path(path).stem], path)


def write_tables(tables: Mapping[str, pd.DataFrame], paths: Iterable[str | os.PathLike]) -> None:
    """Write several tables; each file says by its name which one it takes."""
    for path in paths:
        name = Path(path).name
        write_table(tables[name.removesuffix(".gz").removesuffix(".tsv")], path)
