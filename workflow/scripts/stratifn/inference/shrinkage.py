"""Compiled apeGLM: coefficients of a block of genes with a Cauchy prior on one of them.

Zhu, Ibrahim & Love 2019, doi:10.1093/bioinformatics/bty895. Matrices are genes x samples, the samples in the order
of `stratifn.inference.design.DesignGroups`.
"""

from __future__ import annotations

import math

import numpy as np

from stratifn.inference.coefficients import start_coefficients
from stratifn.inference.compilation import compiled
from stratifn.inference.linear_algebra import cholesky, product, solve_cholesky, weighted_gram

MAX_HALVINGS = 30
# relative difference of two objectives that rounding can make
ROUNDING = 1e-12
SAME_MODE = 1e-9


@compiled
def _objective(counts, size_factors, rows, starts, shape, beta, index, scale, others_variance, eta):
    """Negative log posterior of one gene, without what does not depend on the coefficients; fills `eta`."""
    product(rows, beta, eta)
    total = math.log1p((beta[index] / scale) ** 2)
    for j in range(len(beta)):
        if j != index:
            total += beta[j] * beta[j] / (2.0 * others_variance)
    for u in range(len(eta)):
        base = math.exp(eta[u])
        for i in range(starts[u], starts[u + 1]):
            total += (counts[i] + shape) * math.log(size_factors[i] * base + shape) - counts[i] * eta[u]
    return total


@compiled
def _derivatives(
    counts, size_factors, rows, starts, shape, beta, index, scale, others_variance, eta, weights, residuals, gram, slope
):
    """Fill the gradient (`slope`) and the lower triangle of the Hessian (`gram`) at `beta` with predictors `eta`."""
    for u in range(len(eta)):
        base = math.exp(eta[u])
        weight_sum = 0.0
        residual_sum = 0.0
        for i in range(starts[u], starts[u + 1]):
            mean = size_factors[i] * base
            share = 1.0 / (mean + shape)
            weight = (counts[i] + shape) * share * mean
            residual_sum += weight - counts[i]
            weight_sum += weight * shape * share
        weights[u] = weight_sum
        residuals[u] = residual_sum
    weighted_gram(rows, weights, gram)
    for j in range(len(beta)):
        slope[j] = 0.0
        for u in range(len(eta)):
            slope[j] += rows[u, j] * residuals[u]
        if j != index:
            slope[j] += beta[j] / others_variance
            gram[j, j] += 1.0 / others_variance
    square = beta[index] * beta[index]
    spread = scale * scale + square
    slope[index] += 2.0 * beta[index] / spread
    gram[index, index] += 2.0 * (scale * scale - square) / (spread * spread)


@compiled
def _descend(
    counts, size_factors, rows, starts, shape, beta, index, scale, others_variance, tolerance, max_iterations,
    eta, weights, residuals, gram, factor, slope, step, trial,
):  # fmt: skip
    """Newton steps from `beta` to a minimum; returns the objective and whether it was reached."""
    value = _objective(counts, size_factors, rows, starts, shape, beta, index, scale, others_variance, eta)
    for _ in range(max_iterations):
        _derivatives(
            counts, size_factors, rows, starts, shape, beta, index, scale, others_variance,
            eta, weights, residuals, gram, slope,
        )  # fmt: skip
        if not cholesky(gram, factor):
            # the Cauchy prior is not convex: take the curvature of its quadratic majorizer instead
            square = beta[index] * beta[index]
            spread = scale * scale + square
            gram[index, index] += 4.0 * square / (spread * spread)
            if not cholesky(gram, factor):
                return value, False
        solve_cholesky(factor, slope, step)
        length = 1.0
        largest = 0.0
        for j in range(len(beta)):
            largest = max(largest, abs(step[j]))
        for _ in range(MAX_HALVINGS):
            for j in range(len(beta)):
                trial[j] = beta[j] - length * step[j]
            proposed = _objective(counts, size_factors, rows, starts, shape, trial, index, scale, others_variance, eta)
            if proposed <= value + ROUNDING * abs(value):
                break
            length *= 0.5
        else:
            return value, False
        value = proposed
        for j in range(len(beta)):
            beta[j] = trial[j]
        if length * largest < tolerance:
            return value, True
    return value, False


@compiled
def fit_shrunken_coefficients(
    counts, size_factors, rows, starts, projection, shapes, index, scale, others_variance,
    tolerance, max_iterations, beta, hessians, converged,
):  # fmt: skip
    """Posterior mode of the coefficients; fills `beta`, `hessians` (lower triangles) and `converged`.

    The posterior can have two modes, near 0 and near the unshrunken estimate: the iterations start from both, and
    the higher mode is taken.
    """
    n_rows, n_coefficients = rows.shape
    eta = np.empty(n_rows)
    weights = np.empty(n_rows)
    residuals = np.empty(n_rows)
    slope = np.empty(n_coefficients)
    step = np.empty(n_coefficients)
    trial = np.empty(n_coefficients)
    proposed = np.empty(n_coefficients)
    gram = np.empty((n_coefficients, n_coefficients))
    factor = np.zeros((n_coefficients, n_coefficients))
    for g in range(counts.shape[0]):
        y = counts[g]
        lowest = np.inf
        converged[g] = True
        for start in range(2):
            start_coefficients(y, size_factors, starts, projection, weights, proposed)
            if start == 1:
                proposed[index] = 0.0
            value, reached = _descend(
                y, size_factors, rows, starts, shapes[g], proposed, index, scale, others_variance, tolerance,
                max_iterations, eta, weights, residuals, gram, factor, slope, step, trial,
            )  # fmt: skip
            converged[g] = converged[g] and reached
            # by less than this both starts found the same mode
            if value < lowest - SAME_MODE * abs(value):
                lowest = value
                for j in range(n_coefficients):
                    beta[g, j] = proposed[j]
        product(rows, beta[g], eta)
        _derivatives(
            y, size_factors, rows, starts, shapes[g], beta[g], index, scale, others_variance,
            eta, weights, residuals, hessians[g], slope,
        )  # fmt: skip
