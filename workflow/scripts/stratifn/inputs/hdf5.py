"""A matrix from AnnData's HDF5, looked at from outside before a byte of its numbers is believed."""

from __future__ import annotations

from typing import Any

import numpy as np

from stratifn.inputs.child import Allocate
from stratifn.inputs.formats import GENE_NAME
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.shared.errors import InputError, Problem, listed

ROWS_PER_BLOCK = 2_000
SPARSE = {"csr_matrix": "indices of columns", "csc_matrix": "indices of rows"}


def read_h5ad(path: str, dtype: type, allocate: Allocate) -> RawMatrix:
    """Read `X` of an AnnData file; features become rows.

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
        It is HDF5 of another kind, has no `X`, values that are no numbers, links out of the file, or a sparse matrix
        whose indices lie outside of it.
    """
    import h5py

    with h5py.File(path, "r") as file:
        samples, features = _ids(path, file)
        gene_names = _column(file["var"], GENE_NAME)
        values = _values(path, file["X"], (len(samples), len(features)), dtype, allocate)
    return RawMatrix(path, values, features, samples, gene_names)


def h5ad_ids(path: str, allocate: Allocate) -> RawMatrix:
    """Read the ids of an AnnData file; parameters and errors as of `read_h5ad`, the values have no columns."""
    import h5py

    with h5py.File(path, "r") as file:
        samples, features = _ids(path, file)
    return RawMatrix(path, allocate((len(features), 0), np.float32), features, samples)


def _ids(path: str, file: Any) -> tuple[list[str], list[str]]:
    _refuse_links(path, file)
    if "X" not in file or "obs" not in file or "var" not in file:
        raise InputError(_no_anndata(path, file))
    samples, features = _names(file["obs"]), _names(file["var"])
    for what, names in (("obs", samples), ("var", features)):
        _refuse_missing(path, what, names)
    return samples, features


def _no_anndata(path: str, file: Any) -> Problem:
    there = listed(sorted(file), 5) or "nothing"
    found = f"HDF5 that holds {there}"
    if "matrix" in file or any(name.startswith(("GRCh", "hg")) for name in file):
        found = f"a 10x file of single cells ({there})"
    fix = "Write one row of `X` per sample with anndata (`AnnData(x, obs, var).write_h5ad(path)`), or use a table."
    return Problem(path, "the file", found, "AnnData with X, obs and var", fix, code="IN-019")


def _refuse_missing(path: str, what: str, names: list[str]) -> None:
    missing = sum(not name for name in names)
    if missing:
        found = f"{missing} missing ids"
        raise InputError(Problem(path, what, found, "an id per row", "Give every row an id.", code="IN-018"))


def _names(frame: Any) -> list[str]:
    from anndata.io import read_elem

    return [_word(name) for name in read_elem(frame).index]


def _word(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()


def _column(frame: Any, name: str) -> list[str] | None:
    from anndata.io import read_elem

    table = read_elem(frame)
    return [_word(cell) for cell in table[name]] if name in table else None


def _values(path: str, data: Any, shape: tuple[int, int], dtype: type, allocate: Allocate) -> np.ndarray:
    """Read X, samples x features, as features x samples."""
    import h5py

    if isinstance(data, h5py.Dataset):
        _check_dense(path, data, shape)
        values = allocate(shape[::-1], dtype)
        for start in range(0, shape[0], ROWS_PER_BLOCK):
            values[:, start : start + ROWS_PER_BLOCK] = data[start : start + ROWS_PER_BLOCK].T
        return values
    kind = data.attrs.get("encoding-type", "")
    if kind not in SPARSE or not {"data", "indices", "indptr"} <= set(data):
        found = f"X of the kind {kind or 'unknown'!r} with {listed(sorted(data), 5)}"
        fix = "Write X as a dense or sparse matrix."
        raise InputError(Problem(path, "X", found, "a matrix", fix, code="IN-020"))
    return _sparse(path, data, kind, shape, dtype, allocate)


def _check_dense(path: str, data: Any, shape: tuple[int, int]) -> None:
    if data.shape != shape:
        found = f"X of {' x '.join(map(str, data.shape))} for {shape[0]} samples and {shape[1]} features"
        raise InputError(Problem(path, "X", found, "as many rows and columns as ids", "Write it again.", code="IN-021"))
    _check_numbers(path, data.dtype)


def _check_numbers(path: str, dtype: np.dtype) -> None:
    if dtype.kind not in "iuf":
        found = f"values of type {dtype}"
        raise InputError(Problem(path, "X", found, "numbers", "Write X as numbers.", code="IN-020"))


def _sparse(path: str, data: Any, kind: str, shape: tuple[int, int], dtype: type, allocate: Allocate) -> np.ndarray:
    """Unfold a sparse matrix by numpy alone, which checks every index; scipy's own code trusts them."""
    claimed = tuple(int(size) for size in data.attrs.get("shape", ()))
    if claimed != shape:
        found = f"X of {' x '.join(map(str, claimed)) or 'unknown size'} for {shape[0]} samples and {shape[1]} features"
        raise InputError(Problem(path, "X", found, "as many rows and columns as ids", "Write it again.", code="IN-021"))
    cells, indices, starts = data["data"][:], data["indices"][:], data["indptr"][:]
    _check_numbers(path, cells.dtype)
    lines, across = shape if kind == "csr_matrix" else shape[::-1]
    inside = (
        len(starts) == lines + 1
        and starts[0] == 0
        and np.all(np.diff(starts) >= 0)
        and starts[-1] == len(indices) == len(cells)
        and (not len(indices) or (indices.min() >= 0 and indices.max() < across))
    )
    if not inside:
        found = f"a sparse matrix whose {SPARSE[kind]} lie outside of {shape[0]} x {shape[1]}"
        fix = "Write it again, or as a dense matrix."
        raise InputError(Problem(path, "X", found, "indices within the matrix", fix, code="IN-022"))
    values = allocate(shape[::-1], dtype)
    values[:] = 0
    unfolded = values.T if kind == "csr_matrix" else values
    # cells that are given twice are added, as everywhere
    np.add.at(unfolded, (np.repeat(np.arange(lines), np.diff(starts)), indices), cells)
    return values


def _refuse_links(path: str, file: Any) -> None:
    """Refuse links out of the file: h5py would follow them and read any file of this machine."""
    import h5py

    groups, seen = [file], set()
    while groups:
        group = groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            where = f"{group.name.rstrip('/')}/{name}"
            if isinstance(link, h5py.ExternalLink | h5py.SoftLink):
                raise InputError(_elsewhere(path, where, "a link to elsewhere"))
            child = group[name]
            if isinstance(child, h5py.Dataset):
                if child.external or child.is_virtual:
                    raise InputError(_elsewhere(path, where, "data that are stored outside of the file"))
                continue
            # a group may hold itself
            address = h5py.h5o.get_info(child.id).addr
            if isinstance(child, h5py.Group) and address not in seen:
                seen.add(address)
                groups.append(child)


def _elsewhere(path: str, where: str, found: str) -> Problem:
    return Problem(path, where, found, "data in the file itself", "Export it again.", code="IN-023")
