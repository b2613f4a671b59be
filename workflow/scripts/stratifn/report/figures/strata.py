"""Figures of factors and strata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from stratifn.report.content import FigureRecord
from stratifn.report.figures.marks import heat_map, scatter, stacked, subplots
from stratifn.report.figures.style import PALETTE
from stratifn.report.results import Results
from stratifn.shared.vocabulary import UNCERTAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# percent; a factor that explains less of a view gets no number there
LEAST_NAMED = 0.5


def variance_explained(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the variance explained per factor and view, and by all factors."""
    table = results.tables["variance_explained"]
    factors = [name for name in table["factor"].drop_duplicates() if name != "total"]
    if not factors:
        return
    grid = table.pivot(index="factor", columns="view", values="r2").reindex(columns=results.views).astype(float)
    by_factor = grid.loc[factors]
    figure, (panel, total) = subplots(2.6 + 1.05 * len(results.views), 1.4 + 0.32 * len(factors), columns=2)
    words = [
        ["" if r2 < LEAST_NAMED else f"{r2:.0f}" if r2 >= 1 else f"{r2:.1f}" for r2 in row]
        for row in by_factor.to_numpy()
    ]
    heat_map(panel, by_factor, words, (0, max(np.nanmax(by_factor.to_numpy()), 1)))
    panel.set_xticks(range(len(results.views)), results.views, rotation=35, ha="right", rotation_mode="anchor")
    panel.set_title("per factor (%)", loc="left")
    total.bar(range(len(results.views)), grid.loc["total"], color=PALETTE[6], width=0.65)
    total.set_xticks(range(len(results.views)), results.views, rotation=35, ha="right", rotation_mode="anchor")
    total.set(ylabel="variance explained (%)", ylim=(0, 100))
    total.set_title("all factors", loc="left")
    yield "", figure


def factors(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the two leading factors by disease, and by stratum where there are several."""
    strata = results.tables["strata"].set_index("sample")
    factors = results.tables["factors"].set_index("sample")
    if factors.shape[1] < 2:
        return
    shown = _leading_factors(results, list(factors.columns))
    names, looks = strata["stratum"].map(str).map(results.heads.stratum_names), results.stratum_looks
    if not names.eq(UNCERTAIN).any():
        looks.pop(UNCERTAIN)
    panel_groups = [("disease", strata["disease"], results.looks), ("stratum", names, looks)]
    if results.one_stratum:
        panel_groups.pop()
    figure, panels = subplots(4.8 * len(panel_groups), 3.8, columns=len(panel_groups))
    for axes, (title, groups, looks) in zip(panels, panel_groups, strict=True):
        scatter(axes, factors[shown[0]], factors[shown[1]], groups, looks, results.shown)
        axes.set(xlabel=shown[0], ylabel=shown[1])
        axes.set_title(f"by {title}", loc="left")
    yield "", figure


def _leading_factors(results: Results, factors: list[str]) -> list[str]:
    """Return the two robust factors that explain most (any two where fewer are robust)."""
    robust = [factor for factor in factors if factor in results.robust_factors]
    return [*robust, *(factor for factor in factors if factor not in robust)][:2]


def strata_composition(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how each group divides into strata, where there are several."""
    if results.one_stratum:
        return
    totals = {group: results.heads.total(group) for group in results.groups}
    divided = results.heads.by_stratum.of(results.groups).called(results.heads.stratum_names)
    yield "", stacked(divided, totals, results.stratum_colours, "stratum")


FIGURES = (
    FigureRecord(
        "variance_explained",
        "Variance explained in each view by each MOFA factor (left; no number below 0.5 %) and by all factors (right).",
        variance_explained,
    ),
    FigureRecord(
        "factors",
        "The two leading factors, robust ones first, coloured by disease and, if there are several strata, by stratum.",
        factors,
        without_people="The two leading factors, robust ones first, by disease and, if there are several strata, by stratum: "
        "mean and one standard deviation of each group.",
        again=True,
    ),
    FigureRecord(
        "strata_composition",
        "Share of each group in each stratum. Hidden: counts too small to be shown, and what they would follow from.",
        strata_composition,
    ),
)
