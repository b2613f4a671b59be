"""The width of the dispersions' prior when a design leaves three degrees of freedom or fewer.

The spread of log dispersions around the trend is prior variance plus sampling variance. DESeq2 takes the difference
of the two, but with at most three residual degrees of freedom (eight samples of four donors in two conditions) the
sampling distribution is so skewed that its spread says little; there R compares whole distributions. PyDESeq2 does
not: its prior is then too narrow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.interpolate import CubicHermiteSpline

if TYPE_CHECKING:
    from pydeseq2.dds import DeseqDataSet

MOST_DEGREES_OF_FREEDOM = 3
LEAST_VARIANCE = 0.25
# the settings of DESeq2's ``estimateDispersionsPriorVar``
BREAKS = np.linspace(-10.0, 10.0, 41)
WIDTH = 0.5
VARIANCES = np.linspace(0.0, 8.0, 200)
FINE_VARIANCES = np.linspace(0.0, 8.0, 1000)
SPAN = 0.2
BOX_MARGIN = 0.005
# what DESeq2 simulates from a fixed seed: a histogram over `BREAKS` of 10,000 log residuals per degrees of freedom
# and candidate variance x of `VARIANCES`; in R, after set.seed(2) for each df and for one x after the other,
#   r <- log(rchisq(1e4, df)) + rnorm(1e4, 0, sqrt(x)) - log(df)
#   hist(r[r > -10 & r < 10], breaks = -20:20/2, plot = FALSE)$counts
HISTOGRAMS = Path(__file__).with_name("prior_histograms.tsv.gz")


def fit_dispersion_prior(dataset: DeseqDataSet) -> None:
    """Fit the prior of the dispersions as R does: PyDESeq2's estimate, or `matched_prior_variance` where it fails.

    Call it in place of ``dataset.fit_dispersion_prior()``, after the trend.

    Parameters
    ----------
    dataset
        With ``var["genewise_dispersions"]`` and ``var["fitted_dispersions"]``; gets ``uns["prior_disp_var"]``.
    """
    dataset.fit_dispersion_prior()
    n_samples, n_coefficients = dataset.obsm["design_matrix"].shape
    df = n_samples - n_coefficients
    if not 1 <= df <= MOST_DEGREES_OF_FREEDOM:
        return
    genewise = dataset.var["genewise_dispersions"].to_numpy(dtype=float)
    fitted = dataset.var["fitted_dispersions"].to_numpy(dtype=float)
    usable = genewise >= 100 * dataset.min_disp
    residuals = np.log(genewise[usable]) - np.log(fitted[usable])
    dataset.uns["prior_disp_var"] = np.float64(matched_prior_variance(residuals, df))


def matched_prior_variance(log_residuals: np.ndarray, df: int) -> float:
    """Return the prior variance under which log residuals are distributed most like those observed, at least 0.25.

    The model is ``log(chi2_df / df) + N(0, variance)``; likeness is the Kullback-Leibler divergence of histograms,
    smoothed over the candidate variances (Love et al. 2014, doi:10.1186/s13059-014-0550-8).

    Parameters
    ----------
    log_residuals
        Log gene-wise dispersion minus log trend, per gene.
    df
        Residual degrees of freedom, 1 to 3.
    """
    inside = log_residuals[(log_residuals > BREAKS[0]) & (log_residuals < BREAKS[-1])]
    observed = np.histogram(inside, BREAKS)[0] / (len(inside) * WIDTH)
    table = pd.read_csv(HISTOGRAMS, sep="\t")
    counts = table[table["df"] == df].filter(like="bin").to_numpy(dtype=float)
    simulated = counts / (counts.sum(axis=1, keepdims=True) * WIDTH)
    divergences = [_divergence(observed, candidate) for candidate in simulated]
    smooth = _loess(VARIANCES, np.array(divergences), FINE_VARIANCES)
    return max(float(FINE_VARIANCES[np.argmin(smooth)]), LEAST_VARIANCE)


def _divergence(observed: np.ndarray, simulated: np.ndarray) -> float:
    """Kullback-Leibler divergence of two histograms, the smallest density of both standing in for none."""
    both = np.concatenate([observed, simulated])
    smallest = both[both > 0].min()
    return float(np.sum(observed * (np.log(observed + smallest) - np.log(simulated + smallest))))


def _loess(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Smooth with R's ``loess(y ~ x, span = SPAN)``: local quadratics at the vertices of cells, cubics between.

    Cleveland & Grosse 1991, doi:10.1007/BF01890836.
    """
    margin = BOX_MARGIN * (x[-1] - x[0])
    cuts = _cell_cuts(x, 0, len(x), largest=int(SPAN * SPAN * len(x)))
    vertices = np.array([x[0] - margin, *sorted(cuts), x[-1] + margin])
    fits = np.array([_local_quadratic(x, y, vertex) for vertex in vertices])
    return CubicHermiteSpline(vertices, fits[:, 0], fits[:, 1])(at)


def _cell_cuts(x: np.ndarray, first: int, end: int, largest: int) -> list[float]:
    """Halve the points ``x[first:end]`` until a cell has at most `largest`; return where they were cut."""
    if end - first <= largest:
        return []
    middle = (first + end + 1) // 2
    return [x[middle - 1], *_cell_cuts(x, first, middle, largest), *_cell_cuts(x, middle, end, largest)]


def _local_quadratic(x: np.ndarray, y: np.ndarray, centre: float) -> np.ndarray:
    """Value and slope at `centre` of a parabola through the nearest points, with tricube weights."""
    distance = np.abs(x - centre)
    nearest = int(SPAN * len(x))
    width = np.partition(distance, nearest - 1)[nearest - 1]
    root_weights = np.sqrt(np.clip(1 - (distance / width) ** 3, 0, None) ** 3)
    design = np.vander(x - centre, 3, increasing=True) * root_weights[:, None]
    return np.linalg.lstsq(design, y * root_weights, rcond=None)[0][:2]
