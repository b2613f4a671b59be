"""Normalise one view, whatever its kind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.normalization.frozen import SAMPLES_PER_BLOCK, FrozenTransform, dense, from_arrays, to_arrays
from stratifn.normalization.kinds import KINDS
from stratifn.normalization.principal_components import add_principal_components
from stratifn.normalization.settings import Settings
from stratifn.normalization.task import Task
from stratifn.shared.vocabulary import CONTINUOUS, COUNTS, OWN_FACTORS, SIZE_FACTORS

if TYPE_CHECKING:
    from pydeseq2.inference import Inference


@dataclass(frozen=True)
class NormalizedView:
    """A normalised view and how it came about.

    Attributes
    ----------
    data
        Samples x features, ``X`` transformed; the contract's ``normalization/{view}.h5ad``. ``uns["kind"]`` and
        ``uns["transform"]`` hold the frozen transform for `frozen_transform`.
    transform
        The frozen transform itself.
    notes
        Columns view, item, what, reason.
    """

    data: ad.AnnData
    transform: FrozenTransform
    notes: pd.DataFrame


def normalize_view(
    view: ad.AnnData,
    name: str,
    kind: str,
    samples: pd.DataFrame,
    settings: Settings,
    *,
    always_keep: Collection[str] = frozenset(),
    inference: Inference | None = None,
    in_place: bool = False,
) -> NormalizedView:
    """Normalise a view and look at its main components.

    Parameters
    ----------
    view
        Samples x features, as `inputs` wrote it; with ``obs["size_factor"]`` where it takes those of another view.
    name
        The view's name.
    kind
        One of `KINDS`.
    samples
        The cohort's samples with columns ``sample`` and ``disease``.
    settings
        From the configuration.
    always_keep, inference
        Counts only; see `Task`. `inference` is required for counts.
    in_place
        Allow the matrix of `view` to be overwritten where that saves a copy.

    Raises
    ------
    InputError
        See the kinds' own functions.
    """
    groups = samples.set_index("sample")["disease"]
    task = Task(name, groups, settings, frozenset(always_keep), inference, str(view.uns.get(SIZE_FACTORS, OWN_FACTORS)))
    measures = _measures(view, kind)
    frozen, notes = KINDS[kind].fit(view, task)
    data = frozen.transform(view, in_place=in_place)
    for column, values in measures.items():
        data.obs[column] = values
    add_principal_components(data)
    data.uns["kind"] = kind
    data.uns["transform"] = to_arrays(frozen)
    return NormalizedView(data, frozen, notes)


def frozen_transform(data: ad.AnnData) -> FrozenTransform:
    """Return the frozen transform of a normalised view, also after a round through an ``.h5ad``."""
    return from_arrays(KINDS[str(data.uns["kind"])].frozen, data.uns["transform"])


def frozen_arrays(data: ad.AnnData) -> tuple[str, dict[str, Any]]:
    """Return the kind of a normalised view, and its frozen transform as arrays, numbers and words."""
    return str(data.uns["kind"]), to_arrays(frozen_transform(data))


def _measures(view: ad.AnnData, kind: str) -> dict[str, np.ndarray]:
    """Measure every sample before any feature is dropped."""
    values = dense(view.X)
    missing = np.zeros(len(values))
    detected = np.zeros(len(values), dtype=int)
    below = view.layers["below_lod"].astype(bool) if "below_lod" in view.layers else None
    for start in range(0, len(values), SAMPLES_PER_BLOCK):
        rows = slice(start, start + SAMPLES_PER_BLOCK)
        absent = np.isnan(values[rows])
        # an intensity has no zero that means absence; elsewhere a feature is detected above zero
        seen = ~absent if kind == CONTINUOUS else values[rows] > 0
        if below is not None:
            absent, seen = absent & ~below[rows], seen & ~below[rows]
        missing[rows] = absent.mean(axis=1)
        detected[rows] = seen.sum(axis=1)
    measures = {"detected_features": detected, "missing_fraction": missing}
    if kind == COUNTS:
        measures["library_size"] = values.sum(axis=1, dtype=np.int64)
    return measures
