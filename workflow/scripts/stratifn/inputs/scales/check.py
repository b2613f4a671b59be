"""What a check of the scale is, and how it writes numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stratifn.inputs.scales.looked_at import LookedAt

# counts of one sequencing run, intensities and concentrations all end before 2**32
USUAL_LOG2 = 32


@dataclass(frozen=True)
class ScaleCheck:
    """One scale that the values of a view can be on by mistake.

    Attributes
    ----------
    kinds
        The kinds of view that it is for.
    found
        From what is looked at to the numbers that show the scale; empty if it is not this one. No names of samples:
        the sentence may stand in a report.
    expected, fix
        Words for the message.
    code
        Of the class of mistakes; empty for a check that only suspects, and leaves a note.
    instead_of
        Codes of single cells that it explains.
    can_insist
        Whether the values can be analysed as they are.
    """

    kinds: tuple[str, ...]
    found: Callable[[LookedAt], str]
    expected: str
    fix: str
    code: str = ""
    instead_of: tuple[str, ...] = ()
    can_insist: bool = True


def number(value: float) -> str:
    """Write a number for a message."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def value_range(look: LookedAt) -> str:
    """Say between what the values lie, and where their middle is."""
    middle = number(look.quantile(0.5))
    return f"values from {number(look.least)} to {number(look.largest)}, half of them at most {middle}"
