"""Which effects the counts determine: whether the likelihood has a maximum along a contrast.

A sample with a count bounds its linear predictor on both sides; one without a count only from above. The likelihood
therefore keeps rising along the directions ``d`` of the coefficients with ``x'd = 0`` for every sample with a count and
``x'd <= 0`` for every one without (the recession cone; Correia, Guimaraes & Zylkin 2019, arXiv:1903.01633; separation in
the words of logistic regression). An effect ``c'b`` that moves along such directions in one way only is infinite: its sign is
determined. One that moves both ways is not determined: large positive and large negative values are equally likely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

# an eigenvalue below this share of the largest is rounding, and so is a gain below this share of the contrast
TOLERANCE = 1e-10
SAME = 1e-5


@dataclass(frozen=True)
class Separation:
    """The genes whose samples with a count do not determine every coefficient.

    Attributes
    ----------
    genes
        Their positions.
    counted
        Samples x these genes: whether there is a count.
    matrix
        Samples x columns of the design.
    """

    genes: np.ndarray
    counted: np.ndarray
    matrix: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray, matrix: np.ndarray) -> Separation:
        """Find the genes for which the rows of the samples with a count do not span the design.

        Parameters
        ----------
        counts
            Samples x genes.
        matrix
            Samples x columns, of full rank.
        """
        counted = np.asarray(counts) > 0
        some = np.flatnonzero(counted.any(axis=0) & ~counted.all(axis=0))
        n_columns = matrix.shape[1]
        products = (matrix[:, :, None] * matrix[:, None, :]).reshape(len(matrix), -1)
        grams = (counted[:, some].T.astype(float) @ products).reshape(-1, n_columns, n_columns)
        values = np.linalg.eigvalsh(grams)
        genes = some[values[:, 0] <= TOLERANCE * values[:, -1]]
        return cls(genes, counted[:, genes], np.asarray(matrix, dtype=float))

    def undetermined(self, weights: np.ndarray, n_genes: int) -> np.ndarray:
        """Tell for which genes the likelihood rises both ways along a contrast.

        Parameters
        ----------
        weights
            Of the columns of the design.
        n_genes
            Of all genes, the length of the answer.
        """
        answer = np.zeros(n_genes, dtype=bool)
        known: dict[bytes, bool] = {}
        for position, gene in enumerate(self.genes):
            counted = self.counted[:, position]
            key = np.packbits(counted).tobytes()
            if key not in known:
                known[key] = _rises_both_ways(self.matrix[counted], self.matrix[~counted], weights)
            answer[gene] = known[key]
        return answer


def _rises_both_ways(with_count: np.ndarray, without: np.ndarray, weights: np.ndarray) -> bool:
    """Tell whether the recession cone holds directions that raise the contrast and others that lower it.

    Two linear programs within the null space of the samples with a count.
    """
    _, values, directions = np.linalg.svd(with_count, full_matrices=True)
    rank = int((values > np.sqrt(TOLERANCE) * values[0]).sum())
    free = directions[rank:]
    moved = free @ weights
    # along a single free direction the cone is a ray, and a contrast moves one way
    if len(free) < 2 or np.linalg.norm(moved) <= SAME * np.linalg.norm(weights):
        return False
    rows = without @ free.T
    return all(_furthest(rows, sign * moved) > SAME * np.linalg.norm(moved) for sign in (1.0, -1.0))


def _furthest(rows: np.ndarray, gain: np.ndarray) -> float:
    """Return the largest gain over the directions within the unit box along which no row rises."""
    found = linprog(-gain, A_ub=rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1))
    return float(-found.fun) if found.success else 0.0
