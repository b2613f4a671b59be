"""The kinds of views by name; the record of each is beside its transform."""

from __future__ import annotations

from stratifn.normalization.counts import COUNTS_KIND
from stratifn.normalization.scales import SCALES
from stratifn.normalization.task import ViewKind

KINDS: dict[str, ViewKind] = {kind.name: kind for kind in (COUNTS_KIND, *SCALES)}


def described(kind: str, views: str) -> str:
    """Say what is done to views of a kind, for a methods text; see `ViewKind.described`."""
    return KINDS[kind].described(views)
