"""Figures of factors: what they explain, whether they are found again, what they follow, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.content import SHOWN_PADJ, SHOWN_WORDS, FigureRecord
from stratifn.report.figures.marks import heat_map, scatter, subplots
from stratifn.report.figures.style import DOWN_COLOUR, FAINT_COLOUR, PALETTE, UP_COLOUR
from stratifn.report.results import Results
from stratifn.shared.claims import NOT_COMPUTED, UNSUPPORTED
from stratifn.shared.vocabulary import UNCERTAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# percent; a factor that explains less of a view gets no number there
LEAST_NAMED = 0.5
# variables that are named beside a factor
FOLLOWED = 3
# factors whose weights are drawn, and weights of each in a view
WEIGHED_FACTORS, TOP_WEIGHTS = 4, 6
LONGEST_NAME = 22


def factor_overview(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the variance that each factor explains, whether other seeds find it, its name and what it follows."""
    import matplotlib.pyplot as plt

    table = results.tables["variance_explained"]
    factors = [name for name in table["factor"].drop_duplicates() if name != "total"]
    if not factors:
        return
    grid = table.pivot(index="factor", columns="view", values="r2").reindex(columns=results.views).astype(float)
    robustness = results.tables["robustness"].set_index("factor").reindex(factors)
    several = robustness["robust"].notna().any()
    widths = [0.7 + 0.62 * len(results.views), *([1.5] if several else []), 3.6]
    figure, axes = plt.subplots(
        1, len(widths), figsize=(1.1 + sum(widths), 1.5 + 0.27 * len(factors)), squeeze=False, width_ratios=widths
    )
    panels = list(axes[0])
    _explained(panels[0], grid.loc[factors], grid.loc["total"])
    if several:
        _found_again(panels[1], robustness)
    _meanings(panels[-1], factors, results)
    for panel in panels[1:]:
        panel.set(ylim=panels[0].get_ylim(), yticks=[])
    yield "", figure


def _explained(panel: Axes, by_factor: pd.DataFrame, total: pd.Series) -> None:
    words = [
        ["" if not r2 >= LEAST_NAMED else f"{r2:.0f}" if r2 >= 1 else f"{r2:.1f}" for r2 in row]
        for row in by_factor.to_numpy()
    ]
    heat_map(panel, by_factor, words, (0, max(np.nanmax(by_factor.to_numpy()), 1)))
    names = [f"{view} ({total[view]:.0f} % by all)" for view in by_factor]
    panel.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor", fontsize=8)
    panel.set_title("variance (%)", loc="left", fontsize=10)


def _found_again(panel: Axes, robustness: pd.DataFrame) -> None:
    """Draw the mean correlation with the factors of other seeds; of factors that are not robust as rings."""
    y = np.arange(len(robustness))
    robust = robustness["robust"].eq(True).to_numpy()
    value = robustness["mean_abs_r"].to_numpy(float)
    panel.hlines(y, 0, value, color=FAINT_COLOUR, linewidth=1.2, zorder=1)
    panel.scatter(value[robust], y[robust], s=30, color=PALETTE[6], zorder=2)
    panel.scatter(value[~robust], y[~robust], s=28, facecolors="white", edgecolors=PALETTE[6], zorder=2)
    panel.set(xlim=(0, 1.08), xticks=[0, 0.5, 1], xlabel="mean |r|")
    panel.set_title("other seeds", loc="left", fontsize=10)


def _meanings(panel: Axes, factors: list[str], results: Results) -> None:
    associations = results.tables["factor_associations"]
    called = associations[associations["padj"] < SHOWN_PADJ].sort_values(["pvalue", "variable"])
    interferon = interferon_factor(results)
    for y, factor in enumerate(factors):
        follows = ", ".join(called.loc[called["factor"] == factor, "variable"].head(FOLLOWED))
        if factor == interferon:
            panel.text(0, y, "interferon", va="center", fontsize=8.5, fontweight="bold")
            panel.text(0.24, y, follows, va="center", fontsize=8.5)
        else:
            panel.text(0, y, follows or "nothing", va="center", fontsize=8.5, color="black" if follows else "#777777")
    panel.set(xlim=(0, 1), xticks=[])
    panel.spines[:].set_visible(False)
    panel.set_title("what it follows", loc="left", fontsize=10)


