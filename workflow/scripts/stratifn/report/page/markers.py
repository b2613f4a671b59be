"""Matplotlib's markers as paths of SVG, so that a button shows the mark that the figures draw."""

from __future__ import annotations

import numpy as np

# as matplotlib numbers the steps of a path
_LETTERS = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}


def marker_path(marker: str) -> str:
    """Return the path of a marker in a box from -0.5 to 0.5, with y downwards.

    Parameters
    ----------
    marker
        Matplotlib's name of it.
    """
    from matplotlib.markers import MarkerStyle

    style = MarkerStyle(marker)
    path = style.get_path().transformed(style.get_transform())
    largest = float(np.abs(np.asarray(path.vertices)).max())
    steps = []
    for points, code in path.iter_segments(simplify=False):
        letter = _LETTERS[int(code)]
        scaled = [0.5 * value / largest * (1 if place % 2 == 0 else -1) for place, value in enumerate(points)]
        steps.append(letter + (" ".join(f"{round(value, 3) + 0:g}" for value in scaled) if letter != "Z" else ""))
    return "".join(steps)
