"""Compiled fits of the dispersions of a block of genes: maximum of the Cox-Reid adjusted profile likelihood.

Matrices are genes x samples, the samples in the order of `stratifn.inference.design.DesignGroups`; see
`stratifn.inference.coefficients` on why a gene's result does not depend on its block.
"""

from __future__ import annotations

import math

import numpy as np

from stratifn.inference.compilation import compiled
from stratifn.inference.linear_algebra import cholesky, row_leverages, weighted_gram
from stratifn.inference.special_functions import (
    FACTORS_PER_LOG,
    SERIES_FROM,
    log_gamma,
    log_rising,
    polygamma_sums,
    split_counts,
)

LONGEST_STEP = 2.0
# a secant over a longer step than this says little about the slope at its end
LONGEST_SECANT = 0.5
BISECT_EVERY = 8
SETTLED_STEP = 1e-3


@compiled
def _gradient(
    log_dispersion,
    mu,
    residuals,
    large,
    above,
    rows,
    starts,
    cox_reid,
    gram,
    factor,
    inverse,
    weights,
    squares,
    leverages,
):
    """Gradient and approximate curvature, in log dispersion, of the negative log-likelihood of one gene.

    The curvature leaves out the Cox-Reid term, which is small and only sets the length of the first step.
    """
    dispersion = math.exp(log_dispersion)
    a = 1.0 / dispersion
    digamma, trigamma = polygamma_sums(large, above, a)
    total = -digamma
    slope = trigamma
    factors = 1.0
    position = 0
    for u in range(rows.shape[0]):
        weight_sum = 0.0
        square_sum = 0.0
        for i in range(starts[u], starts[u + 1]):
            r = 1.0 / (mu[i] + a)
            factors *= 1.0 + mu[i] * dispersion
            position += 1
            if position % FACTORS_PER_LOG == 0:
                total += math.log(factors)
                factors = 1.0
            ratio = residuals[i] * r
            share = mu[i] * r
            total += ratio
            slope -= share * dispersion + ratio * r
            weight = share * a
            weight_sum += weight
            square_sum += weight * weight
        weights[u] = weight_sum
        squares[u] = square_sum
    total += math.log(factors)
    gradient = -a * total
    curvature = a * total + a * a * slope
    if cox_reid:
        weighted_gram(rows, weights, gram)
        if not cholesky(gram, factor):
            return np.nan, np.nan
        row_leverages(rows, factor, inverse, leverages)
        for u in range(rows.shape[0]):
            gradient -= 0.5 * dispersion * squares[u] * leverages[u]
    return gradient, curvature


@compiled
def _log_posterior(log_dispersion, counts, mu, rows, starts, cox_reid, gram, factor, weights):
    """Return the objective of DESeq2's ``fitDisp`` without prior and without what is constant in the dispersion."""
    dispersion = math.exp(log_dispersion)
    a = 1.0 / dispersion
    rising = np.empty(SERIES_FROM + 1)
    log_gamma_a = log_rising(a, rising)
    total = 0.0
    factors = 1.0
    position = 0
    for u in range(rows.shape[0]):
        weights[u] = 0.0
        for i in range(starts[u], starts[u + 1]):
            y = counts[i]
            total += rising[int(y)] if y < SERIES_FROM else log_gamma(y + a) - log_gamma_a
            total -= y * math.log(mu[i] + a)
            growth = 1.0 + mu[i] * dispersion
            weights[u] += mu[i] / growth
            factors *= growth
            position += 1
            if position % FACTORS_PER_LOG == 0:
                total -= a * math.log(factors)
                factors = 1.0
    total -= a * math.log(factors)
    if cox_reid:
        weighted_gram(rows, weights, gram)
        if not cholesky(gram, factor):
            return np.nan
        for j in range(gram.shape[0]):
            total -= math.log(factor[j, j])
    return total


@compiled
def fit_dispersions(
    counts, mu, rows, starts, log_start, log_prior_mean, prior_variance, log_min, log_max, cox_reid,
    min_gain, flat_gradient, gradient_tolerance, step_tolerance, max_iterations, log_dispersions, converged,
):  # fmt: skip
    """Root of the gradient in log dispersion per gene: a Newton step, then secants, kept inside a bracket.

    `prior_variance` of infinity switches the prior off. An estimate that does not raise the log posterior by
    `min_gain` times its absolute value at the start is given up for the start, and a gene that starts at the
    smallest dispersion with a gradient below `flat_gradient` stays there. Fills `log_dispersions` and `converged`.
    """
    n_genes, n_samples = counts.shape
    n_rows, n_coefficients = rows.shape
    gram = np.empty((n_coefficients, n_coefficients))
    factor = np.zeros((n_coefficients, n_coefficients))
    inverse = np.zeros((n_coefficients, n_coefficients))
    weights = np.empty(n_rows)
    squares = np.empty(n_rows)
    leverages = np.empty(n_rows)
    large = np.empty(n_samples)
    above = np.empty(SERIES_FROM)
    residuals = np.empty(n_samples)
    for g in range(n_genes):
        n_large = split_counts(counts[g], large, above)
        for i in range(n_samples):
            residuals[i] = counts[g, i] - mu[g, i]
        x = min(max(log_start[g], log_min), log_max)
        low, high = log_min, log_max
        low_known, high_known = False, False
        last_x, last_gradient = x, 0.0
        converged[g] = False
        for iteration in range(max_iterations):
            gradient, slope = _gradient(
                x, mu[g], residuals, large[:n_large], above, rows, starts, cox_reid,
                gram, factor, inverse, weights, squares, leverages,
            )  # fmt: skip
            gradient += (x - log_prior_mean[g]) / prior_variance
            slope += 1.0 / prior_variance
            if not math.isfinite(gradient):
                break
            if iteration > 0 and 0.0 < abs(x - last_x) < LONGEST_SECANT:
                secant = (gradient - last_gradient) / (x - last_x)
                slope = secant if secant > 0.0 else slope
            step = -gradient / slope if slope > 0.0 else -math.copysign(1.0, gradient)
            at_bound = (x <= log_min and gradient > 0.0) or (x >= log_max and gradient < 0.0)
            flat = iteration == 0 and x <= log_min and abs(gradient) < flat_gradient
            # a small gradient alone is no root: towards 0 the likelihood of a gene without overdispersion is flat
            if at_bound or flat or (abs(gradient) < gradient_tolerance and abs(step) < SETTLED_STEP):
                converged[g] = True
                break
            if gradient < 0.0:
                low, low_known = x, True
            else:
                high, high_known = x, True
            last_x, last_gradient = x, gradient
            x = last_x + min(max(step, -LONGEST_STEP), LONGEST_STEP)
            bracketed = low_known and high_known
            if bracketed and (not low < x < high or iteration % BISECT_EVERY == BISECT_EVERY - 1):
                x = 0.5 * (low + high)
            x = min(max(x, log_min), log_max)
            if abs(x - last_x) < step_tolerance:
                converged[g] = True
                break
        if min_gain > 0.0 and converged[g]:
            start = min(max(log_start[g], log_min), log_max)
            before = _log_posterior(start, counts[g], mu[g], rows, starts, cox_reid, gram, factor, weights)
            after = _log_posterior(x, counts[g], mu[g], rows, starts, cox_reid, gram, factor, weights)
            if after < before + min_gain * abs(before):
                x = start
        log_dispersions[g] = x