def interferon_factor(results: Results) -> str | None:
    """Return the factor that may be called the interferon factor, weak or not."""
    said = results.tables["interferon_factor"].set_index("item")["value"]
    name = str(said["candidate"]) if pd.notna(said["candidate"]) else ""
    if not name or results.standing("interferon_factor", name).verdict in (UNSUPPORTED, NOT_COMPUTED):
        return None
    return name


def top_weights(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the largest weights of the leading factors in each view."""
    table = results.tables["top_features"]
    shown, views = _weighed(results), [view for view in results.views if view in set(table["view"])]
    if not shown or not views:
        return
    explained = results.tables["variance_explained"].set_index(["factor", "view"])["r2"]
    rows = sum(1 + min(TOP_WEIGHTS, (table["view"] == view).sum()) for view in views)
    figure, axes = subplots(0.2 + 2.6 * len(shown), 0.8 + 0.155 * rows, columns=len(shown))
    for panel, factor in zip(axes, shown, strict=True):
        y = 0
        names: dict[int, str] = {}
        for view in views:
            own = table[(table["view"] == view) & (table["factor"] == factor)].sort_values("rank").head(TOP_WEIGHTS)
            r2 = float(explained.get((factor, view), np.nan))
            panel.text(-1.1, y, f"{view}: {max(r2, 0):.1f} %", fontsize=8.5, fontweight="bold", va="center")
            names |= _weights(panel, own, results, r2 >= LEAST_NAMED, y + 1)
            y += 1 + len(own)
        panel.set_yticks(list(names), list(names.values()), fontsize=7.5)
        panel.set(xlim=(-1.1, 1.1), ylim=(y - 0.4, -0.6), xticks=[-1, 0, 1], xlabel="relative weight")
        panel.tick_params(axis="y", length=0)
        panel.spines["left"].set_visible(False)
        panel.set_title(f"{factor}: interferon" if factor == interferon_factor(results) else factor, loc="left")
    yield "", figure


def _weighed(results: Results) -> list[str]:
    """Return the factors whose weights are drawn: the interferon factor, then robust ones."""
    factors = list(results.tables["robustness"]["factor"])
    robust = results.robust_factors or factors
    first = interferon_factor(results)
    return list(dict.fromkeys([*([first] if first else []), *robust]))[:WEIGHED_FACTORS]


def _weights(panel: Axes, own: pd.DataFrame, results: Results, much: bool, y: int) -> dict[int, str]:
    """Draw the weights of one view from a row on; return the names of the features by row."""
    weights = own["weight"].to_numpy(float)
    places = np.arange(y, y + len(own))
    colours = [FAINT_COLOUR if not much else UP_COLOUR if weight > 0 else DOWN_COLOUR for weight in weights]
    panel.barh(places, weights / max(np.abs(weights).max(initial=0), np.finfo(float).tiny), color=colours, height=0.7)
    panel.vlines(0, y - 0.4, y + len(own) - 0.6, color="black", linewidth=0.6)
    names = [shortened(results.gene_names.get(feature, feature)) for feature in own["feature"]]
    return dict(zip(places.tolist(), names, strict=True))


def shortened(name: str) -> str:
    """Return a name that fits beside a bar."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."


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


FIGURES = (
    FigureRecord(
        "factor_overview",
        "What each MOFA factor explains and follows. Left: share of each view's variance (no number below "
        f"{LEAST_NAMED:g} %). Middle, with several seeds: mean correlation with the factors of the other seeds; hollow: not robust. "
        f"Right: the {FOLLOWED} strongest associations ({SHOWN_WORDS}), and which factor is the interferon factor.",
        factor_overview,
    ),
    FigureRecord(
        "top_weights",
        f"What the leading factors are made of: the {TOP_WEIGHTS} largest weights in each view, relative to the largest; beside the view "
        f"the share of its variance that the factor explains. Grey: less than {LEAST_NAMED:g} %. The sign of a factor is arbitrary: read it with the signs of its weights.",
        top_weights,
    ),
    FigureRecord(
        "factors",
        "The two leading factors, robust ones first, coloured by disease and, if there are several strata, by stratum.",
        factors,
        without_people="The two leading factors, robust ones first, by disease and, if there are several strata, by stratum: "
        "mean and one standard deviation of each group.",
        again=True,
    ),
)
