"""Log values given as concentrations, which would be logged twice."""

from __future__ import annotations

import numpy as np

from stratifn.inputs.scales.check import USUAL_LOG2, ScaleCheck, number
from stratifn.inputs.scales.looked_at import LookedAt
from stratifn.shared.vocabulary import CONCENTRATION

FEWEST_ANALYTES = 20


def _negative_logs(look: LookedAt) -> str:
    if look.least >= 0 or look.least < -USUAL_LOG2 or look.largest > USUAL_LOG2:
        return ""
    share = float(np.mean(look.measured < 0)) if len(look.measured) else 0.0
    if share < 0.02:
        return ""
    return f"values from {number(look.least)} to {number(look.largest)}, {100 * share:.0f} % of them below 0"


def _skewness_before_and_after(look: LookedAt) -> tuple[float, float, int]:
    """Median skewness over analytes of the values and of their logarithms, and the number of analytes."""
    complete = look.values[(np.nan_to_num(look.values, nan=1.0) > 0).all(axis=1)]
    before, after = look.skewness(complete), look.skewness(np.log2(complete))
    if not len(before) or not len(after):
        return np.nan, np.nan, 0
    return float(np.median(before)), float(np.median(after)), len(before)


def _logged_concentrations(look: LookedAt) -> str:
    before, after, analytes = _skewness_before_and_after(look)
    certain = look.largest < USUAL_LOG2 and analytes >= FEWEST_ANALYTES and after < -0.3 and abs(before) < 0.3
    return _symmetric(look, before, after) if certain else ""


def _perhaps_logged_concentrations(look: LookedAt) -> str:
    before, after, analytes = _skewness_before_and_after(look)
    suspected = look.largest < USUAL_LOG2 and analytes >= FEWEST_ANALYTES / 2 and after < -0.15 and abs(before) < -after
    return _symmetric(look, before, after) if suspected else ""


def _symmetric(look: LookedAt, before: float, after: float) -> str:
    return (
        f"no value above {number(look.largest)}, and analytes that are symmetric as they are (median skewness "
        f"{before:.2f}) and not after a logarithm ({after:.2f})"
    )


CONCENTRATION_CHECKS = (
    ScaleCheck(
        (CONCENTRATION,),
        _negative_logs,
        "concentrations of 0 or more, whose log2 is taken",
        "Log values such as Olink's NPX are kind continuous.",
        "IN-117",
        ("IN-087",),
        can_insist=False,
    ),
    ScaleCheck(
        (CONCENTRATION,),
        _logged_concentrations,
        "concentrations, whose log2 is taken",
        "These look like log values, which would be logged twice: Olink's NPX and other log values are kind continuous.",
        "IN-118",
    ),
    ScaleCheck(
        (CONCENTRATION,),
        _perhaps_logged_concentrations,
        "concentrations, whose log2 is taken",
        "log values, such as Olink's NPX, would be logged twice: they are kind continuous",
    ),
)
