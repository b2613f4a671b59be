"""Whether a Gaussian mixture agrees with k-means on the strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MixtureAgreement:
    """How a Gaussian mixture of as many components divides the same patients.

    Attributes
    ----------
    adjusted_rand
        Adjusted Rand index of the two partitions (Hubert & Arabie 1985, doi:10.1007/BF01908075).
    moved
        Patients whose component is not that of their stratum.
    bic_k
        Number of components with the lowest BIC, from 1 upwards.
    """

    adjusted_rand: float
    moved: int
    bic_k: int


def mixture_agreement(points: np.ndarray, labels: np.ndarray, clusters: np.ndarray, seed: int) -> MixtureAgreement:
    """Fit Gaussian mixtures with a diagonal covariance of their own for each component.

    The mixture with as many components as strata starts from the strata, so that what moves, moves because
    components differ in spread and not because of another start.

    Parameters
    ----------
    points
        n x axes.
    labels
        Strata, from 0.
    clusters
        Numbers of components tried for the BIC, besides 1.
    seed
        Of the starts.
    """
    from sklearn.metrics import adjusted_rand_score

    strata = int(labels.max()) + 1
    means = np.array([points[labels == stratum].mean(axis=0) for stratum in range(strata)])
    found = _mixture(points, strata, seed, means).predict(points)
    sizes = [1, *(int(k) for k in clusters)]
    bic = [_mixture(points, k, seed, None).bic(points) for k in sizes]
    return MixtureAgreement(
        adjusted_rand=float(adjusted_rand_score(labels, found)),
        moved=int(np.sum(found != labels)),
        bic_k=sizes[int(np.argmin(bic))],
    )


def _mixture(points: np.ndarray, components: int, seed: int, means: np.ndarray | None):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        components,
        covariance_type="diag",
        # a component of few patients must not shrink to a point
        reg_covar=0.05 * float(points.var(axis=0).mean()),
        n_init=1 if means is not None else 3,
        means_init=means,
        max_iter=200,
        random_state=seed,
    )
    import warnings

    with warnings.catch_warnings():
        # an unconverged mixture is still a partition to compare with
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(points)
