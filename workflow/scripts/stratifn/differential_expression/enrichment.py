"""Which gene sets move: CAMERA on the transformed values, with the design of the fit, in every contrast."""

from __future__ import annotations

from collections.abc import Sequence

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.differential_expression.camera import GeneModel, camera, gene_model, normal_deviates
from stratifn.differential_expression.contrasts import Contrast
from stratifn.registry.gene_sets import GeneSet
from stratifn.shared.columns import columns_of
from stratifn.shared.design import DesignMatrix
from stratifn.shared.statistics import benjamini_hochberg

COLUMNS = list(columns_of("differential_expression/enrichment.tsv"))
LEADING_GENES = 10


def enrichment_table(
    view: ad.AnnData, design: DesignMatrix, contrasts: Sequence[Contrast], gene_sets: Sequence[GeneSet]
) -> pd.DataFrame:
    """Test every gene set in every contrast.

    Sets are ranked by effects against zero, whatever threshold the genes themselves are tested for.

    Parameters
    ----------
    view
        The normalised view: `X` holds the transformed values (VST for counts), `var` the column ``gene_name``.
    design
        The model matrix of the fit.
    contrasts
        With distinct names.
    gene_sets
        With distinct names; genes by symbol or by the view's ids.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, sorted by contrast and gene set. `n_genes` were measured and vary; `score` is the mean
        statistic of the set (as a normal deviate) minus that of the other genes (positive: higher in the level than
        in the baseline); `correlation` that of its genes given the design; `padj` is one Benjamini-Hochberg family
        per contrast; `leading_genes` are at most ten, the strongest first, that lie on the set's side of the other
        genes. A set without a measured gene has NA.
    """
    if not contrasts or not gene_sets:
        return pd.DataFrame(columns=COLUMNS)
    genes = _one_row_per_symbol(view[design.matrix.index])
    model = gene_model(np.asarray(genes.X, dtype=float), design.matrix.to_numpy())
    ordered = sorted(gene_sets, key=lambda one: one.name)
    members = [_positions(genes.var, gene_set, model) for gene_set in ordered]
    parts = [
        _of_contrast(each, design, model, genes.var["gene_name"].astype(str).to_numpy(), ordered, members)
        for each in sorted(contrasts, key=lambda one: one.name)
    ]
    return pd.concat(parts, ignore_index=True)


def _one_row_per_symbol(view: ad.AnnData) -> ad.AnnData:
    """Leave out genes that do not vary, and of several rows of one symbol all but the most strongly expressed."""
    values = np.asarray(view.X, dtype=float)
    measured = np.isfinite(values)
    total = np.where(measured, values, 0.0).sum(axis=0)
    mean = total / np.maximum(measured.sum(axis=0), 1)
    varies = (np.where(measured, values, -np.inf).max(axis=0) - np.where(measured, values, np.inf).min(axis=0)) > 0
    rows = pd.DataFrame({"symbol": view.var["gene_name"].astype(str), "mean": mean, "id": view.var_names})
    best = rows[varies].sort_values(["mean", "id"], ascending=[False, True]).drop_duplicates("symbol")
    return view[:, view.var_names.isin(best["id"])]


def _positions(variables: pd.DataFrame, gene_set: GeneSet, model: GeneModel) -> np.ndarray:
    asked = set(gene_set.symbols)
    found = variables.index.isin(asked) | variables["gene_name"].astype(str).isin(asked).to_numpy()
    return np.flatnonzero(found & model.tested)


def _of_contrast(
    contrast: Contrast,
    design: DesignMatrix,
    model: GeneModel,
    symbols: np.ndarray,
    gene_sets: Sequence[GeneSet],
    members: Sequence[np.ndarray],
) -> pd.DataFrame:
    weights = contrast.weights(design)
    deviates = normal_deviates(model.statistic(weights), model.df)
    tests = camera(model, weights, members)
    rows = [
        [
            contrast.name,
            gene_set.name,
            gene_set.source,
            len(genes),
            test.difference,
            test.correlation,
            test.pvalue,
            _leading(deviates, genes, test.difference, symbols),
        ]
        for gene_set, genes, test in zip(gene_sets, members, tests, strict=True)
    ]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "padj"])
    return table.assign(padj=benjamini_hochberg(table["pvalue"]))[COLUMNS]


def _leading(deviates: np.ndarray, genes: np.ndarray, difference: float, symbols: np.ndarray) -> str | None:
    """Name the genes of a set that lie on its own side of the mean of all genes, the strongest first."""
    if not np.isfinite(difference):
        return None
    sign = 1.0 if difference >= 0 else -1.0
    # ten decimals: last bits differ between CPU types and would reorder genes of equal statistic
    strength = np.round(sign * (deviates[genes] - np.nanmean(deviates)), 10)
    order = sorted(range(len(genes)), key=lambda i: (-strength[i], symbols[genes[i]]))
    leading = [symbols[genes[i]] for i in order if strength[i] > 0]
    return ", ".join(leading[:LEADING_GENES]) or None
