"""Figures of who was measured, of quality, and of differential expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.content import SHOWN_PADJ, SHOWN_WORDS, FigureRecord
from stratifn.report.figures.marks import heat_map, one_legend, panel_grid, scatter, strip, subplots
from stratifn.report.figures.style import DOWN_COLOUR, FAINT_COLOUR, UP_COLOUR
from stratifn.report.results import Results
from stratifn.report.small_cells import people

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELLED_GENES = 12


def views(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how many samples of each group each view holds."""
    counts = results.measured
    totals = results.heads.totals.reindex(results.groups)
    # the colour would tell what the number does not
    shares = counts.where(counts >= results.min_cell, 0).div(totals.where(totals > 0), axis=0).fillna(0)
    figure, (panel,) = subplots(1.6 + 1.25 * len(results.views), 1.1 + 0.42 * len(results.groups))
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


def volcanoes(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw effect against evidence of every tested gene, one figure per main contrast."""
    alpha = results.config["differential_expression"]["alpha"]
    for contrast in results.main_contrasts:
        table = results.contrasts[contrast]
        tested = table[table["padj"].notna() & table["log2FoldChange"].notna()]
        if tested.empty:
            continue
        level, _, baseline = contrast.partition("_vs_")
        figure, (axes,) = subplots(4.6, 4.0)
        # the smallest p values print as 0
        significance = -np.log10(tested["padj"].clip(lower=1e-300))
        called = tested["padj"] < alpha
        colour = np.where(~called, FAINT_COLOUR, np.where(tested["log2FoldChange"] > 0, UP_COLOUR, DOWN_COLOUR))
        axes.scatter(tested["log2FoldChange"], significance, s=7, c=colour, alpha=0.7, linewidths=0, rasterized=True)
        axes.axhline(-np.log10(alpha), color="black", linewidth=0.8, linestyle="--")
        up, down = (
            int((called & (tested["log2FoldChange"] > 0)).sum()),
            int((called & (tested["log2FoldChange"] < 0)).sum()),
        )
        axes.set_title(f"{level} against {baseline}: {up} up, {down} down", loc="left")
        axes.set(xlabel=f"log2 fold change ({level} / {baseline})", ylabel="-log10 adjusted p value")
        _label_genes(axes, tested.assign(significance=significance)[called])
        yield contrast, figure


def _label_genes(axes: Axes, called: pd.DataFrame) -> None:
    """Name the most significant genes, leaving out those whose name would lie on another's."""
    x_low, x_high = axes.get_xlim()
    y_low, y_high = axes.get_ylim()
    placed: list[tuple[float, float]] = []
    for gene in called.sort_values(["pvalue", "gene_id"]).head(40).itertuples():
        x, y = (gene.log2FoldChange - x_low) / (x_high - x_low), (gene.significance - y_low) / (y_high - y_low)
        if len(placed) == LABELLED_GENES:
            break
        if any(abs(x - other_x) < 0.2 and abs(y - other_y) < 0.045 for other_x, other_y in placed):
            continue
        placed.append((x, y))
        side, offset = ("right", -4) if x > 0.75 else ("left", 4)
        axes.annotate(
            gene.gene_name, (gene.log2FoldChange, gene.significance), textcoords="offset points", va="center",
            fontsize=7.5, fontstyle="italic", ha=side, xytext=(offset, 0),
        )  # fmt: skip


def covariates(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how much of each principal component every variable explains, one figure per view."""
    table = results.tables["covariate_associations"]
    for view, of_view in table[table["r2"].notna()].groupby("view"):
        order = sorted(of_view["component"].unique(), key=lambda name: int(name.removeprefix("PC")))
        grid = of_view.pivot(index="variable", columns="component", values="r2").reindex(columns=order)
        padj = of_view.pivot(index="variable", columns="component", values="padj").reindex(columns=order)
        figure, (panel,) = subplots(2.8 + 0.42 * len(order), max(2.6, 1.2 + 0.27 * len(grid)))
        stars = np.where(padj.to_numpy() < SHOWN_PADJ, "*", "").tolist()
        image = heat_map(panel, 100 * grid, stars, (0, 100), fontsize=11)
        panel.tick_params(labelsize=8)
        panel.set_title(str(view), loc="left")
        figure.colorbar(image, ax=panel, label="variance of the component (%)")
        yield str(view), figure


FIGURES = (
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
        again=True,
    ),
    FigureRecord(
        "covariates",
        f"Share of each principal component's variance that a variable explains. Star: {SHOWN_WORDS}.",
        covariates,
    ),
    FigureRecord(
        "volcano",
        "Log2 fold change and adjusted p value of every tested gene. Dashed: the false discovery rate of the summary. "
        "The most significant genes are named.",
        volcanoes,
        shared=True,
    ),
)
