"""Size factors of new patients' views that take those of another view, as their reference does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from stratifn.shared.vocabulary import OWN_FACTORS, SIZE_FACTOR
from stratifn.transfer.freezing import FrozenView
from stratifn.transfer.matching import MatchedView

if TYPE_CHECKING:
    import anndata as ad


def with_lent_size_factors(
    matched: Mapping[str, MatchedView], transform: Callable[[FrozenView, ad.AnnData], ad.AnnData]
) -> dict[str, MatchedView]:
    """Give every view that takes the size factors of another one those of its samples.

    A sample that the other view does not have is left out of the view, with a note; so is a view without a sample.

    Parameters
    ----------
    matched
        New patients' views by name.
    transform
        (frozen view, validated matrix) -> transformed matrix, with the size factors of counts.
    """
    made = {}
    for name, view in matched.items():
        lender = view.frozen.lender
        if lender == OWN_FACTORS:
            made[name] = view
            continue
        lent = matched.get(lender)
        if lent is None:
            continue
        factors = transform(lent.frozen, lent.data).obs[SIZE_FACTOR]
        known = view.data.obs_names.isin(factors.index)
        data = view.data[known].copy()
        data.obs[SIZE_FACTOR] = factors.reindex(data.obs_names)
        reason = f"not measured in {lender}, whose size factors {name} takes"
        notes = [*view.notes, *((name, str(sample), "left out", reason) for sample in view.data.obs_names[~known])]
        if known.any():
            made[name] = replace(view, data=data, notes=notes)
    return made
