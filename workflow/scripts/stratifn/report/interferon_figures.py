"""Figures of interferon scores, classes, methylation and axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.marks import scatter, stacked, strip, subplots
from stratifn.report.results import Results
from stratifn.style import CLASS_COLOURS, group_colours

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXIS_LABELS = {
    "ligand": "ligand: IFN-alpha protein\n(log2 over the controls' median)",
    "sensing": "sensing genes\n(log2 over controls, less the type I share)",
    "response": "response: ISG expression score",
}


def interferon_scores(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the score of every sample with the cut-off."""
    classes = results.tables["classes"]
    if classes["score"].notna().sum() == 0:
        return
    settings = results.config["interferon"]
    figure, (axes,) = subplots(1.6 + 0.95 * len(results.groups), 3.8)
    strip(axes, classes["score"], classes["disease"], results.groups, group_colours(results.diseases, results.control))
    reference = results.tables["reference"]
    row = reference[(reference["signature"] == settings["signature"]) & (reference["method"] == settings["method"])]
    if len(row) and row["cutoff"].notna().all():
        row = row.iloc[0]
        axes.axhspan(row["cutoff_low"], row["cutoff_high"], color="black", alpha=0.08, linewidth=0, zorder=0)
        axes.axhline(row["cutoff"], color="black", linewidth=1, linestyle="--", zorder=1)
        axes.annotate(
            f"cut-off {row['cutoff']:.2f}", (1, row["cutoff"]), xycoords=("axes fraction", "data"), ha="right",
            va="bottom", xytext=(0, 2), textcoords="offset points", fontsize=8.5,
        )  # fmt: skip
    axes.set_ylabel(f"ISG expression score\n{settings['signature']}, {settings['method']}")
    yield "", figure


def interferon_classes(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the share of each group by class."""
    classes = results.tables["classes"]
    if not classes["ifn_class"].isin(["high", "borderline", "low"]).any():
        return
    shares = (
        pd.crosstab(classes["disease"], classes["ifn_class"], normalize="index")
        .reindex(index=results.groups, columns=list(CLASS_COLOURS), fill_value=0)
        .mul(100)
    )
    yield "", stacked(shares, CLASS_COLOURS, "samples (%)", "ISG expression signature")


def methylation(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the methylation score of every sample."""
    methylation = results.tables["methylation"]
    if methylation["score"].notna().sum() == 0:
        return
    diseases = results.samples.set_index("sample")["disease"]
    figure, (axes,) = subplots(1.6 + 0.95 * len(results.groups), 3.4)
    groups = methylation["sample"].map(diseases)
    strip(axes, methylation["score"], groups, results.groups, group_colours(results.diseases, results.control))
    axes.set_ylabel("IFN methylation score\n(minus mean z against controls)")
    yield "", figure


def axes(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw ligand and sensing against response."""
    table = results.tables["axes"]
    wide = table.pivot(index="sample", columns="axis", values="score")
    shown = [name for name in ("ligand", "sensing", "response") if name in wide and wide[name].notna().any()]
    if len(shown) < 2:
        return
    diseases = results.samples.set_index("sample")["disease"].reindex(wide.index)
    colours = group_colours(results.diseases, results.control)
    figure, panels = subplots(4.4 * (len(shown) - 1) + 0.8, 3.5, columns=len(shown) - 1)
    for axes, name in zip(panels, shown[:-1], strict=True):
        scatter(axes, wide[name], wide[shown[-1]], diseases, colours)
        axes.set(xlabel=AXIS_LABELS[name], ylabel=AXIS_LABELS[shown[-1]])
    yield "", figure


def prevalence(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the share with a positive signature, its interval, and the published figure."""
    table = results.tables["prevalence"]
    own = table[(table["signature"] == results.config["interferon"]["signature"]) & table["prevalence"].notna()]
    own = own.set_index("disease").reindex([group for group in results.groups if group in set(own["disease"])])
    if own.empty:
        return
    figure, (panel,) = subplots(5.6, 0.9 + 0.4 * len(own))
    colours = group_colours(results.diseases, results.control)
    for row, (group, share) in enumerate(own.iterrows()):
        panel.hlines(row, 100 * share["ci_low"], 100 * share["ci_high"], color=colours[group], linewidth=2)
        panel.plot(100 * share["prevalence"], row, "o", color=colours[group], markersize=7)
        if np.isfinite(share["published"]):
            panel.plot(
                100 * share["published"], row, "D", markerfacecolor="none", markeredgecolor="black", markersize=7
            )
    panel.set_yticks(range(len(own)), [f"{group} (n = {n:.0f})" for group, n in own["n"].items()])
    panel.invert_yaxis()
    panel.set(xlim=(-2, 102), xlabel="samples above the cut-off (%)")
    yield "", figure


def types(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw what is left of the type II genes against the type I response."""
    classes = results.tables["classes"]
    if classes["type_ii"].notna().sum() == 0:
        return
    figure, (panel,) = subplots(5.0, 3.6)
    colours = group_colours(results.diseases, results.control)
    scatter(panel, classes["type_i"], classes["type_ii"], classes["disease"], colours)
    panel.axhline(0, color="black", linewidth=0.6)
    panel.axvline(0, color="black", linewidth=0.6)
    panel.set(xlabel="type I genes (mean log2 over controls)", ylabel="type II-weighted\n(less the type I share, log2)")
    yield "", figure


def agreement(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the rank correlation of every pair of signatures among patients."""
    pairs = results.tables["agreement"].dropna(subset=["spearman"])
    if pairs.empty:
        return
    names = sorted({*pairs["signature_a"], *pairs["signature_b"]})
    grid = pd.DataFrame(np.eye(len(names)), names, names)
    for pair in pairs.itertuples():
        grid.loc[pair.signature_a, pair.signature_b] = grid.loc[pair.signature_b, pair.signature_a] = pair.spearman
    figure, (panel,) = subplots(2.4 + 0.32 * len(names), 1.6 + 0.32 * len(names))
    image = panel.imshow(grid, cmap="cividis", vmin=0, vmax=1)
    panel.set_xticks(range(len(names)), names, rotation=90, fontsize=7.5)
    panel.set_yticks(range(len(names)), names, fontsize=7.5)
    panel.spines[:].set_visible(False)
    figure.colorbar(image, ax=panel, shrink=0.6, label="Spearman's rho")
    yield "", figure


def protein_ranks(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the difference of the two ranks against their mean, as Bland and Altman do for measurements."""
    table = results.tables["protein_ranks"]
    if len(table) < 3:
        return
    figure, (panel,) = subplots(5.0, 3.4)
    colours = group_colours(results.diseases, results.control)
    scatter(panel, table["mean_rank"], table["rank_difference"], table["disease"], colours)
    panel.axhline(0, color="black", linewidth=0.8)
    panel.set(xlabel="mean of the two ranks (share of people)", ylabel="rank of the protein\nless rank of the score")
    yield "", figure
