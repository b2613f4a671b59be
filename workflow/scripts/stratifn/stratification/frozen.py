"""The stratum model as named arrays, for a file and for the frozen reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stratifn.stratification.mixture import TiedMixture
from stratifn.stratification.model import Measurement, StratumModel
from stratifn.stratification.space import FactorSpace

# name in the file by part and field; the space has names of its own
MIXTURE = {"share": "share", "component_mean": "mean", "within": "within"}
MEASURED = {"gain": "gain", "noise": "noise"}


def stratum_arrays(model: StratumModel | None) -> dict[str, np.ndarray]:
    """Return a stratum model as named arrays; without strata where there is one stratum (None)."""
    if model is None:
        return {"factors": np.array([], dtype=str), "resampled": np.zeros((0, 0, 0))}
    return {
        "factors": np.array(model.space.factors, dtype=str),
        "mean": model.space.mean,
        "sd": model.space.sd,
        "weight": model.space.weight,
        "resampled": model.resampled,
        **{name: getattr(model.mixture, field) for name, field in MIXTURE.items()},
        **{name: getattr(model.measured, field) for name, field in MEASURED.items()},
    }


def stratum_model(arrays: Mapping[str, np.ndarray]) -> StratumModel | None:
    """Put a stratum model together again from `stratum_arrays`; None where there is one stratum."""
    if not len(arrays["resampled"]):
        return None
    factors = tuple(str(name) for name in arrays["factors"])
    return StratumModel(
        FactorSpace(factors, arrays["mean"], arrays["sd"], arrays["weight"], {}),
        np.ascontiguousarray(arrays["resampled"]),
        TiedMixture(**{field: arrays[name] for name, field in MIXTURE.items()}),
        Measurement(**{field: arrays[name] for name, field in MEASURED.items()}),
    )
