"""Figures of interferon scores, classes, methylation and axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.content import FigureRecord
from stratifn.report.figures.marks import heat_map, one_legend, panel_grid, scatter, stacked, strip, subplots
from stratifn.report.figures.style import CLASS_COLOURS
from stratifn.report.results import RANK_METHOD, Results
from stratifn.shared.vocabulary import OTHER_RESPONSE, UNCERTAIN, UNSCORED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PUBLISHED = {
    "marker": "D",
    "linestyle": "none",
    "markerfacecolor": "white",
    "markeredgecolor": "black",
    "markersize": 6,
}

AXIS_LABELS = {
    "ligand": "ligand: IFN-alpha protein\n(log2 over the controls' median)",
    "sensing": "sensing genes\n(log2 over controls, less the type I share)",
    "response": "response: ISG expression score",
}


def interferon_scores(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the score of every sample with the cut-off; without controls, the rank-based score."""
    classes, settings = results.tables["classes"].set_index("sample"), results.config["interferon"]
    if classes["score"].notna().any():
        hollow = classes["ifn_class"].eq(UNSCORED) & results.has_classes
        method, score = settings["method"], classes["score"]
    else:
        method, score, hollow = RANK_METHOD, results.scores(RANK_METHOD)["score"], None
    if score.notna().sum() == 0:
        return
    figure, (panel,) = subplots(1.6 + 0.95 * len(results.groups), 3.8)
    groups = results.disease_of.reindex(score.index)
    strip(panel, score, groups, results.looks, results.heads.with_value, results.shown, hollow)
    reference = results.tables["reference"]
    row = reference[(reference["signature"] == settings["signature"]) & (reference["method"] == method)]
    if len(row) and row["cutoff"].notna().all() and results.has_classes:
        cut_off(panel, *row.iloc[0][["cutoff", "cutoff_low", "cutoff_high"]])
    panel.set_ylabel(f"ISG expression score\n{settings['signature']}, {method}")
    yield "", figure


def cut_off(panel: Axes, value: float, low: float, high: float) -> None:
    """Draw the cut-off and its interval across a panel of scores."""
    if np.isfinite([low, high]).all():
        panel.axhspan(low, high, color="black", alpha=0.08, linewidth=0, zorder=0)
    panel.axhline(value, color="black", linewidth=1, linestyle="--", zorder=1)
    # beside the panel, where it covers nobody
    panel.annotate(
        f"cut-off\n{value:.2f}", (1, value), xycoords=("axes fraction", "data"), ha="left", va="center", xytext=(4, 0),
        textcoords="offset points", fontsize=8.5,
    )  # fmt: skip


def interferon_classes(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the share of each group by class."""
    if results.has_classes:
        totals = {group: results.heads.total(group) for group in results.groups}
        divided = results.heads.by_class.of(results.groups)
        yield "", stacked(divided, totals, CLASS_COLOURS, "ISG expression\nsignature")


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
    """Draw ligand and sensing against response."""
    shown = results.shown_axes
    if len(shown) < 2:
        return
    wide = results.tables["axes"].pivot(index="sample", columns="axis", values="score")
    diseases = results.disease_of.reindex(wide.index)
    figure, panels = panel_grid(len(shown) - 1, len(shown) - 1, width=4.0, height=3.5, beside=1.0)
    for panel, name in zip(panels, shown[:-1], strict=True):
        scatter(panel, wide[name], wide[shown[-1]], diseases, results.looks, results.shown)
        panel.set(xlabel=AXIS_LABELS[name], ylabel=AXIS_LABELS[shown[-1]])
    one_legend(figure, panels)
    yield "", figure


def prevalence(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the share with a positive signature, its interval, and the published figure."""
    table = results.tables["prevalence"]
    own = table[(table["signature"] == results.config["interferon"]["signature"]) & table["prevalence"].notna()]
    own = own.set_index("disease").reindex([group for group in results.groups if group in set(own["disease"])])
    if own.empty:
        return
    figure, (panel,) = subplots(6.4, 1.0 + 0.42 * len(own))
    for row, (group, found) in enumerate(own.iterrows()):
        share, colour = results.heads.share({"disease": group} | found.to_dict()), results.colours[group]
        panel.hlines(row, 100 * share.low, 100 * share.high, color=colour, linewidth=2)
        panel.plot(100 * share.value, row, "o", color=colour, markersize=7)
        if np.isnan(share.value):
            panel.text(0, row, share.words, va="center", fontsize=8.5)
        if np.isfinite(found["published"]):
            # beside our own figure, which it would hide
            panel.plot(100 * found["published"], row + 0.26, **PUBLISHED)
    panel.set_yticks(
        range(len(own)), [f"{group} (n = {results.heads.with_value(group, int(n))})" for group, n in own["n"].items()]
    )
    panel.set_ylim(len(own) - 0.5, -0.5)
    panel.set(xlim=(-2, 102), xlabel="samples above the cut-off (%)")
    if own["published"].notna().any():
        panel.plot([], [], label="published", **PUBLISHED)
        panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)
    yield "", figure


