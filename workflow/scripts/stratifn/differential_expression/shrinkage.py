"""Shrunken fold changes for ranking and plotting: apeGLM."""

from __future__ import annotations

import logging

import numpy as np
from scipy.optimize import brentq

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.counts_model import CountsFit
from stratifn.shared.design import column_name

logger = logging.getLogger("stratifn.differential_expression")

# apeglm's defaults: scale of the normal prior on the other coefficients, bounds of the adaptive prior's variance
NO_SHRINK_SCALE = 15.0
PRIOR_VARIANCE_BOUNDS = (1e-6, 400.0)


def shrunken_fold_changes(fit: CountsFit, contrast: Contrast) -> np.ndarray | None:
    """Return the apeGLM estimate of a contrast (Zhu, Ibrahim & Love 2019, doi:10.1093/bioinformatics/bty895).

    The prior sits on one coefficient. A comparison of two levels is one coefficient of the same model with the
    baseline of its factor exchanged (dispersions and likelihood stay the same), so that is what is fitted. Counts
    enter as they were observed, as in R's `lfcShrink`, also where an outlying one was replaced for the test.

    Parameters
    ----------
    fit
        The cohort's fit.
    contrast
        Any contrast.

    Returns
    -------
    numpy.ndarray or None
        log2, shape (genes,), NaN where there is no estimate; None for a combination of several coefficients, to
        which the prior does not apply.
    """
    design = fit.design
    name = contrast.coefficient(design)
    if name is None and not contrast.coefficients:
        design = design.relevelled(contrast.factor, contrast.baseline)
        name = column_name(contrast.factor, contrast.level)
    if name is None:
        return None
    estimate = fit.estimate(contrast)
    # the coefficient of the matrix, natural log: a continuous covariate is standardised in there
    scale = np.log(2) * float(design.units[name])
    prior_scale = _prior_scale(estimate.log2_fold_change * scale, estimate.standard_error * scale)
    column = design.columns.index(name)
    fitted = np.flatnonzero(np.isfinite(fit.dispersions) & ~fit.all_zero)
    coefficients, _, converged = fit.inference.lfc_shrink_nbinom_glm(
        design_matrix=design.matrix.to_numpy(),
        counts=fit.counts[:, fitted].astype(np.int64),
        size=1.0 / fit.dispersions[fitted],
        offset=np.log(fit.size_factors),
        prior_no_shrink_scale=NO_SHRINK_SCALE,
        prior_scale=prior_scale,
        optimizer="L-BFGS-B",
        shrink_index=column,
    )
    logger.info("shrinkage of %s: %d of %d genes converged", contrast.name, int(np.sum(converged)), len(fitted))
    shrunken = np.full(len(fit.genes), np.nan)
    shrunken[fitted] = np.asarray(coefficients)[:, column] / scale
    shrunken[~np.isfinite(shrunken)] = np.nan
    shrunken[fit.emptied] = 0.0
    shrunken[fit.undetermined(contrast)] = np.nan
    return shrunken


def _prior_scale(effect: np.ndarray, error: np.ndarray) -> float:
    """Return the scale of the Cauchy prior from the spread of the effects beyond their errors, at most 1."""
    usable = np.isfinite(effect) & np.isfinite(error) & (error > 0)
    squares, variances = effect[usable] ** 2, error[usable] ** 2

    def excess(prior_variance: float) -> float:
        weights = 1 / (2 * (prior_variance + variances) ** 2)
        return float(((squares - variances) * weights).sum() / weights.sum() - prior_variance)

    least, most = PRIOR_VARIANCE_BOUNDS
    if not usable.any():
        return 1.0
    if excess(least) <= 0:
        return float(np.sqrt(least))
    if excess(most) >= 0:
        return 1.0
    return float(min(np.sqrt(brentq(excess, least, most)), 1.0))
