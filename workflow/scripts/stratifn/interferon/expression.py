"""Expression on the scale of the scores, with nothing taken from any patient but the one that is scored.

Counts become log2 normalised counts. A size factor is the median ratio to the geometric means *of the controls*
(Anders & Huber 2010, doi:10.1186/gb-2010-11-10-r106, with a fixed reference), so that deleting or adding patients
changes nobody's value. Log-scale matrices are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.registry.signatures import Registry
from stratifn.shared.vocabulary import CONTINUOUS, COUNTS

KINDS = (COUNTS, CONTINUOUS)
# a gene below ten normalised counts is not distinguished from background; the same ten as in BloodGen3's rule
BACKGROUND_COUNTS = 10.0
BACKGROUND_CENTILE = 5.0


@dataclass(frozen=True)
class Located:
    """Positions of the requested genes in a matrix.

    Attributes
    ----------
    features
        Symbol to feature id, for the genes found.
    ambiguous
        Symbol to a sentence, for genes that several rows of the matrix claim.
    """

    features: Mapping[str, str]
    ambiguous: Mapping[str, str]


def dense(data: ad.AnnData) -> np.ndarray:
    """Return the values of a matrix as a float array (samples x features)."""
    values = data.X.toarray() if hasattr(data.X, "toarray") else data.X
    return np.asarray(values, dtype=np.float64)


def locate_genes(var: pd.DataFrame, wanted: Mapping[str, str], registry_aliases: Mapping[str, str]) -> Located:
    """Find genes in a matrix by their Ensembl id, their current symbol, or an old symbol.

    Parameters
    ----------
    var
        Feature table: index = feature id, column ``gene_name`` = symbol where known.
    wanted
        Current symbol to Ensembl id (may be empty).
    registry_aliases
        Old symbol to current symbol.

    Notes
    -----
    A row with the gene's Ensembl id wins over one with its symbol, and today's symbol over an old one. If several
    rows remain that claim the gene equally, none of them is used and the reason is given.
    """
    names = var["gene_name"] if "gene_name" in var else pd.Series(var.index, index=var.index)
    by_id = _rows_by(var.index.str.replace(r"\.\d+$", "", regex=True), var.index)
    by_symbol = _rows_by(names.astype(str), var.index)
    old_symbols: dict[str, list[str]] = {}
    for former, current in registry_aliases.items():
        old_symbols.setdefault(current, []).append(former)
    features, ambiguous = {}, {}
    for symbol, ensembl in sorted(wanted.items()):
        old = [row for name in old_symbols.get(symbol, []) for row in by_symbol.get(name, [])]
        claims = by_id.get(ensembl, []) if ensembl else []
        rows = claims or by_symbol.get(symbol, []) or old
        if len(rows) == 1:
            features[symbol] = rows[0]
        elif rows:
            ambiguous[symbol] = f"{len(rows)} rows have the symbol {symbol} ({', '.join(sorted(rows)[:4])})"
    return Located(features, ambiguous)


def _rows_by(names: Iterable[str], features: pd.Index) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for name, feature in zip(names, features, strict=True):
        rows.setdefault(name, []).append(feature)
    return rows


def wanted_genes(registry: Registry, signatures: Iterable[str]) -> dict[str, str]:
    """Return current symbol to Ensembl id for every gene of some signatures."""
    return {gene.symbol: gene.ensembl_id for name in signatures for gene in registry.signature(name).genes}


def log_geometric_means(counts: np.ndarray) -> np.ndarray:
    """Return each gene's mean log count over the controls; NaN where a control has no count.

    Parameters
    ----------
    counts
        Raw counts of the controls (controls x genes).
    """
    positive = (counts > 0).all(axis=0)
    logs = np.full(counts.shape[1], np.nan)
    logs[positive] = np.log(counts[:, positive]).mean(axis=0)
    return logs


def size_factors(counts: np.ndarray, reference_log_means: np.ndarray) -> np.ndarray:
    """Return one size factor per sample against fixed log geometric means.

    Each sample's factor is ``exp(median(log(count) - log_mean))`` over the reference's genes that the sample has
    counts of; NaN for a sample that has none of them. Samples do not see one another.
    """
    genes = np.isfinite(reference_log_means)
    factors = np.full(len(counts), np.nan)
    for row, sample in enumerate(counts[:, genes]):
        counted = sample > 0
        if counted.any():
            factors[row] = np.exp(np.median(np.log(sample[counted]) - reference_log_means[genes][counted]))
    return factors


def log2_values(values: np.ndarray, kind: str, factors: np.ndarray | None) -> np.ndarray:
    """Return values on the scale of the scores: ``log2(count / size_factor + 1)``, or a log matrix as it is."""
    if kind != COUNTS:
        return values
    if factors is None:
        raise ValueError("counts need size factors")
    return np.log2(values / factors[:, None] + 1.0)


def background(control_values: np.ndarray, kind: str) -> float:
    """Return the log2 value below which a gene is not distinguished from background.

    Ten normalised counts; on a log matrix the fifth centile of all control values.
    """
    if kind == COUNTS:
        return float(np.log2(BACKGROUND_COUNTS + 1.0))
    return float(np.nanpercentile(control_values, BACKGROUND_CENTILE))
