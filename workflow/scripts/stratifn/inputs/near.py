"""Ids that were probably meant to be the same."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


def near_matches(names: Iterable[str], candidates: Iterable[str]) -> dict[str, str]:
    """Pair ids that differ only by what R, Excel or a hurried hand does to them.

    Case, white space and punctuation (R turns ``-`` into ``.``), an `X` that R puts before a
    digit, and lost leading zeros do not count as a difference; after those, close spelling is tried.

    Returns
    -------
    dict
        Name to candidate, for the names that have one.
    """
    candidates = list(candidates)
    by_form = {_form(candidate): candidate for candidate in candidates}
    pairs = {}
    for name in names:
        if _form(name) in by_form:
            pairs[name] = by_form[_form(name)]
        # spelling is compared with everything, so only where that stays quick
        elif len(candidates) <= 2000:
            close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.85)
            pairs |= {name: close[0]} if close else {}
    return pairs


def same_spelling(names: Iterable[str], candidates: Iterable[str]) -> dict[str, str]:
    """Pair ids that are the same but for case, punctuation, white space, an `X` before a digit, and leading zeros."""
    by_form = {_form(candidate): candidate for candidate in candidates}
    return {name: by_form[_form(name)] for name in names if _form(name) in by_form}


def parts_of_ids(names: Iterable[str], candidates: Iterable[str]) -> dict[str, str]:
    """Pair ids with longer ones that hold them as a whole part: `S01` in `Lupus_S01_L001`."""
    parts: dict[str, list[str]] = {}
    for candidate in candidates:
        for part in set(re.split(r"[^0-9A-Za-z]+", candidate)):
            parts.setdefault(part, []).append(candidate)
    return {name: parts[name][0] for name in names if len(parts.get(name, [])) == 1}


def _form(name: str) -> str:
    form = re.sub(r"[^0-9a-z]+", "", name.lower())
    return re.sub(r"^x(?=\d)", "", form).lstrip("0")
