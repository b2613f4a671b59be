"""Which comparisons every cohort makes, and what they are called: each becomes the name of a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

INTERFERON_HIGH, INTERFERON_LOW = "IFN_high", "IFN_low"


def versus_name(level: str, baseline: str) -> str:
    """Name a comparison of two levels."""
    return f"{level}_vs_{baseline}"


INTERFERON_STATUS = versus_name(INTERFERON_HIGH, INTERFERON_LOW)


def control_pairs(diseases: Sequence[str], control: str | None) -> list[tuple[str, str]]:
    """Pair each disease with the control; no pair without a control."""
    return [(disease, control) for disease in diseases] if control else []


def disease_pairs(diseases: Sequence[str]) -> list[tuple[str, str]]:
    """Pair the diseases with each other once, the one that is listed first before the other."""
    return list(combinations(diseases, 2))


def interferon_contrast_names(diseases: Sequence[str]) -> list[str]:
    """Name the tables of IFN-high against IFN-low patients: over all diseases, then within each."""
    return [INTERFERON_STATUS, *(f"{disease}_{INTERFERON_STATUS}" for disease in diseases)]


def automatic_names(diseases: Sequence[str], control: str | None) -> list[str]:
    """Name every comparison that is made without being asked for."""
    pairs = [*control_pairs(diseases, control), *disease_pairs(diseases)]
    return [*(versus_name(*pair) for pair in pairs), *interferon_contrast_names(diseases)]
