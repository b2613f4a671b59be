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
            row_leverages(rows, factor, inverse, leverages)
            for u in range(n_rows):
                base = math.exp(eta[u])
                for i in range(starts[u], starts[u + 1]):
                    mu[g, i] = size_factors[i] * base
                    mean = max(mu[g, i], min_mu)
                    leverage[g, i] = mean / (1.0 + mean * dispersion) * leverages[u]


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
