"""One view of a trained factor model: what its tables need, and what placing a new patient needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# R's `load_model` decides by these names, wherever they are in the file, what the file holds
RESERVED_VIEW_NAMES = frozenset(
    "data views groups intercepts covariates cov_samples samples_metadata features_metadata variance_explained "
    "expectations imputed_data".split()
)


@dataclass(frozen=True)
class ViewModel:
    """One view of a trained model.

    The model of a value is ``(y - means) / scale = z w + noise`` with noise precision ``tau``.

    Attributes
    ----------
    name
        The view.
    features
        Feature ids (D).
    weights, weights_squared
        ``E[w]`` and ``E[w^2]`` (D x K), for centred and scaled values.
    tau
        Expected noise precision (D).
    means
        Intercepts: the features' means in training (D), on the scale of the input.
    scale
        What centred values are divided by.
    """

    name: str
    features: tuple[str, ...]
    weights: np.ndarray
    weights_squared: np.ndarray
    tau: np.ndarray
    means: np.ndarray
    scale: float
