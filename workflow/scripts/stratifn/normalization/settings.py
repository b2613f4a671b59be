"""What the config says about the normalization of one view."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pydeseq2.inference import Inference


@dataclass(frozen=True)
class Settings:
    """Settings of one view's normalization.

    Attributes
    ----------
    view
        Its name, for the notes.
    groups
        Disease per sample, indexed by sample.
    min_count
        See `gene_filter.genes_to_keep`; counts only.
    size_factors
        ``ratio`` or ``poscounts``; counts only.
    always_keep
        Ids or symbols of genes that no filter drops; counts only.
    inference
        The engine that fits dispersions; counts only.
    """

    view: str
    groups: pd.Series
    min_count: int = 10
    size_factors: str = "ratio"
    always_keep: Collection[str] = field(default_factory=frozenset)
    inference: Inference | None = None
