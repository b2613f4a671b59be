"""Figures of who was measured and analysed, and of quality."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from stratifn.report.content import SHOWN_PADJ, SHOWN_WORDS, FigureRecord
from stratifn.report.figures.marks import heat_map, one_legend, panel_grid, scatter, strip, subplots
from stratifn.report.figures.style import FAINT_COLOUR, PALETTE
from stratifn.report.head_counts import SCORES
from stratifn.report.results import Results
from stratifn.report.small_cells import people
from stratifn.shared.vocabulary import RNA, UNSCORED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# principal components of a view
DRAWN_COMPONENTS = 5
# of its dots
SIZES = 40
LONGEST_REASON = 68


def views(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how many samples of each group each view holds."""
    counts = results.measured
    totals = results.heads.totals.reindex(results.groups)
    # the colour would tell what the number does not
    shares = counts.where(counts >= results.min_cell, 0).div(totals.where(totals > 0), axis=0).fillna(0)
    # of one view the panel is narrower than its label
    figure, (panel,) = subplots(max(1.6 + 1.25 * len(results.views), 4.0), 1.1 + 0.42 * len(results.groups))
    words = counts.map(lambda count: people(int(count), results.min_cell)).to_numpy()
    heat_map(panel, shares, words, (0, 1.25), fontsize=10)
    names = [f"{group} (n = {results.heads.total(group)})" for group in results.groups]
    panel.set_yticks(range(len(names)), names)
    panel.set_xlabel("samples measured, by view")
    yield "", figure


