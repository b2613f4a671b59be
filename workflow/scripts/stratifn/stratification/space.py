"""The space in which patients are compared: robust factors, standardised and weighted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError

TOTAL = "total"


@dataclass(frozen=True)
class FactorSpace:
    """Factors as coordinates: ``(factor - mean) / sd * weight``.

    Attributes
    ----------
    factors
        Names of the K factors used.
    mean, sd
        Of each factor over the clustered samples (sd with n in the denominator).
    weight
        Square root of the percent of variance that the factor explains, summed over views.
    dropped
        Factor to the reason why it is not used.
    """

    factors: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray
    weight: np.ndarray
    dropped: dict[str, str]

    @property
    def origin(self) -> np.ndarray:
        """Coordinates (K) of a person whose factors are all 0, the mean of the prior."""
        return -self.mean / self.sd * self.weight

    def coordinates(self, factors: pd.DataFrame) -> np.ndarray:
        """Return samples x K coordinates, rows as in `factors` (index sample, columns factors)."""
        values = factors.loc[:, list(self.factors)].to_numpy(float)
        return (values - self.mean) / self.sd * self.weight


def factor_weights(variance_explained: pd.DataFrame) -> pd.Series:
    """Square root of the variance explained by each factor, summed over views.

    Parameters
    ----------
    variance_explained
        Columns view, factor, r2 (percent); rows of factor ``total`` are left aside, negative r2 counts 0.
    """
    single = variance_explained[variance_explained["factor"] != TOTAL]
    return np.sqrt(single.assign(r2=single["r2"].clip(lower=0)).groupby("factor")["r2"].sum())


def factor_space(
    factors: pd.DataFrame, variance_explained: pd.DataFrame, robust: Sequence[str], rare: Sequence[str] = ()
) -> FactorSpace:
    """Fit the space to the samples that are clustered.

    Parameters
    ----------
    factors
        Samples x factors.
    variance_explained
        Columns view, factor, r2 (percent).
    robust
        Factors to use; all others are dropped, with the reason.
    rare
        Those of them that too few people have, and that are dropped too.

    Raises
    ------
    InputError
        If a robust factor is missing from one of the tables, or a value is not finite.
    """
    weights = factor_weights(variance_explained)
    unknown = [name for name in robust if name not in factors.columns or name not in weights.index]
    if unknown:
        raise InputError(f"stratification: no values or no variance explained for {', '.join(unknown)}.")
    values = factors.loc[:, list(robust)].to_numpy(float)
    if not np.isfinite(values).all():
        raise InputError("stratification: a factor has values that are not finite; train the model again.")
    dropped = {name: "not robust over the seeds" for name in factors.columns if name not in set(robust)}
    dropped |= dict.fromkeys(rare, "not measured in enough samples")
    sd = values.std(axis=0) if len(values) else np.zeros(len(robust))
    for name, spread in zip(robust, sd, strict=True):
        if name in dropped:
            continue
        if not spread > 1e-12:
            dropped[name] = "the same in all samples"
        elif weights[name] <= 0:
            dropped[name] = "explains no variance"
    used = [name for name in factors.columns if name not in dropped]
    kept = factors.loc[:, used].to_numpy(float)
    return FactorSpace(
        factors=tuple(used),
        mean=kept.mean(axis=0) if used else np.zeros(0),
        sd=kept.std(axis=0) if used else np.zeros(0),
        weight=weights[used].to_numpy(float),
        dropped=dropped,
    )
