"""What a section is made of, and how numbers, samples and counts of people are written in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# columns that count people: they come as text, see `head_counts`
COUNTS_OF_PEOPLE = frozenset({"n", "n_level", "n_baseline", "below_limit"})
# an association is listed or starred where its adjusted p value is smaller, and these words say so
SHOWN_PADJ = 0.05
SHOWN_WORDS = f"adjusted p below {SHOWN_PADJ:g}"


@dataclass(frozen=True)
class Text:
    """A paragraph; `warning` sets it apart."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Statement:
    """A claim in one sentence, as the first screen shows it.

    Attributes
    ----------
    sentence
        What is claimed, as far as its verdict lets it be said.
    verdict
        One of `stratifn.shared.claims`.
    reasons
        What the verdict rests on, the worst first: one click away.
    section
        Where the evidence is: the id of a section.
    """

    sentence: str
    verdict: str
    reasons: tuple[str, ...]
    section: str


@dataclass(frozen=True)
class Table:
    """A table with its caption; every cell is text by now.

    Attributes
    ----------
    name
        Its anchor in the page, and the name of its file.
    caption
        What is shown and how to read it.
    frame
        The cells.
    people
        One row is one person: it can be sorted, filtered, copied, and opened.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    people: bool = False


@dataclass(frozen=True)
class FigureRecord:
    """One kind of figure.

    Attributes
    ----------
    name
        Start of the file name, and the `FigureSlot` that places it.
    caption
        What is shown and how to read it.
    draw
        From the results to the figures (item name, figure); nothing where the data are missing.
    without_people
        What is shown where nobody may be drawn as a point: the caption then.
    again
        Drawn for the overview, and again for each disease from its part of the results.
    """

    name: str
    caption: str
    draw: Callable[[Any], Iterator[tuple[str, Figure]]]
    without_people: str = ""
    again: bool = False


@dataclass(frozen=True)
class FigureSlot:
    """The figures of one `FigureRecord`, where they were drawn."""

    name: str


Item = Text | Statement | Table | FigureSlot


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    id: str
    title: str
    content: tuple[Item, ...]


def sample_labels(ids: Sequence[str], show_ids: bool) -> pd.Series:
    """Return how each sample is called in the report: by its id, or by a number where ids are not to be shown."""
    if show_ids:
        return pd.Series(list(ids), index=list(ids), dtype=object)
    width = len(str(len(ids)))
    return pd.Series([f"#{number:0{width}d}" for number in range(1, len(ids) + 1)], index=list(ids), dtype=object)


def stratum_labels(strata: pd.DataFrame) -> pd.Series:
    """Return the label of each stratum by its number, from columns stratum and label; empty where no label fits."""
    labels = strata.set_index("stratum")["label"].sort_index().fillna("").astype(str)
    return labels.mask(labels == labels.index.astype(str), "")


def stratum_names(strata: pd.DataFrame) -> pd.Series:
    """Return the number of each stratum, with its label where it has one, by number."""
    labels = stratum_labels(strata)
    return pd.Series(
        [f"{number} {label}".strip() for number, label in labels.items()], index=labels.index, dtype=object
    )


def formatted(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn numbers into text of three significant digits, and missing values into empty cells.

    Raises
    ------
    ValueError
        A column counts people and comes as numbers: nobody looked whether they may be shown.
    """
    for name in COUNTS_OF_PEOPLE & set(frame.columns):
        if pd.api.types.is_numeric_dtype(frame[name]) and len(frame):
            raise ValueError(f"column {name} counts people: write it by `head_counts`")
    return frame.apply(lambda column: column.map(cell))


def cell(value: object) -> str:
    """Write a number with three significant digits; a missing value becomes an empty cell."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:.0f}" if number.is_integer() and abs(number) < 1e6 else f"{number:.3g}"
    return str(value)


def first_reason(frame: pd.DataFrame) -> str:
    """Return the reason that most rows give."""
    reasons = frame["reason"].dropna()
    return str(reasons.mode().iloc[0]).rstrip(".") if len(reasons) else "no reason recorded"
