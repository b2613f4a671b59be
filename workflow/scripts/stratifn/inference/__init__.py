"""Negative-binomial inference behind PyDESeq2's public ``Inference`` interface.

In the order of reading: `engine` (the class that PyDESeq2 calls), `design` (samples grouped by equal design rows),
`coefficients`, `dispersions` and `shrinkage` (compiled loops over genes), `special_functions`, `linear_algebra` and
`compilation` (what those are made of), `trend` and `prior` (the dispersions' trend and prior as R fits them), `wald`
(statistics and p values), `separation` (which effects the counts determine).
"""

from stratifn.inference.engine import BatchedInference
from stratifn.inference.prior import fit_dispersion_prior
from stratifn.inference.separation import Separation
from stratifn.inference.trend import fit_dispersion_trend

__all__ = ["BatchedInference", "Separation", "fit_dispersion_prior", "fit_dispersion_trend"]
