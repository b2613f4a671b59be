"""Compiled fits of the means of a block of genes: least squares, reweighted least squares, Wald standard errors.

Matrices are genes x samples, the samples in the order of `stratifn.inference.design.DesignGroups`. Each gene is
fitted by itself in one fixed order of additions, so its result does not depend on its block or thread.
"""

from __future__ import annotations

import math

import numpy as np

from stratifn.inference.compilation import compiled
from stratifn.inference.linear_algebra import cholesky, product, row_leverages, solve_cholesky, weighted_gram
from stratifn.inference.special_functions import log_choose_sum

# twice the gain that the next Newton step promises, in log-likelihood, below which it is not worth taking
LEAST_GAIN = 1e-14
MAX_HALVINGS = 40
# relative difference of two objectives that rounding can make
ROUNDING = 1e-12


@compiled
def fit_linear_means(normed, rows, starts, projection, fitted, squares):
    """Least squares of normalized counts: `fitted` value per design row, and what the rough dispersion needs.

    ``squares[g]`` is the sum over samples of ``((y - m)^2 - m) / m^2`` with ``m`` the fitted value, at least 1.
    """
    n_rows, n_coefficients = rows.shape
    means = np.empty(n_rows)
    beta = np.empty(n_coefficients)
    for g in range(normed.shape[0]):
        for u in range(n_rows):
            total = 0.0
            for i in range(starts[u], starts[u + 1]):
                total += normed[g, i]
            means[u] = total / (starts[u + 1] - starts[u])
        product(projection, means, beta)
        product(rows, beta, fitted[g])
        total = 0.0
        for u in range(n_rows):
            mean = max(fitted[g, u], 1.0)
            for i in range(starts[u], starts[u + 1]):
                residual = normed[g, i] - mean
                total += (residual * residual - mean) / (mean * mean)
        squares[g] = total


@compiled
def start_coefficients(counts, size_factors, starts, projection, means, beta):
    """Least squares of ``log(y / s + 0.1)``, where DESeq2 starts its iterations."""
    for u in range(len(means)):
        total = 0.0
        for i in range(starts[u], starts[u + 1]):
            total += math.log(counts[i] / size_factors[i] + 0.1)
        means[u] = total / (starts[u + 1] - starts[u])
    product(projection, means, beta)


@compiled
def _working_sums(counts, size_factors, log_size_factors, eta, starts, dispersion, min_mu, weights, responses):
    """Sum weights, and weights times working responses, over the samples of each design row."""
    for u in range(len(eta)):
        base = math.exp(eta[u])
        weight_sum = 0.0
        response_sum = 0.0
        for i in range(starts[u], starts[u + 1]):
            mean = size_factors[i] * base
            predictor = eta[u]
            if mean < min_mu:
                mean = min_mu
                predictor = math.log(min_mu) - log_size_factors[i]
            shrink = 1.0 / (1.0 + mean * dispersion)
            weight = mean * shrink
            weight_sum += weight
            response_sum += weight * predictor + (counts[i] - mean) * shrink
        weights[u] = weight_sum
        responses[u] = response_sum


@compiled
def _mean_terms(counts, size_factors, log_size_factors, eta, starts, shape, min_mu):
    """Return the part of the negative-binomial log-likelihood that depends on the means."""
    total = 0.0
    for u in range(len(eta)):
        base = math.exp(eta[u])
        for i in range(starts[u], starts[u + 1]):
            mean = size_factors[i] * base
            log_mean = eta[u] + log_size_factors[i]
            if mean < min_mu:
                mean = min_mu
                log_mean = math.log(min_mu)
            total += counts[i] * log_mean - (counts[i] + shape) * math.log(shape + mean)
    return total


