"""What the configuration decides about differential expression; defaults and bounds are the schema's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The section ``differential_expression`` of the configuration.

    Attributes
    ----------
    alpha
        False discovery rate at which a gene is called, and for which independent filtering is chosen.
    lfc_threshold
        An absolute log2 fold change must exceed this to be called, in every table of the phase.
    shrink
        Whether to shrink the effects of counts.
    permutations
        How many label permutations; None: ten up to 400 samples, none above.
    gene_sets
        Paths of the user's gene sets.
    """

    alpha: float
    lfc_threshold: float
    shrink: bool
    permutations: int | None
    gene_sets: tuple[str, ...]

    @classmethod
    def from_config(cls, section: Mapping[str, Any]) -> Settings:
        """Take the section of a completed configuration."""
        values = {field.name: section[field.name] for field in fields(cls)}
        return cls(**values | {"gene_sets": tuple(section["gene_sets"])})
