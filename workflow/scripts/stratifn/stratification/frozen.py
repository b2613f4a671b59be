"""The stratum model as named arrays, for a file and for the frozen reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stratifn.stratification.model import StratumModel
from stratifn.stratification.space import FactorSpace


def stratum_arrays(model: StratumModel | None) -> dict[str, np.ndarray]:
    """Return a stratum model as named arrays; without centroids where there is one stratum (None)."""
    if model is None:
        nothing = np.zeros(0)
        space = FactorSpace((), nothing, nothing, nothing, {})
        model = StratumModel(space, np.zeros((0, 0)), np.zeros((0, 0, 0)))
    return {
        "factors": np.array(model.space.factors, dtype=str),
        "mean": model.space.mean,
        "sd": model.space.sd,
        "weight": model.space.weight,
        "centroids": model.centroids,
        "resampled": model.resampled,
    }


def stratum_model(arrays: Mapping[str, np.ndarray]) -> StratumModel | None:
    """Put a stratum model together again from `stratum_arrays`; None where there is one stratum."""
    if not len(arrays["centroids"]):
        return None
    factors = tuple(str(name) for name in arrays["factors"])
    space = FactorSpace(factors, arrays["mean"], arrays["sd"], arrays["weight"], {})
    return StratumModel(space, np.ascontiguousarray(arrays["centroids"]), np.ascontiguousarray(arrays["resampled"]))
