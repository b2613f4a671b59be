"""Is there structure? Clustering compared with structureless data of the same shape.

The null keeps what is no structure: the spread, skewness and tails of each axis, the correlation of the axes, and
patients who are extreme on several axes at once. It takes away what strata would add: more than one mode. A plain
Gaussian null would call skewed or heavy-tailed data structured. A few patients far from all others are no strata either,
and no draw repeats them: they are drawn in before anything is compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit
from scipy.stats import rankdata

from stratifn.running.progress import progress
from stratifn.stratification.kmeans import RESTARTS, kmeans, squared_distance
from stratifn.stratification.valley import nearest_unimodal, valley

# degrees of freedom that the copula is fitted over; infinity is the Gaussian copula
DEGREES_OF_FREEDOM = (2.0, 3.0, 4.0, 6.0, 10.0, 20.0, np.inf)
# the margin at which a patient counts as clear of the border
MARGIN = 0.5
# robust SDs from the median beyond which patients are drawn in
FAR = 2.5
# share of the normal-reference bandwidth by which draws are smoothed: enough against the spikes of their distribution, while
# the whole would blur the ends of a uniform gradient, which then would look like structure
SMOOTHING = 0.3
# eigenvalue below which a principal axis of the draws has no spread: fewer patients than axes
NO_SPREAD = 1e-9
CRITERIA = ("compactness", "margin", "valley")


def copula_root(values: np.ndarray) -> np.ndarray:
    """Root of the correlation matrix of the elliptical copula that has the rank correlations of the data.

    Spearman's rho becomes the normal's correlation by ``2 sin(pi rho / 6)`` (Kruskal 1958,
    doi:10.1080/01621459.1958.10501481); negative eigenvalues, which that step can leave, are set to zero.

    Parameters
    ----------
    values
        n x axes.

    Returns
    -------
    numpy.ndarray
        axes x axes; ``root @ root.T`` has a unit diagonal.
    """
    rho = np.atleast_2d(np.corrcoef(rankdata(values, axis=0), rowvar=False))
    correlation = 2 * np.sin(np.pi * rho / 6)
    np.fill_diagonal(correlation, 1.0)
    eigenvalues, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(eigenvalues, 0, None))
    return root / np.linalg.norm(root, axis=1, keepdims=True)


def tail_dependence(values: np.ndarray, root: np.ndarray) -> float:
    """Degrees of freedom of the t copula that fits best; infinity for the Gaussian copula.

    Patients who are extreme on all axes at once (one bad sample, one very active disease) make tail dependence, which
    the Gaussian copula has none of (Demarta & McNeil 2005, doi:10.1111/j.1751-5823.2005.tb00254.x). Maximum
    pseudo-likelihood over `DEGREES_OF_FREEDOM`.

    Parameters
    ----------
    values
        n x axes.
    root
        From `copula_root`.
    """
    n, axes = values.shape
    if axes == 1:
        return np.inf
    ranks = rankdata(values, axis=0) / (n + 1)
    # a little ridge: two axes may be each other's monotone function
    correlation = 0.999 * root @ root.T + 0.001 * np.eye(axes)
    inverse = np.linalg.inv(correlation)
    likelihoods = [_copula_likelihood(ranks, inverse, df) for df in DEGREES_OF_FREEDOM]
    return DEGREES_OF_FREEDOM[int(np.argmax(likelihoods))]


def _copula_likelihood(ranks: np.ndarray, inverse: np.ndarray, df: float) -> float:
    """Log pseudo-likelihood per patient, without the determinant that all degrees of freedom share."""
    axes = ranks.shape[1]
    if np.isinf(df):
        normal = ndtri(ranks)
        return float(np.mean(np.sum(normal**2, axis=1) - np.einsum("ia,ab,ib->i", normal, inverse, normal)) / 2)
    quantiles = stdtrit(df, ranks)
    distances = np.einsum("ia,ab,ib->i", quantiles, inverse, quantiles)
    constant = gammaln((df + axes) / 2) + (axes - 1) * gammaln(df / 2) - axes * gammaln((df + 1) / 2)
    joint = (df + axes) / 2 * np.log1p(distances / df)
    marginal = (df + 1) / 2 * np.log1p(quantiles**2 / df).sum(axis=1)
    return float(constant + np.mean(marginal - joint))


def unimodal_quantiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the unimodal distribution nearest to the data.

    For a given mode it is the greatest convex minorant of the empirical distribution function below the mode and its
    least concave majorant above; the mode taken is that with the smallest largest difference, as in the dip
    statistic (Hartigan & Hartigan 1985, doi:10.1214/aos/1176346577).

    Parameters
    ----------
    values
        n numbers.

    Returns
    -------
    tuple
        Corners of the piecewise linear distribution function: probabilities and values, both increasing.
    """
    x = np.sort(values)
    corners, _ = nearest_unimodal(x)
    return np.linspace(0, 1, len(x))[corners], x[corners]


