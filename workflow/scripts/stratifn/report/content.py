"""What a section is made of, and how numbers and samples are written in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.report.results import Results


@dataclass(frozen=True)
class Text:
    """A paragraph; `warning` sets it apart."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption; every cell is text by now. `search` adds a search field."""

    caption: str
    frame: pd.DataFrame
    search: bool = False


@dataclass(frozen=True)
class FigureSlot:
    """The figures of one `FigureRecord`, where they were drawn."""

    name: str


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    id: str
    title: str
    content: tuple[Text | Table | FigureSlot, ...]


def sample_labels(results: Results) -> pd.Series:
    """Return how each sample is called in the report: by its id, or by a number where ids are not to be shown."""
    ids = results.samples["sample"]
    if results.config["report"]["sample_ids"]:
        return pd.Series(ids.to_numpy(), index=ids)
    width = len(str(len(ids)))
    return pd.Series([f"#{number:0{width}d}" for number in range(1, len(ids) + 1)], index=ids)


def small_cells(counts: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Hide how few: a count between 1 and `min_cell` - 1 is shown as `<min_cell`."""
    limit = results.config["report"]["min_cell"]
    return counts.map(lambda count: f"<{limit}" if 0 < count < limit else str(count))


def formatted(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn numbers into text of three significant digits; missing values become an empty cell."""
    return frame.apply(lambda column: column.map(cell))


def cell(value: object) -> str:
    """Write a number with three significant digits; a missing value becomes an empty cell."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e6 else f"{value:.3g}"
    return str(value)


def first_reason(frame: pd.DataFrame) -> str:
    """Return the reason that most rows give."""
    reasons = frame["reason"].dropna()
    return str(reasons.mode().iloc[0]).rstrip(".") if len(reasons) else "no reason recorded"
