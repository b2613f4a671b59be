"""How one kind of view is normalised, and what its transform is learnt from in addition to the matrix."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd

from stratifn.normalization.frozen import FrozenTransform
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


@dataclass(frozen=True)
class ViewKind:
    """How one kind of view is normalised.

    Attributes
    ----------
    name
        The config's `kind`.
    values
        What its values are called.
    what
        What is done to them: continues the sentence that `values` begins, in the docs and in the methods text.
    reference
        Its sources.
    unit
        Unit of the transformed values, for axes.
    frozen
        Class of the transform.
    fit
        Learns the transform from the training samples and returns it with its notes.
    """

    name: str
    values: str
    what: str
    reference: str
    unit: str
    frozen: type[FrozenTransform]
    fit: Callable[[ad.AnnData, Task], tuple[FrozenTransform, pd.DataFrame]]

    def described(self, views: str = "") -> str:
        """Say in a sentence what is done to the values, without a full stop; `views` names whose they are."""
        return f"{self.values} ({views}) {self.what}" if views else f"{self.values} {self.what}"