@compiled
def fit_coefficients(
    counts, size_factors, log_size_factors, rows, starts, projection, dispersions,
    min_mu, tolerance, max_beta, max_iterations, ridge, beta, mu, leverage, converged,
):  # fmt: skip
    """Iterate reweighted least squares until convergence; fill `beta`, `mu`, `leverage` (hat diagonal) and `converged`.

    Equations 1 and 2 of Love et al. 2014, doi:10.1186/s13059-014-0550-8. A gene stops when its deviance changes by
    less than `tolerance` relative; one that leaves `max_beta` or the iterations is marked and left to the caller.
    """
    n_genes, n_samples = counts.shape
    n_rows, n_coefficients = rows.shape
    eta = np.empty(n_rows)
    weights = np.empty(n_rows)
    responses = np.empty(n_rows)
    leverages = np.empty(n_rows)
    right = np.empty(n_coefficients)
    work = np.empty(n_coefficients)
    gram = np.empty((n_coefficients, n_coefficients))
    factor = np.zeros((n_coefficients, n_coefficients))
    inverse = np.zeros((n_coefficients, n_coefficients))
    for g in range(n_genes):
        y = counts[g]
        dispersion = dispersions[g]
        shape = 1.0 / dispersion
        constant = log_choose_sum(y, shape) - n_samples * shape * math.log(dispersion)
        start_coefficients(y, size_factors, starts, projection, responses, beta[g])
        deviance = 1000.0
        converged[g] = False
        # the iteration after the last step only takes the weights of the final means
        for _ in range(max_iterations):
            product(rows, beta[g], eta)
            _working_sums(
                y, size_factors, log_size_factors, eta, starts, dispersion, min_mu, weights, responses
            )  # fmt: skip
            weighted_gram(rows, weights, gram)
            for j in range(n_coefficients):
                gram[j, j] += ridge
            if not cholesky(gram, factor):
                converged[g] = False
                break
            if converged[g]:
                break
            for j in range(n_coefficients):
                right[j] = 0.0
                for u in range(n_rows):
                    right[j] += rows[u, j] * responses[u]
            solve_cholesky(factor, right, work)
            bounded = True
            for j in range(n_coefficients):
                bounded = bounded and abs(work[j]) <= max_beta
            if not bounded:
                break
            for j in range(n_coefficients):
                beta[g, j] = work[j]
            product(rows, work, eta)
            last = deviance
            deviance = -2.0 * (
                constant + _mean_terms(y, size_factors, log_size_factors, eta, starts, shape, min_mu)
            )  # fmt: skip
            converged[g] = abs(deviance - last) <= tolerance * (abs(deviance) + 0.1)
        else:
            converged[g] = False
        if converged[g]:
            _fitted(size_factors, eta, rows, starts, factor, inverse, leverages, dispersion, min_mu, mu[g], leverage[g])


@compiled
def _objective(counts, size_factors, log_size_factors, eta, starts, shape, dispersion, min_mu):
    """Return the function whose maximum the reweighted least squares look for, without the ridge.

    The log-likelihood of the means; below `min_mu` its quadratic continuation with the weight that a mean of `min_mu`
    has, which is what the iterations fit there.
    """
    floor_weight = min_mu / (1.0 + min_mu * dispersion)
    log_floor = math.log(min_mu)
    total = 0.0
    for u in range(len(eta)):
        base = math.exp(eta[u])
        for i in range(starts[u], starts[u + 1]):
            mean = size_factors[i] * base
            if mean >= min_mu:
                total += counts[i] * (eta[u] + log_size_factors[i]) - (counts[i] + shape) * math.log(shape + mean)
                continue
            below = eta[u] + log_size_factors[i] - log_floor
            slope = (counts[i] - min_mu) / (1.0 + min_mu * dispersion)
            total += counts[i] * log_floor - (counts[i] + shape) * math.log(shape + min_mu)
            total += slope * below - 0.5 * floor_weight * below * below
    return total


@compiled
def _derivatives(counts, size_factors, log_size_factors, eta, starts, dispersion, min_mu, residuals, weights):
    """Fill, per design row, the slope of `_objective` in the linear predictor and its negative curvature."""
    floor_weight = min_mu / (1.0 + min_mu * dispersion)
    log_floor = math.log(min_mu)
    for u in range(len(eta)):
        base = math.exp(eta[u])
        residuals[u] = 0.0
        weights[u] = 0.0
        for i in range(starts[u], starts[u + 1]):
            mean = size_factors[i] * base
            if mean >= min_mu:
                shrink = 1.0 / (1.0 + mean * dispersion)
                residuals[u] += (counts[i] - mean) * shrink
                weights[u] += mean * (1.0 + counts[i] * dispersion) * shrink * shrink
                continue
            below = eta[u] + log_size_factors[i] - log_floor
            residuals[u] += (counts[i] - min_mu) / (1.0 + min_mu * dispersion) - floor_weight * below
            weights[u] += floor_weight


