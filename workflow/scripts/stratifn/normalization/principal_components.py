"""Principal components of a normalised view: the first look at what separates its samples."""

from __future__ import annotations

import anndata as ad
import numpy as np
from scipy.linalg import eigh

COMPONENTS = 10
VARIABLE_FEATURES = 2000
FEATURES_PER_BLOCK = 8192
# share of the variance below which a component is rounding error
_NO_VARIANCE = 1e-10


def add_principal_components(view: ad.AnnData) -> None:
    """Write ``obsm["X_pca"]`` (samples x up to 10), ``varm["PCs"]`` and ``uns["pca_variance_ratio"]`` into a normalised view.

    On the 2,000 most variable features, centred, not scaled; a missing value is set to its feature's mean. Loadings of the other features are zero, as in scanpy. The sign
    of a component makes its largest loading positive, so that it does not depend on the linear algebra library.
    """
    chosen = most_variable(view.X)
    values, _ = _centred(view.X, chosen)
    gram = values @ values.T
    total = float(np.trace(gram))
    most = min(COMPONENTS, view.n_obs - 1, values.shape[1])
    if most < 1 or total <= 0:
        view.obsm["X_pca"] = np.zeros((view.n_obs, 0))
        view.varm["PCs"] = np.zeros((view.n_vars, 0))
        view.uns["pca_variance_ratio"] = np.zeros(0)
        return
    eigenvalues, vectors = eigh(gram, subset_by_index=(view.n_obs - most, view.n_obs - 1))
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
    real = eigenvalues > _NO_VARIANCE * total
    eigenvalues, vectors = eigenvalues[real], vectors[:, real]
    loadings = values.T @ vectors
    largest = np.abs(loadings).argmax(axis=0)
    signs = np.sign(loadings[largest, np.arange(len(largest))])
    view.obsm["X_pca"] = vectors * np.sqrt(eigenvalues) * signs
    view.varm["PCs"] = np.zeros((view.n_vars, len(eigenvalues)))
    view.varm["PCs"][chosen] = loadings / np.sqrt(eigenvalues) * signs
    view.uns["pca_variance_ratio"] = eigenvalues / total


def variable_features(matrix: np.ndarray, most: int = VARIABLE_FEATURES) -> tuple[np.ndarray, np.ndarray]:
    """Return the most variable features, centred, with missing values at the mean.

    Parameters
    ----------
    matrix
        Samples x features.
    most
        How many features at most.

    Returns
    -------
    centred : numpy.ndarray
        float64, samples x features, in the matrix' own order of features.
    means : numpy.ndarray
        Shape (features,).
    """
    return _centred(matrix, most_variable(matrix, most))


def most_variable(matrix: np.ndarray, most: int = VARIABLE_FEATURES) -> np.ndarray:
    """Return the positions of the most variable features, in their order."""
    variances = feature_variances(matrix)
    usable = np.flatnonzero(variances > 0)
    return np.sort(usable[np.argsort(-variances[usable], kind="stable")[:most]])


def _centred(matrix: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = np.ascontiguousarray(matrix[:, chosen], dtype=float)
    means = np.nanmean(values, axis=0) if len(chosen) else np.zeros(0)
    return np.nan_to_num(values - means, copy=False, nan=0.0), means


def feature_variances(matrix: np.ndarray) -> np.ndarray:
    """Return the variance of every feature over its measured values; 0 for fewer than two of them."""
    variances = np.zeros(matrix.shape[1])
    for start in range(0, matrix.shape[1], FEATURES_PER_BLOCK):
        block = np.asarray(matrix[:, start : start + FEATURES_PER_BLOCK], dtype=float)
        measured = np.isfinite(block)
        n = measured.sum(axis=0)
        sums = np.where(measured, block, 0.0).sum(axis=0)
        means = sums / np.maximum(n, 1)
        squares = np.where(measured, block - means, 0.0) ** 2
        variances[start : start + block.shape[1]] = squares.sum(axis=0) / np.maximum(n - 1, 1)
    return variances
