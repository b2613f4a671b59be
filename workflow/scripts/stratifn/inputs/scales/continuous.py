"""Values given as continuous that are not on a log or normal scale."""

from __future__ import annotations

import numpy as np

from stratifn.inputs.scales.check import USUAL_LOG2, ScaleCheck, number, value_range
from stratifn.inputs.scales.looked_at import LookedAt, skewness
from stratifn.shared.vocabulary import CONTINUOUS, RNA

# no measurement spans 64 doublings: 2**64 molecules are 30 micromoles
LARGEST_LOG2 = 64
# bounds of GEO2R's own rule (its R script): values are unlogged if the 99th centile exceeds 100
UNLOGGED_QUANTILE = 100.0
# so many features of one unit show its scale within a sample; of fewer, which may be of several, each must
ONE_UNIT = 100
SKEWED = 2.0
SKEWED_FEATURES = 1.0


def _not_log(look: LookedAt) -> bool:
    """Tell whether values of 0 or more are as skewed as only unlogged ones are."""
    if look.view == RNA:
        return look.largest > LARGEST_LOG2
    high = look.quantile(0.99)
    # a subtracted background leaves some small negative values
    if not high > UNLOGGED_QUANTILE or look.quantile(0.01) < -0.05 * high:
        return False
    skewed = look.mean_over_median > SKEWED
    if look.features >= ONE_UNIT:
        return skewed
    of_features = skewness(look.values)
    bound = SKEWED_FEATURES / 2 if skewed else SKEWED_FEATURES
    return len(of_features) > 0 and float(np.median(of_features)) > bound


def _raw_counts(look: LookedAt) -> str:
    if look.least < 0 or look.fractional or not _not_log(look):
        return ""
    return f"whole numbers from {number(look.least)} to {number(look.largest)}"


def _stray_cells(look: LookedAt) -> str:
    """Few cells that no log scale holds, such as 9999 for missing, among values that are on one."""
    most = np.abs(look.measured)
    if look.view != RNA or not len(most) or np.quantile(most, 0.999) > USUAL_LOG2:
        return ""
    if look.largest <= LARGEST_LOG2 and look.least >= -LARGEST_LOG2:
        return ""
    usual = np.quantile(look.measured, [0.0005, 0.9995])
    return f"{value_range(look)}, but 99.9 % lie from {number(usual[0])} to {number(usual[1])}"


def _unlogged(look: LookedAt) -> str:
    return f"{value_range(look)}" if _not_log(look) else ""


def _small_logs(look: LookedAt) -> str:
    """Expression whose largest value is that of a log10 scale, or of one that was logged twice."""
    if look.view != RNA or look.features < 1000 or look.least < 0 or not 1.5 < look.largest < 6:
        return ""
    return f"no value above {number(look.largest)}"


CONTINUOUS_CHECKS = (
    ScaleCheck(
        (CONTINUOUS,),
        _raw_counts,
        "values on a log or normal scale",
        "For raw counts use kind counts, for cells per volume kind concentration; for intensities give log2 values.",
        "IN-110",
    ),
    ScaleCheck(
        (CONTINUOUS,),
        _stray_cells,
        "values on a log scale in every cell",
        "If a number such as 9999 stands for missing, empty these cells; if these are unlogged values, give log2(x + 1).",
        "IN-112",
    ),
    ScaleCheck(
        (CONTINUOUS,),
        _unlogged,
        "values on a log or normal scale",
        "Give log2 values (log2(x + 1) for TPM or CPM); for concentrations use kind concentration.",
        "IN-111",
    ),
    ScaleCheck(
        (CONTINUOUS,), _small_logs, "log2 values", "log10 values, or values logged twice, give too small fold changes"
    ),
)
