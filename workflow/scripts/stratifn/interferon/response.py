"""How much of a person's response is type I and how much type II: two profiles fitted together.

A profile says how far stimulated cells raise each gene. A person's log2 differences from the controls are taken to be a
sum of both profiles, neither of them negative (non-negative least squares). Another tissue raises a gene more or less
than the cells of the profiles did, by a factor: so a gene's variance is that among the controls plus one that grows with
the response. How far the choice of genes decides is bootstrapped over the genes.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from scipy.stats import t as student_t

from stratifn.shared.vocabulary import SHARE_OF_OTHER_TYPE

# SD of a gene's own response in another tissue, as a share of the profile's
MISFIT = 0.5
# SD of the rise of a gene that the profile leaves out, as a share of the mean rise: that of the profiles' standard errors
UNSEEN = 0.1
REWEIGHTINGS = 5
# two-sided, over the genes
INTERVAL = (5.0, 95.0)
# of healthy people, for each of the two amounts
BELOW_CUTOFF = 0.975
# of the differences beyond those among the controls, in squares of the control SD
FEWEST_EXPLAINED = 0.4


@dataclass(frozen=True)
class Response:
    """What was fitted to one person; pairs are type I and type II.

    Attributes
    ----------
    amounts, low, high
        Mean log2 rise over the genes of the profile, with the 90 % interval over the genes.
    explained, explained_high
        Share of the differences, beyond those among the controls, that the profiles explain, and the upper end of its
        interval; NaN where the differences are not larger than those among the controls.
    """

    amounts: np.ndarray
    low: np.ndarray
    high: np.ndarray
    explained: float
    explained_high: float


def gene_resamples(n_genes: int, bootstraps: int, seed: int) -> np.ndarray:
    """Return how often each resample holds each gene (resamples x genes); the same for every person."""
    rng = np.random.default_rng([seed, crc32(b"types"), n_genes])
    return rng.multinomial(n_genes, np.full(n_genes, 1 / n_genes), size=bootstraps).astype(float)


def fit_response(
    profiles: np.ndarray, scale: np.ndarray, differences: np.ndarray, n_controls: int, resamples: np.ndarray
) -> Response:
    """Fit both profiles to one person.

    Parameters
    ----------
    profiles
        Type I and type II (2 x genes), each with a mean of one over the genes of the whole table.
    scale
        SD of each gene among the controls (genes).
    differences
        The person's log2 values less the controls' means (genes).
    n_controls
        That the means and SDs come from.
    resamples
        From `gene_resamples`.
    """
    amounts, weights = _fit(profiles, scale, differences)
    resampled = non_negative(resamples @ _products(profiles, weights, differences))
    noise = 1 + 1 / n_controls
    square = (differences / scale) ** 2 - noise
    shares = _explained(profiles, scale, differences, noise, square, resampled, resamples)
    low, high = np.percentile(resampled, INTERVAL, axis=0)
    found = shares[np.isfinite(shares)]
    every = np.ones((1, len(scale)))
    return Response(
        amounts=amounts,
        low=low,
        high=high,
        explained=float(_explained(profiles, scale, differences, noise, square, amounts[None], every)[0]),
        explained_high=float(np.percentile(found, INTERVAL[1])) if len(found) else float("nan"),
    )


def control_cutoffs(profiles: np.ndarray, scale: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """Return the two amounts that 97.5 % of healthy people stay below.

    The prediction limit of a normal amount (mean zero, because the differences are from the controls' own means). A
    control's amount is that of its differences less that of their negative, which is symmetric as the noise is.

    Parameters
    ----------
    profiles, scale
        As in `fit_response`.
    controls
        log2 values (controls x genes).
    """
    n = len(controls)
    differences = controls - controls.mean(axis=0)
    signed = np.array([_fit(profiles, scale, row)[0] - _fit(profiles, scale, -row)[0] for row in differences])
    return student_t.ppf(BELOW_CUTOFF, n - 1) * np.sqrt(1 + 1 / n) * signed.std(axis=0, ddof=1)


def non_negative(products: np.ndarray) -> np.ndarray:
    """Solve non-negative least squares in two unknowns, for many problems at once.

    Parameters
    ----------
    products
        Weighted sums over the genes of I * I, I * II, II * II, I * value and II * value (problems x 5).

    Returns
    -------
    numpy.ndarray
        Problems x 2, equal to `scipy.optimize.nnls`: the free solution if neither part is negative, else the better of
        the two with one part.
    """
    ii, ij, jj, iy, jy = np.moveaxis(products, -1, 0)
    determinant = ii * jj - ij * ij
    free = determinant > 1e-12 * ii * jj
    divisor = np.where(free, determinant, 1.0)
    both = np.stack([(jj * iy - ij * jy) / divisor, (ii * jy - ij * iy) / divisor], axis=-1)
    alone = [np.divide(y, x, out=np.zeros_like(y), where=x > 0).clip(min=0) for y, x in ((iy, ii), (jy, jj))]
    first = alone[0] * iy >= alone[1] * jy
    one = np.stack([np.where(first, alone[0], 0.0), np.where(first, 0.0, alone[1])], axis=-1)
    return np.where((free & (both >= 0).all(axis=-1))[..., None], both, one)


def _products(profiles: np.ndarray, weights: np.ndarray, differences: np.ndarray) -> np.ndarray:
    one, two = profiles
    return weights[:, None] * np.stack([one * one, one * two, two * two, one * differences, two * differences], axis=-1)


def _fit(profiles: np.ndarray, scale: np.ndarray, differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the amounts and the genes' weights, each found from the other in turn."""
    weights, products = 1 / scale**2, _products(profiles, np.ones_like(scale), differences)
    for _ in range(REWEIGHTINGS):
        amounts = non_negative(weights @ products)
        if not amounts.any():
            break
        weights = 1 / (scale**2 + (MISFIT * (amounts @ profiles)) ** 2 + (UNSEEN * amounts.sum()) ** 2)
    return non_negative(weights @ products), weights


def _explained(
    profiles: np.ndarray,
    scale: np.ndarray,
    differences: np.ndarray,
    noise: float,
    square: np.ndarray,
    amounts: np.ndarray,
    resamples: np.ndarray,
) -> np.ndarray:
    """Return the explained share per resample; `square` is what there is to explain, gene by gene."""
    left = ((differences - amounts @ profiles) / scale) ** 2 - noise
    total = resamples @ square
    share = np.full(len(total), np.nan)
    return np.divide(total - (resamples * left).sum(axis=1), total, out=share, where=total > 0)


def response_type(response: Response, cutoffs: np.ndarray) -> tuple[bool | None, bool | None] | None:
    """Say for type I and type II whether it is there, not there, or not decided (None); None where neither profile fits.

    Nothing is there if neither amount exceeds what healthy people have. Otherwise a part is there when its whole
    interval lies above its cut-off and above a quarter of the other part, and not there when its whole interval lies
    below the higher of the two. If the profiles explain less than two fifths of the differences in nearly every resample, neither
    fits; if only in the fit itself, nothing is decided.
    """
    if (response.amounts <= cutoffs).all():
        return False, False
    if not response.explained >= FEWEST_EXPLAINED:
        return None if response.explained_high < FEWEST_EXPLAINED else (None, None)
    bounds = np.maximum(cutoffs, SHARE_OF_OTHER_TYPE * response.amounts[::-1])
    found = [
        True if low > bound else False if high <= bound else None
        for low, high, bound in zip(response.low, response.high, bounds, strict=True)
    ]
    return found[0], found[1]
