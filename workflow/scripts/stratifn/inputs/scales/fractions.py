"""Percentages and M-values given as proportions or as methylation fractions."""

from __future__ import annotations

import numpy as np

from stratifn.inputs.scales.check import USUAL_LOG2, ScaleCheck, number
from stratifn.inputs.scales.looked_at import LookedAt
from stratifn.shared.vocabulary import BETA, PROPORTION

MANY = 0.2


def _share_above_one(look: LookedAt) -> float:
    return float(np.mean(look.measured > 1)) if len(look.measured) else 0.0


def _percentages(look: LookedAt) -> str:
    if look.least < 0 or not 1 < look.largest <= 100.5 or _share_above_one(look) < MANY:
        return ""
    return f"values up to {number(look.largest)}"


def _sums(look: LookedAt) -> np.ndarray:
    """Return the sums of the samples that have any value, where there are several parts."""
    return look.sums[look.sums > 0] if look.features > 1 else np.empty(0)


def _percentages_of_cells(look: LookedAt) -> str:
    found, sums = _percentages(look), _sums(look)
    if not found or not len(sums) or sums.min() < 1.5:
        return ""
    return f"{found}, which sum to {number(sums.min())} to {number(sums.max())} per sample"


def _divided_twice(look: LookedAt) -> str:
    sums = _sums(look)
    if not len(sums) or sums.min() < 0.0095 or sums.max() > 0.0102:
        return ""
    return f"sums per sample from {number(sums.min())} to {number(sums.max())}"


# how many times a percentage is its fraction, where sums differ a little
HUNDRED = (67, 150)


def _mixed_units(look: LookedAt) -> str:
    """Find samples that are a hundred times the others."""
    sums = _sums(look)
    if look.least < 0 or not len(sums):
        return ""
    large = sums > 10 * sums.min()
    if not large.any():
        return ""
    many, few = float(np.median(sums[large])), float(np.median(sums[~large]))
    apart = sums[large].min() > many / 2 and sums[~large].max() < 2 * few
    if not (apart and HUNDRED[0] < many / few < HUNDRED[1] and (0.5 < many < 1.02 or 50 < many < 102)):
        return ""
    return f"{large.sum()} samples that sum to about {number(many)}, and {(~large).sum()} to about {number(few)}"


def _tiny_sums(look: LookedAt) -> str:
    sums = _sums(look)
    return f"sums per sample of at most {number(sums.max())}" if len(sums) and sums.max() < 0.05 else ""


def _m_values(look: LookedAt) -> str:
    if look.least >= 0 or look.least < -USUAL_LOG2 or look.largest > USUAL_LOG2:
        return ""
    outside = float(np.mean((look.measured < 0) | (look.measured > 1))) if len(look.measured) else 0.0
    if outside < MANY:
        return ""
    return (
        f"values from {number(look.least)} to {number(look.largest)}, {100 * outside:.0f} % of them outside of 0 to 1"
    )


FRACTIONS_CHECKS = (
    ScaleCheck(
        (PROPORTION,),
        _mixed_units,
        "fractions in every sample",
        "Some samples are percentages, or were divided by 100 twice: give fractions in all of them.",
        "IN-119",
        ("IN-086", "IN-091"),
    ),
    ScaleCheck(
        (PROPORTION,),
        _percentages_of_cells,
        "proportions between 0 and 1",
        "These look like percentages: divide by 100.",
        "IN-120",
        ("IN-086", "IN-091"),
        can_insist=False,
    ),
    ScaleCheck(
        (PROPORTION,),
        _divided_twice,
        "proportions that sum to at most 1",
        "These look like fractions that were divided by 100: give fractions.",
        "IN-121",
    ),
    ScaleCheck(
        (PROPORTION,),
        _tiny_sums,
        "fractions of all cells",
        "percentages that were divided by 100 once too often are seen like this",
    ),
    ScaleCheck(
        (BETA,),
        _m_values,
        "methylation fractions between 0 and 1",
        "These look like M-values: use kind continuous, or give the fractions.",
        "IN-122",
        ("IN-085",),
        can_insist=False,
    ),
    ScaleCheck(
        (BETA,),
        _percentages,
        "methylation fractions between 0 and 1",
        "These look like percentages: divide by 100.",
        "IN-123",
        ("IN-085",),
        can_insist=False,
    ),
)
