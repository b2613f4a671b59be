"""Figures of strata: who is in them, how many there are and why, how they hold together, what marks them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.content import FigureRecord
from stratifn.report.figures.flow import Flow, Node, draw_flow
from stratifn.report.figures.marks import heat_map, panel_grid, subplots
from stratifn.report.figures.style import CLASS_COLOURS, FAINT_COLOUR, HIDDEN_COLOUR, PALETTE
from stratifn.report.results import Results
from stratifn.report.signature_by_stratum import SignatureByStratum
from stratifn.report.small_cells import HIDDEN, Division
from stratifn.shared.claims import bound_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# markers of each stratum in a view
TOP_MARKERS = 5
# standard deviations at the ends of the colours
MOST_EXTREME = 2


def strata_flow(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how the groups divide into strata, and the strata into classes of the signature, where there are several."""
    groups = [group for group in results.groups if results.heads.totals[group] >= max(results.min_cell, 1)]
    if results.one_stratum or not groups:
        return
    names, colours = results.heads.shown_strata, results.stratum_colours
    into = results.heads.by_stratum.of(groups)
    crossed = results.signature_by_stratum if results.has_classes else None
    # people who are told of by their group, or by their class
    size = into.least[list(names)].sum()
    if crossed is not None:
        size = np.maximum(size, crossed.divided.least[list(names)].sum())
    first = [
        Node(name, f"{name} ({results.heads.total(name)})", int(into.counts.loc[name].sum()), results.colours[name])
        for name in groups
    ]
    second = [
        Node(key, _stratum_words(key, name, results.heads.by_stratum), int(size[key]), colours[name])
        for key, name in names.items()
    ]
    flows = [Flow(0, g, key, int(into.least.loc[g, key]), into.words.loc[g, key]) for g in groups for key in names]
    rest = (into.counts.sum(axis=1) - into.least[list(names)].sum(axis=1)).astype(int)
    flows += [Flow(0, group, HIDDEN, rest[group], "") for group in groups]
    second.append(_not_shown(int(rest.sum())))
    columns, titles = [first, second], ["group", "stratum"]
    if crossed is not None:
        classes, to_classes = _to_classes(crossed, size)
        columns, titles, flows = [*columns, classes], [*titles, "ISG signature"], [*flows, *to_classes]
    yield "", draw_flow(columns, titles, flows)


def _to_classes(crossed: SignatureByStratum, size: pd.Series) -> tuple[list[Node], list[Flow]]:
    """Return the classes, and the flows from the strata to them."""
    least, words = crossed.divided.least, crossed.divided.words
    flows = [
        Flow(1, key, name, int(least.loc[name, key]), words.loc[name, key])
        for key in size.index
        for name in least.index
    ]
    rest = size - least[list(size.index)].sum()
    flows += [Flow(1, key, HIDDEN, int(rest[key]), "") for key in size.index]
    nodes = [
        Node(name, _with_total(name, crossed.totals[name]), int(least.loc[name].sum()), CLASS_COLOURS[name])
        for name in least.index
    ]
    return [*nodes, _not_shown(int(rest.sum()))], flows


def _not_shown(size: int) -> Node:
    return Node(HIDDEN, "not shown", size, HIDDEN_COLOUR)


def _with_total(name: str, total: str) -> str:
    return name if total == HIDDEN else f"{name} ({total})"


def _stratum_words(key: str, name: str, divided: Division) -> str:
    """Name a stratum, with its size where no group, shown or not, hides a part of it."""
    return f"{name} ({int(divided.counts[key].sum())})" if divided.exact.all(axis=None) else name


def stability_bound(results: Results) -> float:
    """Return from where on a division counts as stable; where nothing was judged by it, what it would have been."""
    used = results.bound("strata", "stability")
    return bound_of("strata", "stability") if used is None else used


