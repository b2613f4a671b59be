"""The variance stabilizing transformation (VST) of DESeq2, blind to the design and frozen for later samples."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.inference.dataset import deseq_dataset
from stratifn.shared.errors import InputError, Problem

if TYPE_CHECKING:
    from pydeseq2.inference import Inference

logger = logging.getLogger("stratifn.normalization")


@dataclass(frozen=True)
class VarianceStabilization:
    """The dispersion trend from which the transformation follows.

    Attributes
    ----------
    trend
        ``parametric`` (dispersion = a0 + a1 / mean) or ``mean`` (one dispersion for all means; a1 = 0).
    a0
        Asymptotic dispersion.
    a1
        Extra-Poisson part.
    """

    trend: str
    a0: float
    a1: float

    def transform(self, normalized: np.ndarray) -> np.ndarray:
        """Transform normalised counts to the log2-like scale of `varianceStabilizingTransformation`.

        Anders & Huber 2010, doi:10.1186/gb-2010-11-10-r106; the closed form is DESeq2's `vst.pdf`.

        Parameters
        ----------
        normalized
            Normalised counts, any shape.

        Returns
        -------
        numpy.ndarray
            float64, the same shape.
        """
        values = np.ascontiguousarray(normalized, dtype=float)
        if self.trend == "mean":
            return (2 * np.arcsinh(np.sqrt(self.a0 * values)) - np.log(self.a0) - np.log(4)) / np.log(2)
        scaled = self.a0 * values
        root = np.sqrt(scaled * (1 + self.a1 + scaled))
        return np.log2((1 + self.a1 + 2 * scaled + 2 * root) / (4 * self.a0))


def fit_variance_stabilization(
    counts: np.ndarray, size_factors: np.ndarray, genes: pd.Index, inference: Inference
) -> VarianceStabilization:
    """Fit the dispersion trend with an intercept alone (``blind = TRUE``).

    Parameters
    ----------
    counts
        Integer counts, samples x genes.
    size_factors
        Shape (samples,).
    genes
        Gene ids.
    inference
        The engine that fits dispersions.

    Returns
    -------
    VarianceStabilization
        Its `trend` is ``mean`` where the parametric trend cannot be fitted.

    Raises
    ------
    InputError
        No gene varies more than Poisson counts do, so that there is no trend.
    """
    samples = pd.RangeIndex(len(counts)).astype(str)
    blind = pd.DataFrame({"Intercept": 1.0}, index=samples)
    dataset = deseq_dataset(counts, size_factors, blind, genes, inference)
    dataset.vst_fit_type = "parametric"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset.fit_genewise_dispersions(vst=True)
        dataset.fit_dispersion_trend(vst=True)
    for warning in caught:
        logger.info("VST: %s", warning.message)
    if dataset.vst_fit_type == "parametric":
        a0, a1 = (float(value) for value in dataset.uns["vst_trend_coeffs"])
        return VarianceStabilization("parametric", a0, a1)
    mean_dispersion = float(dataset.uns["mean_disp"])
    if not np.isfinite(mean_dispersion):
        raise InputError(
            Problem(
                "counts",
                "dispersion trend",
                "no gene that varies more than Poisson counts",
                "biological variation between samples",
                "Check that the matrix holds the counts of different people.",
                code="IN-213",
            )
        )
    return VarianceStabilization("mean", mean_dispersion, 0.0)
