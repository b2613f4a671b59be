"""Compiled sums of log-gamma, digamma and trigamma differences over the counts of one gene.

A count ``y`` is whole, so ``digamma(y + a) - digamma(a)`` is the finite sum of ``1 / (a + k)`` for ``k < y``, and
the same holds for log-gamma and trigamma. Below `SERIES_FROM` the sums are taken as they are, beyond it the
asymptotic series (Abramowitz & Stegun 6.1.41, 6.3.18, 6.4.12) are exact to 1e-13.
"""

from __future__ import annotations

import math

import numpy as np

from stratifn.inference.compilation import compiled

SERIES_FROM = 12
# factors that are multiplied before one logarithm is taken; each lies within 1e-9 and 1e13
FACTORS_PER_LOG = 16
LOG_SQRT_2PI = 0.9189385332046727


@compiled
def log_gamma(x):
    """Logarithm of the gamma function for x >= `SERIES_FROM`."""
    r = 1.0 / x
    s = r * r
    series = r * (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188))))
    return (x - 0.5) * math.log(x) - x + LOG_SQRT_2PI + series


@compiled
def log_rising(shape, table):
    """Fill ``log Gamma(shape + k) - log Gamma(shape)`` for k up to `SERIES_FROM`; return ``log Gamma(shape)``."""
    table[0] = 0.0
    for k in range(SERIES_FROM):
        table[k + 1] = table[k] + math.log(shape + k)
    return log_gamma(shape + SERIES_FROM) - table[SERIES_FROM]


@compiled
def log_choose_sum(counts, shape):
    """Sum over samples of ``log Gamma(y + shape) - log Gamma(shape) - log Gamma(y + 1)``."""
    rising = np.empty(SERIES_FROM + 1)
    factorial = np.empty(SERIES_FROM + 1)
    log_gamma_shape = log_rising(shape, rising)
    log_rising(1.0, factorial)
    total = 0.0
    for i in range(len(counts)):
        y = counts[i]
        if y < SERIES_FROM:
            total += rising[int(y)] - factorial[int(y)]
        else:
            total += log_gamma(y + shape) - log_gamma_shape - log_gamma(y + 1.0)
    return total


@compiled
def split_counts(counts, large, above):
    """Fill `large` with the counts from `SERIES_FROM` on and ``above[k]`` with how many exceed ``k``.

    Returns the number of large counts.
    """
    n_large = 0
    for k in range(SERIES_FROM):
        above[k] = 0.0
    for i in range(len(counts)):
        if counts[i] >= SERIES_FROM:
            large[n_large] = counts[i]
            n_large += 1
        else:
            for k in range(int(counts[i])):
                above[k] += 1.0
    for k in range(SERIES_FROM):
        above[k] += n_large
    return n_large


@compiled
def polygamma_sums(large, above, a):
    """Return the sums of ``digamma(y + a) - digamma(a)`` and of ``trigamma(a) - trigamma(y + a)``.

    `large` and `above` come from `split_counts`. The logarithms of the series are one logarithm of a product.
    """
    digamma = 0.0
    trigamma = 0.0
    for k in range(SERIES_FROM):
        r = 1.0 / (a + k)
        digamma += above[k] * r
        trigamma += above[k] * r * r
    first = a + SERIES_FROM
    factors = 1.0
    logs = 0.0
    for i in range(len(large)):
        r = 1.0 / (large[i] + a)
        factors *= first * r
        if i % FACTORS_PER_LOG == FACTORS_PER_LOG - 1:
            logs -= math.log(factors)
            factors = 1.0
        s = r * r
        digamma -= 0.5 * r + s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s / 240)))
        trigamma -= r * (1.0 + r * (0.5 + r * (1 / 6 - s * (1 / 30 - s * (1 / 42 - s / 30)))))
    logs -= math.log(factors)
    r = 1.0 / first
    s = r * r
    digamma += logs + len(large) * (0.5 * r + s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s / 240))))
    trigamma += len(large) * r * (1.0 + r * (0.5 + r * (1 / 6 - s * (1 / 30 - s * (1 / 42 - s / 30)))))
    return digamma, trigamma
