"""Named arrays in one file (``.npz``): never pickled, written whole, the same arrays giving the same bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from stratifn.shared.files import atomic_path, reading


def arrays_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the bytes of a compressed ``.npz``, sorted by name.

    Raises
    ------
    TypeError
        For an array of Python objects, which only pickle could hold.
    """
    objects = [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]
    if objects:
        raise TypeError(f"arrays of Python objects: {', '.join(sorted(objects))}")
    buffer = io.BytesIO()
    # numpy's types take any keyword for `allow_pickle`
    named: dict[str, Any] = {name: np.asarray(arrays[name]) for name in sorted(arrays)}
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()


def write_arrays(arrays: Mapping[str, np.ndarray], path: str | os.PathLike) -> None:
    """Write arrays as ``.npz``, whole or not at all."""
    data = arrays_bytes(arrays)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read every array of an ``.npz`` that stratifn wrote; a damaged one is a `MachineError`."""
    with reading(path), open(path, "rb") as file:
        return arrays_in(file)


def arrays_in(file: IO[bytes]) -> dict[str, np.ndarray]:
    """Read every array of an open ``.npz``; a pickled one is an error (`ValueError`)."""
    with np.load(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
