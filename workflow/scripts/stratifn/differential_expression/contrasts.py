"""Which comparisons are made, and how each is read from a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stratifn.shared.comparisons import contrast_name, control_pairs, disease_pairs
from stratifn.shared.design import DesignMatrix, column_name


@dataclass(frozen=True)
class Contrast:
    """One comparison.

    Attributes
    ----------
    name
        ``{level}_vs_{baseline}``, or the config's own name.
    factor, level, baseline
        For a comparison of two levels of a factor; empty otherwise.
    coefficients
        For a combination of coefficients: weight per name.
    """

    name: str
    factor: str = ""
    level: str = ""
    baseline: str = ""
    coefficients: Mapping[str, float] = field(default_factory=dict)

    def weights(self, design: DesignMatrix) -> np.ndarray:
        """Return the weights of the design's columns; raises `InputError` for what the design does not have."""
        if self.coefficients:
            return design.contrast(self.coefficients)
        return design.level_contrast(self.factor, self.level, self.baseline)

    def coefficient(self, design: DesignMatrix) -> str | None:
        """Name the one coefficient that this contrast is, or None if it is a combination."""
        if self.coefficients:
            (name, weight), *others = self.coefficients.items()
            return name if not others and weight == 1 else None
        name = column_name(self.factor, self.level)
        return name if self.baseline == design.levels[self.factor][0] else None


def versus(level: str, baseline: str, factor: str = "disease") -> Contrast:
    """Compare two levels of a factor."""
    return Contrast(contrast_name(level, baseline), factor, level, baseline)


def control_contrasts(diseases: Sequence[str], control: str | None) -> list[Contrast]:
    """Compare each disease with the control; none without a control."""
    return [versus(*pair) for pair in control_pairs(diseases, control)]


def disease_contrasts(diseases: Sequence[str]) -> list[Contrast]:
    """Compare each pair of diseases once, the one that the config lists first against the other."""
    return [versus(*pair) for pair in disease_pairs(diseases)]


def config_contrasts(items: Sequence[Mapping[str, Any]]) -> list[Contrast]:
    """Read the config's own contrasts: ``{name, factor, level, baseline}`` or ``{name, coefficients}``."""
    return [
        Contrast(
            str(item["name"]),
            item.get("factor") or "",
            item.get("level") or "",
            item.get("baseline") or "",
            item.get("coefficients") or {},
        )
        for item in items
    ]


def all_contrasts(
    diseases: Sequence[str], control: str | None, items: Sequence[Mapping[str, Any]] = ()
) -> list[Contrast]:
    """List every contrast of a cohort: against the control, between diseases, from the config."""
    return [*control_contrasts(diseases, control), *disease_contrasts(diseases), *config_contrasts(items)]


@dataclass(frozen=True)
class Question:
    """What is compared in a cohort, and with which design."""

    diseases: tuple[str, ...]
    control: str | None
    design: str
    contrasts: tuple[Contrast, ...]

    @classmethod
    def of(cls, cohort: Mapping[str, Any], own_contrasts: Sequence[Mapping[str, Any]]) -> Question:
        """Take `diseases`, `control` and `design` of a cohort's configuration, and the configuration's contrasts."""
        contrasts = all_contrasts(cohort["diseases"], cohort["control"], own_contrasts)
        return cls(tuple(cohort["diseases"]), cohort["control"], cohort["design"], tuple(contrasts))
