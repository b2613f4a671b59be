"""What several figures draw: samples as points by group, shares as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.style import text_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def subplots(width: float, height: float, columns: int = 1) -> tuple[Figure, np.ndarray]:
    """Make a figure of one row of panels; width and height in inches."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False)
    return figure, axes[0]


def jitter(size: int) -> np.ndarray:
    """Spread points sideways: evenly by a low-discrepancy sequence, so that no random number is needed."""
    return (np.arange(size) * 0.618033988749895 % 1 - 0.5) * 0.56


def strip(axes: Axes, values: pd.Series, groups: pd.Series, order: Sequence[str], colours: dict[str, str]) -> None:
    """Draw every sample as a point, and the median of its group as a line."""
    for position, group in enumerate(order):
        of_group = values[groups == group].dropna()
        axes.scatter(
            position + jitter(len(of_group)), of_group, s=14, alpha=0.75, color=colours[group], linewidths=0, zorder=2
        )
        if len(of_group):
            axes.hlines(of_group.median(), position - 0.36, position + 0.36, color="black", linewidth=1.6, zorder=3)
    counts = [int((groups == group).sum()) for group in order]
    axes.set_xticks(range(len(order)), [f"{group}\nn = {count}" for group, count in zip(order, counts, strict=True)])
    axes.set_xlim(-0.6, len(order) - 0.4)


def stacked(shares: pd.DataFrame, colours: dict[str, str], label: str, legend: str) -> Figure:
    """Draw one horizontal bar per row, its parts in the order of the columns."""
    figure, (axes,) = subplots(6.4, 0.9 + 0.42 * len(shares))
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


def scatter(panel: Axes, x: pd.Series, y: pd.Series, groups: pd.Series, colours: dict[str, str]) -> None:
    """Draw points coloured by group (all indexed alike), with the legend beside the panel."""
    for group, colour in colours.items():
        chosen = groups.index[groups == group]
        panel.scatter(x.reindex(chosen), y.reindex(chosen), s=16, alpha=0.8, color=colour, linewidths=0, label=group)
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)
