"""What the configuration, a frozen reference and the names of analytes say about the scores, before any is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from stratifn.interferon.reference import from_parts
from stratifn.shared.checks import Checks
from stratifn.shared.errors import InputError, Problem, listed
from stratifn.shared.files import reading_users
from stratifn.shared.vocabulary import CONCENTRATION, RNA

COPY_AGAIN = "Copy the whole folder again from its source."


Frozen = tuple[Mapping[str, Any], Mapping[str, np.ndarray]]


def reference_problems(
    load: Callable[[], Frozen | None], folder: str | None, cohort: Mapping[str, Any], first: bool
) -> list[Problem]:
    """List why a frozen reference cannot score a cohort.

    Parameters
    ----------
    load
        Reads its values and arrays; None where there is none.
    folder
        Where it is, as the user wrote it.
    cohort
        As configured.
    first
        Whether this is the cohort of the run that tells what is wrong with the reference itself.

    Returns
    -------
    list of Problem
        It cannot be read or put together again; it was made of another kind of matrix.
    """
    try:
        frozen = load()
        if frozen is None:
            return []
        with reading_users(str(folder), "a reference that stratifn froze", COPY_AGAIN):
            made_of = from_parts(*frozen).kind
    except InputError as error:
        return error.problems if first else []
    kinds = [view["kind"] for view in cohort["views"] if view["name"] == RNA and view["kind"] != made_of]
    expected = f"{made_of}, as in the reference {folder}"
    fix = "Give expression of that kind, or remove `interferon.reference`."
    return [
        Problem("config", "interferon.reference", f"kind {kind} of the view rna", expected, fix, code="IN-186")
        for kind in kinds
    ]


def protein_checks(cohort: Mapping[str, Any], analyte: str | None) -> Checks:
    """Return what is asked of a cohort whose IFN-alpha protein the config names; None where it is to be detected."""
    names = [view["name"] for view in cohort["views"] if view["kind"] == CONCENTRATION]
    return Checks(features=lambda features: _no_analyte(features, names, analyte))


def _no_analyte(features: Mapping[str, Sequence[str]], views: Sequence[str], analyte: str | None) -> list[Problem]:
    # a view that cannot be read may have it
    if analyte is None or not views or not features.keys() >= {*views}:
        return []
    known = list(dict.fromkeys(name for view in views for name in features[view]))
    if analyte in known:
        return []
    expected = f"an analyte of {' or '.join(views)}: {listed(known)}"
    fix = "Correct the name, or remove the key: the analyte is then detected from its name."
    return [Problem("config", "interferon.protein_analyte", f"`{analyte}`", expected, fix, code="IN-233")]
