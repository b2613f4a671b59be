"""Comparisons and their names, which follow from the configuration alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

INTERFERON_STATUS = "IFN_high_vs_IFN_low"


def contrast_name(level: str, baseline: str) -> str:
    """Name the comparison of two levels of a factor."""
    return f"{level}_vs_{baseline}"


def control_pairs(diseases: Sequence[str], control: str | None) -> list[tuple[str, str]]:
    """Pair each disease with the control; none without a control."""
    return [(disease, control) for disease in diseases] if control else []


def disease_pairs(diseases: Sequence[str]) -> list[tuple[str, str]]:
    """Pair each disease with every later one: what the config lists first is compared with the other."""
    return list(combinations(diseases, 2))


def contrast_names(diseases: Sequence[str], control: str | None, items: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Name every contrast of a cohort: against the control, between diseases, from the config's ``contrasts``."""
    pairs = [*control_pairs(diseases, control), *disease_pairs(diseases)]
    return [*(contrast_name(*pair) for pair in pairs), *(str(item["name"]) for item in items)]


def interferon_contrast_names(diseases: Sequence[str]) -> list[str]:
    """Name the tables of IFN-high against IFN-low patients: over all diseases, then within each."""
    return [INTERFERON_STATUS, *(f"{disease}_{INTERFERON_STATUS}" for disease in diseases)]
