"""The engine that PyDESeq2 calls: blocks of genes, compiled loops, threads."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import pandas as pd
from pydeseq2.inference import Inference

from stratifn.inference.coefficients import (
    fit_coefficients,
    fit_linear_means,
    maximise_coefficients,
    wald_standard_errors,
)
from stratifn.inference.design import DesignGroups
from stratifn.inference.dispersions import fit_dispersions
from stratifn.inference.shrinkage import fit_shrunken_coefficients
from stratifn.inference.trend import MIN_DISPERSION, TrendNotFitted, fit_parametric_trend
from stratifn.inference.wald import Alternative, wald_statistics

logger = logging.getLogger("stratifn.inference")

# ridge on the coefficients, natural log scale
RIDGE = 1e-6
GRADIENT_TOLERANCE = 1e-5
# the steps shrink faster than geometrically: after one of this length the error is below 1e-6
DISPERSION_STEP = 1e-4
SHRINKAGE_STEP = 1e-8
MAX_NEWTON_ITERATIONS = 500
MAX_DISPERSION_ITERATIONS = 100
MAX_SHRINKAGE_ITERATIONS = 100
# R's DESeq2: the smallest mean in the likelihood,
MIN_MU = 0.5
# and the relative gain in log posterior and the gradient below which a gene-wise dispersion stays at its start
MIN_GAIN = 1e-6
FLAT_GRADIENT = 1e-3


class BatchedInference(Inference):
    """PyDESeq2's inference for blocks of genes instead of one optimizer call per gene.

    The model is PyDESeq2's; a gene whose dispersion or shrunken coefficients do not converge here is given to
    PyDESeq2's own routine. One whose coefficients do not converge by reweighted least squares gets the maximum of the
    same function by damped steps, where R and PyDESeq2 turn to a general optimizer, which stops somewhere where the
    function is flat, on one CPU elsewhere than on another. The dispersion trend is R's (`stratifn.inference.trend`). With `follow_r` three more details are those of R's DESeq2 where
    PyDESeq2's default engine differs: means below 0.5 count as 0.5 in the dispersion fits and in the Wald test, a
    gene-wise dispersion that hardly raises the likelihood stays at its moment estimate, and one that starts at the
    smallest dispersion stays there when the likelihood is flat.

    Parameters
    ----------
    n_threads
        Threads over blocks of genes. The results are bitwise the same for any number.
    block_size
        Genes per block. The results are bitwise the same for any size.
    follow_r
        False: where R and PyDESeq2 differ in these details, do as PyDESeq2 does.
    """

    def __init__(self, n_threads: int = 1, block_size: int = 256, follow_r: bool = True):
        self.n_threads = n_threads
        self.block_size = block_size
        self.follow_r = follow_r

    @property
    def _min_mu(self) -> float:
        return MIN_MU if self.follow_r else 0.0

    def _each_block(self, n_genes: int, fit: Callable[[slice], None]) -> None:
        """Call `fit` with every block of genes, on the requested number of threads."""
        starts = range(0, n_genes, self.block_size)
        blocks = [slice(start, min(start + self.block_size, n_genes)) for start in starts]
        if self.n_threads == 1:
            for block in blocks:
                fit(block)
            return
        with ThreadPoolExecutor(self.n_threads) as pool:
            for _ in pool.map(fit, blocks):
                pass

    def lin_reg_mu(  # noqa: D102
        self, counts: np.ndarray, size_factors: np.ndarray, design_matrix: np.ndarray, min_mu: float
    ) -> np.ndarray:
        groups = DesignGroups.of(design_matrix)
        factors = np.asarray(size_factors, dtype=float)[groups.order]
        membership = np.repeat(np.arange(len(groups.rows)), np.diff(groups.starts))
        mu = np.empty((counts.shape[1], groups.n_samples))

        def fit(block: slice) -> None:
            fitted, _ = _linear_fit(groups.gather(counts, block) / factors, groups)
            groups.scatter(np.maximum(fitted[:, membership] * factors, min_mu), mu, block)

        self._each_block(len(mu), fit)
        return mu.T

    def fit_rough_dispersions(self, normed_counts: np.ndarray, design_matrix: np.ndarray) -> np.ndarray:  # noqa: D102
        n_samples, n_coefficients = np.shape(design_matrix)
        if n_samples == n_coefficients:
            raise ValueError("as many coefficients as samples: there are no replicates to estimate a dispersion from")
        groups = DesignGroups.of(np.asarray(design_matrix))
        rough = np.empty(normed_counts.shape[1])

        def fit(block: slice) -> None:
            _, squares = _linear_fit(groups.gather(normed_counts, block), groups)
            rough[block] = np.maximum(squares / (n_samples - n_coefficients), 0.0)

        self._each_block(len(rough), fit)
        return rough

    def fit_moments_dispersions(self, normed_counts: np.ndarray, size_factors: np.ndarray) -> np.ndarray:  # noqa: D102
        mean_inverse = float(np.mean(1.0 / np.asarray(size_factors, dtype=float)))
        moments = np.empty(normed_counts.shape[1])

        def fit(block: slice) -> None:
            normed = np.ascontiguousarray(normed_counts[:, block].T)
            mean = normed.mean(axis=1)
            excess = normed.var(axis=1, ddof=1) - mean_inverse * mean
            moments[block] = np.divide(excess, mean**2, out=np.zeros_like(mean), where=mean > 0)

        self._each_block(len(moments), fit)
        return moments

    def irls(  # noqa: D102
        self,
        counts: np.ndarray,
        size_factors: np.ndarray,
        design_matrix: np.ndarray,
        disp: np.ndarray,
        min_mu: float,
        beta_tol: float,
        min_beta: float = -30,
        max_beta: float = 30,
        optimizer: Literal["BFGS", "L-BFGS-B"] = "L-BFGS-B",
        maxiter: int = 250,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        groups = DesignGroups.of(design_matrix)
        size_factors = np.asarray(size_factors, dtype=float)
        factors = size_factors[groups.order]
        dispersions = np.array(disp, dtype=float)
        n_genes = counts.shape[1]
        beta = np.empty((n_genes, groups.rows.shape[1]))
        mu = np.empty((n_genes, groups.n_samples))
        leverage = np.empty_like(mu)
        converged = np.empty(n_genes, dtype=bool)

        def fit(block: slice) -> None:
            y = groups.gather(counts, block)
            block_mu, block_leverage = np.empty_like(y), np.empty_like(y)
            fit_coefficients(
                y, factors, np.log(factors), groups.rows, groups.starts, groups.projection, dispersions[block],
                float(min_mu), float(beta_tol), float(max_beta), int(maxiter), RIDGE,
                beta[block], block_mu, block_leverage, converged[block],
            )  # fmt: skip
            groups.scatter(block_mu, mu, block)
            groups.scatter(block_leverage, leverage, block)

        self._each_block(n_genes, fit)
        left = np.flatnonzero(~converged)
        if len(left):
            logger.debug("coefficients of %d of %d genes by damped steps", len(left), n_genes)
            y = groups.gather(np.asarray(counts)[:, left], slice(None))
            rest = [np.empty((len(left), beta.shape[1])), np.empty_like(y), np.empty_like(y)]
            reached = np.empty(len(left), dtype=bool)
            maximise_coefficients(
                y, factors, np.log(factors), groups.rows, groups.starts, groups.projection, dispersions[left],
                float(min_mu), MAX_NEWTON_ITERATIONS, RIDGE, *rest, reached,
            )  # fmt: skip
            beta[left], mu[left], leverage[left] = rest[0], *(each[:, groups.position] for each in rest[1:])
            converged[left] = reached
        return beta, mu.T, leverage.T, converged

    def alpha_mle(  # noqa: D102
        self,
        counts: np.ndarray,
        design_matrix: np.ndarray,
        mu: np.ndarray,
        alpha_hat: np.ndarray,
        min_disp: float,
        max_disp: float,
        prior_disp_var: float | None = None,
        cr_reg: bool = True,
        prior_reg: bool = False,
        optimizer: Literal["BFGS", "L-BFGS-B"] = "L-BFGS-B",
    ) -> tuple[np.ndarray, np.ndarray]:
        if prior_reg and prior_disp_var is None:
            raise ValueError("a prior on the dispersions needs its variance")
        prior_variance = float(prior_disp_var) if prior_reg and prior_disp_var is not None else np.inf
        groups = DesignGroups.of(design_matrix)
        alpha_hat = np.array(alpha_hat, dtype=float)
        log_start = np.log(alpha_hat)
        log_dispersions = np.empty(counts.shape[1])
        converged = np.empty(counts.shape[1], dtype=bool)
        keeps_start = self.follow_r and not prior_reg

        def fit(block: slice) -> None:
            fit_dispersions(
                groups.gather(counts, block), np.maximum(groups.gather(mu, block), self._min_mu),
                groups.rows, groups.starts, log_start[block], log_start[block],
                prior_variance,
                float(np.log(min_disp)), float(np.log(max_disp)), bool(cr_reg),
                MIN_GAIN if keeps_start else 0.0, FLAT_GRADIENT if keeps_start else 0.0,
                GRADIENT_TOLERANCE, DISPERSION_STEP, MAX_DISPERSION_ITERATIONS,
                log_dispersions[block], converged[block],
            )  # fmt: skip

        self._each_block(len(log_dispersions), fit)
        dispersions = np.exp(log_dispersions)
        for gene in _left_over(converged, "dispersions"):
            from pydeseq2.utils import fit_alpha_mle

            dispersions[gene], converged[gene] = fit_alpha_mle(
                counts=np.asarray(counts[:, gene]),
                design_matrix=np.asarray(design_matrix, dtype=float),
                mu=np.maximum(mu[:, gene], self._min_mu),
                alpha_hat=alpha_hat[gene],
                min_disp=min_disp,
                max_disp=max_disp,
                prior_disp_var=prior_disp_var,
                cr_reg=cr_reg,
                prior_reg=prior_reg,
                optimizer=optimizer,
            )
        return dispersions, converged

    def dispersion_trend_gamma_glm(  # noqa: D102
        self, covariates: pd.Series, targets: pd.Series
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        inverse_means = np.asarray(covariates, dtype=float)
        dispersions = np.asarray(targets, dtype=float)
        use = dispersions > MIN_DISPERSION
        try:
            coefficients = fit_parametric_trend(1.0 / inverse_means[use], dispersions[use])
        except TrendNotFitted as error:
            logger.warning("no parametric dispersion trend: %s", error)
            return np.full(2, np.nan), np.full(len(dispersions), np.nan), False
        return coefficients, coefficients[0] + coefficients[1] * inverse_means, True

    def wald_test(  # noqa: D102
        self,
        design_matrix: np.ndarray,
        disp: np.ndarray,
        lfc: np.ndarray,
        mu: np.ndarray,
        ridge_factor: np.ndarray,
        contrast: np.ndarray,
        lfc_null: np.ndarray,
        alt_hypothesis: Alternative | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        groups = DesignGroups.of(design_matrix)
        dispersions = np.array(disp, dtype=float)
        contrast = np.array(contrast, dtype=float)
        ridge = np.array(ridge_factor, dtype=float)
        errors = np.empty(mu.shape[1])

        def fit(block: slice) -> None:
            wald_standard_errors(
                groups.gather(mu, block), groups.rows, groups.starts, dispersions[block], self._min_mu, ridge,
                contrast, errors[block],
            )  # fmt: skip

        self._each_block(len(errors), fit)
        estimates = (np.asarray(lfc, dtype=float) * contrast).sum(axis=1)
        statistics, pvalues = wald_statistics(estimates, errors, float(lfc_null), alt_hypothesis)
        return pvalues, statistics, errors

    def lfc_shrink_nbinom_glm(  # noqa: D102
        self,
        design_matrix: np.ndarray,
        counts: np.ndarray,
        size: np.ndarray,
        offset: np.ndarray,
        prior_no_shrink_scale: float,
        prior_scale: float,
        optimizer: str,
        shrink_index: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        groups = DesignGroups.of(design_matrix)
        factors = np.exp(np.asarray(offset, dtype=float))[groups.order]
        shapes = np.array(size, dtype=float)
        n_genes, n_coefficients = counts.shape[1], groups.rows.shape[1]
        beta = np.empty((n_genes, n_coefficients))
        hessians = np.zeros((n_genes, n_coefficients, n_coefficients))
        converged = np.empty(n_genes, dtype=bool)

        def fit(block: slice) -> None:
            fit_shrunken_coefficients(
                groups.gather(counts, block), factors, groups.rows, groups.starts, groups.projection,
                shapes[block], int(shrink_index), float(prior_scale), float(prior_no_shrink_scale) ** 2,
                SHRINKAGE_STEP, MAX_SHRINKAGE_ITERATIONS, beta[block], hessians[block], converged[block],
            )  # fmt: skip

        self._each_block(n_genes, fit)
        inverses = np.linalg.inv(hessians + np.tril(hessians, -1).transpose(0, 2, 1))
        for gene in _left_over(converged, "shrunken coefficients"):
            from pydeseq2.utils import nbinomGLM

            beta[gene], inverses[gene], converged[gene] = nbinomGLM(
                design_matrix=np.asarray(design_matrix, dtype=float),
                counts=np.asarray(counts[:, gene]),
                size=shapes[gene],
                offset=np.asarray(offset, dtype=float),
                prior_no_shrink_scale=prior_no_shrink_scale,
                prior_scale=prior_scale,
                optimizer=optimizer,
                shrink_index=shrink_index,
            )
        return beta, inverses, converged


def _linear_fit(normed: np.ndarray, groups: DesignGroups) -> tuple[np.ndarray, np.ndarray]:
    """Fitted value per gene and design row, and the sum of squares of the rough dispersion."""
    fitted = np.empty((len(normed), len(groups.rows)))
    squares = np.empty(len(normed))
    fit_linear_means(normed, groups.rows, groups.starts, groups.projection, fitted, squares)
    return fitted, squares


def _left_over(converged: np.ndarray, what: str) -> np.ndarray:
    """Genes for PyDESeq2's own routine."""
    genes = np.flatnonzero(~converged)
    if len(genes):
        logger.debug("%s of %d of %d genes by PyDESeq2's own routine", what, len(genes), len(converged))
    return genes
