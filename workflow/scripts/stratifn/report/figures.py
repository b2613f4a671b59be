"""Every figure of the report: one record each, drawn from the results' tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.results import Results
from stratifn.style import (
    CLASS_COLOURS,
    DOWN_COLOUR,
    FAINT_COLOUR,
    PALETTE,
    STRATUM_COLOURS,
    UP_COLOUR,
    group_colours,
    plotting,
    save_figure,
    text_colour,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELLED_GENES = 12


@dataclass(frozen=True)
class FigureRecord:
    """One kind of figure.

    Attributes
    ----------
    name
        Start of the file name, and the section item that it belongs to.
    caption
        What is shown and how to read it.
    draw
        From the results to the figures (item name, figure); nothing where the data are missing.
    """

    name: str
    caption: str
    draw: Callable[[Results], Iterator[tuple[str, Figure]]]


def draw_figures(results: Results, folder: Path) -> dict[str, list[str]]:
    """Draw every figure that the data allow, as ``.svg`` and ``.png``.

    Returns
    -------
    dict
        Name of the record to the file stems that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, list[str]] = {}
    with plotting():
        for record in FIGURES:
            for item, figure in record.draw(results):
                stem = f"{record.name}_{item}" if item else record.name
                save_figure(figure, folder / stem)
                drawn.setdefault(record.name, []).append(stem)
    return drawn


def _subplots(width: float, height: float, columns: int = 1) -> tuple[Figure, np.ndarray]:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False)
    return figure, axes[0]


def _jitter(size: int) -> np.ndarray:
    """Spread points sideways: evenly by a low-discrepancy sequence, so that no random number is needed."""
    return (np.arange(size) * 0.618033988749895 % 1 - 0.5) * 0.56


def _strip(axes: Axes, values: pd.Series, groups: pd.Series, order: Sequence[str], colours: dict[str, str]) -> None:
    """Draw every sample as a point, and the median of its group as a line."""
    for position, group in enumerate(order):
        of_group = values[groups == group].dropna()
        axes.scatter(
            position + _jitter(len(of_group)), of_group, s=14, alpha=0.75, color=colours[group], linewidths=0, zorder=2
        )
        if len(of_group):
            axes.hlines(of_group.median(), position - 0.36, position + 0.36, color="black", linewidth=1.6, zorder=3)
    counts = [int((groups == group).sum()) for group in order]
    axes.set_xticks(range(len(order)), [f"{group}\nn = {count}" for group, count in zip(order, counts, strict=True)])
    axes.set_xlim(-0.6, len(order) - 0.4)


def _views(results: Results) -> Iterator[tuple[str, Figure]]:
    counts = pd.DataFrame(
        {
            view: results.samples[results.samples[f"in_{view}"]].groupby("disease").size().reindex(results.groups)
            for view in results.views
        }
    ).fillna(0)
    totals = results.samples.groupby("disease").size().reindex(results.groups)
    shares = counts.div(totals, axis=0)
    figure, (axes,) = _subplots(1.6 + 1.25 * len(results.views), 1.1 + 0.42 * len(results.groups))
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


def _library_sizes(results: Results) -> Iterator[tuple[str, Figure]]:
    quality = results.tables["quality"]
    sized = quality[quality["library_size"].notna()]
    if sized.empty:
        return
    diseases = results.samples.set_index("sample")["disease"]
    colours = group_colours(results.diseases, results.control)
    for view, of_view in sized.groupby("view"):
        figure, (axes,) = _subplots(1.2 + 0.95 * len(results.groups), 3.2)
        millions = of_view["library_size"].reset_index(drop=True) / 1e6
        groups = of_view["sample"].map(diseases).reset_index(drop=True)
        _strip(axes, millions, groups, results.groups, colours)
        axes.set_yscale("log")
        axes.set_ylabel(f"library size of {view}\n(million counts, log scale)")
        yield str(view), figure


