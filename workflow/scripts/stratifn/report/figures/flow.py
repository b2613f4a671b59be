"""People as bands that flow from one column of groups to the next (an alluvial plot)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stratifn.report.figures.marks import subplots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# of the height of all people: between two nodes
GAP = 0.035
# width of a node, in distances between columns
NODE = 0.035
# of the height of all people: a thinner band holds no number
THINNEST_WITH_NUMBER = 0.028


@dataclass(frozen=True)
class Node:
    """A group in a column: name, what is written beside it, its people, and its colour."""

    name: str
    words: str
    size: int
    colour: str


@dataclass(frozen=True)
class Flow:
    """People who go from a node of a column to one of the next, and what is written on them."""

    column: int
    start: str
    end: str
    size: int
    words: str


def draw_flow(columns: Sequence[Sequence[Node]], titles: Sequence[str], flows: Sequence[Flow]) -> Figure:
    """Draw columns of nodes and the bands between them; nodes and bands of nobody are left out."""
    columns = [[node for node in column if node.size > 0] for column in columns]
    height = max(sum(node.size for node in column) for column in columns)
    figure, (axes,) = subplots(3.2 + 2.7 * (len(columns) - 1), 4.4)
    tops = [_tops(column, height) for column in columns]
    colours = [{node.name: node.colour for node in column} for column in columns]
    left_at, right_at = [dict(top) for top in tops], [dict(top) for top in tops]
    for flow in flows:
        if flow.size <= 0:
            continue
        here, there = flow.column, flow.column + 1
        y_left, y_right = right_at[here][flow.start], left_at[there][flow.end]
        right_at[here][flow.start] -= flow.size
        left_at[there][flow.end] -= flow.size
        _band(axes, here + NODE, there, y_left, y_right, flow.size, colours[here][flow.start])
        if flow.words and flow.size >= THINNEST_WITH_NUMBER * height:
            axes.text(here + NODE + 0.02, y_left - flow.size / 2, flow.words, fontsize=7.5, va="center")
    last = len(columns) - 1
    for place, column in enumerate(columns):
        for node in column:
            top = tops[place][node.name]
            axes.bar(
                place,
                node.size,
                NODE,
                bottom=top - node.size,
                align="edge",
                color=node.colour,
                edgecolor="#777777",
                linewidth=0.4,
            )
            middle = top - node.size / 2
            if place == 0:
                axes.text(-0.02, middle, node.words, ha="right", va="center", fontsize=9)
            elif place == last:
                axes.text(place + NODE + 0.02, middle, node.words, ha="left", va="center", fontsize=9)
            else:
                box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.85, "linewidth": 0}
                axes.text(place - 0.03, middle, node.words, ha="right", va="center", fontsize=9, bbox=box)
        axes.text(
            place + NODE / 2, height * 1.02, titles[place], ha="center", va="bottom", fontsize=10, fontweight="bold"
        )
    axes.set(
        xlim=(-0.05, last + NODE + 0.05), ylim=(min(0, *(_bottom(column, height) for column in columns)), height * 1.08)
    )
    axes.set_axis_off()
    return figure


def _tops(column: Sequence[Node], height: int) -> dict[str, float]:
    """Stack the nodes of a column from the top."""
    tops, y = {}, float(height)
    for node in column:
        tops[node.name] = y
        y -= node.size + GAP * height
    return tops


def _bottom(column: Sequence[Node], height: int) -> float:
    return height - sum(node.size for node in column) - GAP * height * (len(column) - 1)


def _band(axes: Axes, x_left: float, x_right: float, y_left: float, y_right: float, size: int, colour: str) -> None:
    """Draw a band with smooth edges from its left end to its right end (the upper corners are given)."""
    t = np.linspace(0, 1, 25)
    smooth = y_left + (y_right - y_left) * (3 * t**2 - 2 * t**3)
    axes.fill_between(x_left + (x_right - x_left) * t, smooth - size, smooth, color=colour, alpha=0.4, linewidth=0)
