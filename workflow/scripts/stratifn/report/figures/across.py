"""Figures across diseases: which calls they have in common, and how their effects agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.registry.signatures import load_registry
from stratifn.report.content import FigureRecord
from stratifn.report.figures.labels import name_points
from stratifn.report.figures.marks import panel_grid
from stratifn.report.figures.style import DOWN_COLOUR, EFFECT_LOOKS, LARGER_IN_SOME, NEITHER, UP_COLOUR
from stratifn.report.results import Results
from stratifn.shared.package_data import resource_folder
from stratifn.shared.vocabulary import OPPOSED, SHARED, SPECIFIC, SUBSET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# columns of the overlap, and its contrasts
MOST_OVERLAPS, MOST_SETS = 18, 10
# beyond so many pairs, each disease is drawn against what all have in common
MOST_PAIRS = 6
NAMED_GENES = 6
# of the effects: those beyond are drawn on the edges
SHOWN_EFFECTS = 0.9995
# the colour of genes that go up in one contrast and down in another
BOTH_WAYS_COLOUR = "#e08214"


def overlap(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how many genes each combination of main contrasts calls, and in which direction."""
    import matplotlib.pyplot as plt

    signs = _called_signs(results)
    if signs.shape[1] < 2 or signs.empty:
        return
    together = _combinations(signs)
    shown = together.head(MOST_OVERLAPS)
    contrasts = list(signs.columns)
    height = 0.27 * len(contrasts)
    figure, axes = plt.subplots(
        2, 2, figsize=(3.4 + 0.34 * len(shown), 2.9 + height), height_ratios=(2.1, height), width_ratios=(1.2, 0.34 * len(shown)),
        sharex="col", sharey="row", squeeze=False,
    )  # fmt: skip
    axes[0, 0].set_axis_off()
    bars, sizes, dots = axes[0, 1], axes[1, 0], axes[1, 1]
    _stack(bars, shown)
    # in the corner that is free
    axes[0, 0].legend(*bars.get_legend_handles_labels(), loc="lower left", handlelength=1, bbox_to_anchor=(-0.1, 0.2))
    totals = (signs != 0).sum()
    sizes.barh(range(len(contrasts)), totals[contrasts], color="#777777", height=0.6)
    for row, total in enumerate(totals[contrasts]):
        sizes.annotate(
            f"{total}", (total, row), xytext=(-3, 0), textcoords="offset points", ha="right", va="center", fontsize=8
        )
    sizes.set(xlim=(1.35 * max(totals.max(), 1), 0), xlabel="called", ylim=(len(contrasts) - 0.5, -0.5))
    sizes.spines[["left"]].set_visible(False)
    for column, members in enumerate(shown.index):
        rows = [contrasts.index(name) for name in str(members).split(" ")]
        dots.scatter([column] * len(contrasts), range(len(contrasts)), s=26, color="#e0e0e0", zorder=1)
        dots.plot([column] * len(rows), rows, "o-", color="black", markersize=5.2, linewidth=1.3, zorder=2)
    sizes.tick_params(axis="y", labelleft=False, length=0)
    dots.tick_params(axis="y", labelleft=True, length=0)
    dots.set_yticks(range(len(contrasts)), [name.replace("_vs_", " against ") for name in contrasts])
    dots.set_xticks([])
    dots.spines[:].set_visible(False)
    dots.set_xlim(-0.6, len(shown) - 0.4)
    rest = int(together.iloc[MOST_OVERLAPS:].to_numpy().sum())
    if rest:
        smaller = len(together) - MOST_OVERLAPS
        dots.set_xlabel(f"{rest} genes in {smaller} smaller combinations are not shown", fontsize=8)
    yield "", figure


def _stack(bars: Axes, shown: pd.DataFrame) -> None:
    bottom = np.zeros(len(shown))
    for name, colour in (("up", UP_COLOUR), ("down", DOWN_COLOUR), ("both", BOTH_WAYS_COLOUR)):
        count = shown[name].to_numpy(float)
        if count.any():
            words = {"both": "up in some, down in others"}.get(name, name)
            bars.bar(range(len(shown)), count, bottom=bottom, color=colour, width=0.68, label=words)
        bottom += count
    for column, total in enumerate(bottom):
        bars.text(column, total, f"{int(total)}", ha="center", va="bottom", fontsize=8)
    bars.tick_params(axis="x", length=0)
    bars.tick_params(axis="y", labelleft=True)
    bars.set_ylabel("genes")


def _called_signs(results: Results) -> pd.DataFrame:
    """Return genes x main contrasts: 1 and -1 where a gene is called up and down, else 0; genes without a call left out."""
    alpha = results.config["differential_expression"]["alpha"]
    columns = {}
    for name in results.main_contrasts[:MOST_SETS]:
        table = results.contrasts[name].set_index("gene_id")
        columns[name] = np.sign(table["log2FoldChange"]).where(table["padj"] < alpha, 0)
    signs = pd.DataFrame(columns).fillna(0)
    return signs[(signs != 0).any(axis=1)]


