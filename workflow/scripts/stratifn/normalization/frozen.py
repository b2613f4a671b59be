"""Transforms that keep what they learned from the training samples, so that a later sample gets its own value.

Every transform is a frozen dataclass of arrays, numbers and words. `to_arrays` and `from_arrays` carry it through
``uns`` of an ``.h5ad`` or through an ``.npz`` without pickle.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.errors import InputError, Problem, listed

SAMPLES_PER_BLOCK = 64


@dataclass(frozen=True)
class FrozenTransform:
    """What every kind's transform holds and does.

    Attributes
    ----------
    features
        Ids of the features that a new matrix must have.
    """

    features: np.ndarray

    def transform(self, view: ad.AnnData, in_place: bool = False) -> ad.AnnData:
        """Transform samples, seen or new; each gets the value that it would get alone.

        Parameters
        ----------
        view
            Samples x features in the kind's own units, as `inputs` wrote it; more features than the transform
            knows are left out, their order does not matter.
        in_place
            Overwrite the matrix of `view` where that saves a copy (450,000 CpGs x 1,600 samples are 2.9 GB).

        Raises
        ------
        InputError
            A feature of the training matrix is absent.
        """
        raise NotImplementedError


def aligned(view: ad.AnnData, features: np.ndarray) -> ad.AnnData:
    """Return the view with exactly these features in this order, without a copy if it has them already."""
    names = view.var_names.astype(str)
    if len(names) == len(features) and (names == features).all():
        return view
    positions = names.get_indexer(features)
    absent = features[positions < 0]
    if len(absent):
        raise InputError(
            Problem(
                "matrix",
                "features",
                f"{len(absent)} of the {len(features)} features of the training matrix absent ({listed(absent, 5)})",
                "the same features as in the training matrix",
                "Quantify the new samples against the same annotation.",
                code="IN-212",
            )
        )
    return view[:, positions].copy()


def dense(matrix: Any) -> np.ndarray:
    """Return a matrix as an array, without a copy if it is one."""
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)


def overwritable(matrix: Any, in_place: bool) -> np.ndarray:
    """Return a floating point array that may be written to: the matrix itself if `in_place` allows it."""
    values = dense(matrix)
    if not np.issubdtype(values.dtype, np.floating):
        return values.astype(np.float32)
    return values if in_place and values.flags.writeable else values.copy()


def transformed_view(view: ad.AnnData, values: np.ndarray) -> ad.AnnData:
    """Wrap transformed values with the annotation of their samples and features."""
    var = view.var.copy()
    if "gene_name" not in var:
        var["gene_name"] = view.var_names.astype(str)
    return ad.AnnData(X=values, obs=view.obs.copy(), var=var)


def to_arrays(frozen: FrozenTransform) -> dict[str, Any]:
    """Return the fields of a frozen transform as arrays, numbers and words (``np.savez`` needs no pickle)."""
    arrays = {field.name: getattr(frozen, field.name) for field in fields(frozen)}
    return {**arrays, "features": frozen.features.astype(str)}


def from_arrays(cls: type[FrozenTransform], arrays: dict[str, Any]) -> FrozenTransform:
    """Rebuild a frozen transform from what `to_arrays` returned, after a round through a file."""
    values = {}
    for field in fields(cls):
        if field.name not in arrays and field.default is not MISSING:
            continue  # frozen before the field was there
        value = arrays[field.name]
        array = np.asarray(value)
        if array.ndim == 0:
            value = array.item()
        elif field.name == "features":
            value = array.astype(str).astype(object)
        else:
            value = array
        values[field.name] = value
    return cls(**values)


def note(view: str, item: str, what: str, reason: str) -> pd.DataFrame:
    """Return one row of notes."""
    return pd.DataFrame([[view, item, what, reason]], columns=list(NOTE_COLUMNS))