def types(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw both parts of the response with their intervals; rings where the type is uncertain or another."""
    fitted = results.tables["response_types"].set_index("sample").dropna(subset=["type_i", "type_ii"])
    if fitted.empty:
        return
    figure, (panel,) = subplots(5.4, 3.8)
    if results.shown.lists_people:
        bars = {"colors": fitted["disease"].map(results.colours), "linewidth": 0.6, "alpha": 0.35, "zorder": 0}
        panel.hlines(fitted["type_ii"], fitted["type_i_low"], fitted["type_i_high"], **bars)
        panel.vlines(fitted["type_i"], fitted["type_ii_low"], fitted["type_ii_high"], **bars)
    undecided = fitted["ifn_type"].isin([UNCERTAIN, OTHER_RESPONSE])
    scatter(panel, fitted["type_i"], fitted["type_ii"], fitted["disease"], results.looks, results.shown, undecided)
    cutoff = {"color": "black", "linewidth": 0.8, "linestyle": "--", "zorder": 0}
    panel.axvline(fitted["type_i_cutoff"].iloc[0], **cutoff)
    panel.axhline(fitted["type_ii_cutoff"].iloc[0], **cutoff)
    panel.set(xlabel="type I response (mean log2 over controls)", ylabel="type II response\n(mean log2 over controls)")
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
        "interferon_scores",
        "ISG expression score of every measured sample (by ranks where the controls are too few for a reference), "
        "with the median of "
        "each group. Dashed: the cut-off, if there is one; grey: its 95 % bootstrap interval. Rings: measured but "
        "not classed.",
        interferon_scores,
        without_people="ISG expression score of each group (by ranks where the controls are too few for a reference): "
        "quartiles and median. Dashed: the cut-off, if there is one; grey: its 95 % bootstrap interval.",
        again=True,
    ),
    FigureRecord(
        "interferon_classes",
        "Share of all samples of a group, unscored ones included, by ISG expression signature. "
        "Borderline: the cut-off is too uncertain to call the sample high or low. Hidden: counts too small to be shown, and what "
        "they would follow from.",
        interferon_classes,
    ),
    FigureRecord(
        "prevalence",
        "Share of the scored samples above the cut-off, with its 95 % interval. Diamond: the published share for the "
        "same "
        "specimen and healthy controls.",
        prevalence,
    ),
    FigureRecord(
        "types",
        "Type I and type II response, fitted together: how far each raises the genes of its profile on average. Lines: "
        "90 % intervals over the genes. Dashed: what 97.5 % of healthy people stay below. Rings: uncertain, or "
        "another response that neither profile fits. The profiles come from airway cells.",
        types,
        without_people="Type I and type II response, fitted together: mean and one standard deviation of each group. "
        "Dashed: what 97.5 % of healthy people stay below. The profiles come from airway cells.",
        again=True,
    ),
    FigureRecord(
        "agreement",
        "Rank correlation of the signatures' scores among patients of all diseases. Signatures that share genes are "
        "not "
        "independent evidence.",
        agreement,
    ),
    FigureRecord(
        "protein_ranks",
        "IFN-alpha protein against the ISG expression score, as ranks among people who have both. In people far from "
        "the line the "
        "two disagree.",
        protein_ranks,
        without_people="IFN-alpha protein against the ISG expression score, as ranks among people who have both: mean and one "
        "standard deviation of each group.",
    ),
    FigureRecord(
        "methylation",
        "IFN methylation score of every sample: it is high where interferon-responsive CpGs are less methylated than "
        "in controls.",
        methylation,
        without_people="IFN methylation score of each group, quartiles and median: it is high where interferon-responsive "
        "CpGs are less methylated than in controls.",
    ),
    FigureRecord(
        "axes",
        "Activity of the interferon pathway in each person at the three points where drugs act. All proteins below "
        "the limit of "
        "detection are drawn at the same value.",
        axes,
        without_people="Activity of the interferon pathway at the three points where drugs act: mean and one standard deviation "
        "of each group. All proteins below the limit of detection count as the same value.",
        again=True,
    ),
)
