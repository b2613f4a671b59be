"""The negative-binomial model of DESeq2, fitted once per cohort by PyDESeq2.

Love, Huber & Anders 2014, doi:10.1186/s13059-014-0550-8. PyDESeq2 (Muzellec et al. 2023,
doi:10.1093/bioinformatics/btad547) fits dispersions and coefficients; what is read from the fit (covariances, the
treatment of outliers) follows R's `results()` where PyDESeq2's differs.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
from scipy.stats import f as f_distribution

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.model_fit import Estimate, ModelFit
from stratifn.inference import Separation, fit_dispersion_prior, fit_dispersion_trend
from stratifn.inference.dataset import deseq_dataset
from stratifn.shared.design import DesignMatrix

if TYPE_CHECKING:
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.inference import Inference

logger = logging.getLogger("stratifn.differential_expression")

# as in R's fitBeta: smallest mean in the working weights and ridge on the coefficients
MIN_MEAN = 0.5
RIDGE = 1e-6
GENES_PER_BLOCK = 512
# a count is an outlier's only if fewer than this many samples count more (R's rule for two groups)
LARGER_COUNTS = 3
MIN_REPLICATES_FOR_COOKS = 3
COOKS_QUANTILE = 0.99


@dataclass(frozen=True)
class CountsFit(ModelFit):
    """A `ModelFit` of counts with what shrinkage and the all-zero rule need in addition.

    Attributes
    ----------
    counts
        Samples x genes, as observed.
    size_factors
        Shape (samples,).
    dispersions
        Shape (genes,), final.
    emptied
        Genes whose only counts were outliers: effect 0 and p-value 1, as in R.
    separation
        The genes whose samples with a count do not determine every coefficient, outlying counts replaced.
    inference
        The engine that fitted.
    """

    counts: np.ndarray
    size_factors: np.ndarray
    dispersions: np.ndarray
    emptied: np.ndarray
    separation: Separation
    inference: Inference

    def estimate(self, contrast: Contrast) -> Estimate:
        """Read one contrast.

        A gene without a count in both of two compared groups has the effect 0, as in R; one whose effect the counts do
        not determine has none.
        """
        estimate = super().estimate(contrast)
        nothing, unknown = self._nothing_in(contrast), self.undetermined(contrast)
        effect = np.where(nothing, 0.0, estimate.log2_fold_change)
        error = np.where(self.emptied, 0.0, estimate.standard_error)
        return Estimate(np.where(unknown, np.nan, effect), np.where(unknown, np.nan, error))

    def undetermined(self, contrast: Contrast) -> np.ndarray:
        """Tell for which genes the likelihood rises towards both ends of the effect; not those that R sets to 0."""
        both_ways = self.separation.undetermined(contrast.weights(self.design), len(self.genes))
        return both_ways & ~self._nothing_in(contrast)

    def _nothing_in(self, contrast: Contrast) -> np.ndarray:
        return self.emptied | self._no_count_in(contrast)

    def _no_count_in(self, contrast: Contrast) -> np.ndarray:
        if contrast.coefficients:
            return np.zeros(len(self.genes), dtype=bool)
        levels = self.design.levels[contrast.factor]
        columns = [f"{contrast.factor}[{level}]" for level in levels[1:]]
        indicators = self.design.matrix[columns].to_numpy()
        members = {levels[0]: indicators.sum(axis=1) == 0}
        members |= {level: indicators[:, i] == 1 for i, level in enumerate(levels[1:])}
        compared = members[contrast.level] | members[contrast.baseline]
        return (self.counts[compared] == 0).all(axis=0) & ~self.all_zero


def fit_counts_model(view: ad.AnnData, design: DesignMatrix, inference: Inference) -> CountsFit:
    """Fit one negative-binomial model per gene, with the normalization's own counts and size factors.

    Parameters
    ----------
    view
        A normalised counts view: ``layers["counts"]``, ``obs["size_factor"]``, ``var["gene_name"]``.
    design
        Its `matrix` names the samples to fit, all of them in `view`.
    inference
        The engine (`stratifn.inference.BatchedInference`).

    Returns
    -------
    CountsFit
        Everything that tests, shrinkage and pooling read.
    """
    view = view[design.matrix.index]
    counts = np.asarray(view.layers["counts"])
    size_factors = view.obs["size_factor"].to_numpy(dtype=float)
    dataset = deseq_dataset(counts, size_factors, design.matrix, view.var_names, inference)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_negative_binomial(dataset)
    messages = tuple(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, UserWarning)))
    for message in messages:
        logger.info("fit: %s", message)
    return _collected(dataset, view, design, inference, messages)


def fit_negative_binomial(dataset: DeseqDataSet) -> None:
    """Fit dispersions and coefficients in place, with the trend and the prior of the dispersions as R has them.

    The steps of PyDESeq2's ``deseq2()`` after its estimation of size factors, up to the second fit of genes whose
    outlying counts were replaced.

    Parameters
    ----------
    dataset
        With size factors.
    """
    dataset.fit_genewise_dispersions()
    fit_dispersion_trend(dataset)
    fit_dispersion_prior(dataset)
    dataset.fit_MAP_dispersions()
    dataset.fit_LFC()
    dataset.calculate_cooks()
    dataset.refit()


def _collected(
    dataset: DeseqDataSet, view: ad.AnnData, design: DesignMatrix, inference: Inference, messages: tuple[str, ...]
) -> CountsFit:
    counts = np.asarray(view.layers["counts"])
    all_zero = ~dataset.var["non_zero"].to_numpy(dtype=bool)
    emptied = np.zeros(len(all_zero), dtype=bool)
    replaced = dataset.var["replaced"].to_numpy(dtype=bool)
    if replaced.any():
        emptied = dataset.var_names.isin(dataset.new_all_zeroes_genes)
    coefficients = dataset.varm["LFC"].to_numpy(dtype=float)
    dispersions = dataset.var["dispersions"].to_numpy(dtype=float)
    size_factors = dataset.obs["size_factors"].to_numpy(dtype=float)
    fitted_counts = np.array(counts)
    refitted = dataset.var["refitted"].to_numpy(dtype=bool)
    if refitted.any():
        fitted_counts[:, refitted] = dataset.counts_to_refit.X
    not_converged = ~dataset.var["_LFC_converged"].fillna(True).to_numpy(dtype=bool)
    matrix = design.matrix.to_numpy()
    return CountsFit(
        model="negative binomial",
        genes=view.var[["gene_name"]].copy(),
        design=design,
        base_mean=dataset.var["_normed_means"].to_numpy(dtype=float),
        coefficients=coefficients / np.log(2),
        covariance=coefficient_covariance(coefficients, dispersions, matrix, size_factors) / np.log(2) ** 2,
        df=np.full(len(all_zero), np.inf),
        all_zero=all_zero,
        outlier=_cooks_outliers(dataset, counts, design),
        not_converged=not_converged,
        notes=(*_notes(dataset, design), *messages),
        counts=counts,
        size_factors=size_factors,
        dispersions=dispersions,
        emptied=emptied,
        separation=Separation.of(fitted_counts, matrix),
        inference=inference,
    )


def coefficient_covariance(
    coefficients: np.ndarray, dispersions: np.ndarray, matrix: np.ndarray, size_factors: np.ndarray
) -> np.ndarray:
    """Return the covariance of each gene's coefficients (natural log), as R's `fitBeta` computes it.

    ``(X'WX + r)^-1 X'WX (X'WX + r)^-1`` with ``W = mu / (1 + dispersion mu)``, means below 0.5 taken as 0.5 and
    ``r`` the ridge of 1e-6.

    Parameters
    ----------
    coefficients
        Genes x columns, natural log.
    dispersions
        Shape (genes,).
    matrix
        Samples x columns.
    size_factors
        Shape (samples,).

    Returns
    -------
    numpy.ndarray
        Genes x columns x columns; NaN for a gene without coefficients.
    """
    n_genes, n_columns = coefficients.shape
    products = (matrix[:, :, None] * matrix[:, None, :]).reshape(len(matrix), -1)
    ridge = RIDGE * np.eye(n_columns)
    covariance = np.full((n_genes, n_columns, n_columns), np.nan)
    fitted = np.flatnonzero(np.isfinite(coefficients).all(axis=1) & np.isfinite(dispersions))
    for start in range(0, len(fitted), GENES_PER_BLOCK):
        genes = fitted[start : start + GENES_PER_BLOCK]
        mean = np.maximum(size_factors * np.exp(coefficients[genes] @ matrix.T), MIN_MEAN)
        weights = mean / (1 + dispersions[genes, None] * mean)
        information = (weights @ products).reshape(-1, n_columns, n_columns)
        inverse = np.linalg.inv(information + ridge)
        covariance[genes] = inverse @ information @ inverse
    return covariance


def _cooks_outliers(dataset: DeseqDataSet, counts: np.ndarray, design: DesignMatrix) -> np.ndarray:
    """Tell which genes' p-values R would set to NA.

    A gene whose largest Cook's distance, over samples with at least three replicates, exceeds the 99th centile of
    F(p, n - p); samples with seven replicates have had their outliers replaced and do not count. With one factor of
    two levels alone a gene is spared if three samples count more than the outlying one. (PyDESeq2 spares genes in
    every design.)
    """
    n_samples, n_columns = design.matrix.shape
    cutoff = f_distribution.ppf(COOKS_QUANTILE, n_columns, n_samples - n_columns)
    cooks = dataset.layers["cooks"]
    cells = design.matrix.groupby(list(design.matrix.columns), sort=False)[design.columns[0]].transform("size")
    counted = cells.to_numpy() >= MIN_REPLICATES_FOR_COOKS
    if dataset.var["refitted"].any():
        counted &= ~dataset.obs["replaceable"].to_numpy(dtype=bool)
    if not counted.any():
        return np.zeros(len(cooks.T), dtype=bool)
    with np.errstate(invalid="ignore"):  # genes without counts have no distance
        outlier = (cooks[counted] > cutoff).any(axis=0)
    if len(design.terms) == 1 and len(design.columns) == 2 and design.levels:
        for gene in np.flatnonzero(outlier):
            largest = int(np.argmax(cooks[:, gene]))
            outlier[gene] = (counts[:, gene] > counts[largest, gene]).sum() < LARGER_COUNTS
    return outlier


def _notes(dataset: DeseqDataSet, design: DesignMatrix) -> tuple[str, ...]:
    notes = []
    if dataset.uns["disp_function_type"] != "parametric":
        notes.append("The parametric dispersion trend could not be fitted; one dispersion for all means was used.")
    continuous = [term[0] for term in design.terms if len(term) == 1 and term[0] not in design.levels]
    if continuous:
        notes.append(
            f"With the continuous covariate {', '.join(continuous)} no two samples are replicates, so outlying counts "
            "(Cook's distance) are neither replaced nor flagged, as in R."
        )
    replaced = int(dataset.var["replaced"].sum())
    if replaced:
        notes.append(f"Outlying counts were replaced in {replaced} genes, and these genes were refitted.")
    return tuple(notes)