def _principal_components(results: Results) -> Iterator[tuple[str, Figure]]:
    diseases = results.samples.set_index("sample")["disease"]
    colours = group_colours(results.diseases, results.control)
    for view, components in results.principal_components.items():
        if components.coordinates.shape[1] < 2:
            continue
        figure, (axes,) = _subplots(4.6, 3.5)
        for group in results.groups:
            of_group = components.coordinates[diseases.reindex(components.coordinates.index) == group]
            axes.scatter(of_group[0], of_group[1], s=16, alpha=0.8, color=colours[group], linewidths=0, label=group)
        first, second = components.variance_ratio[:2]
        axes.set(xlabel=f"PC1 ({100 * first:.0f} % of variance)", ylabel=f"PC2 ({100 * second:.0f} %)", title=view)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)
        yield view, figure


def _volcanoes(results: Results) -> Iterator[tuple[str, Figure]]:
    alpha = results.config["differential_expression"]["alpha"]
    for contrast in results.main_contrasts:
        table = results.contrasts[contrast]
        tested = table[table["padj"].notna() & table["log2FoldChange"].notna()]
        if tested.empty:
            continue
        level, _, baseline = contrast.partition("_vs_")
        figure, (axes,) = _subplots(4.6, 4.0)
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


def _interferon_scores(results: Results) -> Iterator[tuple[str, Figure]]:
    classes = results.tables["classes"]
    if classes["score"].notna().sum() == 0:
        return
    settings = results.config["interferon"]
    figure, (axes,) = _subplots(1.6 + 0.95 * len(results.groups), 3.8)
    _strip(axes, classes["score"], classes["disease"], results.groups, group_colours(results.diseases, results.control))
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


def _interferon_classes(results: Results) -> Iterator[tuple[str, Figure]]:
    classes = results.tables["classes"]
    if not classes["ifn_class"].isin(["high", "borderline", "low"]).any():
        return
    shares = (
        pd.crosstab(classes["disease"], classes["ifn_class"], normalize="index")
        .reindex(index=results.groups, columns=list(CLASS_COLOURS), fill_value=0)
        .mul(100)
    )
    yield "", _stacked(shares, CLASS_COLOURS, "samples (%)", "ISG expression signature")


def _stacked(shares: pd.DataFrame, colours: dict[str, str], label: str, legend: str) -> Figure:
    """Draw one horizontal bar per row, its parts in the order of the columns."""
    figure, (axes,) = _subplots(6.4, 0.9 + 0.42 * len(shares))
    left = np.zeros(len(shares))
    for name in shares.columns:
        width = shares[name].to_numpy()
        if not width.any():
            continue
        axes.barh(range(len(shares)), width, left=left, color=colours[name], label=name, height=0.72, edgecolor="white")
        for row in np.flatnonzero(width >= 8):
            axes.text(
                left[row] + width[row] / 2,
                row,
                f"{width[row]:.0f}",
                ha="center",
                va="center",
                fontsize=8.5,
                color=text_colour(colours[name]),
            )
        left += width
    axes.set_yticks(range(len(shares)), shares.index)
    axes.invert_yaxis()
    axes.set(xlabel=label, xlim=(0, 100))
    axes.legend(title=legend, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _variance_explained(results: Results) -> Iterator[tuple[str, Figure]]:
    table = results.tables["variance_explained"]
    factors = [name for name in table["factor"].drop_duplicates() if name != "total"]
    if not factors:
        return
    grid = table.pivot(index="factor", columns="view", values="r2").reindex(columns=results.views).astype(float)
    figure, (axes, total) = _subplots(2.6 + 1.05 * len(results.views), 1.4 + 0.32 * len(factors), columns=2)
    image = axes.imshow(grid.loc[factors], cmap="Purples", vmin=0, aspect="auto")
    limit = np.nanmax(grid.loc[factors].to_numpy())
    for row, factor in enumerate(factors):
        for column, view in enumerate(results.views):
            r2 = grid.loc[factor, view]
            if r2 >= 0.5:
                axes.text(column, row, f"{r2:.0f}" if r2 >= 1 else f"{r2:.1f}", ha="center", va="center", fontsize=8,
                          color="white" if r2 > 0.6 * limit else "black")  # fmt: skip
    axes.set_xticks(range(len(results.views)), results.views, rotation=35, ha="right")
    axes.set_yticks(range(len(factors)), factors)
    axes.set_title("per factor (%)", loc="left")
    axes.spines[:].set_visible(False)
    total.bar(range(len(results.views)), grid.loc["total"], color=PALETTE[6], width=0.65)
    total.set_xticks(range(len(results.views)), results.views, rotation=35, ha="right")
    total.set_ylabel("variance explained by all factors (%)")
    total.set_title("all factors", loc="left")
    image.set_clim(0, max(limit, 1))
    yield "", figure


def _factors(results: Results) -> Iterator[tuple[str, Figure]]:
    strata = results.tables["strata"].set_index("sample")
    factors = results.tables["factors"].set_index("sample")
    if factors.shape[1] < 2:
        return
    shown = _leading_factors(results, list(factors.columns))
    names = _stratum_names(strata)
    by_disease = group_colours(results.diseases, results.control)
    by_stratum = dict(zip(sorted(names.unique()), STRATUM_COLOURS, strict=False))
    figure, panels = _subplots(9.6, 3.8, columns=2)
    panel_groups = (("disease", strata["disease"], by_disease), ("stratum", names, by_stratum))
    for axes, (title, groups, colours) in zip(panels, panel_groups, strict=True):
        for group, colour in colours.items():
            of_group = factors.loc[groups.index[groups == group]]
            axes.scatter(
                of_group[shown[0]], of_group[shown[1]], s=16, alpha=0.8, color=colour, linewidths=0, label=group
            )
        axes.set(xlabel=shown[0], ylabel=shown[1])
        axes.set_title(f"by {title}", loc="left")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)
    yield "", figure


