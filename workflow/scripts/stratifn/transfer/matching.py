"""A new patient's views matched to those of the reference: what is the same, and what is missing.

Features are the same when they have one id. What is left is matched by gene name, where exactly one feature on either
side has it: a reference with symbols takes patients with Ensembl ids and the other way round. The gene names are those
of `stratifn.inputs`, today's symbols.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError, Problem, listed
from stratifn.shared.tables import read_features
from stratifn.shared.views import lender_mismatches, view_mismatches
from stratifn.shared.vocabulary import COUNTS
from stratifn.transfer.freezing import GENE_NAME, FrozenView, frozen_views
from stratifn.transfer.reference import load_reference

if TYPE_CHECKING:
    import anndata as ad

# A size factor is a median over genes. Where hardly more match than the registry of signatures names, they are
# interferon-stimulated genes, and these would be their own yardstick.
LEAST_SHARE, ENOUGH_GENES = 0.5, 5000
MOST_NAMES = 20
Note = tuple[str, str, str, str]


@dataclass(frozen=True)
class Features:
    """Ids and gene names of the features of a view.

    Attributes
    ----------
    ids, gene_names
        One per feature; the gene name is the id where none is known.
    """

    ids: np.ndarray
    gene_names: np.ndarray

    @classmethod
    def of(cls, var: pd.DataFrame) -> Features:
        """Take them from a validated matrix."""
        ids = var.index.to_numpy(str)
        return cls(ids, var[GENE_NAME].to_numpy(str) if GENE_NAME in var else ids)

    @classmethod
    def frozen(cls, view: FrozenView) -> Features:
        """Take them from a reference; one of version 1.0 has no gene names."""
        ids = view.fields["features"]
        return cls(ids, view.fields.get("gene_names", ids))


@dataclass(frozen=True)
class MatchedView:
    """A view with the transform for the features that it has.

    Attributes
    ----------
    data
        As it was measured, in the features of the reference, with their ids and in their order.
    frozen
        The reference's transform, held to the features that are there.
    notes
        Rows (view, item, what, reason) about what was matched by name, and what was not matched.
    """

    data: ad.AnnData
    frozen: FrozenView
    notes: list[Note]


@dataclass(frozen=True)
class _Pairs:
    """Position of each feature of a reference among the new ones.

    Attributes
    ----------
    position
        Per feature of the reference; -1 where it has no match.
    by_name, ambiguous
        Per feature of the reference: was it matched by gene name? Has it no match because several have that name?
    """

    position: np.ndarray
    by_name: np.ndarray
    ambiguous: np.ndarray

    @property
    def found(self) -> np.ndarray:
        return self.position >= 0


def reference_features(
    folder: str | Path | None,
    contract: str,
    where: str,
    views: Sequence[Mapping[str, Any]],
    cohort: Sequence[str | Path] = (),
) -> dict[str, Features]:
    """Read a reference for what it knows of the features of new patients' views.

    Parameters
    ----------
    folder, contract
        As for `load_reference`; None for a reference that this run will make of a cohort.
    where
        How the configuration calls these patients.
    views
        Their views as configured: ``name`` and ``kind``.
    cohort
        The validated matrices of that cohort.

    Raises
    ------
    InputError
        As `load_reference`; and for views that the reference does not have, or has as another kind.
    """
    if folder is None:
        return {Path(path).stem: Features.of(read_features(path)) for path in cohort}
    frozen = frozen_views(load_reference(folder, contract))
    _require_views(frozen, where, views)
    return {name: Features.frozen(view) for name, view in frozen.items()}


def require_features(known: Mapping[str, Features], views: Mapping[str, ad.AnnData], paths: Mapping[str, str]) -> None:
    """Refuse views of which too little is known to the reference; all of them at once.

    Parameters
    ----------
    known
        The reference's features by view.
    views
        Validated views by name; ``uns["kind"]`` is their kind.
    paths
        View name to the path as the user wrote it.

    Raises
    ------
    InputError
        A view without a feature of the reference; counts with fewer than half of its genes, unless they are 5000.
    """
    measured = {name: data for name, data in views.items() if data.n_obs}
    problems = [problem for name, data in measured.items() for problem in _too_few(known[name], data, paths[name])]
    if problems:
        raise InputError(problems)


def _too_few(known: Features, data: ad.AnnData, path: str) -> Iterator[Problem]:
    new = Features.of(data.var)
    found, total = int(_pairs(known, new).found.sum()), len(known.ids)
    needed = min(int(np.ceil(LEAST_SHARE * total)), ENOUGH_GENES) if data.uns["kind"] == COUNTS else 1
    if found < needed:
        here, there = (", ".join(map(str, ids[:3])) for ids in (new.ids, known.ids))
        of_reference = f"{found} of the {total} features of the reference (ids here: {here}; there: {there})"
        fix = "Use the ids of the reference, or add a column gene_name with the symbols beside the ids."
        yield Problem(path, "feature ids", of_reference, f"at least {needed} of them", fix, code="IN-220")


def match_views(frozen: Mapping[str, FrozenView], views: Mapping[str, ad.AnnData]) -> dict[str, MatchedView]:
    """Match every view with its own of the reference; one in which nobody has a value is left out.

    Parameters
    ----------
    frozen
        The reference's transforms by view.
    views
        Validated views by name; ``uns["kind"]`` is their kind.

    Raises
    ------
    InputError
        For a view that the reference does not have, or has as another kind, and as `require_features`.
    """
    _require_views(frozen, "views", [{"name": name, "kind": str(data.uns["kind"])} for name, data in views.items()])
    known = {name: Features.frozen(frozen[name]) for name in views}
    require_features(known, views, {name: f"view {name}" for name in views})
    return {name: _match(name, frozen[name], data) for name, data in views.items() if data.n_obs}


def _require_views(frozen: Mapping[str, FrozenView], where: str, views: Sequence[Mapping[str, Any]]) -> None:
    problems = list(view_mismatches(where, views, {name: view.kind for name, view in frozen.items()}))
    problems += lender_mismatches(where, views, {name: view.lender for name, view in frozen.items()})
    if problems:
        raise InputError(problems)


def _match(name: str, frozen: FrozenView, data: ad.AnnData) -> MatchedView:
    known, new = Features.frozen(frozen), Features.of(data.var)
    pairs = _pairs(known, new)
    return MatchedView(
        _in_reference_order(data, pairs, known.ids),
        _held_to(frozen, pairs.found),
        list(_notes(name, pairs, known, new)),
    )


def _pairs(known: Features, new: Features) -> _Pairs:
    position = pd.Index(new.ids).get_indexer(known.ids)
    left = np.setdiff1d(np.arange(len(new.ids)), position)
    claimed = (position < 0) & np.isin(known.gene_names, new.gene_names[left])
    # names are counted over all features: one that is taken by its id already still makes a name ambiguous
    single = ~pd.Index(new.gene_names).duplicated(keep=False)
    unique = np.flatnonzero(single)
    by_name = pd.Index(new.gene_names[unique]).get_indexer(known.gene_names)
    certain = claimed & (by_name >= 0) & ~pd.Index(known.gene_names).duplicated(keep=False)
    position[certain] = unique[by_name[certain]]
    return _Pairs(position, certain, claimed & ~certain)


def _in_reference_order(data: ad.AnnData, pairs: _Pairs, ids: np.ndarray) -> ad.AnnData:
    taken = pairs.position[pairs.found]
    # the usual case, patients measured like the reference, costs no copy
    if len(taken) != data.n_vars or (taken != np.arange(data.n_vars)).any():
        data = data[:, taken]
    if pairs.by_name.any():
        data = data.copy()
        data.var_names = ids[pairs.found]
    return data


def _held_to(frozen: FrozenView, found: np.ndarray) -> FrozenView:
    if found.all():
        return frozen
    fields = {
        key: value[found] if np.ndim(value) == 1 and len(value) == len(found) else value
        for key, value in frozen.fields.items()
    }
    return replace(frozen, fields=fields)


def _notes(view: str, pairs: _Pairs, known: Features, new: Features) -> Iterator[Note]:
    total = f"of {len(known.ids)} features of the reference"
    if pairs.by_name.any():
        named = zip(new.ids[pairs.position[pairs.by_name]], known.ids[pairs.by_name], strict=True)
        shown = listed((f"{ours} as {theirs}" for ours, theirs in named), MOST_NAMES)
        yield (
            view,
            f"{pairs.by_name.sum()} {total}",
            "matched by gene name",
            f"the name is unique on both sides: {shown}",
        )
    if pairs.ambiguous.any():
        shown = listed(known.ids[pairs.ambiguous], MOST_NAMES)
        reason = f"not used: several features here or in the reference have the gene name: {shown}"
        yield view, f"{pairs.ambiguous.sum()} {total}", "ambiguous", reason
    missing = ~(pairs.found | pairs.ambiguous)
    if missing.any():
        reason = f"not measured here; scores and factors use the others: {listed(known.ids[missing], MOST_NAMES)}"
        yield view, f"{missing.sum()} {total}", "missing", reason
    unknown = len(new.ids) - int(pairs.found.sum())
    if unknown:
        yield view, f"{unknown} features", "not used", "not in the reference, or ambiguous"
