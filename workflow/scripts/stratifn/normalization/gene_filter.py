"""Which genes are counted often enough to be analysed."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from stratifn.shared.columns import NOTE_COLUMNS

MOST_NAMES = 20


def genes_to_keep(
    counts: np.ndarray, genes: pd.DataFrame, groups: pd.Series, min_count: int, always_keep: Collection[str] = ()
) -> np.ndarray:
    """Choose genes without looking at who belongs to which group.

    A gene stays if it is counted at least `min_count` times in as many samples as the smallest group has (the rule of
    the DESeq2 vignette); ``min_count = 0`` keeps every gene that is not all zero. Named genes always stay.

    Parameters
    ----------
    counts
        Samples x genes.
    genes
        Indexed by gene id, with a column ``gene_name``.
    groups
        The disease of every sample; only the group sizes are used.
    min_count
        Reads.
    always_keep
        Gene ids or symbols that stay whatever their counts.

    Returns
    -------
    numpy.ndarray
        Boolean, shape (genes,).
    """
    if min_count == 0:
        kept = (counts > 0).any(axis=0)
    else:
        kept = (counts >= min_count).sum(axis=0) >= groups.astype(str).value_counts().min()
    named = genes["gene_name"].astype(str).isin(always_keep) | genes.index.isin(always_keep)
    return np.asarray(kept | named.to_numpy())


def filter_notes(kept: np.ndarray, genes: pd.DataFrame, view: str, min_count: int) -> pd.DataFrame:
    """Say how many genes were dropped and why, with their names if they are few.

    Returns
    -------
    pandas.DataFrame
        Columns view, item, what, reason; no row if nothing was dropped.
    """
    dropped = genes["gene_name"].astype(str).to_numpy()[~kept]
    if not len(dropped):
        return pd.DataFrame(columns=list(NOTE_COLUMNS), dtype=object)
    reason = "zero in every sample"
    if min_count > 0:
        reason = f"counted at least {min_count} times in too few samples (fewer than the smallest group has)"
    if len(dropped) <= MOST_NAMES:
        reason += f": {', '.join(sorted(dropped))}"
    return pd.DataFrame([[view, f"{len(dropped)} genes", "dropped", reason]], columns=list(NOTE_COLUMNS))
