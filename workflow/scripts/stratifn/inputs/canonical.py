"""From a checked matrix to the one that the phases read: samples x features, ids and symbols of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.inputs.gene_ids import GeneNames, Note, named_genes, signature_note
from stratifn.inputs.probe_ids import with_replicates_averaged
from stratifn.inputs.raw_matrix import Correction, RawMatrix
from stratifn.shared.vocabulary import BETA, CONTINUOUS, COUNTS, OWN_FACTORS, RNA, SIZE_FACTORS

if TYPE_CHECKING:
    import anndata as ad


def corrected(view: str, corrections: Sequence[Correction]) -> list[Note]:
    """Return what was put right in a file as notes."""
    return [(view, item, "corrected", reason) for item, reason in corrections]


def canonical(name: str, view: Mapping[str, Any], matrix: RawMatrix, genes: GeneNames) -> tuple[ad.AnnData, list[Note]]:
    """Make samples x features of a checked matrix; what has no value at all is left out and noted."""
    import anndata as ad

    if view["kind"] in (BETA, CONTINUOUS):
        matrix = with_replicates_averaged(matrix)
    notes = corrected(name, matrix.corrections)
    ids = matrix.rows
    variables: dict[str, list[str] | np.ndarray] = {}
    if name == RNA:
        named = named_genes(matrix.rows, matrix.gene_names, genes, name)
        notes += [*named.notes, *signature_note(named, genes, name)]
        ids, variables["gene_name"] = named.ids, named.names
    below = matrix.below
    if matrix.lod is not None:
        variables["lod"] = matrix.lod
    values = matrix.values.T.astype(np.int32) if view["kind"] == COUNTS else np.ascontiguousarray(matrix.values.T)
    data = ad.AnnData(values, obs=pd.DataFrame(index=matrix.columns), var=pd.DataFrame(variables, index=ids))
    data.uns["kind"] = view["kind"]
    if view.get(SIZE_FACTORS, OWN_FACTORS) != OWN_FACTORS:
        data.uns[SIZE_FACTORS] = view[SIZE_FACTORS]
    if below is not None:
        data.layers["below_lod"] = below.T.copy()
        notes += [
            (name, ids[row], "below the limit of detection", f"{below[row].sum()} of {below.shape[1]} samples")
            for row in np.flatnonzero(below.any(axis=1))
        ]
    if view["round"]:
        notes.append(
            (name, "counts", "rounded", "fractional counts rounded to whole numbers, because of `round: true`")
        )
    return _without_empty(data, name, notes)


def _without_empty(data: ad.AnnData, name: str, notes: list[Note]) -> tuple[ad.AnnData, list[Note]]:
    if data.X.dtype.kind != "f":
        return data, notes
    measured = ~np.isnan(data.X)
    if "below_lod" in data.layers:
        measured |= data.layers["below_lod"]
    samples, features = measured.any(axis=1), measured.any(axis=0)
    notes += [(name, sample, "left out", "no value at all") for sample in data.obs_names[~samples]]
    notes += [(name, feature, "left out", "no value at all") for feature in data.var_names[~features]]
    holes = int(np.count_nonzero(~measured[samples][:, features]))
    if holes:
        notes.append((name, "values", "missing", f"{holes} of {samples.sum() * features.sum()} cells are empty"))
    if samples.all() and features.all():
        return data, notes
    return data[samples][:, features].copy(), notes
