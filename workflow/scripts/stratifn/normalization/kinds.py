"""The kinds of views by name; the record of each is beside its transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from stratifn.normalization.counts import COUNTS_KIND
from stratifn.normalization.frozen import from_arrays
from stratifn.normalization.scales import SCALES
from stratifn.normalization.task import ViewKind

if TYPE_CHECKING:
    import anndata as ad

KINDS: dict[str, ViewKind] = {kind.name: kind for kind in (COUNTS_KIND, *SCALES)}


class Frozen(Protocol):
    """A transform as a reference keeps it: the kind of its view, and its arrays, numbers and words."""

    @property
    def kind(self) -> str:
        """Name of the kind."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """See `to_arrays`."""


def transform_frozen(frozen: Frozen, view: ad.AnnData) -> ad.AnnData:
    """Transform new samples as a reference does."""
    return from_arrays(KINDS[frozen.kind].frozen, dict(frozen.fields)).transform(view)


def described(kind: str, views: str) -> str:
    """Say what is done to views of a kind, for a methods text; see `ViewKind.described`."""
    return KINDS[kind].described(views)