def normal_reference_bandwidth(values: np.ndarray) -> np.ndarray:
    """Bandwidth of a kernel density per column: 1.06 min(SD, IQR / 1.349) n^(-1/5) (Silverman 1986, section 3.4)."""
    low, high = np.percentile(values, [25, 75], axis=0)
    return 1.06 * np.minimum(values.std(axis=0), (high - low) / 1.349) * len(values) ** -0.2


def principal_axes(points: np.ndarray) -> np.ndarray:
    """Return the principal axes of n x K points as columns, by increasing variance."""
    return np.asarray(np.linalg.eigh(np.atleast_2d(np.cov(points, rowvar=False)))[1])


def drawn_in(points: np.ndarray) -> np.ndarray:
    """Draw in patients who lie far out on a principal axis.

    Beyond `FAR` robust SDs (IQR / 1.349) from the median, the distance grows with its logarithm. The few extremes of heavy
    tails would make clusters of their own; draws from a smoothed distribution have fewer of them than the data, so that
    heavy tails would look like structure. Nobody changes places, strata that are far apart keep the gap between them, and
    no new mode arises where the density falls faster than the inverse of the distance (a plain logarithm of what is
    beyond would pile up an exponential tail).

    Parameters
    ----------
    points
        n x K, n > 1.
    """
    axes = principal_axes(points)
    rotated = points @ axes
    low, middle, high = np.percentile(rotated, [25, 50, 75], axis=0)
    spread = np.where(high > low, (high - low) / 1.349, rotated.std(axis=0))
    deviation = (rotated - middle) / np.where(spread > 0, spread, 1.0)
    distance = np.abs(deviation)
    near = np.sign(deviation) * np.where(distance > FAR, FAR * (1 + np.log(np.maximum(distance, FAR) / FAR)), distance)
    return np.ascontiguousarray((middle + near * spread) @ axes.T)


@dataclass(frozen=True)
class StructurelessModel:
    """What the null is drawn from, in the principal axes of the data.

    Principal axes, because a gradient that runs along several factors at once is one axis there, and its shape is
    then kept whole.

    Attributes
    ----------
    axes, scale
        Principal axes of the data (columns), and the SDs along them.
    root, df
        The copula.
    quantiles
        Per axis the corners of its unimodal distribution function.
    bandwidth
        Per axis the SD of the normal noise that smooths that distribution; it stays unimodal (Ibragimov 1956,
        doi:10.1137/1101021), and loses the spikes that the steps of the nearest unimodal density have.
    """

    axes: np.ndarray
    scale: np.ndarray
    root: np.ndarray
    df: float
    quantiles: tuple[tuple[np.ndarray, np.ndarray], ...]
    bandwidth: np.ndarray

    @classmethod
    def fit(cls, points: np.ndarray) -> StructurelessModel:
        """Fit to n x K coordinates, n > 1."""
        axes = principal_axes(points)
        rotated = (points - points.mean(axis=0)) @ axes
        root = copula_root(rotated)
        return cls(
            axes=axes,
            scale=rotated.std(axis=0),
            root=root,
            df=tail_dependence(rotated, root),
            quantiles=tuple(unimodal_quantiles(column) for column in rotated.T),
            bandwidth=SMOOTHING * normal_reference_bandwidth(rotated),
        )

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n patients with the covariance of the data: n x K.

        The sample covariance, exactly: data and draws then differ in shape alone. Draws with a sampling error of their
        own would vary more along their first axes than the data, and look more compact.
        """
        normal = rng.standard_normal((n, len(self.scale))) @ self.root.T
        if np.isinf(self.df):
            uniform = ndtr(normal)
        else:
            uniform = stdtr(self.df, normal / np.sqrt(rng.chisquare(self.df, (n, 1)) / self.df))
        rotated = np.column_stack(
            [np.interp(column, *corners) for column, corners in zip(uniform.T, self.quantiles, strict=True)]
        )
        smoothed = rotated + self.bandwidth * rng.standard_normal(rotated.shape)
        return np.ascontiguousarray(uncorrelated(smoothed) * self.scale @ self.axes.T)


def uncorrelated(points: np.ndarray) -> np.ndarray:
    """Return n x K points as near as possible to the standardised ones, with the identity as covariance.

    By the symmetric root of the correlation matrix (ZCA-cor, Kessy, Lewin & Strimmer 2018,
    doi:10.1080/00031305.2016.1277159). Where there are fewer points than axes, directions without spread stay so.
    """
    spread = points.std(axis=0)
    standard = (points - points.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    eigenvalues, vectors = np.linalg.eigh(standard.T @ standard / len(points))
    inverse = np.where(eigenvalues > NO_SPREAD, 1 / np.sqrt(np.maximum(eigenvalues, NO_SPREAD)), 0.0)
    return np.asarray(standard @ (vectors * inverse) @ vectors.T)


@njit
def mean_margin(points: np.ndarray, centroids: np.ndarray) -> float:
    """How far patients lie from the border between their cluster and the next.

    The margin of a patient is its distance from the border along the line between the two centroids, in units of the
    distance of the centroids, doubled (0 on the border, 1 beside the own centroid); it counts up to `MARGIN`, so that
    the far side of a cluster, and an outlier, add nothing. Clusters that touch have patients on the border; strata
    have few.

    Parameters
    ----------
    points
        n x axes.
    centroids
        clusters x axes.
    """
    n, clusters = len(points), len(centroids)
    total = 0.0
    squared = np.empty(clusters)
    for i in range(n):
        for c in range(clusters):
            squared[c] = squared_distance(points[i], centroids[c])
        own = squared.argmin()
        margin = MARGIN
        for c in range(clusters):
            apart = squared_distance(centroids[c], centroids[own])
            if c != own and apart > 0:
                margin = min(margin, (squared[c] - squared[own]) / apart)
        total += margin
    return total / n


def structure(points: np.ndarray, clusters: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Return the criteria of `CRITERIA` for several k: 3 x len(clusters).

    The valley is of two parts whatever k; it counts for the smallest, and is missing for the others.

    Parameters
    ----------
    points
        n x axes.
    clusters
        Numbers of clusters.
    uniforms
        starts x (at least the largest number of clusters), uniform in [0, 1).
    """
    found = np.full((3, len(clusters)), np.nan)
    found[2, 0] = valley(points, np.ascontiguousarray(uniforms[:, :2]))
    for position, k in enumerate(clusters):
        # a copy, so that k-means is compiled for one memory layout only
        starts = np.ascontiguousarray(uniforms[:, :k])
        centroids, within = kmeans(points, starts)
        found[0, position] = -np.log(max(within, 1e-300))
        found[1, position] = mean_margin(points, centroids)
    return found


