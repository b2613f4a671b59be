"""What a user's file really is, whatever its name says, and its bytes without the compression."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import reading_users

TEXT, PARQUET, HDF5 = "text", "Parquet", "HDF5"
EXPORT_AGAIN = "Export it again, or copy it again and compare its size with the original's."
_COMPRESSIONS = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}
_BINARIES = {b"PAR1": PARQUET, b"\x89HDF\r\n\x1a\n": HDF5}
AS_TEXT = "Save it as tab-separated text (.tsv)"
_REFUSED = {
    b"PK\x03\x04": ("an Excel workbook (.xlsx) or a zip archive", f"{AS_TEXT}: in Excel, File > Save As > Text."),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "an old Excel workbook (.xls)",
        f"{AS_TEXT}: in Excel, File > Save As > Text.",
    ),
    b"%PDF": ("a PDF", "Ask for the table as tab-separated text."),
    b"{\\rtf": ("a formatted text (RTF)", f"{AS_TEXT}."),
    b"RDX2\n": ("R data (.RData)", "In R: `write.table(x, 'x.tsv', sep = '\\t', quote = FALSE, col.names = NA)`."),
    b"RDX3\n": ("R data (.RData)", "In R: `write.table(x, 'x.tsv', sep = '\\t', quote = FALSE, col.names = NA)`."),
    b"X\n\x00\x00": ("R data (.rds)", "In R: `write.table(x, 'x.tsv', sep = '\\t', quote = FALSE, col.names = NA)`."),
}
_LONGEST_MAGIC = 16


def kind_of(path: str) -> str:
    """Tell whether a file is text (compressed or not), Parquet or HDF5.

    Raises
    ------
    InputError
        It is missing, a folder, empty, or of a kind that is not read: an Excel workbook, a PDF, R's data.
    """
    if Path(path).is_dir():
        raise InputError(
            Problem(path, "the file", "a folder", "a file", "Name the file in it.", code="IN-003"),
        )
    with (
        reading_users(path, "a table or a matrix", EXPORT_AGAIN),
        whole_compression(path),
        decompressed(path) as handle,
    ):
        start = handle.read(_LONGEST_MAGIC)
    for magic, kind in _BINARIES.items():
        if start.startswith(magic):
            return kind
    for magic, (found, fix) in _REFUSED.items():
        if start.startswith(magic):
            raise InputError(
                Problem(path, "the file", found, "text, Parquet or AnnData (.h5ad)", fix, code="IN-004"),
            )
    if not start.strip():
        raise InputError(Problem(path, "the file", "nothing in it", "a header and rows", EXPORT_AGAIN, code="IN-005"))
    return TEXT


def compression_of(path: str) -> str | None:
    """Tell by its first bytes how a file is compressed: ``gz``, ``bz2``, ``xz``, ``zst``, or not at all."""
    with open(path, "rb") as handle:
        start = handle.read(_LONGEST_MAGIC)
    return next((name for magic, name in _COMPRESSIONS.items() if start.startswith(magic)), None)


@contextmanager
def whole_compression(path: str) -> Iterator[None]:
    """Read compressed data: where they are damaged or end too early, this is a problem of the file."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        # Python's reader of bz2 and Arrow's of zst have no error of their own; those of the machine have a number
        if getattr(error, "errno", None) is not None:
            raise
        found = f"compressed data that are damaged or end too early ({error})"
        problem = Problem(path, "the file", found, "a whole compressed file", EXPORT_AGAIN, code="IN-006")
        raise InputError(problem) from error


def decompressed(path: str) -> BinaryIO:
    """Open a file for reading its bytes, without its compression.

    What it raises while it is read, where the compressed data are damaged, `whole_compression` puts into words.
    """
    compression = compression_of(path)
    if compression == "gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if compression == "bz2":
        return bz2.open(path, "rb")  # type: ignore[return-value]
    if compression == "xz":
        return lzma.open(path, "rb")  # type: ignore[return-value]
    if compression == "zst":
        return _Zstandard(path)  # type: ignore[return-value]
    return open(path, "rb")


class _Zstandard(io.RawIOBase):
    """Bytes of a zst file, by Arrow's reader."""

    def __init__(self, path: str):
        import pyarrow as pa

        self._stream = pa.CompressedInputStream(pa.OSFile(path, "rb"), "zstd")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(None if size < 0 else size)

    def close(self) -> None:
        self._stream.close()
        super().close()
