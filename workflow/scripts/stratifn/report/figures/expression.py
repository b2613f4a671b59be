"""Figures of differential expression: genes of a contrast, calls beside permuted calls, gene sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.content import FigureRecord
from stratifn.report.figures.labels import name_points
from stratifn.report.figures.marks import panel_grid, subplots
from stratifn.report.figures.style import DOWN_COLOUR, FAINT_COLOUR, PALETTE, UP_COLOUR
from stratifn.report.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# names in a panel of one, and of several
LABELLED_GENES, LABELLED_OF_SEVERAL = 14, 8
# the most significant genes, which can be picked in a drawing program
VECTOR_GENES = 100
# panels side by side
MOST_PANELS = 4
# the smallest adjusted p value that is drawn: smaller ones print as 0
SMALLEST = 1e-300
# of the genes: effects beyond are drawn on the edge, unless a called gene lies there
SHOWN_EFFECTS = 0.999
TOP_SETS, LONGEST_SET = 20, 44


def volcanoes(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw effect against evidence of every tested gene, one panel per main contrast, on axes that all pages share."""
    tables = {name: _tested(results.contrasts[name]) for name in results.main_contrasts}
    tables = {name: table for name, table in tables.items() if len(table)}
    if not tables:
        return
    alpha = results.config["differential_expression"]["alpha"]
    widest, highest = _limits(results.whole or results, alpha)
    columns = min(len(tables), MOST_PANELS)
    width, height = (4.6, 4.0) if len(tables) == 1 else (max(2.7, 8.2 / columns), 3.6)
    figure, panels = panel_grid(len(tables), columns, width, height, beside=0)
    permuted = results.tables["differential_expression_summary"].set_index("contrast")["permuted_calls"]
    drawn = {name: table.assign(effect=table["log2FoldChange"].clip(-widest, widest)) for name, table in tables.items()}
    for place, (panel, (contrast, table)) in enumerate(zip(panels, drawn.items(), strict=True)):
        _volcano(panel, contrast, table, alpha, float(permuted.get(contrast, np.nan)))
        panel.set(xlim=(-1.06 * widest, 1.06 * widest), ylim=(-0.02 * highest, 1.04 * highest))
        if place % columns == 0:
            panel.set_ylabel("-log10 adjusted p value")
    figure.draw_without_rendering()
    most = LABELLED_GENES if len(tables) == 1 else LABELLED_OF_SEVERAL
    for panel, table in zip(panels, drawn.values(), strict=True):
        called = _to_name(table[table["padj"] < alpha])
        points = called[["effect", "significance"]].to_numpy(float)
        name_points(panel, points[: 4 * most], list(called["gene_name"][: 4 * most]), most, marks=points)
    yield "", figure


def _tested(table: pd.DataFrame) -> pd.DataFrame:
    tested = table[table["padj"].notna() & table["log2FoldChange"].notna()]
    return tested.assign(significance=-np.log10(tested["padj"].clip(lower=SMALLEST)))


def _to_name(called: pd.DataFrame) -> pd.DataFrame:
    """Put the genes first that lead by significance or by effect, turn by turn."""
    by_significance = called["pvalue"].rank(method="first")
    by_effect = -called["log2FoldChange"].abs().round(9)
    leading = np.minimum(by_significance, by_effect.rank(method="first"))
    return called.assign(leading=leading).sort_values(["leading", "pvalue", "gene_id"])


def _limits(results: Results, alpha: float) -> tuple[float, float]:
    """Return the largest effect and the largest significance that are drawn, over the main contrasts of the cohort."""
    widest, highest = 1.0, 2.0
    for name in results.main_contrasts:
        table = _tested(results.contrasts[name])
        if table.empty:
            continue
        effect = table["log2FoldChange"].abs()
        called = effect[table["padj"] < alpha]
        widest = max(widest, float(effect.quantile(SHOWN_EFFECTS)), float(called.max()) if len(called) else 0)
        highest = max(highest, float(table["significance"].max()))
    return widest, highest


def _volcano(axes: Axes, contrast: str, table: pd.DataFrame, alpha: float, permuted: float) -> None:
    """Draw one contrast: the mass of the genes as a picture, the most significant called ones as marks of their own."""
    level, _, baseline = contrast.partition("_vs_")
    called, up = table["padj"] < alpha, table["log2FoldChange"] > 0
    colour = np.where(~called, FAINT_COLOUR, np.where(up, UP_COLOUR, DOWN_COLOUR))
    leading = table[called].sort_values(["pvalue", "gene_id"]).index[:VECTOR_GENES]
    apart = table.index.isin(leading)
    for chosen, rasterized in ((~apart, True), (apart, False)):
        axes.scatter(
            table["effect"][chosen], table["significance"][chosen], s=7, c=colour[chosen], alpha=0.7, linewidths=0,
            rasterized=rasterized,
        )  # fmt: skip
    axes.axhline(-np.log10(alpha), color="black", linewidth=0.8, linestyle="--")
    by_chance = "" if np.isnan(permuted) else f"\npermuted labels: {permuted:.3g}"
    title = f"{level} against {baseline}" if baseline else contrast
    counts = f"{int((called & up).sum())} up, {int((called & ~up).sum())} down"
    axes.set_title(f"{title}\n{counts}{by_chance}", loc="left", fontsize=9.5)
    axes.set_xlabel("log2 fold change")