def selection(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the criteria for every number of strata that was tried, with the bounds of the rule."""
    table = results.tables["selection"]
    tried = table[table["k"] > 1] if "bic" in table else table[:0]
    if tried.empty:
        return
    alpha, least = results.bound("strata", "null_pvalue"), stability_bound(results)
    figure, panels = subplots(9.6, 3.0, columns=4)
    chosen = tried["chosen"].astype(bool)
    enough = tried["stability"] >= least
    values = {
        "p without structure": tried["null_pvalue"],
        "mean bootstrap Jaccard": tried["stability"],
        "BIC above the lowest": tried["bic"] - tried["bic"].min(),
    }
    for axes, (words, column) in zip(panels, values.items(), strict=False):
        axes.plot(tried["k"], column, color=FAINT_COLOUR, linewidth=1.2, zorder=1)
        # the first criterion is of all numbers together
        full = np.ones(len(tried), dtype=bool) if axes is panels[0] else enough.to_numpy()
        axes.scatter(tried["k"][full], column[full], s=32, color=PALETTE[6], zorder=2)
        axes.scatter(tried["k"][~full], column[~full], s=30, facecolors="white", edgecolors=PALETTE[6], zorder=2)
        axes.set_ylabel(words)
    for words, column, marker in (("silhouette", "silhouette", "s"), ("ambiguous pairs", "pac", "^")):
        panels[3].plot(tried["k"], tried[column], color="#777777", marker=marker, markersize=5, label=words)
    panels[3].legend(loc="upper center", bbox_to_anchor=(0.5, -0.25))
    smallest = float(np.nanmin([*tried["null_pvalue"], alpha or 1]))
    powers = [10.0**power for power in range(int(np.floor(np.log10(smallest))), 1)]
    panels[0].set_yscale("log")
    panels[0].set_yticks(powers, [f"{power:g}" for power in powers])
    panels[0].minorticks_off()
    panels[0].set_ylim(smallest / 1.6, 1.4)
    for axes, bound in ((panels[0], alpha), (panels[1], least)):
        if bound is not None:
            axes.axhline(bound, color="black", linewidth=0.9, linestyle="--")
            axes.annotate(
                f"{bound:g}",
                (1, bound),
                xycoords=("axes fraction", "data"),
                xytext=(2, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    for axes, title in zip(panels, ("1. structure?", "2. stable?", "3. lowest BIC", "for comparison"), strict=False):
        axes.set_title(title, loc="left")
        if axes in panels[1:3] and chosen.any():
            column = values[axes.get_ylabel()]
            axes.scatter(
                tried["k"][chosen], column[chosen], s=130, facecolors="none", edgecolors="black", linewidths=1.2
            )
    for axes in panels:
        axes.set(xlabel="number of strata", xticks=tried["k"])
        axes.margins(x=0.12)
    yield "", figure


def consensus(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how often each person falls together with each stratum over the resamples."""
    table = results.tables["consensus"]
    if results.one_stratum or table.empty:
        return
    wide = table.assign(stratum=table["stratum"].astype(str)).pivot(
        index="sample", columns="stratum", values="consensus"
    )
    wide = wide[[name for name in results.heads.stratum_names if name in wide]].astype(float)
    own = results.tables["strata"].set_index("sample")["stratum"].astype(str).reindex(wide.index)
    names = results.heads.stratum_names
    if not results.shown.lists_people:
        yield "", _mean_consensus(wide, own, results)
        return
    number = own.map({key: place for place, key in enumerate(names)})
    with_own = [wide.at[sample, key] if key in wide else wide.loc[sample].max() for sample, key in own.items()]
    order = np.lexsort((-np.nan_to_num(with_own), number))
    figure, (panel,) = subplots(9.0, 1.3 + 0.3 * wide.shape[1])
    image = panel.imshow(
        wide.iloc[order].T.to_numpy(), cmap="Purples", vmin=0, vmax=1, aspect="auto", interpolation="nearest"
    )
    starts = np.flatnonzero(np.diff(number.iloc[order], prepend=-1))
    for start in starts[1:]:
        panel.axvline(start - 0.5, color="black", linewidth=0.8)
    ends = [*starts[1:], len(order)]
    middles = [(start + end - 1) / 2 for start, end in zip(starts, ends, strict=True)]
    keys = [own.iloc[order[start]] for start in starts]
    panel.set_xticks(middles, [names[key] for key in keys])
    panel.set_yticks(range(wide.shape[1]), [names[key] for key in wide])
    _without_frame(panel)
    panel.set(xlabel="people, by their stratum", ylabel="together with")
    figure.colorbar(image, ax=panel, label="mean consensus", pad=0.01)
    yield "", figure


def _mean_consensus(wide: pd.DataFrame, own: pd.Series, results: Results) -> Figure:
    """Draw the means of the people of each stratum; of few none."""
    sizes = own.value_counts()
    rows = [key for key in wide if sizes.get(key, 0) >= results.min_cell]
    grid = wide.groupby(own).mean().reindex(rows).T
    names = results.heads.stratum_names
    figure, (panel,) = subplots(2.6 + 0.95 * max(len(rows), 1), 1.2 + 0.32 * wide.shape[1])
    words = [["" if np.isnan(value) else f"{value:.2f}" for value in row] for row in grid.to_numpy()]
    heat_map(panel, grid, words, (0, 1))
    panel.set_xticks(range(len(rows)), [names[key] for key in rows], rotation=20, ha="right", rotation_mode="anchor")
    panel.set_yticks(range(len(grid)), [names[key] for key in grid.index])
    panel.set(xlabel="people, by their stratum", ylabel="together with")
    return figure


def _without_frame(panel: Axes) -> None:
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)