@compiled
def maximise_coefficients(
    counts, size_factors, log_size_factors, rows, starts, projection, dispersions,
    min_mu, max_iterations, ridge, beta, mu, leverage, converged,
):  # fmt: skip
    """Find by damped Newton steps what `fit_coefficients` looks for and did not reach; fills the same arrays.

    The function is strictly concave (the ridge), so there is one maximum and every CPU finds it. A general optimizer
    stops somewhere where the function is nearly flat.
    """
    n_rows, n_coefficients = rows.shape
    eta = np.empty(n_rows)
    weights = np.empty(n_rows)
    residuals = np.empty(n_rows)
    leverages = np.empty(n_rows)
    slope = np.empty(n_coefficients)
    step = np.empty(n_coefficients)
    trial = np.empty(n_coefficients)
    gram = np.empty((n_coefficients, n_coefficients))
    factor = np.zeros((n_coefficients, n_coefficients))
    inverse = np.zeros((n_coefficients, n_coefficients))
    for g in range(counts.shape[0]):
        y = counts[g]
        dispersion = dispersions[g]
        shape = 1.0 / dispersion
        start_coefficients(y, size_factors, starts, projection, residuals, beta[g])
        converged[g] = False
        product(rows, beta[g], eta)
        value = _objective(y, size_factors, log_size_factors, eta, starts, shape, dispersion, min_mu)
        for j in range(n_coefficients):
            value -= 0.5 * ridge * beta[g, j] * beta[g, j]
        for _ in range(max_iterations):
            product(rows, beta[g], eta)
            _derivatives(y, size_factors, log_size_factors, eta, starts, dispersion, min_mu, residuals, weights)
            weighted_gram(rows, weights, gram)
            for j in range(n_coefficients):
                gram[j, j] += ridge
                slope[j] = -ridge * beta[g, j]
                for u in range(n_rows):
                    slope[j] += rows[u, j] * residuals[u]
            if not cholesky(gram, factor):
                break
            solve_cholesky(factor, slope, step)
            gain = 0.0
            for j in range(n_coefficients):
                gain += slope[j] * step[j]
            if gain < LEAST_GAIN:
                converged[g] = True
                break
            length = 1.0
            for _ in range(MAX_HALVINGS):
                for j in range(n_coefficients):
                    trial[j] = beta[g, j] + length * step[j]
                product(rows, trial, eta)
                proposed = _objective(y, size_factors, log_size_factors, eta, starts, shape, dispersion, min_mu)
                for j in range(n_coefficients):
                    proposed -= 0.5 * ridge * trial[j] * trial[j]
                if proposed >= value - ROUNDING * abs(value):
                    break
                length *= 0.5
            else:
                break
            value = proposed
            for j in range(n_coefficients):
                beta[g, j] = trial[j]
        product(rows, beta[g], eta)
        _working_sums(y, size_factors, log_size_factors, eta, starts, dispersion, min_mu, weights, residuals)
        weighted_gram(rows, weights, gram)
        for j in range(n_coefficients):
            gram[j, j] += ridge
        if not cholesky(gram, factor):
            converged[g] = False
            continue
        _fitted(size_factors, eta, rows, starts, factor, inverse, leverages, dispersion, min_mu, mu[g], leverage[g])


@compiled
def _fitted(size_factors, eta, rows, starts, factor, inverse, leverages, dispersion, min_mu, mu, leverage):
    """Fill means and hat diagonal of one gene from its predictors and the factor of its information."""
    row_leverages(rows, factor, inverse, leverages)
    for u in range(rows.shape[0]):
        base = math.exp(eta[u])
        for i in range(starts[u], starts[u + 1]):
            mu[i] = size_factors[i] * base
            mean = max(mu[i], min_mu)
            leverage[i] = mean / (1.0 + mean * dispersion) * leverages[u]


@compiled
def wald_standard_errors(mu, rows, starts, dispersions, min_mu, ridge, contrast, errors):
    """Fill the standard error of a contrast per gene; NaN where the information cannot be inverted."""
    n_rows, n_coefficients = rows.shape
    weights = np.empty(n_rows)
    gram = np.empty((n_coefficients, n_coefficients))
    ridged = np.empty((n_coefficients, n_coefficients))
    factor = np.zeros((n_coefficients, n_coefficients))
    solved = np.empty(n_coefficients)
    for g in range(mu.shape[0]):
        for u in range(n_rows):
            total = 0.0
            for i in range(starts[u], starts[u + 1]):
                mean = max(mu[g, i], min_mu)
                total += mean / (1.0 + mean * dispersions[g])
            weights[u] = total
        weighted_gram(rows, weights, gram)
        for j in range(n_coefficients):
            for k in range(j + 1):
                ridged[j, k] = gram[j, k] + ridge[j, k]
        if not cholesky(ridged, factor):
            errors[g] = np.nan
            continue
        solve_cholesky(factor, contrast, solved)
        total = 0.0
        for j in range(n_coefficients):
            total += gram[j, j] * solved[j] * solved[j]
            for k in range(j):
                total += 2.0 * gram[j, k] * solved[j] * solved[k]
        errors[g] = math.sqrt(total)
