"""The report's colours by value, for whoever draws the results elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from stratifn.report.content import stratum_labels
from stratifn.report.figures.style import CLASS_COLOURS, colours_of, group_looks, stratum_looks
from stratifn.shared.vocabulary import UNCERTAIN


def category_colours(
    diseases: Sequence[str], control: str | None, stability: pd.DataFrame
) -> dict[str, dict[str, str]]:
    """Return the colours of diseases, classes, strata and their labels, as in the figures.

    Parameters
    ----------
    diseases, control
        Labels of the cohort.
    stability
        ``stratification/stability.tsv``.

    Returns
    -------
    dict
        ``disease``, ``ifn_class``, ``stratum`` and ``stratum_label``: each value to its colour, in the report's order.
    """
    labels = {str(number): label for number, label in stratum_labels(stability).items()} | {UNCERTAIN: UNCERTAIN}
    strata = colours_of(stratum_looks(labels))
    names = dict(zip(stability["stratum"].astype(str), stability["label"].astype(str), strict=True))
    of_label: dict[str, str] = {}
    for number, colour in strata.items():
        of_label.setdefault(names.get(number, number), colour)
    return {
        "disease": colours_of(group_looks(diseases, control)),
        "ifn_class": dict(CLASS_COLOURS),
        "stratum": strata,
        "stratum_label": of_label,
    }
