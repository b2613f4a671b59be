"""What the transform of one view is learnt from, in addition to its matrix."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from stratifn.normalization.settings import Settings
from stratifn.shared.vocabulary import OWN_FACTORS

if TYPE_CHECKING:
    from pydeseq2.inference import Inference


@dataclass(frozen=True)
class Task:
    """One view to normalise.

    Attributes
    ----------
    view
        Its name, for the notes.
    groups
        Disease per sample, indexed by sample.
    settings
        From the configuration.
    always_keep
        Ids or symbols of genes that no filter drops; counts only.
    inference
        The engine that fits dispersions; counts only.
    lender
        The view whose size factors this one takes, or `OWN_FACTORS`; counts only.
    """

    view: str
    groups: pd.Series
    settings: Settings
    always_keep: Collection[str]
    inference: Inference | None
    lender: str = OWN_FACTORS