def _combinations(signs: pd.DataFrame) -> pd.DataFrame:
    """Count genes by the contrasts that call them (rows, the most first): up in all of these, down in all, or both ways."""
    called = signs.ne(0)
    # no name of a contrast holds a space
    members = pd.Series([" ".join(called.columns[row]) for row in called.to_numpy()], signs.index)
    one_way = signs.sum(axis=1).abs() == called.sum(axis=1)
    way = np.where(~one_way, "both", np.where(signs.sum(axis=1) > 0, "up", "down"))
    counts = pd.crosstab(members, way).reindex(columns=["up", "down", "both"], fill_value=0)
    total = counts.sum(axis=1)
    return counts.loc[sorted(counts.index, key=lambda key: (-total[key], key.count(" "), key))]


def effects(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the effects of diseases against one another, coloured by how they compare; genes of the signatures are ringed."""
    across = results.tables["cross_disease"]
    with_effects = [name for name in results.diseases if f"log2FoldChange_{name}" in across]
    if len(with_effects) < 2 or across["pooled_padj"].isna().all():
        return
    axes_of = list(combinations([f"log2FoldChange_{name}" for name in with_effects], 2))
    if len(axes_of) > MOST_PAIRS:
        axes_of = [("pooled_log2FoldChange", f"log2FoldChange_{name}") for name in with_effects]
    kinds = across["class"].map(_kind)
    interferon = across["gene_name"].isin(interferon_genes())
    columns = {1: 1, 2: 2, 4: 2}.get(len(axes_of), 3)
    figure, panels = panel_grid(len(axes_of), columns, 3.1, 3.0, beside=0)
    shown = across[sorted({name for pair in axes_of for name in pair})]
    low, high = np.nanquantile(shown, [1 - SHOWN_EFFECTS, SHOWN_EFFECTS])
    ends = low - 0.06 * (high - low), high + 0.06 * (high - low)
    clipped = across.assign(**{str(name): shown[name].clip(low, high) for name in shown})
    for panel, (x, y) in zip(panels, axes_of, strict=True):
        _effects(panel, clipped[x], clipped[y], kinds, interferon)
        panel.set(xlim=ends, ylim=ends, xlabel=_words(x, results), ylabel=_words(y, results))
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=5, handletextpad=0.1, columnspacing=1.2)
    figure.draw_without_rendering()
    for panel, (x, y) in zip(panels, axes_of, strict=True):
        leading = _leading(clipped, kinds, x, y)
        marks = clipped.loc[interferon | (kinds != NEITHER), [x, y]].to_numpy(float)
        name_points(panel, leading[[x, y]].to_numpy(float), list(leading["gene_name"]), NAMED_GENES, marks)
    yield "", figure


def _kind(name: str) -> str:
    if name in (SHARED, OPPOSED):
        return name
    return LARGER_IN_SOME if str(name).startswith((SPECIFIC, SUBSET)) else NEITHER


def _effects(panel: Axes, x: pd.Series, y: pd.Series, kinds: pd.Series, interferon: pd.Series) -> None:
    panel.axline((0, 0), slope=1, color="#999999", linewidth=0.7, linestyle="--")
    panel.axhline(0, color="#cccccc", linewidth=0.6)
    panel.axvline(0, color="#cccccc", linewidth=0.6)
    for kind, look in EFFECT_LOOKS.items():
        chosen = kinds == kind
        if chosen.any():
            size = 5 if kind == NEITHER else 11
            panel.scatter(
                x[chosen],
                y[chosen],
                s=size,
                color=look.colour,
                marker=look.marker,
                linewidths=0,
                label=kind,
                rasterized=True,
            )
    if interferon.any():
        panel.scatter(
            x[interferon],
            y[interferon],
            s=24,
            facecolors="none",
            edgecolors="black",
            linewidths=0.6,
            label="type I signature gene",
        )
    panel.set_aspect("equal")


def _leading(across: pd.DataFrame, kinds: pd.Series, x: str, y: str) -> pd.DataFrame:
    """Return the genes to name: opposed ones, then the largest effects, of the classes that have a colour."""
    own = across[(kinds != NEITHER) & across[x].notna() & across[y].notna()]
    size = own[[x, y]].abs().max(axis=1).round(6)
    own = own.assign(size=size, first=kinds.reindex(own.index) == OPPOSED)
    return own.sort_values(["first", "size", "gene_id"], ascending=[False, False, True]).head(5 * NAMED_GENES)


def _words(column: str, results: Results) -> str:
    name = column.removeprefix("log2FoldChange_")
    return (
        "all diseases (log2 fold change)" if name == column else f"{name} against {results.control} (log2 fold change)"
    )


def interferon_genes() -> frozenset[str]:
    """Return the genes of the registry's verified type I signatures of the default panel."""
    signatures: Mapping = load_registry(resource_folder() / "signatures").signatures
    chosen = [one for one in signatures.values() if one.default_panel and one.verified and one.ifn_type == "I"]
    return frozenset(symbol for one in chosen for symbol in one.symbols)


FIGURES = (
    FigureRecord(
        "overlap",
        "Genes by the contrasts that call them. Each column is one combination (black dots), with the genes that these contrasts "
        "call and no other does; at the left all calls of a contrast. A gene that one contrast calls and another just misses "
        "counts as called in the first alone: the classes below compare the effects themselves.",
        overlap,
    ),
    FigureRecord(
        "effects",
        "Effect against effect, gene by gene: on the dashed line the effects are equal. Coloured by class (see the table); rings: "
        "genes of published type I interferon signatures. Effects share the controls, which alone makes them alike. The few "
        "effects beyond the axes are drawn on their edges.",
        effects,
    ),
)
