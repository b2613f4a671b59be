"""What several figures draw: samples as points by group, shares as stacked bars, tables as heat maps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from stratifn.report.figures.style import HIDDEN_COLOUR, Look, text_colour
from stratifn.report.settings import Settings
from stratifn.report.small_cells import Division

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

# begins the group id of marks that stand for people, until `linked_people` takes it
_PEOPLE = "people "
# parts of a bar that are narrower hold no number
NARROWEST_LABEL = 8
# people that an ellipse needs, where more may not be asked for
FEWEST_FOR_ELLIPSE = 5


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


def link(artist: Artist, samples: Sequence[str]) -> None:
    """Say whom the points of a scatter stand for, in their order, or the one person of another artist."""
    artist.set_gid(_PEOPLE + json.dumps(list(samples)))


def linked_people(figure: Figure) -> dict[str, tuple[str, ...]]:
    """Return group id to samples for all marks that stand for people, and give them ids that name nobody."""
    people: dict[str, tuple[str, ...]] = {}
    for artist in figure.findobj(lambda each: str(each.get_gid() or "").startswith(_PEOPLE)):
        name = f"people-{len(people) + 1}"
        people[name] = tuple(json.loads(str(artist.get_gid()).removeprefix(_PEOPLE)))
        artist.set_gid(name)
    return people


def jitter(size: int) -> np.ndarray:
    """Spread points sideways: evenly by a low-discrepancy sequence, so that no random number is needed."""
    return (np.arange(size) * 0.618033988749895 % 1 - 0.5) * 0.56


def strip(
    axes: Axes,
    values: pd.Series,
    groups: pd.Series,
    looks: Mapping[str, Look],
    counted: Callable[[str, int], str],
    report: Settings,
    hollow: pd.Series | None = None,
    median: bool = True,
) -> None:
    """Draw every sample as a point (`hollow` ones as rings), the median of its group as a line, and how many are drawn.

    `values`, `groups` and `hollow` are indexed alike; groups come in the order of `looks`. Where no mark may stand for
    one person, the quartiles of a group are drawn as a box. `counted` writes how many people of a group have a value.
    """
    names = []
    for position, (group, look) in enumerate(looks.items()):
        of_group = values[groups == group].dropna()
        names.append(f"{group}\nn = {counted(group, len(of_group))}")
        if not report.lists_people:
            _box(axes, position, of_group, look.colour, report.min_cell)
            continue
        x = position + jitter(len(of_group))
        ring = np.zeros(len(of_group), dtype=bool) if hollow is None else hollow.reindex(of_group.index).to_numpy(bool)
        points(axes, pd.Series(x, of_group.index), of_group, look, ring)
        if median and len(of_group):
            axes.hlines(of_group.median(), position - 0.36, position + 0.36, color="black", linewidth=1.6, zorder=3)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.6, len(names) - 0.4)


def points(axes: Axes, x: pd.Series, y: pd.Series, look: Look, ring: np.ndarray, label: str | None = None) -> None:
    """Draw samples (`x` and `y` indexed alike) as points, those of `ring` hollow, and link them; who lacks a value is left out."""
    known = (np.isfinite(x) & np.isfinite(y)).to_numpy()
    full, hollow = (
        {"color": look.colour, "linewidths": 0, "alpha": 0.8},
        {"facecolors": "none", "edgecolors": look.colour},
    )
    for chosen, kind in ((known & ~ring, full), (known & ring, hollow | {"linewidths": 1})):
        # a legend shows the full mark even where all are hollow
        if chosen.any() or kind is full:
            drawn: PathCollection = axes.scatter(
                x[chosen], y[chosen], s=17, marker=look.marker, zorder=2, label=label if kind is full else None, **kind
            )
            if chosen.any():
                link(drawn, x.index[chosen])


def _box(axes: Axes, position: int, values: pd.Series, colour: str, min_cell: int) -> None:
    """Draw quartiles and median of a group; of a small one nothing."""
    if len(values) < min_cell:
        return
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    axes.bar(position, high - low, bottom=low, width=0.6, color=colour, alpha=0.5, zorder=2)
    axes.hlines(middle, position - 0.36, position + 0.36, color="black", linewidth=1.6, zorder=3)


def stacked(divided: Division, totals: Mapping[str, str], colours: Mapping[str, str], legend: str) -> Figure:
    """Draw the parts of each group (people) as shares of one horizontal bar, in the order of the colours.

    Only people who are shown are drawn in the colour of their part; `totals` writes how many a group has.
    """
    parts = [name for name in colours if name in divided.least]
    figure, (axes,) = subplots(6.4, 0.9 + 0.42 * len(divided.counts))
    size = divided.counts.sum(axis=1)
    shares = divided.least[parts].div(size.where(size > 0), axis=0).fillna(0).mul(100)
    drawn = {name: (shares[name].to_numpy(), divided.exact[name].to_numpy(), colours[name]) for name in parts}
    rest = np.where(size > 0, 100, 0) - shares.sum(axis=1).to_numpy()
    # of a part that the table leaves out nothing is hidden
    rest = np.where(divided.exact[parts].all(axis=1), 0, rest)
    drawn["hidden"] = rest, np.zeros(len(rest), dtype=bool), HIDDEN_COLOUR
    left = np.zeros(len(shares))
    for name, (width, exact, colour) in drawn.items():
        if not width.any():
            continue
        axes.barh(range(len(shares)), width, left=left, color=colour, label=name, height=0.72, edgecolor="white")
        # a share with its total gives the count away
        for row in np.flatnonzero((width >= NARROWEST_LABEL) & exact):
            axes.text(
                left[row] + width[row] / 2,
                row,
                f"{width[row]:.0f}",
                ha="center",
                va="center",
                fontsize=8.5,
                color=text_colour(colour),
            )
        left += width
    axes.set_yticks(range(len(shares)), [f"{name} (n = {totals[name]})" for name in shares.index])
    axes.invert_yaxis()
    axes.set(xlabel="samples (%)", xlim=(0, 100))
    axes.legend(title=legend, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def scatter(
    panel: Axes,
    x: pd.Series,
    y: pd.Series,
    groups: pd.Series,
    looks: Mapping[str, Look],
    report: Settings,
    hollow: pd.Series | None = None,
) -> None:
    """Draw points in the look of their group (all indexed alike; `hollow` ones as rings), with the legend beside the panel.

    Where no mark may stand for one person, mean and standard deviation of a group are drawn as an ellipse.
    """
    for group, look in looks.items():
        chosen = groups.index[groups == group]
        if not report.lists_people:
            _ellipse(panel, x.reindex(chosen), y.reindex(chosen), look.colour, group, report.min_cell)
            continue
        ring = np.zeros(len(chosen), dtype=bool) if hollow is None else hollow.reindex(chosen).to_numpy(bool)
        points(panel, x.reindex(chosen), y.reindex(chosen), look, ring, label=group)
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.1)


def _ellipse(panel: Axes, x: pd.Series, y: pd.Series, colour: str, label: str, min_cell: int) -> None:
    """Draw where a group is, one standard deviation around its mean; of a small one nothing."""
    from matplotlib.patches import Ellipse

    both = pd.DataFrame({"x": x, "y": y}).dropna().to_numpy(float)
    if len(both) < max(min_cell, FEWEST_FOR_ELLIPSE):
        return
    variances, directions = np.linalg.eigh(np.cov(both.T))
    width, height = 2 * np.sqrt(variances.clip(min=0))
    angle = float(np.degrees(np.arctan2(directions[1, 0], directions[0, 0])))
    centre = tuple(both.mean(axis=0))
    panel.add_patch(Ellipse(centre, width, height, angle=angle, facecolor=colour, alpha=0.35, edgecolor=colour))
    panel.plot(*centre, "o", color=colour, markersize=5, label=label)


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
