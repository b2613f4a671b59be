"""Choose the model by the kind of the view and fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anndata as ad

from stratifn.differential_expression.model_fit import ModelFit
from stratifn.shared.design import DesignMatrix
from stratifn.shared.errors import InputError
from stratifn.shared.vocabulary import CONTINUOUS, COUNTS

if TYPE_CHECKING:
    from pydeseq2.inference import Inference


def fit_model(view: ad.AnnData, design: DesignMatrix, inference: Inference | None = None) -> ModelFit:
    """Fit a normalised view: counts by a negative binomial, values on a log scale by a moderated t.

    Parameters
    ----------
    view
        What `stratifn.normalization` made of the view; ``uns["kind"]`` decides.
    design
        `stratifn.shared.design.model_matrix` of the samples to fit.
    inference
        The engine for counts.

    Raises
    ------
    InputError
        The view's kind has no model here.
    """
    kind = str(view.uns["kind"])
    if kind == COUNTS:
        from stratifn.differential_expression.counts_model import fit_counts_model

        return fit_counts_model(view, design, inference)
    if kind == CONTINUOUS:
        from stratifn.differential_expression.moderated_t import fit_moderated_t

        return fit_moderated_t(view, design)
    raise InputError(f"Differential expression needs counts or log-scale values; the view is of kind {kind}.")
