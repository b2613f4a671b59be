"""Names beside points, without one lying on another or on a mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

FONT_SIZE = 7.5
# points (1/72 inch) from a mark to its name, around a mark, and between names
AWAY, MARK, APART = 4, 2.5, 1.0
# where a name may lie: offset in points, and how it is aligned there
PLACES = (
    ((AWAY, 0), "left", "center"),
    ((-AWAY, 0), "right", "center"),
    ((0, AWAY), "center", "bottom"),
    ((0, -AWAY), "center", "top"),
    ((AWAY, AWAY), "left", "bottom"),
    ((-AWAY, AWAY), "right", "bottom"),
    ((AWAY, -AWAY), "left", "top"),
    ((-AWAY, -AWAY), "right", "top"),
)


def name_points(axes: Axes, points: np.ndarray, names: Sequence[str], most: int, marks: np.ndarray) -> int:
    """Write names beside points, the first first: in the first free place, or not at all.

    A name is left out if each of its places lies on another name, on a mark, or beyond the panel. So nothing collides,
    and the same data give the same figure. The figure must be laid out before (`draw_without_rendering`).

    Parameters
    ----------
    points, names
        The candidates by importance: n x 2 in the units of the axes, and n.
    most
        Names that are written.
    marks
        What no name may lie on: m x 2 in the units of the axes.

    Returns
    -------
    int
        How many were written.
    """
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    scale = axes.figure.dpi / 72
    panel = axes.get_window_extent(renderer)
    drawn = axes.transData.transform(marks)
    taken: list[Bbox] = []
    for point, name in zip(points, names, strict=True):
        if len(taken) == most:
            break
        for offset, horizontal, vertical in PLACES:
            text = axes.annotate(
                name, tuple(point), xytext=offset, textcoords="offset points", ha=horizontal, va=vertical,
                fontsize=FONT_SIZE, fontstyle="italic", in_layout=False, zorder=4,
            )  # fmt: skip
            box = text.get_window_extent(renderer).padded(APART * scale)
            on_name = any(box.overlaps(other) for other in taken)
            if not on_name and _inside(box, panel) and not _on_mark(box, drawn, (MARK - APART) * scale):
                taken.append(box)
                break
            text.remove()
    return len(taken)


def _on_mark(box: Bbox, marks: np.ndarray, around: float) -> bool:
    wide = (box.x0 - around < marks[:, 0]) & (marks[:, 0] < box.x1 + around)
    high = (box.y0 - around < marks[:, 1]) & (marks[:, 1] < box.y1 + around)
    return bool((wide & high).any())


def _inside(box: Bbox, panel: Bbox) -> bool:
    return bool(panel.x0 <= box.x0 and box.x1 <= panel.x1 and panel.y0 <= box.y0 and box.y1 <= panel.y1)
