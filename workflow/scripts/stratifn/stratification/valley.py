"""How far data are from one mode: the unimodal distribution nearest to them, along the line that divides them best."""

from __future__ import annotations

import numpy as np
from numba import njit

from stratifn.stratification.kmeans import assign, kmeans

# positions at which the mode of an axis is tried
MODES = 40
# of the two components whose line the valley lies on; a start that has not settled by then is no clear division
ITERATIONS = 100
SETTLED = 1e-4
# share of the total covariance in theirs
SHRUNK = 0.02


@njit
def _minorant_corners(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Positions of the corners of the greatest convex minorant of points with increasing `x`."""
    corners = np.empty(len(x), dtype=np.int64)
    count = 0
    for i in range(len(x)):
        while count > 1:
            a, b = corners[count - 2], corners[count - 1]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            count -= 1
        corners[count] = i
        count += 1
    return corners[:count].copy()


@njit
def nearest_unimodal(x: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the corners of the unimodal distribution nearest to sorted values, and the largest difference from it."""
    n = len(x)
    p = np.linspace(0, 1, n)
    best, nearest = np.arange(n), np.inf
    last = -1
    for position in np.linspace(0, n - 1, min(MODES, n)):
        mode = int(position)
        if mode == last:
            continue
        last = mode
        left = _minorant_corners(x[: mode + 1], p[: mode + 1])
        right = _minorant_corners(x[mode:], -p[mode:])
        # the mode is a corner of both
        corners = np.concatenate((left, mode + right[1:]))
        distance = np.abs(np.interp(x, x[corners], p[corners]) - p).max()
        if distance < nearest:
            best, nearest = corners, distance
    return best, nearest


def whitened(points: np.ndarray) -> np.ndarray:
    """Return the points (n x axes) with mean 0 and the identity as covariance."""
    centred = (points - points.mean(axis=0)) / np.maximum(points.std(axis=0), 1e-12)
    # a ridge, because two factors may be each other's copy
    root = np.linalg.cholesky(centred.T @ centred / len(points) + 1e-9 * np.eye(points.shape[1]))
    return np.ascontiguousarray(np.linalg.solve(root, centred.T).T)


@njit
def along_two_parts(white: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the position of each point along the line that divides the data best in two.

    The line is that between the two components of a tied Gaussian mixture. With the identity as total covariance, the
    components' is the identity minus a multiple of d d', d the difference of their means, so that a step of expectation
    maximisation needs the positions along d alone.

    Parameters
    ----------
    white
        n x axes, from `whitened`.
    labels
        0 or 1: where the mixture starts.
    """
    n, axes = white.shape
    member = labels.astype(np.float64)
    position = np.zeros(n)
    for _ in range(ITERATIONS):
        share = min(max(member.mean(), 1.0 / n), 1 - 1.0 / n)
        difference = np.zeros(axes)
        for i in range(n):
            for axis in range(axes):
                difference[axis] += member[i] * white[i, axis]
        difference /= n * share * (1 - share)
        squared = (difference * difference).sum()
        slope = 1 / max(1 - (1 - SHRUNK) * share * (1 - share) * squared, 1e-9)
        constant = np.log(share / (1 - share)) - 0.5 * slope * squared * (1 - 2 * share)
        largest = 0.0
        for i in range(n):
            along = 0.0
            for axis in range(axes):
                along += white[i, axis] * difference[axis]
            position[i] = along
            probability = 1 / (1 + np.exp(-max(min(slope * along + constant, 700.0), -700.0)))
            largest = max(largest, abs(probability - member[i]))
            member[i] = probability
        if largest < SETTLED:
            break
    return position


def valley(points: np.ndarray, uniforms: np.ndarray) -> float:
    """How far the data are from one mode along the line that divides them best in two.

    The line is that of `along_two_parts`, started from k-means; the distance is that of `nearest_unimodal`. Two strata that
    are far apart and not compact on the other axes show here.

    Parameters
    ----------
    points
        n x axes.
    uniforms
        starts x 2, uniform in [0, 1).
    """
    centroids, _ = kmeans(points, uniforms)
    labels = np.empty(len(points), dtype=np.int64)
    assign(points, centroids, labels)
    _, distance = nearest_unimodal(np.sort(along_two_parts(whitened(points), labels)))
    return float(distance)
