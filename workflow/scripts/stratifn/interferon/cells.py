"""Cell proportions as covariates: few, on a log-ratio scale.

Interferon itself shifts the composition of blood (Strauss 2017, J Mol Med), so composition can be on the way from
interferon to the score: adjusting for it can remove a true effect. The unadjusted value is always given too.
"""

from __future__ import annotations

import numpy as np

# one covariate per this many people
PEOPLE_PER_COVARIATE = 10
VARIANCE_KEPT = 0.9


def leading_components(cells: np.ndarray, fitted_on: np.ndarray) -> np.ndarray:
    """Return the leading principal components of centred log-ratios, as few as the people allow.

    Parameters
    ----------
    cells
        Centred log-ratios (people x cell types), complete.
    fitted_on
        Which people define the centre and the components (boolean); the others are projected.

    Returns
    -------
    numpy.ndarray
        People x components: those that hold 90 % of the variance, at most one per ten people, at least one.
    """
    centred = cells - cells[fitted_on].mean(axis=0)
    _, singular, components = np.linalg.svd(centred[fitted_on], full_matrices=False)
    share = np.cumsum(singular**2) / max((singular**2).sum(), np.finfo(float).tiny)
    wanted = int(np.searchsorted(share, VARIANCE_KEPT)) + 1
    n = max(1, min(wanted, int(fitted_on.sum()) // PEOPLE_PER_COVARIATE))
    return centred @ components[:n].T