def _leading_factors(results: Results, factors: list[str]) -> list[str]:
    """Return the two robust factors that explain most (any two where fewer are robust)."""
    robustness = results.tables["robustness"].set_index("factor")["robust"]
    robust = [factor for factor in factors if bool(robustness.get(factor, False))]
    return [*robust, *(factor for factor in factors if factor not in robust)][:2]


def _stratum_names(strata: pd.DataFrame) -> pd.Series:
    """Name strata by their number, and their label where there is one."""
    labels = strata["label"].fillna("")
    plain = labels.eq("") | labels.eq(strata["stratum"].astype(str))
    return strata["stratum"].astype(str).where(plain, strata["stratum"].astype(str) + " " + labels)


def _strata_composition(results: Results) -> Iterator[tuple[str, Figure]]:
    strata = results.tables["strata"]
    names = _stratum_names(strata)
    shares = pd.crosstab(strata["disease"], names, normalize="index").mul(100)
    shares = shares.reindex([group for group in results.groups if group in shares.index])
    colours = dict(zip(sorted(shares.columns), STRATUM_COLOURS, strict=False))
    yield "", _stacked(shares[sorted(shares.columns)], colours, "samples (%)", "stratum")


FIGURES = (
    FigureRecord("views", "Samples measured in each view. Darker: a larger share of the group.", _views),
    FigureRecord("library_size", "Library size of every sample; the line is the median of the group.", _library_sizes),
    FigureRecord(
        "principal_components",
        "First two principal components of the normalised view. "
        "A split that is not by disease asks for a look at batches.",
        _principal_components,
    ),
    FigureRecord(
        "volcano",
        "Effect and evidence of every tested gene; dashed: the false discovery rate of the summary. "
        "The most significant genes are named.",
        _volcanoes,
    ),
    FigureRecord(
        "interferon_scores",
        "ISG expression score of every sample; dashed: the cut-off from this run's own controls, "
        "grey: its 95 % bootstrap interval.",
        _interferon_scores,
    ),
    FigureRecord(
        "interferon_classes",
        "Share of each group by ISG expression signature. "
        "Borderline: the controls do not settle the side of the cut-off.",
        _interferon_classes,
    ),
    FigureRecord(
        "variance_explained",
        "Variance that each MOFA factor explains in each view (left), and all of them together (right).",
        _variance_explained,
    ),
    FigureRecord("factors", "The two leading robust factors, coloured by disease and by stratum.", _factors),
    FigureRecord("strata_composition", "How each group divides into the strata.", _strata_composition),
)
