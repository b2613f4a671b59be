"""How much memory a validation needs, from the number of cells of its matrices.

The bytes of a file say little: counts of zero compress to next to nothing. Measured by ``benchmarks/validation.py``.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import math
import os
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from stratifn.shared.vocabulary import BETA

# megabytes of a job with a small matrix: Python and its libraries, blocks that are being read, and Snakemake's two
# processes in a Slurm job
BASE = 300 + 200 + 200
# bytes in memory per cell at the peak: of values in double precision, and of beta values, which are in single
OF_TEXT = {False: 24, True: 12}
BYTES_PER_CELL = {".parquet": {False: 20, True: 8}, ".h5ad": {False: 20, True: 10}}
# bytes in memory per byte of a frozen reference: the file, its arrays, its parts
OF_REFERENCE = 3
TO_SPARE = 1.25
# bytes of a text that are looked at, and of one that was compressed: the header of a wide matrix alone can have 5 MB
LOOKED_AT = 8 * 2**20
UNPACKED = 64 * 2**20
UNREADABLE = (OSError, EOFError, ValueError, LookupError, RuntimeError, zlib.error)


def validation_megabytes(matrices: Mapping[str, str], reference: Iterable[str | os.PathLike] = ()) -> int:
    """Return the memory that reading and validating matrices needs, with a quarter to spare.

    Parameters
    ----------
    matrices
        Path to the kind of the view.
    reference
        Files of a frozen reference that are read as well.

    Raises
    ------
    FileNotFoundError
        A file is not there (yet).
    """
    needed = sum(
        matrix_cells(path) * BYTES_PER_CELL.get(Path(path).suffix, OF_TEXT)[kind == BETA]
        for path, kind in matrices.items()
    )
    needed += sum(Path(path).stat().st_size * OF_REFERENCE for path in reference)
    return math.ceil(TO_SPARE * (BASE + needed / 2**20))


def matrix_cells(path: str | os.PathLike) -> int:
    """Return how many cells a matrix has: of text roughly, from its first lines.

    A file that is no matrix has none; its validation says what is wrong with it.

    Raises
    ------
    FileNotFoundError
        The file is not there.
    """
    path = Path(path)
    size = path.stat().st_size
    try:
        if path.suffix == ".parquet":
            return _parquet_cells(path)
        return _h5ad_cells(path) if path.suffix == ".h5ad" else _text_cells(path, size)
    except UNREADABLE:
        return 0


def _parquet_cells(path: Path) -> int:
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    return metadata.num_rows * metadata.num_columns


def _h5ad_cells(path: Path) -> int:
    import h5py

    with h5py.File(path, "r") as file:
        values = file["X"]
        # a sparse matrix is a group; it is read as a dense one
        shape = values.shape if isinstance(values, h5py.Dataset) else values.attrs["shape"]
        return math.prod(map(int, shape))


def _text_cells(path: Path, size: int) -> int:
    with open(path, "rb") as file:
        block = file.read(LOOKED_AT)
    looked_at = len(block)
    if path.suffix == ".gz":
        block, looked_at = _unpacked(block)
    if not block:
        return 0
    # ids of the header are longer than values
    rows = block[block.find(b"\n") + 1 :] or block
    mark = b"," if ".csv" in path.suffixes else b"\t"
    cells = rows.count(mark) + rows.count(b"\n")
    return round(size * (len(block) / looked_at) * (cells / len(rows)))


def _unpacked(packed: bytes) -> tuple[bytes, int]:
    """Unpack what may end early, up to a limit; return it and how many packed bytes it took."""
    source = io.BytesIO(packed)
    pieces: list[bytes] = []
    # a file whose end is not here is no mistake
    with contextlib.suppress(EOFError), gzip.GzipFile(fileobj=source) as file:
        while sum(map(len, pieces)) < UNPACKED and (piece := file.read1(2**16)):
            pieces.append(piece)
    return b"".join(pieces), source.tell()
