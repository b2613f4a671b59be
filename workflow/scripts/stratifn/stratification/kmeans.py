"""k-means, compiled and run over many resamples or draws at once.

Lloyd's algorithm from k-means++ seeds (Arthur & Vassilvitskii 2007, Proc. SODA 1027-1035). The random numbers come
in as arrays, so a result depends on the seed alone and not on the order in which the runs are made.
"""

from __future__ import annotations

import numpy as np
from numba import njit

RESTARTS = 8
ITERATIONS = 60


@njit
def squared_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Euclidean distance of two points."""
    total = 0.0
    for axis in range(a.shape[0]):
        step = a[axis] - b[axis]
        total += step * step
    return total


@njit
def _seeds(points: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Choose one centroid per uniform number, each in proportion to its squared distance from those before."""
    n, clusters = points.shape[0], uniforms.shape[0]
    centroids = np.empty((clusters, points.shape[1]))
    centroids[0] = points[int(uniforms[0] * n)]
    distances = np.empty(n)
    total = 0.0
    for i in range(n):
        distances[i] = squared_distance(points[i], centroids[0])
        total += distances[i]
    for c in range(1, clusters):
        target = uniforms[c] * total
        chosen, running = n - 1, 0.0
        for i in range(n):
            running += distances[i]
            if running >= target:
                chosen = i
                break
        centroids[c] = points[chosen]
        total = 0.0
        for i in range(n):
            distances[i] = min(distances[i], squared_distance(points[i], centroids[c]))
            total += distances[i]
    return centroids


@njit
def _assign_columns(columns: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> float:
    """Do as `assign` for points that lie in columns (axes x n), so that the innermost loop runs over many points."""
    axes, n = columns.shape
    distances, nearest = np.empty(n), np.empty(n)
    for c in range(centroids.shape[0]):
        distances[:] = 0.0
        for axis in range(axes):
            centre = centroids[c, axis]
            for i in range(n):
                step = columns[axis, i] - centre
                distances[i] += step * step
        for i in range(n):
            if c == 0 or distances[i] < nearest[i]:
                nearest[i] = distances[i]
                labels[i] = c
    inertia = 0.0
    for i in range(n):
        inertia += nearest[i]
    return inertia


@njit
def assign(points: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> float:
    """Write the nearest centroid of every point into `labels`; return the sum of squared distances."""
    return _assign_columns(np.ascontiguousarray(points.T), centroids, labels)


@njit
def _move(points: np.ndarray, labels: np.ndarray, centroids: np.ndarray) -> float:
    """Move every centroid to the mean of its points (an empty one to the worst-fitted point); return the shift."""
    clusters, axes = centroids.shape
    sums = np.zeros((clusters, axes))
    counts = np.zeros(clusters)
    for i in range(points.shape[0]):
        counts[labels[i]] += 1
        for axis in range(axes):
            sums[labels[i], axis] += points[i, axis]
    shift = 0.0
    for c in range(clusters):
        if counts[c] > 0:
            target = sums[c] / counts[c]
        else:
            worst, farthest = 0, -1.0
            for i in range(points.shape[0]):
                distance = squared_distance(points[i], centroids[labels[i]])
                if distance > farthest:
                    worst, farthest = i, distance
            target = points[worst].copy()
            labels[worst] = c
        shift += squared_distance(target, centroids[c])
        centroids[c] = target
    return shift


@njit
def lloyd(points: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> float:
    """Improve `centroids` (clusters x axes) in place until they no longer change; return the sum of squares within."""
    columns = np.ascontiguousarray(points.T)
    inertia = _assign_columns(columns, centroids, labels)
    for _ in range(ITERATIONS):
        if _move(points, labels, centroids) == 0.0:
            break
        inertia = _assign_columns(columns, centroids, labels)
    return inertia


@njit
def kmeans(points: np.ndarray, uniforms: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the best centroids over several starts.

    Parameters
    ----------
    points
        n x axes.
    uniforms
        starts x clusters, uniform in [0, 1).

    Returns
    -------
    tuple
        Centroids (clusters x axes) and the sum of squared distances to them.
    """
    starts, clusters = uniforms.shape
    best = np.empty((clusters, points.shape[1]))
    lowest = np.inf
    labels = np.empty(points.shape[0], dtype=np.int64)
    for start in range(starts):
        centroids = _seeds(points, uniforms[start])
        inertia = lloyd(points, centroids, labels)
        if inertia < lowest:
            best, lowest = centroids, inertia
    return best, lowest


@njit
def kmeans_of_resamples(points: np.ndarray, rows: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Cluster each resample of the rows.

    Parameters
    ----------
    points
        n x axes.
    rows
        resamples x drawn: positions in `points`, repeats allowed.
    uniforms
        resamples x starts x clusters.

    Returns
    -------
    numpy.ndarray
        Centroids: resamples x clusters x axes.
    """
    centroids = np.empty((rows.shape[0], uniforms.shape[2], points.shape[1]))
    drawn = np.empty((rows.shape[1], points.shape[1]))
    for resample in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            drawn[i] = points[rows[resample, i]]
        centroids[resample], _ = kmeans(drawn, uniforms[resample])
    return centroids


@njit
def assign_to_each(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Return resamples x n: the nearest centroid of every point in every resample (resamples x clusters x axes)."""
    labels = np.empty((centroids.shape[0], points.shape[0]), dtype=np.int64)
    for resample in range(centroids.shape[0]):
        assign(points, centroids[resample], labels[resample])
    return labels


@njit
def silhouettes(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean silhouette width (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7) of several partitions at once.

    Parameters
    ----------
    points
        n x axes.
    labels
        partitions x n; each partition has at least two clusters, numbered from 0.

    Returns
    -------
    numpy.ndarray
        One mean per partition; a point alone in its cluster counts 0, as in the paper.
    """
    partitions, n = labels.shape
    clusters = labels.max() + 1
    sizes = np.zeros((partitions, clusters))
    for p in range(partitions):
        for i in range(n):
            sizes[p, labels[p, i]] += 1
    means = np.zeros(partitions)
    sums = np.empty((partitions, clusters))
    for i in range(n):
        sums[:] = 0.0
        for j in range(n):
            distance = np.sqrt(squared_distance(points[i], points[j]))
            for p in range(partitions):
                sums[p, labels[p, j]] += distance
        for p in range(partitions):
            own = labels[p, i]
            if sizes[p, own] < 2:
                continue
            inside = sums[p, own] / (sizes[p, own] - 1)
            outside = np.inf
            for c in range(clusters):
                if c != own and sizes[p, c] > 0:
                    outside = min(outside, sums[p, c] / sizes[p, c])
            if max(inside, outside) > 0:
                means[p] += (outside - inside) / max(inside, outside)
    return means / n
