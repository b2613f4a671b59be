"""Log values given as concentrations, which would be logged twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratifn.inputs.scales.check import USUAL_LOG2, ScaleCheck, number
from stratifn.inputs.scales.looked_at import FEWEST_VALUES, LookedAt, skewness
from stratifn.shared.vocabulary import CONCENTRATION

FEWEST_ANALYTES, FEWEST_SUSPECTED = 20, 10
# the spread of concentrations grows with their mean (slope 1 of logarithms: 0.94 to 1.12 of real unlogged expression),
# that of logs does not (-0.4 to 0.8, most where low values end in a background)
NOT_GROWING, HARDLY_GROWING = 0.5, 0.85
# proteins vary between people by 0.2 times their mean and more, logs of expression by 0.05 to 0.1
STEADY = 0.12


def _negative_logs(look: LookedAt) -> str:
    if look.least >= 0 or look.least < -USUAL_LOG2 or look.largest > USUAL_LOG2:
        return ""
    share = float(np.mean(look.measured < 0)) if len(look.measured) else 0.0
    if share < 0.02:
        return ""
    return f"values from {number(look.least)} to {number(look.largest)}, {100 * share:.0f} % of them below 0"


@dataclass(frozen=True)
class _Shape:
    """How analytes without missing logarithms vary.

    Attributes
    ----------
    analytes
        Their number.
    skewness, after
        Median skewness of the values and of their logarithms.
    variation
        Median standard deviation over mean.
    slope
        Of the logarithm of the standard deviation on that of the mean, over analytes.
    """

    analytes: int = 0
    skewness: float = np.nan
    after: float = np.nan
    variation: float = np.nan
    slope: float = np.nan


def _shape(look: LookedAt) -> _Shape:
    values = look.values[(np.nan_to_num(look.values, nan=1.0) > 0).all(axis=1)]
    values = values[np.isfinite(values).sum(axis=1) >= FEWEST_VALUES]
    deviations = np.nanstd(values, axis=1)
    values, deviations = values[deviations > 0], deviations[deviations > 0]
    if look.largest >= USUAL_LOG2 or len(values) < FEWEST_SUSPECTED:
        return _Shape()
    means = np.nanmean(values, axis=1)
    if np.ptp(np.log(means)) == 0:
        return _Shape()
    return _Shape(
        len(values),
        float(np.median(skewness(values))),
        float(np.median(skewness(np.log2(values)))),
        float(np.median(deviations / means)),
        float(np.polyfit(np.log(means), np.log(deviations), 1)[0]),
    )


def _logged(look: LookedAt) -> str:
    shape = _shape(look)
    steady = shape.variation < STEADY and shape.slope < HARDLY_GROWING
    symmetric = shape.after < -0.2 and abs(shape.skewness) < -shape.after and shape.slope < NOT_GROWING
    certain = steady or symmetric
    return _told(look, shape) if certain and shape.analytes >= FEWEST_ANALYTES else ""


def _perhaps_logged(look: LookedAt) -> str:
    shape = _shape(look)
    suspected = shape.slope < NOT_GROWING and shape.skewness < 0.4 and shape.after < 0
    return _told(look, shape) if suspected else ""


def _told(look: LookedAt, shape: _Shape) -> str:
    return (
        f"no value above {number(look.largest)}; {shape.analytes} analytes that vary by {shape.variation:.2f} times their mean, "
        f"with a spread that hardly grows with the mean (slope of the logarithms {shape.slope:.2f}, about 1 for "
        f"concentrations); median skewness {shape.skewness:.2f}, after a logarithm {shape.after:.2f}"
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
        _logged,
        "concentrations, whose log2 is taken",
        "These look like log values, which would be logged twice: Olink's NPX and other log values are kind continuous.",
        "IN-118",
    ),
    ScaleCheck(
        (CONCENTRATION,),
        _perhaps_logged,
        "concentrations, whose log2 is taken",
        "log values, such as Olink's NPX, would be logged twice: they are kind continuous",
    ),
)
