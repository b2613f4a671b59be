"""Figures of the kind of response: type I and type II, modules, signatures, protein, methylation, and axes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.report.content import FigureRecord
from stratifn.report.figures.marks import heat_map, one_legend, panel_grid, scatter, strip, subplots
from stratifn.report.figures.style import MANY_PEOPLE
from stratifn.report.results import Results
from stratifn.shared.vocabulary import (
    MODULE_DRAWN_FROM,
    MODULE_METHOD,
    MODULES,
    OTHER_RESPONSE,
    SHARE_OF_OTHER_TYPE,
    UNCERTAIN,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXIS_LABELS = {
    "ligand": "ligand: IFN-alpha protein\n(log2 over the controls' median)",
    "sensing": "sensing genes\n(log2 over controls, less the type I share)",
    "response": "response: ISG expression score",
}


def methylation(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the methylation score of every sample."""
    score = results.tables["methylation"].set_index("sample")["score"]
    if score.notna().sum() == 0:
        return
    figure, (panel,) = subplots(1.6 + 0.95 * len(results.groups), 3.4)
    groups = results.disease_of.reindex(score.index)
    strip(panel, score, groups, results.looks, results.heads.with_value, results.shown)
    panel.set_ylabel("IFN methylation score\n(minus mean z against controls)")
    yield "", figure


def axes(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw every two of the axes that have values against each other."""
    shown = results.shown_axes
    if len(shown) < 2:
        return
    wide = results.tables["axes"].pivot(index="sample", columns="axis", values="score")
    diseases = results.disease_of.reindex(wide.index)
    pairs = sorted(combinations(shown, 2), key=lambda pair: pair[1] != shown[-1])
    width = 3.3 if len(pairs) > 1 else 4.2
    figure, panels = panel_grid(len(pairs), len(pairs), width=width, height=3.3, beside=1.0)
    for panel, (first, second) in zip(panels, pairs, strict=True):
        scatter(panel, wide[first], wide[second], diseases, results.looks, results.shown)
        panel.set(xlabel=AXIS_LABELS[first], ylabel=AXIS_LABELS[second])
    one_legend(figure, panels)
    yield "", figure


def types(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw both parts of the response with their intervals and what the regions are called; rings where undecided."""
    fitted = results.tables["response_types"].set_index("sample").dropna(subset=["type_i", "type_ii"])
    if fitted.empty:
        return
    figure, (panel,) = subplots(6.2, 4.4)
    if results.shown.lists_people:
        bars = {"colors": fitted["disease"].map(results.colours), "linewidth": 0.6, "alpha": 0.3, "zorder": 0}
        bars["rasterized"] = len(fitted) > MANY_PEOPLE
        panel.hlines(fitted["type_ii"], fitted["type_i_low"], fitted["type_i_high"], **bars)
        panel.vlines(fitted["type_i"], fitted["type_ii_low"], fitted["type_ii_high"], **bars)
    undecided = fitted["ifn_type"].isin([UNCERTAIN, OTHER_RESPONSE])
    scatter(panel, fitted["type_i"], fitted["type_ii"], fitted["disease"], results.looks, results.shown, undecided)
    if undecided.any() and results.shown.lists_people:
        panel.plot([], [], "o", markerfacecolor="none", markeredgecolor="black", markersize=4.5, label="undecided")
        panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)
    _regions(panel, float(fitted["type_i_cutoff"].iloc[0]), float(fitted["type_ii_cutoff"].iloc[0]))
    panel.set(xlabel="type I response (mean log2 over controls)", ylabel="type II response\n(mean log2 over controls)")
    yield "", figure


def _regions(panel: Axes, type_i: float, type_ii: float) -> None:
    """Draw the boundaries between the types, and name what lies between them.

    A part is there above the higher of its cut-off and a quarter of the other part.
    """
    right, top = panel.get_xlim()[1], panel.get_ylim()[1]
    panel.set(xlim=(min(panel.get_xlim()[0], -0.02), right), ylim=(min(panel.get_ylim()[0], -0.02), top))
    line: dict[str, Any] = {"color": "black", "linewidth": 0.8, "linestyle": "--", "zorder": 0}
    share = SHARE_OF_OTHER_TYPE
    # type I is there to the right of the first line, type II above the second
    panel.plot(
        [type_i, type_i, max(type_i, share * top)],
        [panel.get_ylim()[0], type_i / share, max(type_i / share, top)],
        **line,
    )
    panel.plot(
        [panel.get_xlim()[0], type_ii / share, max(type_ii / share, right)],
        [type_ii, type_ii, max(type_ii, share * right)],
        **line,
    )
    # where few people are: right of the middle of each region's outer edge
    named = (
        ("type I", right, 0.45 * share * right, "right"),
        ("type II", panel.get_xlim()[0], 0.97 * top, "left"),
        ("type I and II", right, 0.97 * top, "right"),
    )
    for words, x, y, across in named:
        panel.annotate(
            words, (x, y), xytext=(4 if across == "left" else -4, 0), textcoords="offset points", ha=across, va="center", fontsize=9,
            color="#555555", zorder=4,
        )  # fmt: skip


