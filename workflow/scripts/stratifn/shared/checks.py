"""What a phase asks of a cohort while it is validated: each question as soon as it can be answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from stratifn.shared.errors import Problem

if TYPE_CHECKING:
    import anndata as ad


@dataclass(frozen=True)
class Checks:
    """Functions that return problems; by default nothing is asked.

    Attributes
    ----------
    names
        Of the names of the sheet's columns; it is given None while the sheet cannot be read.
    samples
        Of the typed samples with one column ``in_<view>`` per view, once nothing is wrong in the sheet. A view that
        cannot be read counts as measured in everybody.
    features
        Of the ids of the features of every matrix that could be read, by view.
    views
        Of the samples and the validated matrices, once nothing else is wrong.
    """

    names: Callable[[Collection[str] | None], Sequence[Problem]] = lambda columns: []
    samples: Callable[[pd.DataFrame], Sequence[Problem]] = lambda samples: []
    features: Callable[[Mapping[str, Sequence[str]]], Sequence[Problem]] = lambda features: []
    views: Callable[[pd.DataFrame, Mapping[str, ad.AnnData]], Sequence[Problem]] = lambda samples, views: []
