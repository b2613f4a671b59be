"""Variance explained, as MOFA2 defines it."""

from __future__ import annotations

import numpy as np

BLOCK_FEATURES = 1_000


def variance_explained(values: np.ndarray, factors: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Fraction of a view's variance that factors explain, over the observed values alone.

    ``1 - sum (y - z w)^2 / sum y^2`` (Argelaguet et al. 2020, doi:10.1186/s13059-020-02015-1; MOFA2's
    ``calculate_variance_explained``), so samples without the view do not count.

    Parameters
    ----------
    values
        The centred view (samples x features), NaN where missing.
    factors
        Samples x K.
    weights
        Features x K.

    Returns
    -------
    tuple
        Per factor (K), and of all factors together; fractions, negative when a factor predicts worse than zero.
    """
    total = 0.0
    residual_all = 0.0
    explained = np.zeros(factors.shape[1])
    factors = factors.astype(float)
    for start in range(0, values.shape[1], BLOCK_FEATURES):
        block = slice(start, start + BLOCK_FEATURES)
        observed = ~np.isnan(values[:, block])
        y = np.where(observed, values[:, block], 0.0).astype(float)
        w = weights[block].astype(float)
        total += float(np.square(y).sum())
        residual_all += float(np.square(y - np.where(observed, factors @ w.T, 0.0)).sum())
        squares = observed.T.astype(float) @ np.square(factors)
        explained += (2.0 * w * (y.T @ factors) - np.square(w) * squares).sum(axis=0)
    return explained / total, 1.0 - residual_all / total
