"""What is known of the factors of each sample of the cohort, given what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from stratifn.integration.model import MofaModel
from stratifn.shared.factor_posterior import FactorPosterior, project_factors

if TYPE_CHECKING:
    import anndata as ad


def posterior_of_cohort(
    model: MofaModel, views: Mapping[str, ad.AnnData], factors: pd.DataFrame, corrected_for: str
) -> FactorPosterior:
    """Return the posterior of the factors of the samples that the model was trained on.

    Computed as for a new patient, so that a sample of the cohort that is placed again gets the same numbers.

    Parameters
    ----------
    model
        The chosen model.
    views
        Normalised matrices by view (samples x features).
    factors
        Index sample, the reported factors.
    corrected_for
        Column of the sheet that was regressed out before training; empty if none was. The means are then the model's own,
        because the matrices are not corrected.
    """
    trained = set(model.samples)
    measured = {}
    for view in model.views:
        data = views[view.name]
        measured[view.name] = data[data.obs_names.isin(trained), list(view.features)].to_df()
    own = project_factors(model.views, measured).posterior.of(list(factors.index), list(factors.columns))
    return FactorPosterior(factors, own.gain, own.covariance) if corrected_for else own
