"""How many genes are called on permuted labels: the permutation null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.model_choice import fit_model
from stratifn.differential_expression.results import tested_effects
from stratifn.differential_expression.settings import Settings
from stratifn.running.progress import progress
from stratifn.shared.columns import columns_of
from stratifn.shared.design import check_design, model_matrix

if TYPE_CHECKING:
    from pydeseq2.inference import Inference

COLUMNS = list(columns_of("differential_expression/permutation.tsv"))
STRATA = ("batch", "sex")


def permutation_null(
    view: ad.AnnData,
    samples: pd.DataFrame,
    design: str,
    control: str | None,
    contrasts: Sequence[Contrast],
    permutations: int,
    settings: Settings,
    *,
    seed: int = 1,
    inference: Inference | None = None,
) -> pd.DataFrame:
    """Refit with shuffled diseases and count the calls of every contrast.

    One refit per permutation serves all contrasts. Labels are exchanged within batch and sex (where the sheet has
    them for every sample), so that what those explain stays explained. A contrast without the disease in it has no
    null here.

    Parameters
    ----------
    view, samples, design, control, contrasts, settings, inference
        As for the fit itself: a call on permuted labels is what a call is.
    permutations
        How many.
    seed
        Of the shuffles.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, one row per contrast in the order given; NA calls with the `reason`.
    """
    rng = np.random.default_rng(seed)
    strata = permutation_strata(samples)
    calls: dict[str, list[int]] = {contrast.name: [] for contrast in contrasts if _is_of_disease(contrast)}
    for _ in progress(range(permutations if can_be_permuted(samples, strata) else 0), "permutations"):
        shuffled = samples.assign(disease=shuffled_within(samples["disease"].to_numpy(), strata, rng))
        # a rare shuffle can empty a cell of an interaction
        if check_design(shuffled, design, control):
            continue
        fit = fit_model(view, model_matrix(shuffled, design, control), inference)
        for contrast in contrasts:
            if contrast.name in calls:
                padj = tested_effects(fit, fit.estimate(contrast), settings)[2]
                calls[contrast.name].append(int((padj < settings.alpha).sum()))
    rows = [_row(contrast.name, calls.get(contrast.name), permutations) for contrast in contrasts]
    return pd.DataFrame(rows, columns=COLUMNS)


def permutation_strata(samples: pd.DataFrame) -> np.ndarray:
    """Return the stratum of each sample: its batch and sex, where the sheet has them for everybody."""
    known = [column for column in STRATA if column in samples and samples[column].notna().all()]
    if not known:
        return np.zeros(len(samples), dtype=int)
    return samples.groupby([samples[column].astype(str) for column in known], sort=True).ngroup().to_numpy()


def can_be_permuted(samples: pd.DataFrame, strata: np.ndarray) -> bool:
    """Tell whether any stratum holds two diseases."""
    return bool((samples.groupby(strata)["disease"].nunique() > 1).any())


def shuffled_within(labels: np.ndarray, strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shuffle labels within each stratum."""
    shuffled = np.array(labels, dtype=object)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        shuffled[members] = shuffled[rng.permutation(members)]
    return shuffled


def _is_of_disease(contrast: Contrast) -> bool:
    if contrast.coefficients:
        return all("disease[" in name for name in contrast.coefficients)
    return contrast.factor == "disease"


def _row(name: str, calls: list[int] | None, asked: int) -> list:
    if calls is None:
        return [name, 0, np.nan, np.nan, "disease labels are permuted, and this contrast does not compare diseases"]
    if not calls:
        why = "no permutations were requested" if not asked else "no permutation within batch and sex can be fitted"
        return [name, 0, np.nan, np.nan, why]
    reason = None if len(calls) == asked else f"{asked - len(calls)} permutations could not be fitted"
    return [name, len(calls), float(np.mean(calls)), float(np.max(calls)), reason]
