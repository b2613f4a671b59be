"""Whether a view's values are on the scale that its kind promises. One record per check, as for single cells.

Only what is certain is refused, with the numbers that show it; what may be so becomes a note. `scale: as_given` in the
config takes the values as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.scales.check import ScaleCheck
from stratifn.inputs.scales.concentration import CONCENTRATION_CHECKS
from stratifn.inputs.scales.continuous import CONTINUOUS_CHECKS
from stratifn.inputs.scales.counts import COUNTS_CHECKS
from stratifn.inputs.scales.fractions import FRACTIONS_CHECKS
from stratifn.inputs.scales.looked_at import LookedAt
from stratifn.shared.errors import Problem
from stratifn.shared.vocabulary import AS_GIVEN, CHECKED, SCALE, SCALE_AS_GIVEN, SCALE_IN_DOUBT

# of a kind, the first that finds something is shown
SCALE_CHECKS: tuple[ScaleCheck, ...] = (
    *CONTINUOUS_CHECKS,
    *COUNTS_CHECKS,
    *CONCENTRATION_CHECKS,
    *FRACTIONS_CHECKS,
)


@dataclass
class ScaleFindings:
    """What the checks of a view's scale found.

    Attributes
    ----------
    problems
        What is refused.
    notes
        Item, what, reason.
    explained
        Codes of single cells that need no message beside.
    """

    problems: list[Problem] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    explained: tuple[str, ...] = ()


def scale_findings(matrix: RawMatrix, view: Mapping[str, Any]) -> ScaleFindings:
    """Look at the scale of a view.

    Parameters
    ----------
    matrix
        Features x samples, not yet rounded.
    view
        Its part of the configuration: `name`, `kind`, `scale`.
    """
    look = LookedAt.of(view["name"], matrix)
    if not (np.isfinite(look.least) and np.isfinite(look.largest)):
        return ScaleFindings()
    for check in SCALE_CHECKS:
        if view["kind"] in check.kinds and (found := check.found(look)):
            return _told(check, found, matrix.path, view.get(SCALE, CHECKED) == AS_GIVEN)
    return ScaleFindings()


def _told(check: ScaleCheck, found: str, path: str, insisted: bool) -> ScaleFindings:
    if not check.code:
        reason = f"{found}; expected {check.expected}: {check.fix}"
        return ScaleFindings(notes=[] if insisted else [("values", SCALE_IN_DOUBT, reason)])
    if insisted:
        reason = f"`scale: {AS_GIVEN}`, although the check found {found}; expected {check.expected}"
        return ScaleFindings(notes=[("values", SCALE_AS_GIVEN, reason)] if check.can_insist else [])
    insist = f" If they are meant so, set `{SCALE}: {AS_GIVEN}` for this view." if check.can_insist else ""
    problem = Problem(path, "values", found, check.expected, check.fix + insist, code=check.code)
    return ScaleFindings([problem], explained=check.instead_of)
