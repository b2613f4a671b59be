"""In which diseases a gene's effect is: a class only where the data show every part of it.

A class says that the effect is there, in one direction, in some diseases (the inside) and that it is larger in each of them
than in each other one. Every part is tested, and the largest p value is that of the whole statement (intersection-union
test: Berger 1982, doi:10.1080/00401706.1982.10487790; "in every disease" is the partial conjunction of Benjamini & Heller 2008,
doi:10.1111/j.1541-0420.2007.00984.x). Each class is one Benjamini-Hochberg family over the genes
for which any test of the phase finds an effect or a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import numpy as np

from stratifn.differential_expression.model_fit import ModelFit
from stratifn.shared.statistics import benjamini_hochberg
from stratifn.shared.vocabulary import OPPOSED, SHARED, SPECIFIC, SUBSET, UNDETERMINED

NONE, UNTESTED = "none", "untested"


def disease_classes(
    fit: ModelFit,
    effects: np.ndarray,
    covariance: np.ndarray,
    diseases: Sequence[str],
    evidence: np.ndarray,
    alpha: float,
    threshold: float = 0.0,
) -> np.ndarray:
    """Classify genes.

    The first class that holds: ``shared`` (there in every disease, one direction), ``opposed`` (up in one disease and down
    in another), ``subset:A+B`` (larger sets first), ``specific:D``. A larger set comes first, and what it takes no longer
    counts among the discoveries of the smaller ones, whose families stay as large.

    Parameters
    ----------
    fit
        The cohort's fit, for its degrees of freedom.
    effects
        Genes x diseases, log2; NaN rows for genes that are not tested.
    covariance
        Genes x diseases x diseases.
    diseases
        Names, in the order of the columns.
    evidence
        Boolean per gene: does any test find an effect or a difference? Without a class such a gene is ``undetermined``,
        and any other one ``none``.
    alpha
        False discovery rate of each class.
    threshold
        How large an absolute log2 fold change must be to be there.
    """
    tested = np.isfinite(effects).all(axis=1)
    family, n_diseases = tested & evidence, len(diseases)
    classes = np.where(tested, np.where(evidence, UNDETERMINED, NONE), UNTESTED).astype(object)
    free = family.copy()

    def claim(name: str, pvalues: np.ndarray) -> None:
        # a gene with a class stays in the family without being discovered again
        adjusted = benjamini_hochberg(np.where(family, np.where(free, pvalues, 1.0), np.nan))
        chosen = free & (adjusted <= alpha)
        classes[chosen] = name
        free[chosen] = False

    there = {sign: _there(fit, sign * effects, covariance, threshold) for sign in (1, -1)}
    larger = {sign: _larger(fit, effects, covariance, sign) for sign in (1, -1)}
    for size in range(n_diseases, 0, -1):
        inside, pvalues = _largest(effects, there, larger, size)
        if size == n_diseases:
            claim(SHARED, pvalues)
            claim(OPPOSED, np.minimum(1.0, n_diseases * np.maximum(there[1].min(axis=1), there[-1].min(axis=1))))
            continue
        for members in np.unique(inside[free], axis=0):
            named = "+".join(disease for disease, member in zip(diseases, members, strict=True) if member)
            own = (inside == members).all(axis=1)
            claim(f"{SPECIFIC if size == 1 else SUBSET}{named}", np.where(own, pvalues, 1.0))
    return classes


def _there(fit: ModelFit, effects: np.ndarray, covariance: np.ndarray, threshold: float) -> np.ndarray:
    """Return the one-sided p value that each effect exceeds the threshold: genes x diseases."""
    errors = np.sqrt(np.einsum("gdd->gd", covariance))
    return np.column_stack([fit.upper_tail((b - threshold) / e) for b, e in zip(effects.T, errors.T, strict=True)])


def _larger(fit: ModelFit, effects: np.ndarray, covariance: np.ndarray, sign: int) -> np.ndarray:
    """Return the p value that the effect of d, in the direction of `sign`, exceeds that of e in either: genes x d x e."""
    n_diseases = effects.shape[1]
    pvalues = np.zeros((len(effects), n_diseases, n_diseases))
    for (d, e), other in product(permutations(range(n_diseases), 2), (1, -1)):
        variance = covariance[:, d, d] + covariance[:, e, e] - 2 * sign * other * covariance[:, d, e]
        statistic = (sign * effects[:, d] - other * effects[:, e]) / np.sqrt(variance)
        pvalues[:, d, e] = np.maximum(pvalues[:, d, e], fit.upper_tail(statistic))
    return pvalues


def _largest(
    effects: np.ndarray, there: dict[int, np.ndarray], larger: dict[int, np.ndarray], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each gene the one inside of so many diseases that can hold, and its two-sided p value.

    The inside must be the diseases with the largest effects, in the direction that the data favour.
    """
    best = np.full(len(effects), np.inf)
    chosen = np.zeros(effects.shape, dtype=bool)
    for sign in (1, -1):
        rank = np.argsort(np.argsort(-sign * effects, axis=1, kind="stable"), axis=1)
        inside = rank < size
        pairs = inside[:, :, None] & ~inside[:, None, :]
        pvalues = np.maximum(
            np.where(inside, there[sign], 0.0).max(axis=1), np.where(pairs, larger[sign], 0.0).max(axis=(1, 2))
        )
        better = pvalues < best
        best[better], chosen[better] = pvalues[better], inside[better]
    return chosen, np.minimum(1.0, 2 * best)