@dataclass(frozen=True)
class NullTest:
    """The test of every k, and of their maximum.

    Attributes
    ----------
    clusters
        Numbers of strata that were tested.
    pvalues
        Per k, adjusted for having tried all k and all criteria; the smallest is the p value of the whole.
    df
        Degrees of freedom of the null's copula.
    """

    clusters: np.ndarray
    pvalues: np.ndarray
    df: float

    @property
    def pvalue(self) -> float:
        """P value of "there is structure"."""
        return float(self.pvalues.min())


def adjusted_pvalues(found: np.ndarray) -> np.ndarray:
    """Return a p value per k, adjusted for all k and criteria.

    The criteria are standardised over data and draws together; the statistic is the maximum over k and criteria, computed in
    the same way in each draw (the single-step maxT of Westfall & Young 1993).

    Parameters
    ----------
    found
        (1 + draws) x criteria x k, those of the data first; missing where a criterion does not count.
    """
    spread = found.std(axis=0)
    standard = np.where(np.isnan(found), -np.inf, (found - found.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
    highest = standard[1:].max(axis=(1, 2))
    exceeded = (highest[:, None] >= standard[0].max(axis=0)).sum(axis=0)
    return np.asarray((exceeded + 1) / len(found))


def null_test(points: np.ndarray, clusters: np.ndarray, draws: int, rng: np.random.Generator) -> NullTest:
    """Test whether k-means finds more in the data than in structureless data.

    Criteria for each k: the log sum of squares within, as in the gap statistic (Tibshirani, Walther & Hastie
    2001, doi:10.1111/1467-9868.00293), and `mean_margin`; and once the `valley`; see `adjusted_pvalues`.

    Parameters
    ----------
    points
        n x K coordinates.
    clusters
        Numbers of strata to try.
    draws
        Structureless data sets.
    """
    near = drawn_in(points)
    model = StructurelessModel.fit(near)
    found = np.empty((draws + 1, len(CRITERIA), len(clusters)))
    for draw in progress(range(draws + 1), "structureless data sets"):
        data = model.draw(len(near), rng) if draw else near
        found[draw] = structure(data, clusters, rng.random((RESTARTS, int(clusters.max()))))
    return NullTest(clusters, adjusted_pvalues(found), model.df)
