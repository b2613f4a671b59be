"""The dispersion trend as R's DESeq2 fits it: an iterated gamma regression without outliers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pydeseq2.dds import DeseqDataSet

START = np.array([0.1, 1.0])
RESIDUAL_RANGE = (1e-4, 15.0)
MAX_TREND_ITERATIONS = 10
MAX_GLM_ITERATIONS = 25
GLM_TOLERANCE = 1e-8
TREND_TOLERANCE = 1e-6
# a gene takes part from 100 times the smallest dispersion of a fit
MIN_DISPERSION = 1e-6


class TrendNotFitted(ValueError):
    """The parametric trend does not describe these dispersions."""


def fit_dispersion_trend(dataset: DeseqDataSet) -> None:
    """Fit the trend of a data set.

    The same as ``dataset.fit_dispersion_trend()`` with this package's engine, without PyDESeq2's loop over genes,
    which takes longer than the fit. Where there is no parametric trend, PyDESeq2's own method goes on to the mean.

    Parameters
    ----------
    dataset
        With ``var["genewise_dispersions"]``; gets ``uns["trend_coeffs"]`` and ``var["fitted_dispersions"]``.
    """
    means = dataset.var["_normed_means"].to_numpy(dtype=float)
    dispersions = dataset.var["genewise_dispersions"].to_numpy(dtype=float)
    use = dispersions > MIN_DISPERSION
    try:
        coefficients = fit_parametric_trend(means[use], dispersions[use])
    except TrendNotFitted:
        dataset.fit_dispersion_trend()
        return
    dataset.uns["trend_coeffs"] = pd.Series(coefficients, index=["a0", "a1"])
    dataset.uns["disp_function_type"] = "parametric"
    fitted = np.full(len(means), np.nan)
    counted = means > 0
    fitted[counted] = coefficients[0] + coefficients[1] / means[counted]
    dataset.var["fitted_dispersions"] = fitted


def fit_parametric_trend(means: np.ndarray, dispersions: np.ndarray) -> np.ndarray:
    """Fit ``dispersion = a0 + a1 / mean`` (Love et al. 2014, doi:10.1186/s13059-014-0550-8).

    The scheme is `parametricDispersionFit` of DESeq2: a gamma regression with identity link over the genes whose
    dispersion lies within 1e-4 and 15 times the last curve, repeated until the coefficients no longer change.

    Parameters
    ----------
    means, dispersions
        Mean of normalized counts and gene-wise dispersion per gene.

    Returns
    -------
    numpy.ndarray
        ``a0`` (asymptotic dispersion) and ``a1`` (extra Poisson noise).

    Raises
    ------
    TrendNotFitted
        When a coefficient is not positive or the iteration does not end (R then takes a local regression).
    """
    inverse_means = 1.0 / np.asarray(means, dtype=float)
    dispersions = np.asarray(dispersions, dtype=float)
    coefficients = START
    for _ in range(MAX_TREND_ITERATIONS + 1):
        inside = _near(coefficients, inverse_means, dispersions)
        last = coefficients
        coefficients, converged = _gamma_identity_glm(inverse_means[inside], dispersions[inside], last)
        if not (coefficients > 0).all():
            raise TrendNotFitted("the fitted trend has a coefficient that is not positive")
        if converged and np.sum(np.log(coefficients / last) ** 2) < TREND_TOLERANCE:
            return coefficients
    raise TrendNotFitted("the trend did not settle")


def _near(coefficients: np.ndarray, inverse_means: np.ndarray, dispersions: np.ndarray) -> np.ndarray:
    """Genes whose dispersion is close enough to the curve to be fitted."""
    ratios = dispersions / (coefficients[0] + coefficients[1] * inverse_means)
    return (ratios > RESIDUAL_RANGE[0]) & (ratios < RESIDUAL_RANGE[1])


def _gamma_identity_glm(x: np.ndarray, y: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, bool]:
    """Gamma regression of `y` on an intercept and `x` with identity link, as R's ``glm`` iterates it.

    Weights are ``1 / mu^2`` and the working response is ``y``; an iteration that leaves the positive means is
    halved towards the last one; it stops when the deviance changes by less than 1e-8 relative.
    """
    coefficients = start
    mu = coefficients[0] + coefficients[1] * x
    deviance = _gamma_deviance(y, mu)
    for _ in range(MAX_GLM_ITERATIONS):
        last = coefficients
        coefficients = _weighted_line(x, y, 1.0 / mu**2)
        mu = coefficients[0] + coefficients[1] * x
        for _ in range(MAX_GLM_ITERATIONS):
            if np.isfinite(mu).all() and (mu > 0).all():
                break
            coefficients = (coefficients + last) / 2
            mu = coefficients[0] + coefficients[1] * x
        else:
            return np.full(2, np.nan), False
        last_deviance, deviance = deviance, _gamma_deviance(y, mu)
        if abs(deviance - last_deviance) / (0.1 + abs(deviance)) < GLM_TOLERANCE:
            return coefficients, True
    return coefficients, False


def _weighted_line(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Intercept and slope of a weighted least-squares line."""
    total = weights.sum()
    if len(x) < 2 or not total > 0:
        return np.full(2, np.nan)
    x_mean = (weights * x).sum() / total
    y_mean = (weights * y).sum() / total
    slope = (weights * (x - x_mean) * (y - y_mean)).sum() / (weights * (x - x_mean) ** 2).sum()
    return np.array([y_mean - slope * x_mean, slope])


def _gamma_deviance(y: np.ndarray, mu: np.ndarray) -> float:
    return float(-2.0 * np.sum(np.log(y / mu) - (y - mu) / mu))
