"""Which genes are too weakly expressed to be worth a test: DESeq2's independent filtering."""

from __future__ import annotations

import numpy as np
from statsmodels.nonparametric.smoothers_lowess import lowess

from stratifn.shared.statistics import benjamini_hochberg

STEPS = 50
FEW_REJECTIONS = 10


def filtered_padj(pvalues: np.ndarray, base_mean: np.ndarray, alpha: float) -> np.ndarray:
    """Adjust p-values over the genes above the expression cut-off that gives the most rejections.

    R's `pvalueAdjustment` (DESeq2 1.38; Bourgon, Gentleman & Huber 2010, doi:10.1073/pnas.0914005107): fifty
    quantiles of the mean are tried; the first one whose number of rejections comes within a residual standard
    deviation of the maximum of a lowess curve is used, none if there are ten rejections or fewer.

    Parameters
    ----------
    pvalues
        Shape (genes,), NaN for genes without a test.
    base_mean
        Shape (genes,).
    alpha
        The false discovery rate for which rejections are counted.

    Returns
    -------
    numpy.ndarray
        Adjusted p-values, NaN below the cut-off and where there is no test.
    """
    zero = float(np.mean(base_mean == 0))
    quantiles = np.linspace(zero, 0.95 if zero < 0.95 else 1.0, STEPS)
    cutoffs = np.quantile(base_mean, quantiles)
    rejections = np.array([_rejections(pvalues[base_mean >= cutoff], alpha) for cutoff in cutoffs])
    cutoff = cutoffs[_chosen(quantiles, rejections)]
    return benjamini_hochberg(np.where(base_mean >= cutoff, pvalues, np.nan))


def _rejections(pvalues: np.ndarray, alpha: float) -> int:
    return int((benjamini_hochberg(pvalues) < alpha).sum())


def _chosen(quantiles: np.ndarray, rejections: np.ndarray) -> int:
    if rejections.max() <= FEW_REJECTIONS:
        return 0
    width = quantiles[-1] - quantiles[0]
    # the arguments of R's lowess(f = 1/5): three robustifying iterations, interpolation within 1 % of the range
    smooth = lowess(rejections.astype(float), quantiles, frac=0.2, it=3, delta=0.01 * width, return_sorted=False)
    residuals = (rejections - smooth)[rejections > 0]
    enough = rejections > smooth.max() - np.sqrt(np.mean(residuals**2))
    return int(np.argmax(enough)) if enough.any() else 0
