"""Is an effect larger than a stated size? R's `lfcThreshold` with ``altHypothesis = "greaterAbs"``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.model_fit import ModelFit
from stratifn.differential_expression.results import table_of_tests


def threshold_table(fit: ModelFit, contrast: Contrast, threshold: float, alpha: float = 0.05) -> pd.DataFrame:
    """Test whether the absolute log2 fold change exceeds a threshold.

    From the contrast's effect and standard error alone, ``p = min(1, 2 P(Z > (|LFC| - threshold) / SE))`` (Love,
    Huber & Anders 2014, doi:10.1186/s13059-014-0550-8), so that the answer does not depend on which level is the
    baseline of the fit. (PyDESeq2's own threshold test truncates coefficient by coefficient, which is wrong for a
    contrast of two.)

    Parameters
    ----------
    fit
        The cohort's fit.
    contrast
        What to compare.
    threshold
        log2, at least 0.
    alpha
        The false discovery rate for which independent filtering is chosen.

    Returns
    -------
    pandas.DataFrame
        The columns of `results.contrast_table`; `stat` is 0 for an effect within the threshold.
    """
    estimate = fit.estimate(contrast)
    effect = estimate.log2_fold_change
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = (np.abs(effect) - threshold) / estimate.standard_error
    pvalues = np.minimum(1.0, 2 * fit.upper_tail(beyond))
    # a gene whose counts were all outliers has effect and error 0: nothing exceeds anything
    pvalues = np.where(np.isnan(beyond) & (effect == 0), 1.0, pvalues)
    statistic = np.sign(effect) * np.fmax(np.where(np.isfinite(effect), np.nan_to_num(beyond), np.nan), 0.0)
    return table_of_tests(fit, estimate, statistic, pvalues, alpha)
