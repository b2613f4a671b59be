"""Who knows enough to make the strata: people in whom the factors that count were measured.

A person who lacks a view has no factor of that view, only the mean of the prior. Such people would lie between the strata
or make one of their own; they are placed afterwards, with what their other views say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stratifn.shared.factor_posterior import FactorPosterior

# a factor is known in a person from this share on of what is known of it in the best-measured person
KNOWN = 0.5
# a factor that is known in a smaller share of the people makes no strata
KNOWN_IN = 0.5
# a person makes the strata from this share on of the factors, each weighted by the variance that it explains
INFORMED = 0.9
# a person's data can show the strata from this share on of the squared distance between them
SHOWN = 0.5


def known_factors(posterior: FactorPosterior) -> pd.DataFrame:
    """Return how much is known of each factor in each person: samples x factors, 1 in the best-measured person."""
    gain = np.clip(np.diagonal(posterior.gain, axis1=1, axis2=2), 0, None)
    best = gain.max(axis=0, initial=0.0)
    return pd.DataFrame(
        gain / np.where(best > 0, best, 1.0), index=posterior.mean.index, columns=posterior.mean.columns
    )


def rarely_known(known: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """Return the factors that too few people (rows of `known`) have."""
    return [name for name in factors if not (known[name] >= KNOWN).mean() >= KNOWN_IN]


def are_informed(known: pd.DataFrame, weights: pd.Series) -> np.ndarray:
    """Tell who knows enough of the factors to make strata.

    Parameters
    ----------
    known
        From `known_factors`.
    weights
        By factor, those that the strata are made of: square root of the variance explained.
    """
    explained = np.square(weights.to_numpy(float))
    if not explained.sum() > 0:
        return np.ones(len(known), dtype=bool)
    share = known.loc[:, list(weights.index)].to_numpy() @ explained / explained.sum()
    return np.asarray(share >= INFORMED)