def library_sizes(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the library size of every sample, one figure per view of counts."""
    from matplotlib.ticker import StrMethodFormatter

    quality = results.tables["quality"]
    sized = quality[quality["library_size"].notna()].set_index("sample")
    for view, of_view in sized.groupby("view"):
        figure, (panel,) = subplots(1.2 + 0.95 * len(results.groups), 3.2)
        groups = results.disease_of.reindex(of_view.index)
        strip(panel, of_view["library_size"] / 1e6, groups, results.looks, results.heads.with_value, results.shown)
        panel.set_yscale("log", subs=(2, 5))
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.yaxis.set_minor_formatter(StrMethodFormatter("{x:g}"))
        panel.set_ylabel(f"library size of {view}\n(million counts, log scale)")
        yield str(view), figure


def principal_components(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the first two components of every view, one panel each; flagged samples are ringed."""
    shown = {view: found for view, found in results.principal_components.items() if found.coordinates.shape[1] >= 2}
    if not shown:
        return
    quality = results.tables["quality"]
    odd = quality[quality["reason"].notna()]
    columns = min(len(shown), 2)
    figure, panels = panel_grid(len(shown), columns, width=3.5, height=3.0, beside=1.0)
    for panel, (view, components) in zip(panels, shown.items(), strict=True):
        coordinates = components.coordinates
        groups = results.disease_of.reindex(coordinates.index)
        scatter(panel, coordinates[0], coordinates[1], groups, results.looks, results.shown)
        if results.shown.lists_people:
            ringed = coordinates.reindex(odd.loc[odd["view"] == view, "sample"]).dropna()
            panel.scatter(ringed[0], ringed[1], s=70, facecolors="none", edgecolors="black", linewidths=0.9)
        first, second = components.variance_ratio[:2]
        panel.set(xlabel=f"PC1 ({100 * first:.0f} % of variance)", ylabel=f"PC2 ({100 * second:.0f} %)")
        panel.set_title(view, loc="left")
    one_legend(figure, panels)
    yield "", figure


def people_flow(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how many people are in every view and in every analysis."""
    from matplotlib.patches import Rectangle

    heads, views, analyses = results.heads, results.views, _analyses(results)
    rows = max(len(views), len(analyses))
    figure, (axes,) = subplots(10.0, 0.5 + 0.78 * rows)
    first = {"people": (f"{heads.everybody()} samples", f"of {heads.everybody('patient')} people")}
    kinds = {view["name"]: view["kind"] for view in results.settings["views"]}
    counts = {view: heads.of_everybody(int(heads.measured[view].sum()), view) for view in views}
    second = {view: (view, f"{kinds[view]}; samples: {counts[view]}") for view in views}
    third = {each.name: (each.name, each.words, each.why) for each in analyses}
    places: dict[str, float] = {}
    for x, width, column in ((0.0, 1.7, first), (2.5, 2.3, second), (5.7, 4.2, third)):
        for place, (key, lines) in enumerate(column.items()):
            # every column is centred
            y = (rows - len(column)) / 2 + place
            places[key] = y + 0.39
            axes.add_patch(Rectangle((x, y), width, 0.78, facecolor="#f6f6f6", edgecolor="#777777", linewidth=0.8))
            for line, (words, size) in enumerate(zip(lines, (9.5, 8.5, 7.5), strict=False)):
                weight = "normal" if line else "bold"
                axes.text(x + 0.1, y + 0.16 + 0.24 * line, words, fontsize=size, fontweight=weight, va="center")
    for view in views:
        axes.plot([1.7, 2.5], [places["people"], places[view]], color="#999999", linewidth=0.9, zorder=0)
    for each in analyses:
        for view in each.views:
            axes.plot([4.8, 5.7], [places[view], places[each.name]], color="#999999", linewidth=0.9, zorder=0)
    axes.set(xlim=(-0.05, 9.95), ylim=(rows - 0.2, -0.05))
    axes.set_axis_off()
    yield "", figure


class Analysis(NamedTuple):
    """An analysis, the views that it uses, how many samples are in it, and why the others are not."""

    name: str
    views: list[str]
    words: str
    why: str


def _analyses(results: Results) -> list[Analysis]:
    heads, rna = results.heads, [RNA] if RNA in results.views else []
    classes, strata = results.tables["classes"], results.tables["strata"]
    fitted = results.tables["design"]["sample"].nunique() if results.tested_contrasts else 0
    scored = classes["ifn_class"] != UNSCORED
    # a name that is no view and no column: who has no value is then told only where every such count is
    modelled, placed = (heads.of_everybody(len(results.tables[name]), "") for name in ("factors", "strata"))
    not_fitted = "" if fitted else "no contrast could be computed" if rna else "there is no view rna"
    undecided = (
        ""
        if results.one_stratum
        else f"uncertain: {heads.uncertain}; placed without the views that decide: {heads.uninformed}"
    )
    return [
        Analysis(
            "differential expression",
            rna,
            f"samples: {heads.of_everybody(fitted, RNA)}" if fitted else "none",
            not_fitted,
        ),
        Analysis(
            "interferon classes",
            rna,
            f"samples: {heads.of_everybody(int(scored.sum()), SCORES[0])}" if scored.any() else "none",
            "" if scored.all() else _shortened(f"others: {results.tidied(_reasons(classes[~scored]))}"),
        ),
        Analysis("MOFA", results.views, f"samples: {modelled}", ""),
        Analysis(
            "strata",
            results.views,
            f"samples: {placed}{'; one stratum' if results.one_stratum else ''}" if len(strata) else "none",
            undecided,
        ),
    ]


def _reasons(unscored: pd.DataFrame) -> str:
    reasons = unscored["reason"].dropna().astype(str)
    return "; ".join(reasons.value_counts(sort=False).index) or "no reason recorded"


def _shortened(words: str) -> str:
    return words if len(words) <= LONGEST_REASON else f"{words[: LONGEST_REASON - 3]}..."


def covariates(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how much of the leading principal components every variable explains, all views in one figure."""
    table = results.tables["covariate_associations"]
    number = table["component"].str.removeprefix("PC").astype(int)
    table = table.assign(number=number)[table["r2"].notna() & (number <= DRAWN_COMPONENTS)]
    if table.empty:
        return
    views = [view for view in results.views if view in set(table["view"])]
    # what explains most comes first
    order = (
        table.groupby("variable")["r2"]
        .max()
        .round(9)
        .reset_index()
        .sort_values(["r2", "variable"], ascending=[False, True])
    )
    rows = {name: place for place, name in enumerate(order["variable"])}
    components = {view: int(table.loc[table["view"] == view, "number"].max()) for view in views}
    starts = dict(zip(views, np.cumsum([0, *(components[view] + 1 for view in views)])[:-1], strict=True))
    width = sum(components.values()) + len(views) - 1
    figure, (axes,) = subplots(2.9 + 0.27 * width, 1.5 + 0.23 * len(rows))
    x = table["view"].map(starts) + table["number"] - 1
    y = table["variable"].map(rows)
    called = (table["padj"] < SHOWN_PADJ).to_numpy()
    # in few sizes: each is a mark of its own in the file
    share = (table["r2"].to_numpy(float) * SIZES).round() / SIZES
    area = 3 + 180 * share
    for chosen, colour in ((~called & (share > 0), FAINT_COLOUR), (called, PALETTE[6])):
        axes.scatter(x[chosen], y[chosen], s=area[chosen], color=colour, linewidths=0)
    ticks = [(starts[view] + place, f"PC{place + 1}") for view in views for place in range(components[view])]
    axes.set_xticks([at for at, _ in ticks], [name for _, name in ticks], rotation=90, fontsize=7.5)
    axes.set_yticks(range(len(rows)), list(rows), fontsize=8)
    for view in views:
        axes.text(starts[view] - 0.4, -1.0, view, fontsize=9.5, fontweight="bold", va="bottom")
    axes.set(xlim=(-0.8, width - 0.2), ylim=(len(rows) - 0.4, -0.9))
    axes.grid(color="#eeeeee", linewidth=0.6)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for example in (0.05, 0.25, 0.75):
        axes.scatter([], [], s=3 + 180 * example, color="#777777", linewidths=0, label=f"{100 * example:.0f} %")
    axes.legend(title="of variance", loc="center left", bbox_to_anchor=(1, 0.5), labelspacing=0.9)
    yield "", figure


FIGURES = (
    FigureRecord(
        "people_flow",
        "From the people to the views that were measured in them, and to the analyses that use these views (lines). Hidden: a "
        "number that would tell of few people.",
        people_flow,
    ),
    FigureRecord("views", "Samples measured in each view. Darker: a larger share of the group.", views),
    FigureRecord(
        "library_size",
        "Library size of every sample; the line is the median of the group.",
        library_sizes,
        without_people="Library size of each group: quartiles and median.",
    ),
    FigureRecord(
        "principal_components",
        "First two principal components of each normalised view, over the whole cohort; rings: flagged samples. "
        "If the samples split by something other than disease, check for batches.",
        principal_components,
        without_people="First two principal components of each normalised view, over the whole cohort: mean and one standard "
        "deviation of each group.",
    ),
    FigureRecord(
        "covariates",
        f"What the leading principal components follow: the area of a dot is the share of the component's variance that a "
        f"variable explains; dark: {SHOWN_WORDS}. The first {DRAWN_COMPONENTS} components of every view (all of them are in "
        "normalization/covariate_associations.tsv).",
        covariates,
    ),
)
