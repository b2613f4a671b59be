"""The scoring methods: one record each, with its definition and its source.

A method that needs controls scores a person's log2 values against a *location* and a *scale* per gene, both from the
controls; a rank-based method looks at one person alone. Sums run over the genes in a fixed order, gene by gene, so
that a person's score has the same bits alone and in a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.stats import rankdata

from stratifn.shared.vocabulary import COUNTS

# patients per block of the median: bounds memory, changes no value
BLOCK = 32
FOLD_CHANGE = 1.5
DIFFERENCE = 10.0
SSGSEA_EXPONENT = 0.25


@dataclass(frozen=True)
class ControlMethod:
    """A score against controls.

    Attributes
    ----------
    name, definition, source
        As shown in docs and report.
    prepare
        (values, background) -> values that the rest works on.
    fit
        Control values (controls on axis 0) -> location and scale per gene.
    score
        (values persons x genes, location genes x resamples, scale genes x resamples, weights, kind)
        -> persons x resamples.
    even_profile
        (score, location, scale) -> the log2 values of a person with that score in every gene; None where the score
        has no such inverse.
    floors_scale
        Whether the scale is held above the SD floor.
    """

    name: str
    definition: str
    source: str
    prepare: Callable[[np.ndarray, float], np.ndarray]
    fit: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    score: Callable[..., np.ndarray]
    even_profile: Callable[..., np.ndarray] | None
    floors_scale: bool
    needs_controls: bool = True


@dataclass(frozen=True)
class RankMethod:
    """A score from one person's ranks: `score` takes ranks (persons x all genes) and the set's positions."""

    name: str
    definition: str
    source: str
    score: Callable[[np.ndarray, np.ndarray], np.ndarray]
    needs_controls: bool = False


def _as_they_are(values: np.ndarray, background: float) -> np.ndarray:
    return values


def _above_background(values: np.ndarray, background: float) -> np.ndarray:
    return np.maximum(values, background)


def _mean_and_sd(controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return controls.mean(axis=0), controls.std(axis=0, ddof=1)


def _median_alone(controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    location = np.median(controls, axis=0)
    return location, np.ones_like(location)


def _log2_of_linear_mean(controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # summed on the log scale: a matrix that was never logged must not overflow
    location = np.logaddexp2.reduce(controls, axis=0) - np.log2(len(controls))
    return location, np.ones_like(location)


def zscore(values: np.ndarray, location: np.ndarray, scale: np.ndarray, weights: np.ndarray, kind: str) -> np.ndarray:
    """Return the weighted mean of gene-wise z-scores (persons x resamples)."""
    total = np.zeros((len(values), location.shape[1]))
    for gene, weight in enumerate(weights / weights.sum()):
        total += weight * ((values[:, gene, None] - location[gene]) / scale[gene])
    return total


def median_log2_fold_change(
    values: np.ndarray, location: np.ndarray, scale: np.ndarray, weights: np.ndarray, kind: str
) -> np.ndarray:
    """Return the median over genes of the log2 fold change against the controls' median."""
    blocks = [
        np.median(values[start : start + BLOCK, :, None] - location[None], axis=1)
        for start in range(0, len(values), BLOCK)
    ]
    return np.concatenate(blocks) if blocks else np.empty((0, location.shape[1]))


def share_of_genes_up(
    values: np.ndarray, location: np.ndarray, scale: np.ndarray, weights: np.ndarray, kind: str
) -> np.ndarray:
    """Return the share of genes with fold change > 1.5 and, on counts, difference > 10 (persons x resamples)."""
    total = np.zeros((len(values), location.shape[1]))
    for gene in range(values.shape[1]):
        up = values[:, gene, None] - location[gene] > np.log2(FOLD_CHANGE)
        if kind == COUNTS:
            up &= np.exp2(values[:, gene, None]) - np.exp2(location[gene]) > DIFFERENCE
        total += up
    return total / values.shape[1]


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks within each person, 1 = lowest, ties averaged (persons x genes)."""
    return np.vstack([rankdata(row, method="average") for row in values])


def singscore(ranks: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return the mean rank of the set between its bounds, centred: -0.5 to 0.5."""
    n_genes, n_members = ranks.shape[1], len(members)
    low, high = (n_members + 1) / 2, (2 * n_genes - n_members + 1) / 2
    mean = sum(ranks[:, member] for member in members) / n_members
    return (mean - low) / (high - low) - 0.5


def ssgsea(ranks: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return the raw enrichment score over the number of genes.

    The running sum's area has a closed form: with ranks r (1 = lowest of N) the genes of the set enter with weight
    r^0.25 and stay for r positions, the others with equal weight, so
    ``ES = sum_in(r^0.25 * r) / sum_in(r^0.25) - sum_out(r) / (N - k)``; it does not depend on the order of tied genes.
    """
    n_genes, n_members = ranks.shape[1], len(members)
    powered = np.power(ranks[:, members], SSGSEA_EXPONENT)
    inside, weight, plain = (np.zeros(len(ranks)) for _ in range(3))
    for column, member in enumerate(members):
        inside += powered[:, column] * ranks[:, member]
        weight += powered[:, column]
        plain += ranks[:, member]
    outside = (n_genes * (n_genes + 1) / 2 - plain) / (n_genes - n_members)
    return (inside / weight - outside) / n_genes


METHODS: Mapping[str, ControlMethod | RankMethod] = MappingProxyType(
    {
        method.name: method
        for method in (
            ControlMethod(
                name="zscore",
                definition="mean over genes of (log2 value - mean of controls) / SD of controls, SD with a floor",
                source="Kirou 2004 doi:10.1002/art.20798; Feng 2006 doi:10.1002/art.22044 (as a mean, not a sum)",
                prepare=_as_they_are,
                fit=_mean_and_sd,
                score=zscore,
                even_profile=lambda score, location, scale: location + scale * score,
                floors_scale=True,
            ),
            ControlMethod(
                name="median_fold_change",
                definition=(
                    "median over genes of the log2 fold change against the median of the controls, "
                    "both held above background; 2 to this power is the published fold change"
                ),
                source="Rice 2017 doi:10.1007/s10875-016-0359-1",
                prepare=_above_background,
                fit=_median_alone,
                score=median_log2_fold_change,
                even_profile=lambda score, location, scale: location + score,
                floors_scale=False,
            ),
            RankMethod(
                name="singscore",
                definition="mean rank of the genes within the sample between its bounds, centred (-0.5 to 0.5)",
                source="Foroutan 2018 doi:10.1186/s12859-018-2435-4 (ties averaged)",
                score=singscore,
            ),
            RankMethod(
                name="ssgsea",
                definition="raw enrichment score (exponent 0.25, ties averaged) over the number of genes",
                source="Barbie 2009 doi:10.1038/nature08460",
                score=ssgsea,
            ),
            ControlMethod(
                name="module",
                definition=(
                    "share of genes with fold change > 1.5 and difference > 10 normalised counts against the mean of "
                    "the controls (adapted; on a log matrix the fold change alone)"
                ),
                source="Rinchai 2021 doi:10.1093/bioinformatics/btab121",
                prepare=_as_they_are,
                fit=_log2_of_linear_mean,
                score=share_of_genes_up,
                even_profile=None,
                floors_scale=False,
            ),
        )
    }
)
