"""From a checked matrix to the one that the phases read: samples x features, ids and symbols of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.inputs.gene_ids import GeneNames, Note, named_genes, signature_note
from stratifn.inputs.probe_ids import with_replicates_averaged
from stratifn.inputs.raw_matrix import ROWS_PER_BLOCK, Correction, RawMatrix
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
    matrix, empty = _without_empty(matrix, name)
    notes = [*corrected(name, matrix.corrections), *empty]
    ids = matrix.rows
    variables: dict[str, list[str] | np.ndarray] = {}
    if name == RNA:
        named = named_genes(matrix.rows, matrix.gene_names, genes, name)
        notes += [*named.notes, *signature_note(named, genes, name)]
        ids, variables["gene_name"] = named.ids, named.names
    if matrix.lod is not None:
        variables["lod"] = matrix.lod
    # not copied: methylation of a whole cohort a second time would not fit
    values = matrix.values.T.astype(np.int32) if view["kind"] == COUNTS else matrix.values.T
    data = ad.AnnData(values, obs=pd.DataFrame(index=matrix.columns), var=pd.DataFrame(variables, index=ids))
    data.uns["kind"] = view["kind"]
    if view.get(SIZE_FACTORS, OWN_FACTORS) != OWN_FACTORS:
        data.uns[SIZE_FACTORS] = view[SIZE_FACTORS]
    if (below := matrix.below) is not None:
        data.layers["below_lod"] = below.T.copy()
        notes += [
            (name, ids[row], "below the limit of detection", f"{below[row].sum()} of {below.shape[1]} samples")
            for row in np.flatnonzero(below.any(axis=1))
        ]
    if view["round"]:
        notes.append(
            (name, "counts", "rounded", "fractional counts rounded to whole numbers, because of `round: true`")
        )
    return data, notes


def _without_empty(matrix: RawMatrix, name: str) -> tuple[RawMatrix, list[Note]]:
    """Leave out features and samples without a value, and count the other holes."""
    in_rows, in_columns = np.zeros(len(matrix.rows), dtype=int), np.zeros(len(matrix.columns), dtype=int)
    for start in range(0, len(matrix.rows), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        measured = ~np.isnan(matrix.values[block])
        if matrix.below is not None:
            measured |= matrix.below[block]
        in_rows[block] = measured.sum(axis=1)
        in_columns += measured.sum(axis=0)
    samples, features = in_columns > 0, in_rows > 0
    empty = [*np.array(matrix.columns, dtype=object)[~samples], *np.array(matrix.rows, dtype=object)[~features]]
    notes: list[Note] = [(name, item, "left out", "no value at all") for item in empty]
    cells = int(samples.sum() * features.sum())
    if holes := cells - int(in_columns.sum()):
        notes.append((name, "values", "missing", f"{holes} of {cells} cells are empty"))
    if not features.all():
        matrix = matrix.with_rows(np.flatnonzero(features))
    return (matrix if samples.all() else matrix.with_columns(np.flatnonzero(samples))), notes
