"""What the config decides about the interferon phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stratifn.shared.errors import InputError, Problem

CONTROLS_FOR_A_CENTILE = 40


@dataclass(frozen=True)
class Settings:
    """Section ``interferon`` of the config, with its defaults.

    Attributes
    ----------
    signature, method
        What classes rest on: a signature's id and a scoring method's name.
    cutoff
        ``mean_2sd``, ``percentile_95`` (40 controls or more) or ``robust``.
    min_coverage
        Share of a signature's genes that must be found for a class (0 to 1).
    min_controls
        Fewest controls that make a reference.
    type_ii_slope
        Constant part of the type II set's rise that type I interferon explains (log2 per log2).
    bootstraps, seed
        Resamples of the controls and their seed.
    probability_high, probability_low
        Certainty from which a signature is called high, and up to which it is called low.
    """

    signature: str = "RICE_CROW_6"
    method: str = "zscore"
    cutoff: str = "mean_2sd"
    min_coverage: float = 0.8
    min_controls: int = 10
    type_ii_slope: float = 0.5
    bootstraps: int = 1000
    seed: int = 1
    probability_high: float = 0.95
    probability_low: float = 0.05

    @classmethod
    def from_config(cls, section: Mapping[str, Any]) -> Settings:
        """Read the config's section; keys of other parts of the phase are left alone."""
        known = {key: value for key, value in section.items() if key in cls.__dataclass_fields__}
        settings = cls(**known)
        if settings.min_controls < 3:
            raise InputError(
                Problem(
                    "config",
                    "interferon: min_controls",
                    str(settings.min_controls),
                    "3 or more",
                    "A mean and an SD of fewer controls mean nothing.",
                )
            )
        return settings

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for the frozen reference and the provenance."""
        return asdict(self)