def modules(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how much of each interferon module of blood is up in each person, with what counts as active."""
    table, reference = results.tables["scores"], results.tables["reference"]
    known = {
        name: table[(table["signature"] == name) & (table["method"] == MODULE_METHOD)]
        .set_index("sample")["score"]
        .dropna()
        for name in MODULES
    }
    known = {name: 100 * score.astype(float) for name, score in known.items() if len(score)}
    if not known:
        return
    figure, panels = panel_grid(len(known), len(known), width=0.7 + 0.62 * len(results.groups), height=3.3, beside=0.3)
    for panel, (name, score) in zip(panels, known.items(), strict=True):
        strip(
            panel,
            score,
            results.disease_of.reindex(score.index),
            results.looks,
            results.heads.with_value,
            results.shown,
        )
        own = reference[(reference["signature"] == name) & (reference["method"] == MODULE_METHOD)]["cutoff"].dropna()
        if len(own):
            panel.axhline(
                100 * max(float(own.iloc[0]), MODULE_DRAWN_FROM), color="black", linewidth=0.9, linestyle="--", zorder=1
            )
        panel.set_title(name.rpartition("_")[2], loc="left")
        panel.set_xticks(panel.get_xticks(), [label.get_text().partition("\n")[0] for label in panel.get_xticklabels()])
        panel.set_ylim(min(-4, score.min() - 4), 104)
    panels[0].set_ylabel("genes of the module that are up (%)")
    yield "", figure


def agreement(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the rank correlation of every pair of signatures among patients."""
    pairs = results.tables["agreement"].dropna(subset=["spearman"])
    if pairs.empty:
        return
    names = sorted({*pairs["signature_a"], *pairs["signature_b"]})
    grid = pd.DataFrame(np.nan, names, names)
    for pair in pairs.itertuples():
        grid.loc[pair.signature_a, pair.signature_b] = grid.loc[pair.signature_b, pair.signature_a] = pair.spearman
    figure, (panel,) = subplots(2.4 + 0.42 * len(names), 1.8 + 0.36 * len(names))
    words = [["" if np.isnan(rho) else f"{rho:.2f}" for rho in row] for row in grid.to_numpy()]
    # white is no agreement, on one scale for every cohort
    image = heat_map(panel, grid, words, (-1, 1), fontsize=7.5, colours="PuOr")
    panel.tick_params(labelsize=8)
    panel.tick_params(axis="x", labelrotation=90)
    figure.colorbar(image, ax=panel, shrink=0.6, label="Spearman's rho")
    yield "", figure


def protein_ranks(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the difference of the two ranks against their mean, as Bland and Altman do for measurements."""
    table = results.tables["protein_ranks"]
    if len(table) < 3:
        return
    figure, (panel,) = subplots(5.4, 3.4)
    table = table.set_index("sample")
    scatter(panel, table["mean_rank"], table["rank_difference"], table["disease"], results.looks, results.shown)
    panel.axhline(0, color="black", linewidth=0.8, zorder=0)
    reach = 1.1 * max(table["rank_difference"].abs().max(), 0.1)
    panel.set(xlabel="mean of the two ranks (share of people)", ylabel="rank of the protein\nless rank of the score")
    panel.set(xlim=(0, 1.02), ylim=(-reach, reach))
    yield "", figure


FIGURES = (
    FigureRecord(
        "types",
        "Which kind of interferon a response looks like: to the right of the steep boundary type I is present, above the flat one type II, "
        "and near the origin neither. Both parts are fitted together; each says how far it raises the genes of its profile on "
        "average. Thin lines: 90 % intervals over the genes. Dashed: the boundaries, which are what 97.5 % of healthy people stay "
        "below, or a quarter of the other part if that is more. A person is undecided whose interval crosses a boundary, or whom neither profile "
        "fits. The profiles come from airway cells.",
        types,
        without_people="Which kind of interferon a response looks like: mean and one standard deviation of each group. To the right of the steep "
        "boundary type I is present, above the flat one type II. Dashed: the boundaries, which are what 97.5 % of healthy people stay below, or a quarter of "
        "the other part if that is more. The profiles come from airway cells.",
        again=True,
    ),
    FigureRecord(
        "modules",
        "How broad the response is: in lupus M1.2 is the first module to become active, then M3.4, then M5.12 (Chiche 2014). Share of each "
        "module's genes that are up against the controls in each person, with the median of each group. Dashed: above it a module counts as "
        "active (15 %, or this run's own cut-off if that is more).",
        modules,
        without_people="How broad the response is: in lupus M1.2 is the first module to become active, then M3.4, then M5.12 (Chiche 2014). Share of "
        "each module's genes that are up against the controls: quartiles and median of each group. Dashed: above it a module counts as active.",
        again=True,
    ),
    FigureRecord(
        "agreement",
        "Where a cell is dark purple, two signatures rank the patients alike, and it matters little which of them is used. Rank correlation of the "
        "scores among patients of all diseases. Signatures that share genes are not independent evidence.",
        agreement,
    ),
    FigureRecord(
        "protein_ranks",
        "People far from the line have more, or less, IFN-alpha protein than their ISG expression score suggests. Difference of the two ranks "
        "against their mean, among people who have both.",
        protein_ranks,
        without_people="A group away from the line has more, or less, IFN-alpha protein than its ISG expression scores suggest. Difference of the two "
        "ranks against their mean, among people who have both: mean and one standard deviation of each group.",
    ),
    FigureRecord(
        "methylation",
        "A second view of the same response: the IFN methylation score is high where interferon-responsive CpGs are less methylated than in "
        "controls. Every sample, with the median of each group.",
        methylation,
        without_people="A second view of the same response: the IFN methylation score is high where interferon-responsive CpGs are less methylated "
        "than in controls. Quartiles and median of each group.",
    ),
    FigureRecord(
        "axes",
        "Who is high on one axis need not be high on another. Activity of the interferon pathway in each person, at two of the three points "
        "where drugs act at a time. Proteins below the limit of detection are drawn at one value.",
        axes,
        without_people="A group that is high on one axis need not be high on another. Activity of the interferon pathway at two of the three points "
        "where drugs act at a time: mean and one standard deviation of each group. Proteins below the limit of detection count as one value.",
        again=True,
    ),
)
