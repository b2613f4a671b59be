"""The tracks of the interferon atlas: what is known of each person, as colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.report.figures.style import CLASS_COLOURS
from stratifn.report.results import Results
from stratifn.shared.vocabulary import (
    IN_VIEW,
    NO,
    NO_RESPONSE,
    OTHER_RESPONSE,
    TYPE_I,
    TYPE_I_II,
    TYPE_II,
    UNCERTAIN,
    UNSCORED,
    YES,
)

TYPE_COLOURS = {
    NO_RESPONSE: "#dddddd", TYPE_I: "#5d3a9b", TYPE_I_II: "#b5488f", TYPE_II: "#e69f00", UNCERTAIN: "#d9c7a3",
    OTHER_RESPONSE: "#7a5c00",
}  # fmt: skip
# the name of the track of classes
OF_CLASS = "ISG signature"
YES_COLOUR, NO_COLOUR = "#333333", "#eeeeee"
NOTHING = "#ffffff"
# associations of these kinds name the columns of the sheet
ACTIVITY, TREATMENT_KINDS = "activity", ("treatment", "anti-IFN therapy")


@dataclass(frozen=True)
class Track:
    """One line of colours: what it says, the colour of each column, and the colours to explain."""

    name: str
    colours: pd.Series
    legend: Mapping[str, str]


def classes_of(results: Results) -> pd.Series:
    """Return the class of each sample."""
    return results.tables["classes"].set_index("sample")["ifn_class"].fillna(UNSCORED)


def _class_track(results: Results, people: pd.Index) -> Iterator[Track]:
    if results.has_classes:
        yield levels(OF_CLASS, classes_of(results).reindex(people), CLASS_COLOURS)


def _certainty(results: Results, people: pd.Index) -> Iterator[Track]:
    if results.has_classes:
        values = results.tables["classes"].set_index("sample")["probability_high"].reindex(people)
        yield _numbers("probability of high", values, 0.0, 1.0)


def _type_track(results: Results, people: pd.Index) -> Iterator[Track]:
    types = results.tables["classes"].set_index("sample")["ifn_type"].reindex(people)
    if types.notna().any():
        yield levels("type of response", types, TYPE_COLOURS)


def _stratum_track(results: Results, people: pd.Index) -> Iterator[Track]:
    if results.one_stratum:
        return
    strata = results.tables["strata"].set_index("sample")["stratum"].map(str).reindex(people)
    yield levels("stratum", strata.map(results.heads.stratum_names), results.stratum_colours)


def _from_sheet(results: Results, people: pd.Index) -> Iterator[Track]:
    """Treatment and activity, where anybody whom the page shows differs from another."""
    table = results.tables["confounding"]
    for kinds in (TREATMENT_KINDS, (ACTIVITY,)):
        for name in sorted(set(table.loc[table["kind"].isin(kinds), "variable"])):
            if name not in results.samples:
                continue
            values = results.samples.set_index("sample")[name].reindex(people)
            if values.nunique() < 2:
                continue
            words = name.replace("_", " ")
            if pd.api.types.is_numeric_dtype(values) and values.dtype != bool:
                yield _numbers(words, values.astype(float), float(values.min()), float(values.max()))
            else:
                answers = values.map({True: YES, False: NO, YES: YES, NO: NO})
                if answers.notna().sum() == values.notna().sum():
                    yield levels(words, answers, {YES: YES_COLOUR, NO: NO_COLOUR})


def _missing_views(results: Results, people: pd.Index) -> Iterator[Track]:
    measured = results.samples.set_index("sample").reindex(people)
    names = [IN_VIEW + view for view in results.views if IN_VIEW + view in measured]
    missing = (~measured[names].astype(bool)).sum(axis=1)
    if missing.any():
        yield _numbers("views missing", missing.astype(float), 0.0, float(max(missing.max(), 2)))


Make = Callable[[Results, pd.Index], Iterator[Track]]
TRACKS: tuple[Make, ...] = (_class_track, _certainty, _type_track, _stratum_track, _from_sheet, _missing_views)


def levels(name: str, values: pd.Series, colours: Mapping[str, str]) -> Track:
    """Colour values by their level."""
    present = {level: colour for level, colour in colours.items() if values.eq(level).any()}
    return Track(name, values.map(present).fillna(NOTHING), present)


def _numbers(name: str, values: pd.Series, low: float, high: float) -> Track:
    """Colour numbers from light to dark; who has none is white."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    def shade(value: float) -> str:
        part = 0.0 if high <= low else (value - low) / (high - low)
        return to_hex(colormaps["Greys"](0.08 + 0.84 * part))

    colours = values.map(lambda value: NOTHING if np.isnan(value) else shade(float(value)))
    return Track(name, colours, {f"{low:g}": shade(low), f"{high:g}": shade(high)})
