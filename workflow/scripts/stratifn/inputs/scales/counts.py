"""Values given as counts that are not: logs, CPM, TPM, normalized counts."""

from __future__ import annotations

import numpy as np

from stratifn.inputs.scales.check import USUAL_LOG2, ScaleCheck, number
from stratifn.inputs.scales.looked_at import LookedAt
from stratifn.shared.vocabulary import COUNTS

PER_MILLION = 1e6
# of Salmon's shallow counts fewer are fractions; of log2(x + 1) those of 0, 1 and 3 are none
MOSTLY_FRACTIONAL = 0.7
# so many genes of which none is counted 32 times are none
FEWEST_GENES = 200
# variance over mean of rare features: counts have at least 1 (Poisson), and seven real matrices 1.1 to 6 in each of
# these ranges of means; CPM, TPM and FPKM of the same counts have 0.04 to 0.7 in the lowest one that they fill
RARE = ((0.5, 2.0), (2.0, 5.0), (5.0, 20.0))
# how even the values must be, and of how many degrees of freedom (features x (samples - 1)): the median of Poisson
# counts lies five standard errors above
TOO_EVEN = ((0.65, 1000), (0.3, 200))
FEWEST_SAMPLES = 4
LOG_EVENNESS, FEWEST_LOGS = 0.3, 5


def _evenness(values: np.ndarray) -> float:
    """Median over features of variance over mean, relative to what Poisson counts of as many samples have."""
    degrees = values.shape[1] - 1
    ratio = float(np.median(values.var(axis=1, ddof=1) / values.mean(axis=1)))
    # Wilson and Hilferty's median of the chi-squared distribution
    return ratio / (1 - 2 / (9 * degrees)) ** 3


def _complete(look: LookedAt) -> np.ndarray:
    return look.values[np.isfinite(look.values).all(axis=1)]


def _log_counts(look: LookedAt) -> str:
    if look.fractional < MOSTLY_FRACTIONAL or look.largest >= USUAL_LOG2 or look.least <= -USUAL_LOG2:
        return ""
    rows = _complete(look)
    rows = rows[rows.mean(axis=1) >= RARE[0][0]]
    even = len(rows) >= FEWEST_LOGS and look.samples >= FEWEST_SAMPLES and _evenness(rows) < LOG_EVENNESS
    if look.features < FEWEST_GENES and not even:
        return ""
    return (
        f"values from {number(look.least)} to {number(look.largest)}, {100 * look.fractional:.0f} % of them fractions"
    )


# fewer samples may have one sum by chance
FEWEST_SUMS = 3


def _same_sums(look: LookedAt) -> str:
    sums = look.sums
    if not len(sums) or not sums.min() > 0:
        return ""
    off = float(np.abs(sums / PER_MILLION - 1).max())
    if look.fractional < 0.5:
        # rounding leaves the sums alike; those of counts that were thinned to a depth are equal, or vary by 1,000
        normalised = look.samples >= 5 and off < 0.01 and 0 < sums.std(ddof=1) < 300
    elif look.samples >= FEWEST_SUMS:
        normalised = sums.max() / sums.min() < 1.002 or _nearly_per_million(look)
    else:
        normalised = off < 1e-3
    return f"sums per sample from {number(sums.min())} to {number(sums.max())}" if normalised else ""


def _nearly_per_million(look: LookedAt) -> bool:
    """Tell CPM by edgeR's factors, whose product is 1, and TPM of some of the genes: sums of libraries vary more."""
    sums = look.sums / PER_MILLION
    if look.samples < 5 or look.fractional < 0.95 or sums.min() < 0.5:
        return False
    normalised = abs(np.exp(np.log(sums).mean()) - 1) < 0.005 and sums.max() < 2
    partly = sums.max() < 1.01 and sums.std() / sums.mean() < 0.03
    return bool(normalised or partly)


# up to so many times the smallest value, multiples of it can be told from other values
LATTICE, LATTICE_ERROR = 40, 0.02
LATTICE_VALUES = 30
SAMPLES_LOOKED_AT = 10


def _unit(values: np.ndarray) -> float:
    """Return the number that all small values of a sample are multiples of; NaN if there is none, or it is 1 / k."""
    positive = values[values > 0]
    if not len(positive):
        return np.nan
    unit = float(positive.min())
    # the smallest value may be printed with few digits: its multiples tell the unit better
    for reach in (LATTICE / 10, LATTICE):
        near = positive[positive < reach * unit]
        multiples = np.rint(near / unit)
        unit = float(near @ multiples / (multiples @ multiples))
    ratios = near[multiples > 1] / unit
    if len(ratios) < LATTICE_VALUES or np.mean(np.abs(ratios - np.rint(ratios)) < LATTICE_ERROR) < 0.98:
        return np.nan
    # reads that map to k genes are counted as 1 / k by some programs
    parts = 1 / unit if unit < 1 else unit
    return np.nan if abs(parts - round(parts)) < LATTICE_ERROR else unit


def _scaled(look: LookedAt) -> str:
    if look.fractional < MOSTLY_FRACTIONAL:
        return ""
    some = np.unique(np.linspace(0, look.samples - 1, SAMPLES_LOOKED_AT).astype(int))
    units = np.array([_unit(look.values[:, sample]) for sample in some])
    known = units[np.isfinite(units)]
    if len(known) < 0.8 * len(units):
        return ""
    return f"in every sample multiples of one number ({number(known.min())} to {number(known.max())})"


def _too_even(look: LookedAt) -> str:
    rows = _complete(look)
    if look.samples < FEWEST_SAMPLES or not len(rows):
        return ""
    means = rows.mean(axis=1)
    for low, high in RARE:
        rare = rows[(means >= low) & (means < high)]
        degrees = len(rare) * (look.samples - 1)
        ratio = _evenness(rare) if degrees else np.inf
        if any(ratio < bound and degrees >= fewest for bound, fewest in TOO_EVEN):
            where = f"{len(rare)} features with means from {low:g} to {high:g}"
            return f"a variance of {ratio:.2f} times the mean (median of {where})"
    return ""


COUNTS_CHECKS = (
    ScaleCheck(
        (COUNTS,),
        _log_counts,
        "raw counts",
        "These look like log values: give the raw counts, or use kind continuous. `round: true` does not make counts of them.",
        "IN-113",
        ("IN-082", "IN-083"),
    ),
    ScaleCheck(
        (COUNTS,),
        _same_sums,
        "raw counts, whose sums differ as sequencing depths do",
        "These look like TPM or CPM: give the raw counts, or log2(x + 1) as kind continuous. `round: true` does not make counts of them.",
        "IN-114",
        ("IN-083",),
    ),
    ScaleCheck(
        (COUNTS,),
        _scaled,
        "raw counts",
        "These are counts divided by a size factor (CPM, normalized counts): give the raw counts.",
        "IN-115",
        ("IN-083",),
    ),
    ScaleCheck(
        (COUNTS,),
        _too_even,
        "raw counts, whose variance is at least the mean",
        "These look like normalized values (TPM, FPKM, CPM or logs, rounded or not): give the raw counts, or log2(x + 1) as "
        "kind continuous.",
        "IN-116",
        ("IN-083",),
    ),
)
