"""Counts: size factors, normalised counts and the variance stabilizing transformation."""

from __future__ import annotations

from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.normalization.frozen import FrozenTransform, aligned, dense, note, transformed_view
from stratifn.normalization.gene_filter import filter_notes, genes_to_keep
from stratifn.normalization.size_factors import SizeFactorReference, fit_size_factors
from stratifn.normalization.task import Task, ViewKind
from stratifn.normalization.variance_stabilization import VarianceStabilization, fit_variance_stabilization
from stratifn.shared.errors import InputError
from stratifn.shared.vocabulary import COUNTS, OWN_FACTORS, SIZE_FACTOR


@dataclass(frozen=True)
class CountsTransform(FrozenTransform):
    """Size factor reference, kept genes and dispersion trend of the training samples.

    Attributes
    ----------
    features
        All genes of the training matrix: the size factors need them.
    kept
        Boolean per gene: is it in the transformed matrix?
    method, log_geometric_means, log_normaliser
        See `SizeFactorReference`.
    trend, a0, a1
        See `VarianceStabilization`.
    lender
        `OWN_FACTORS`, or the view whose size factors are taken: a matrix to transform then brings them as
        ``obs["size_factor"]``, and the reference is empty.
    """

    kept: np.ndarray
    method: str
    log_geometric_means: np.ndarray
    log_normaliser: float
    trend: str
    a0: float
    a1: float
    lender: str = OWN_FACTORS

    @property
    def reference(self) -> SizeFactorReference:
        """The size factors' reference."""
        return SizeFactorReference(self.method, self.log_geometric_means, self.log_normaliser)

    def transform(self, view: ad.AnnData, in_place: bool = False) -> ad.AnnData:
        """Return VST values with counts, normalised counts and size factors; see `FrozenTransform.transform`."""
        view = aligned(view, self.features)
        counts = dense(view.X)
        size_factors = _size_factors(view, counts, self.reference, self.lender)
        vst = VarianceStabilization(self.trend, self.a0, self.a1)
        kept = np.asarray(self.kept, dtype=bool)
        raw = np.ascontiguousarray(counts[:, kept]).astype(np.int32)
        normalized = np.empty(raw.shape, dtype=np.float32)
        values = np.empty(raw.shape, dtype=np.float32)
        for i in range(len(raw)):
            exact = raw[i] / size_factors[i]
            normalized[i] = exact
            values[i] = vst.transform(exact)
        result = transformed_view(view[:, kept], values)
        result.layers["counts"] = raw
        result.layers["normalized"] = normalized
        result.obs[SIZE_FACTOR] = size_factors
        return result


def fit_counts(view: ad.AnnData, task: Task) -> tuple[CountsTransform, pd.DataFrame]:
    """Learn size factors from all genes, choose the genes to keep, and fit the blind dispersion trend on them.

    Returns
    -------
    CountsTransform
        The frozen transform.
    pandas.DataFrame
        Notes: genes that the size factors use, genes dropped, the trend if it is not the parametric one.
    """
    counts = dense(view.X)
    genes = transformed_view(view, counts).var
    if task.lender == OWN_FACTORS:
        reference = fit_size_factors(counts, list(view.obs_names), task.settings.size_factors, task.view)
        used = f"{reference.carrying_genes} of {view.n_vars} genes used", f"method {reference.method}"
    else:
        reference = SizeFactorReference(task.settings.size_factors, np.full(view.n_vars, -np.inf), 0.0)
        used = f"those of the view {task.lender}", "the configuration says so"
    groups = task.groups.loc[view.obs_names]
    kept = genes_to_keep(counts, genes, groups, task.settings.min_count, task.always_keep)
    factors = _size_factors(view, counts, reference, task.lender)
    trend = fit_variance_stabilization(counts[:, kept], factors, view.var_names[kept], task.inference)
    notes = [
        note(task.view, "size factors", *used),
        filter_notes(kept, genes, task.view, task.settings.min_count),
    ]
    if trend.trend != "parametric":
        reason = "the parametric dispersion trend could not be fitted"
        notes.append(note(task.view, "VST", "one dispersion for all means", reason))
    frozen = CountsTransform(
        features=view.var_names.astype(str).to_numpy(dtype=object),
        kept=kept,
        method=reference.method,
        log_geometric_means=reference.log_geometric_means,
        log_normaliser=reference.log_normaliser,
        trend=trend.trend,
        a0=trend.a0,
        a1=trend.a1,
        lender=task.lender,
    )
    return frozen, pd.concat([rows for rows in notes if len(rows)], ignore_index=True)


def _size_factors(view: ad.AnnData, counts: np.ndarray, reference: SizeFactorReference, lender: str) -> np.ndarray:
    """Return the view's own size factors, or those that it brings from its lender."""
    if lender == OWN_FACTORS:
        return reference.size_factors(counts, list(view.obs_names))
    if SIZE_FACTOR not in view.obs or not np.isfinite(view.obs[SIZE_FACTOR]).all():
        raise InputError(f"Every sample of this view needs a size factor of the view {lender}.")
    return view.obs[SIZE_FACTOR].to_numpy(dtype=float)


COUNTS_KIND = ViewKind(
    COUNTS,
    "Counts",
    "were divided by DESeq2's size factors over all genes, then transformed by its variance stabilizing transformation "
    "with a dispersion trend that is blind to the design",
    "Love, Huber & Anders 2014, doi:10.1186/s13059-014-0550-8; Anders & Huber 2010, doi:10.1186/gb-2010-11-10-r106",
    "VST (log2)",
    CountsTransform,
    fit_counts,
)
