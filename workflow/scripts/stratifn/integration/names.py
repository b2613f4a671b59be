"""Names that HDF5, mofapy2 and R's MOFA2 can all hold."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from stratifn.shared.errors import InputError, Problem
from stratifn.shared.factor_model import RESERVED_VIEW_NAMES
from stratifn.shared.vocabulary import ID_PATTERN

_UNSAFE = re.compile(r"[^\x20-\x7e]|/")


def require_plain_names(views: Iterable[str], samples: Iterable[str]) -> None:
    """Refuse names of views and samples that R's MOFA2 cannot open.

    Raises
    ------
    InputError
        All such names at once.
    """
    problems = [_name_problem("views", view) for view in views if not ID_PATTERN.match(view)]
    problems += [
        Problem(
            "views",
            f"view {view}",
            "a name that MOFA's file format uses itself",
            "another",
            "Rename the view.",
            code="IN-203",
        )
        for view in views
        if view in RESERVED_VIEW_NAMES
    ]
    problems += [_name_problem("samples", sample) for sample in samples if not ID_PATTERN.match(sample)]
    if problems:
        raise InputError(problems)


def _name_problem(source: str, name: str) -> Problem:
    return Problem(
        source=source,
        where=repr(name),
        found="a name that R's MOFA2 cannot open",
        expected="letters, digits, '_', '.', '-', at most 64, starting with a letter or digit",
        fix="Rename it in the sample sheet and in the matrices.",
        code="IN-036",
    )


def model_feature_names(features: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Name features as the model file can hold them: ASCII, without ``/``, unique over all views.

    mofapy2 refuses a name that occurs in two views (the gene and the cytokine ``IFNG``); such a feature gets its
    view's name as a suffix, as R's MOFA2 does. Greek letters are spelt out.

    Parameters
    ----------
    features
        Feature ids per view.

    Returns
    -------
    dict
        A name per feature, in the order given; equal to the id wherever that is possible.
    """
    plain = {view: [_ascii(feature) for feature in ids] for view, ids in features.items()}
    counts = Counter(name for names in plain.values() for name in names)
    taken = {name for name, count in counts.items() if count == 1}
    named: dict[str, list[str]] = {}
    for view, names in plain.items():
        named[view] = []
        for name in names:
            if counts[name] > 1:
                name = _unused(f"{name}_{view}", taken)
            taken.add(name)
            named[view].append(name)
    return named


def _ascii(text: str) -> str:
    return _UNSAFE.sub("_", "".join(_ascii_character(character) for character in text))


def _ascii_character(character: str) -> str:
    if character.isascii():
        return character
    name = unicodedata.name(character, "").split()
    if len(name) >= 4 and name[0] == "GREEK" and name[2] == "LETTER":
        return name[3].lower()
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "_"


def _unused(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