def markers(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the mean of every stratum on its leading markers, one panel per view."""
    if results.one_stratum:
        return
    leading = results.tables["markers"].groupby(["view", "stratum"], sort=False).head(TOP_MARKERS)
    shown = {view: _levels(view, leading, results) for view in results.views if view in results.marker_levels}
    shown = {view: grid for view, grid in shown.items() if len(grid)}
    if not shown:
        return
    rows, columns = max(len(grid) for grid in shown.values()), min(len(shown), 4)
    strata = max(grid.shape[1] for grid in shown.values())
    figure, panels = panel_grid(len(shown), columns, 1.55 + 0.26 * strata, 1.5 + 0.155 * rows, beside=0.7)
    image = None
    for panel, (view, grid) in zip(panels, shown.items(), strict=True):
        blank: Sequence[Sequence[str]] = [[""] * grid.shape[1]] * len(grid)
        image = heat_map(panel, grid, blank, (-MOST_EXTREME, MOST_EXTREME), colours="RdBu_r")
        names = [results.heads.stratum_names[key] for key in grid]
        panel.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
        panel.tick_params(labelsize=7.5)
        panel.set_title(view, loc="left")
    if image is not None:
        figure.colorbar(image, ax=panels, label="mean (SD)", shrink=0.6, extend="both", pad=0.01)
    yield "", figure


def _levels(view: str, leading: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Return the markers of a view (the first stratum's first) x strata of enough people."""
    levels = results.marker_levels[view]
    features = leading.loc[leading["view"] == view, "feature"].drop_duplicates()
    sizes = results.heads.by_stratum.counts.sum()
    kept = [key for key in results.heads.stratum_names if key in levels and sizes.get(key, 0) >= results.min_cell]
    return levels.loc[[name for name in features if name in levels.index], kept].rename(index=results.gene_names)


FIGURES = (
    FigureRecord(
        "strata_flow",
        "Where the people of each group are: from groups to strata and, where there are classes, on to the ISG expression "
        "signature of these people. Numbers are people; pale grey: numbers too small to be shown and what they would follow from.",
        strata_flow,
    ),
    FigureRecord(
        "selection",
        "How the number of strata was chosen. There is structure if the smallest p of the first panel lies on or below the "
        "dashed level. Of the numbers whose strata are stable (on or above the dashed bound; the others are hollow) and not too "
        "small, that with the lowest BIC is taken; if none is stable, the most stable one. A ring marks it; without a ring there is "
        "one stratum. Silhouette and the share of ambiguous pairs decide nothing.",
        selection,
    ),
    FigureRecord(
        "consensus",
        "How clearly people belong together: the share of the resamples in which a person (column) falls into one cluster with "
        "the people of each stratum (row), as a mean. A clear division is dark in its own row and white elsewhere.",
        consensus,
        without_people="How clearly people belong together: the share of the resamples in which the people of a stratum (column) "
        "fall into one cluster with those of each stratum (row), as a mean. A clear division is near 1 on the diagonal and near "
        "0 elsewhere.",
    ),
    FigureRecord(
        "markers",
        f"What marks each stratum: its {TOP_MARKERS} leading markers in each view, and the mean of every stratum on them. "
        "Descriptive: the strata were made from these views.",
        markers,
    ),
)
