"""Views of new patients against those of their reference, by name and kind: for configurations and frozen files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stratifn.shared.errors import Problem
from stratifn.shared.vocabulary import OWN_FACTORS


def view_mismatches(where: str, views: Iterable[Mapping[str, Any]], known: Mapping[str, str]) -> Iterator[Problem]:
    """List the views of new patients that their reference does not have, or has as another kind.

    Parameters
    ----------
    where
        The configuration's key of these views.
    views
        ``name`` and ``kind`` of each.
    known
        The reference's views: name to kind.
    """
    for view in views:
        at, name = f"{where}.{view['name']}", view["name"]
        if name not in known:
            found, expected = "a view that the reference does not have", f"one of {', '.join(known)}"
            yield Problem("config", at, found, expected, "Rename it, or leave it out.", code="IN-185")
        elif view["kind"] != known[name]:
            found, expected = f"kind {view['kind']}", f"kind {known[name]}, as in the reference"
            yield Problem("config", at, found, expected, "Correct the kind, or leave the view out.", code="IN-186")


def lender_mismatches(where: str, views: Iterable[Mapping[str, Any]], lenders: Mapping[str, str]) -> Iterator[Problem]:
    """List the views of new patients that come without the view whose size factors they take.

    Parameters
    ----------
    where
        The configuration's key of these views.
    views
        ``name`` of each.
    lenders
        The reference's views: name to the view whose size factors it takes, or `OWN_FACTORS`.
    """
    names = [view["name"] for view in views]
    for name in names:
        lender = lenders.get(name, OWN_FACTORS)
        if lender not in (OWN_FACTORS, *names):
            found = f"no view {lender}, whose size factors {name} takes in the reference"
            yield Problem(
                "config",
                f"{where}.{name}",
                found,
                f"the view {lender} too",
                "Add it, or leave this one out.",
                code="IN-187",
            )
