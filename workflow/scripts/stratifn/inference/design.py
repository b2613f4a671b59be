"""The samples of a design, grouped by equal rows: what all genes of a fit share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DesignGroups:
    """Samples grouped by their row of the design matrix.

    Samples with the same row have the same linear predictor, so sums over samples (weights, Cox-Reid terms,
    hat values) need one product per distinct row instead of one per sample.

    Attributes
    ----------
    rows
        Distinct rows of the design matrix, groups x coefficients.
    order
        Sample indices, group after group; within a group in the order of the samples.
    starts
        Position in `order` of the first sample of each group, and the number of samples as last entry.
    position
        Position of each sample in `order`.
    projection
        Coefficients x groups: maps the group means of a response to its least-squares coefficients.
    """

    rows: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    position: np.ndarray
    projection: np.ndarray

    @classmethod
    def of(cls, design_matrix: np.ndarray) -> DesignGroups:
        """Group the samples of a design matrix (samples x coefficients)."""
        design = np.ascontiguousarray(design_matrix, dtype=float)
        rows, membership, sizes = np.unique(design, axis=0, return_inverse=True, return_counts=True)
        root_sizes = np.sqrt(sizes)
        projection = np.linalg.pinv(rows * root_sizes[:, None]) * root_sizes
        order = np.argsort(membership.ravel(), kind="stable")
        return cls(
            rows=np.ascontiguousarray(rows),
            order=order,
            starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            position=np.argsort(order),
            projection=np.ascontiguousarray(projection),
        )

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.order)

    def gather(self, by_sample: np.ndarray, genes: slice) -> np.ndarray:
        """Return a block of a samples x genes matrix as genes x samples, the samples in group order."""
        block = np.asarray(by_sample)[:, genes].T
        return np.ascontiguousarray(np.take(block, self.order, axis=1), dtype=float)

    def scatter(self, block: np.ndarray, into: np.ndarray, genes: slice) -> None:
        """Write a genes x samples block in group order into a genes x samples matrix in sample order."""
        np.take(block, self.position, axis=1, out=into[genes], mode="clip")
