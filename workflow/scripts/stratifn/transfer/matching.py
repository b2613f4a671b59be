"""A new patient's views beside those of the reference: what is the same, and what is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stratifn.errors import InputError, Problem
from stratifn.transfer.freezing import FrozenView

if TYPE_CHECKING:
    import anndata as ad

MOST_NAMES = 5
Note = tuple[str, str, str, str]


@dataclass(frozen=True)
class MatchedView:
    """A view with the transform for the features that it has.

    Attributes
    ----------
    data
        As it was measured.
    frozen
        The reference's transform, held to the features that are there.
    notes
        Rows (view, item, what, reason) about those that are not.
    """

    data: ad.AnnData
    frozen: FrozenView
    notes: list[Note]


def match_views(frozen: Mapping[str, FrozenView], views: Mapping[str, ad.AnnData]) -> dict[str, MatchedView]:
    """Match every view with its own of the reference.

    Parameters
    ----------
    frozen
        The reference's transforms by view.
    views
        Validated views by name; ``uns["kind"]`` is their kind.

    Raises
    ------
    InputError
        A view that the reference does not know, or knows as another kind, or with which it shares no feature; all
        such views at once.
    """
    problems = [problem for name, data in views.items() for problem in _problems(frozen, name, data)]
    if problems:
        raise InputError(problems)
    return {name: _match(name, frozen[name], data) for name, data in views.items()}


def _problems(frozen: Mapping[str, FrozenView], name: str, data: ad.AnnData) -> list[Problem]:
    where, kind = f"view {name}", str(data.uns["kind"])
    if name not in frozen:
        found, expected = "a view that the reference does not have", f"one of {', '.join(frozen)}"
        return [Problem("transfer", where, found, expected, "Rename it, or leave it out of `views`.")]
    if kind != frozen[name].kind:
        return [
            Problem("transfer", where, f"kind {kind}", f"kind {frozen[name].kind}, as in the reference", "Mend it.")
        ]
    features = frozen[name].fields["features"]
    if not np.isin(features, data.var_names.astype(str)).any():
        theirs, ours = ", ".join(data.var_names[:3].astype(str)), ", ".join(map(str, features[:3]))
        mend = "Use the ids of the reference."
        return [Problem("transfer", where, f"no feature of the reference ({theirs})", f"ids like {ours}", mend)]
    return []


def _match(name: str, frozen: FrozenView, data: ad.AnnData) -> MatchedView:
    features = frozen.fields["features"]
    present = np.isin(features, data.var_names.astype(str))
    notes: list[Note] = []
    if not present.all():
        absent = features[~present]
        shown = ", ".join(map(str, absent[:MOST_NAMES])) + (" ..." if len(absent) > MOST_NAMES else "")
        reason = f"not measured here; scores and factors come from the others: {shown}"
        notes.append((name, f"{len(absent)} of {len(features)} features of the reference", "missing", reason))
    unknown = data.n_vars - int(present.sum())
    if unknown:
        notes.append((name, f"{unknown} features", "not used", "the reference does not have them"))
    return MatchedView(data, _held_to(frozen, present), notes)


def _held_to(frozen: FrozenView, present: np.ndarray) -> FrozenView:
    if present.all():
        return frozen
    fields = {
        key: value[present] if np.ndim(value) == 1 and len(value) == len(present) else value
        for key, value in frozen.fields.items()
    }
    return replace(frozen, fields=fields)
