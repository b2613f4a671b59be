"""Figures of who was measured, of quality, and of differential expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.marks import scatter, strip, subplots
from stratifn.report.results import Results
from stratifn.style import DOWN_COLOUR, FAINT_COLOUR, UP_COLOUR, group_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELLED_GENES = 12
STAR_COLOUR = "#d55e00"


def views(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how many samples of each group each view holds."""
    counts = pd.DataFrame(
        {
            view: results.samples[results.samples[f"in_{view}"]].groupby("disease").size().reindex(results.groups)
            for view in results.views
        }
    ).fillna(0)
    totals = results.samples.groupby("disease").size().reindex(results.groups)
    shares = counts.div(totals, axis=0)
    figure, (axes,) = subplots(1.6 + 1.25 * len(results.views), 1.1 + 0.42 * len(results.groups))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    for row, group in enumerate(results.groups):
        for column, view in enumerate(results.views):
            share = shares.loc[group, view]
            axes.text(
                column, row, f"{counts.loc[group, view]:.0f}", ha="center", va="center",
                color="white" if share > 0.8 else "black",
            )  # fmt: skip
    axes.set_xticks(range(len(results.views)), results.views)
    axes.set_yticks(range(len(results.groups)), [f"{group} (n = {totals[group]})" for group in results.groups])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel("samples measured, by view")
    yield "", figure


def library_sizes(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the library size of every sample, one figure per view of counts."""
    quality = results.tables["quality"]
    sized = quality[quality["library_size"].notna()]
    if sized.empty:
        return
    diseases = results.samples.set_index("sample")["disease"]
    colours = group_colours(results.diseases, results.control)
    for view, of_view in sized.groupby("view"):
        figure, (axes,) = subplots(1.2 + 0.95 * len(results.groups), 3.2)
        millions = of_view["library_size"].reset_index(drop=True) / 1e6
        groups = of_view["sample"].map(diseases).reset_index(drop=True)
        strip(axes, millions, groups, results.groups, colours)
        axes.set_yscale("log")
        axes.set_ylabel(f"library size of {view}\n(million counts, log scale)")
        yield str(view), figure


def principal_components(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the first two components of each view."""
    diseases = results.samples.set_index("sample")["disease"]
    colours = group_colours(results.diseases, results.control)
    for view, components in results.principal_components.items():
        if components.coordinates.shape[1] < 2:
            continue
        figure, (axes,) = subplots(4.6, 3.5)
        coordinates = components.coordinates
        scatter(axes, coordinates[0], coordinates[1], diseases.reindex(coordinates.index), colours)
        first, second = components.variance_ratio[:2]
        axes.set(xlabel=f"PC1 ({100 * first:.0f} % of variance)", ylabel=f"PC2 ({100 * second:.0f} %)", title=view)
        yield view, figure


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
        side = {"ha": "right", "xytext": (-4, 0)} if x > 0.75 else {"ha": "left", "xytext": (4, 0)}
        axes.annotate(
            gene.gene_name, (gene.log2FoldChange, gene.significance), textcoords="offset points", va="center",
            fontsize=7.5, fontstyle="italic", **side,
        )  # fmt: skip


def covariates(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how much of each principal component every variable explains, one figure per view."""
    table = results.tables["covariate_associations"]
    for view, of_view in table[table["r2"].notna()].groupby("view"):
        order = sorted(of_view["component"].unique(), key=lambda name: int(name.removeprefix("PC")))
        grid = of_view.pivot(index="variable", columns="component", values="r2").reindex(columns=order)
        padj = of_view.pivot(index="variable", columns="component", values="padj").reindex(columns=order)
        figure, (panel,) = subplots(2.8 + 0.42 * len(order), 1.2 + 0.27 * len(grid))
        image = panel.imshow(100 * grid, cmap="Purples", vmin=0, vmax=max(50, 100 * np.nanmax(grid)), aspect="auto")
        for row, column in np.argwhere(padj.to_numpy() < 0.05):
            panel.text(column, row, "*", ha="center", va="center", color=STAR_COLOUR)
        panel.set_xticks(range(len(order)), order, fontsize=8)
        panel.set_yticks(range(len(grid)), grid.index, fontsize=8)
        panel.set_title(str(view), loc="left")
        panel.spines[:].set_visible(False)
        figure.colorbar(image, ax=panel, label="variance of the component (%)")
        yield str(view), figure
