"""What several figures draw: samples as points by group, shares as stacked bars, tables as heat maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from stratifn.report.content import people
from stratifn.report.style import text_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

# parts of a bar that are narrower hold no number
NARROWEST_LABEL = 8


def subplots(width: float, height: float, columns: int = 1) -> tuple[Figure, np.ndarray]:
    """Make a figure of one row of panels; width and height in inches."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False)
    return figure, axes[0]


def panel_grid(count: int, columns: int, width: float, height: float, beside: float) -> tuple[Figure, list[Axes]]:
    """Make a figure of panels in rows; width and height in inches of one panel, `beside` for the legend."""
    import matplotlib.pyplot as plt

    rows = -(-count // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(columns * width + beside, rows * height), squeeze=False)
    for empty in grid.ravel()[count:]:
        empty.set_axis_off()
    return figure, list(grid.ravel()[:count])


def one_legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """Put one legend beside panels that all have the same."""
    handles, names = panels[0].get_legend_handles_labels()
    for panel in panels:
        if legend := panel.get_legend():
            legend.remove()
    figure.legend(handles, names, loc="outside right center", handletextpad=0.1)


def jitter(size: int) -> np.ndarray:
    """Spread points sideways: evenly by a low-discrepancy sequence, so that no random number is needed."""
    return (np.arange(size) * 0.618033988749895 % 1 - 0.5) * 0.56


def strip(
    axes: Axes,
    values: pd.Series,
    groups: pd.Series,
    colours: Mapping[str, str],
    min_cell: int,
    hollow: pd.Series | None = None,
    median: bool = True,
) -> None:
    """Draw every sample as a point (`hollow` ones as rings), the median of its group as a line, and how many are drawn.

    `values`, `groups` and `hollow` are indexed alike; groups come in the order of `colours`.
    """
    names = []
    for position, (group, colour) in enumerate(colours.items()):
        of_group = values[groups == group].dropna()
        x = position + jitter(len(of_group))
        ring = np.zeros(len(of_group), dtype=bool) if hollow is None else hollow.reindex(of_group.index).to_numpy(bool)
        axes.scatter(x[~ring], of_group[~ring], s=14, alpha=0.75, color=colour, linewidths=0, zorder=2)
        axes.scatter(x[ring], of_group[ring], s=14, facecolors="none", edgecolors=colour, linewidths=1, zorder=2)
        if median and len(of_group):
            axes.hlines(of_group.median(), position - 0.36, position + 0.36, color="black", linewidth=1.6, zorder=3)
        names.append(f"{group}\nn = {people(len(of_group), min_cell)}")
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.6, len(names) - 0.4)


def stacked(counts: pd.DataFrame, colours: Mapping[str, str], legend: str, min_cell: int) -> Figure:
    """Draw the counts of a row (people) as shares of one horizontal bar, its parts in the order of the columns."""
    figure, (axes,) = subplots(6.4, 0.9 + 0.42 * len(counts))
    totals = counts.sum(axis=1)
    shares = counts.div(totals.where(totals > 0), axis=0).fillna(0).mul(100)
    left = np.zeros(len(shares))
    for name in shares.columns:
        width = shares[name].to_numpy()
        if not width.any():
            continue
        axes.barh(range(len(shares)), width, left=left, color=colours[name], label=name, height=0.72, edgecolor="white")
        # a share with its total gives the count away
        for row in np.flatnonzero((width >= NARROWEST_LABEL) & (counts[name].to_numpy() >= min_cell)):
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
    axes.set_yticks(range(len(shares)), [f"{name} (n = {people(int(n), min_cell)})" for name, n in totals.items()])
    axes.invert_yaxis()
    axes.set(xlabel="samples (%)", xlim=(0, 100))
    axes.legend(title=legend, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def scatter(
    panel: Axes,
    x: pd.Series,
    y: pd.Series,
    groups: pd.Series,
    colours: Mapping[str, str],
    hollow: pd.Series | None = None,
) -> None:
    """Draw points coloured by group (all indexed alike; `hollow` ones as rings), with the legend beside the panel."""
    for group, colour in colours.items():
        chosen = groups.index[groups == group]
        ring = np.zeros(len(chosen), dtype=bool) if hollow is None else hollow.reindex(chosen).to_numpy(bool)
        full, empty = chosen[~ring], chosen[ring]
        panel.scatter(x.reindex(full), y.reindex(full), s=16, alpha=0.8, color=colour, linewidths=0, label=group)
        panel.scatter(x.reindex(empty), y.reindex(empty), s=16, facecolors="none", edgecolors=colour, linewidths=1)
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)


def heat_map(
    panel: Axes,
    grid: pd.DataFrame,
    words: Sequence[Sequence[str]],
    limits: tuple[float, float],
    fontsize: float = 8.5,
    colours: str = "Purples",
) -> AxesImage:
    """Draw a table of numbers as colours, with a word on every cell that has one, in black or white to be read."""
    from matplotlib.colors import to_hex

    image = panel.imshow(grid.to_numpy(float), cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")
    for row, line in enumerate(words):
        for column, word in enumerate(line):
            if word:
                # of one number it is one colour, of an array it would be an array
                rgba = cast("tuple[float, float, float, float]", image.to_rgba(grid.iat[row, column]))
                colour = text_colour(to_hex(rgba))
                panel.text(column, row, word, ha="center", va="center", fontsize=fontsize, color=colour)
    panel.set_xticks(range(grid.shape[1]), grid.columns)
    panel.set_yticks(range(grid.shape[0]), grid.index)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    return image
