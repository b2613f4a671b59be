"""Compiled linear algebra of one gene: small dense systems over the distinct rows of a design.

Written out because a BLAS product of many genes rounds differently with the shape of the block.
"""

from __future__ import annotations

import math

from stratifn.inference.compilation import compiled


@compiled
def product(matrix, vector, result):
    """Fill `result` with ``matrix @ vector``."""
    for i in range(matrix.shape[0]):
        total = 0.0
        for k in range(matrix.shape[1]):
            total += matrix[i, k] * vector[k]
        result[i] = total


@compiled
def weighted_gram(rows, weights, gram):
    """Fill the lower triangle of ``rows' diag(weights) rows``."""
    n_rows, n_coefficients = rows.shape
    for j in range(n_coefficients):
        for k in range(j + 1):
            gram[j, k] = 0.0
    for u in range(n_rows):
        for j in range(n_coefficients):
            scaled = weights[u] * rows[u, j]
            if scaled != 0.0:
                for k in range(j + 1):
                    gram[j, k] += scaled * rows[u, k]


@compiled
def cholesky(matrix, factor):
    """Fill the lower Cholesky factor of a lower triangle; False when it is not positive definite."""
    n = matrix.shape[0]
    for j in range(n):
        for i in range(j, n):
            value = matrix[i, j]
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = value / factor[j, j]
            elif value > 0.0 and math.isfinite(value):
                factor[j, j] = math.sqrt(value)
            else:
                return False
    return True


@compiled
def solve_lower(factor, right, solution):
    """Solve ``factor @ solution = right``."""
    for i in range(len(right)):
        value = right[i]
        for k in range(i):
            value -= factor[i, k] * solution[k]
        solution[i] = value / factor[i, i]


@compiled
def solve_cholesky(factor, right, solution):
    """Solve ``factor @ factor' @ solution = right``."""
    solve_lower(factor, right, solution)
    n = len(right)
    for i in range(n - 1, -1, -1):
        value = solution[i]
        for k in range(i + 1, n):
            value -= factor[k, i] * solution[k]
        solution[i] = value / factor[i, i]


@compiled
def row_leverages(rows, factor, inverse, leverages):
    """Fill ``x' (factor factor')^-1 x`` for each distinct design row ``x``, and the `inverse` of `factor`."""
    n = factor.shape[0]
    for k in range(n):
        inverse[k, k] = 1.0 / factor[k, k]
        for i in range(k + 1, n):
            value = 0.0
            for j in range(k, i):
                value -= factor[i, j] * inverse[j, k]
            inverse[i, k] = value / factor[i, i]
    for u in range(rows.shape[0]):
        total = 0.0
        for i in range(n):
            value = 0.0
            for k in range(i + 1):
                value += inverse[i, k] * rows[u, k]
            total += value * value
        leverages[u] = total