def calls(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the calls of every contrast beside those on permuted labels."""
    summary = results.tables["differential_expression_summary"].set_index("contrast").reindex(results.tested_contrasts)
    permuted = results.tables["permutation"].set_index("contrast").reindex(summary.index)
    if summary.empty or permuted["mean_calls"].isna().all():
        return
    figure, (axes,) = subplots(6.6, 1.2 + 0.3 * len(summary))
    y = np.arange(len(summary))
    called = (summary["up"] + summary["down"]).to_numpy(float)
    mean, most = permuted["mean_calls"].to_numpy(float), permuted["max_calls"].to_numpy(float)
    axes.hlines(y, mean, most, color="#777777", linewidth=1.2, zorder=1)
    axes.scatter(
        mean, y, s=34, facecolors="white", edgecolors="#555555", label="permuted labels: mean, up to the largest"
    )
    axes.scatter(called, y, s=36, color=PALETTE[6], label="called")
    axes.set_xscale("symlog", linthresh=1)
    ticks = [0, *(10**power for power in range(len(str(int(np.nanmax([*called, *most, 1]))))))]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_xlim(left=-0.15)
    axes.set_yticks(y, [name.replace("_vs_", " against ") for name in summary.index])
    axes.set_ylim(len(summary) - 0.5, -0.5)
    axes.set_xlabel("genes (log scale from 1)")
    for row, (count, average, largest) in enumerate(zip(called, mean, most, strict=True)):
        permuted_words = "not permuted" if np.isnan(average) else f"permuted: mean {average:.3g}, largest {largest:.0f}"
        axes.annotate(
            f"{count:.0f} called; {permuted_words}", (1, row), xycoords=("axes fraction", "data"), xytext=(6, 0),
            textcoords="offset points", va="center", fontsize=8,
        )  # fmt: skip
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, handletextpad=0.1)
    yield "", figure


def gene_sets(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the strongest gene sets of the main contrasts: direction and strength as colour, evidence as size."""
    alpha = results.config["differential_expression"]["alpha"]
    table = results.tables["enrichment"]
    table = table[table["contrast"].isin(results.main_contrasts) & table["padj"].notna()]
    found = table[table["padj"] < alpha]
    if found.empty:
        return
    # those of every contrast that have the smallest p values
    ranked = found.sort_values(["pvalue", "gene_set"]).drop_duplicates("gene_set")["gene_set"].head(TOP_SETS)
    own = table[table["gene_set"].isin(ranked)]
    contrasts = [name for name in results.main_contrasts if name in set(table["contrast"])]
    rows = {name: place for place, name in enumerate(ranked)}
    columns = {name: place for place, name in enumerate(contrasts)}
    figure, (axes,) = subplots(4.6 + 0.55 * len(contrasts), 1.5 + 0.23 * len(rows))
    largest = max(float(own["score"].abs().max()), 1.0)
    significant = (own["padj"] < alpha).to_numpy()
    drawn = axes.scatter(
        own["contrast"].map(columns), own["gene_set"].map(rows), s=_area(own["padj"]), c=own["score"], cmap="RdBu_r",
        vmin=-largest, vmax=largest, linewidths=np.where(significant, 1.1, 0), edgecolors="black",
    )  # fmt: skip
    axes.set_xticks(
        range(len(contrasts)),
        [name.replace("_vs_", " against ") for name in contrasts],
        rotation=35,
        ha="right",
        rotation_mode="anchor",
    )
    names = [name if len(name) <= LONGEST_SET else f"{name[: LONGEST_SET - 3]}..." for name in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    axes.set(xlim=(-0.6, len(contrasts) - 0.4), ylim=(len(rows) - 0.4, -0.6))
    axes.grid(color="#eeeeee", linewidth=0.6)
    figure.colorbar(
        drawn, ax=axes, label="score (up is red)", shrink=min(1, 2.5 / (1 + 0.23 * len(rows))), anchor=(0, 1)
    )
    sizes = pd.Series([0.5, 0.05, 0.001])
    for padj, area in zip(sizes, _area(sizes), strict=True):
        axes.scatter([], [], s=area, color="#777777", linewidths=0, label=f"{padj:g}")
    axes.legend(title="adjusted p", loc="lower left", bbox_to_anchor=(1.02, 0), handletextpad=0.3)
    yield "", figure


def _area(padj: pd.Series) -> np.ndarray:
    """Return the area of a dot by its adjusted p value (points squared)."""
    return np.asarray(12 + 28 * (-np.log10(padj.clip(lower=1e-4))))


FIGURES = (
    FigureRecord(
        "volcano",
        "Log2 fold change and adjusted p value of every tested gene, on the same axes for every contrast. Coloured: called at the "
        "false discovery rate of the summary (dashed); the leading ones by significance and by effect are named. Above each panel: the number of calls, "
        "and the mean number on permuted labels where that was computed. The few effects beyond the axes are drawn on their edges.",
        volcanoes,
        again=True,
    ),
    FigureRecord(
        "calls",
        "Called genes beside those that permuted labels call. Calls are worth no more than the distance to the permuted ones: where "
        "the two meet, chance explains the calls.",
        calls,
    ),
    FigureRecord(
        "gene_sets",
        f"The strongest gene sets (at most {TOP_SETS}) in every main contrast, by CAMERA. Colour: direction and strength; area: "
        "evidence; outlined: significant at the false discovery rate of the summary.",
        gene_sets,
    ),
)
