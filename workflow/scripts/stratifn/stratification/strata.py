"""From factors to strata: test, number, partition, confidence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError
from stratifn.stratification.consensus import match_to_strata
from stratifn.stratification.mixture import MixtureAgreement, mixture_agreement
from stratifn.stratification.model import StratumModel
from stratifn.stratification.null import null_test
from stratifn.stratification.selection import SELECTION_COLUMNS, Candidate, candidates, choose
from stratifn.stratification.settings import MIN_STRATUM, Settings
from stratifn.stratification.space import FactorSpace, factor_space

logger = logging.getLogger("stratifn.stratification")

ALL_TOGETHER = 1


@dataclass(frozen=True)
class Strata:
    """The strata of a cohort, or why there is one only.

    Attributes
    ----------
    table
        Columns sample, stratum (from 1, by decreasing size), confidence, clustered (made the strata, or was placed in
        them afterwards); sorted by sample.
    selection
        Columns k, pac, silhouette, stability, null_pvalue, chosen; one row per k from 1.
    jaccard
        Bootstrap Jaccard by stratum; missing if there is one stratum.
    hindrance
        Why structure could not be tested; empty where it was.
    null_pvalue, null_df
        P value of "there is structure", and the degrees of freedom of the null's copula; missing if not tested.
    space
        Factors and weights used.
    mixture
        Agreement with a Gaussian mixture; None if there is one stratum.
    model
        What places a further patient; None if there is one stratum.
    """

    table: pd.DataFrame
    selection: pd.DataFrame
    jaccard: dict[int, float]
    hindrance: str
    null_pvalue: float
    null_df: float
    space: FactorSpace
    mixture: MixtureAgreement | None
    model: StratumModel | None

    @property
    def stratum(self) -> pd.Series:
        """Stratum by sample."""
        return self.table.set_index("sample")["stratum"]

    @property
    def number(self) -> int:
        """How many strata there are."""
        return len(self.jaccard)


def find_strata(
    factors: pd.DataFrame,
    variance_explained: pd.DataFrame,
    robust: Sequence[str],
    samples: pd.DataFrame,
    control: str | None,
    settings: Settings,
) -> Strata:
    """Stratify a cohort. The order of the patients does not matter.

    Parameters
    ----------
    factors
        Index sample, columns factors.
    variance_explained
        Columns view, factor, r2 (percent); factor ``total`` is left aside.
    robust
        Factors found in most seeds; the strata are made of these alone.
    samples
        Columns sample, disease, ...; every sample of `factors` has a row.
    control
        Label of the controls in ``disease``, or None.
    settings
        How to do it.

    Raises
    ------
    InputError
        If samples have no row, or a robust factor no values.
    """
    factors = factors.loc[sorted(factors.index)]
    clustered = _clustered(factors.index, samples, control, settings)
    made_of = factors.loc[clustered]
    space = factor_space(made_of, variance_explained, robust)
    clusters = np.arange(settings.clusters[0], min(settings.clusters[1], len(made_of) // MIN_STRATUM) + 1)
    if not space.factors:
        return _one_stratum(factors, clustered, space, "no robust factor to stratify by")
    if not len(clusters):
        needed = settings.clusters[0] * MIN_STRATUM
        reason = f"{len(made_of)} samples; {settings.clusters[0]} strata need at least {needed}"
        return _one_stratum(factors, clustered, space, reason)
    points = np.ascontiguousarray(space.coordinates(made_of))
    test = null_test(points, clusters, settings.draws, settings.generator(0))
    tried = candidates(points, clusters.tolist(), settings)
    choice = choose(tried, test, settings.alpha)
    logger.info("p = %.3g that data without structure look like this", test.pvalue)
    if choice.candidate is None:
        return _one_stratum(factors, clustered, space, "", choice.table, test.pvalue, test.df)
    model = _model(points, choice.candidate, space)
    return Strata(
        table=_table(factors, clustered, model),
        selection=choice.table,
        jaccard={stratum + 1: float(value) for stratum, value in enumerate(choice.candidate.jaccard)},
        hindrance="",
        null_pvalue=test.pvalue,
        null_df=test.df,
        space=space,
        mixture=mixture_agreement(points, choice.candidate.labels, clusters, settings.seed),
        model=model,
    )


def _clustered(index: pd.Index, samples: pd.DataFrame, control: str | None, settings: Settings) -> np.ndarray:
    """Return which samples make the strata."""
    disease = samples.set_index("sample")["disease"]
    unknown = sorted(set(index) - set(disease.index))
    if unknown:
        raise InputError(f"stratification: {len(unknown)} samples are not in the sheet, the first is {unknown[0]}.")
    if settings.include_controls or control is None:
        return np.ones(len(index), dtype=bool)
    return (disease.loc[index] != control).to_numpy()


def _model(points: np.ndarray, candidate: Candidate, space: FactorSpace) -> StratumModel:
    matched = match_to_strata(points, candidate.labels, candidate.resampled, candidate.centroids)
    return StratumModel(space, candidate.centroids, matched)


def _table(factors: pd.DataFrame, clustered: np.ndarray, model: StratumModel) -> pd.DataFrame:
    stratum, shares = model.place(factors)
    confidence = shares[np.arange(len(stratum)), stratum - 1]
    return pd.DataFrame({"sample": factors.index, "stratum": stratum, "confidence": confidence, "clustered": clustered})


def _one_stratum(
    factors: pd.DataFrame,
    clustered: np.ndarray,
    space: FactorSpace,
    hindrance: str,
    selection: pd.DataFrame | None = None,
    pvalue: float = np.nan,
    df: float = np.nan,
) -> Strata:
    """Everybody in stratum 1: no confidence, because nothing was decided."""
    if selection is None:
        selection = pd.DataFrame([[1, np.nan, np.nan, np.nan, np.nan, True]], columns=SELECTION_COLUMNS)
    table = pd.DataFrame(
        {"sample": factors.index, "stratum": ALL_TOGETHER, "confidence": np.nan, "clustered": clustered}
    )
    return Strata(table, selection, {ALL_TOGETHER: np.nan}, hindrance, pvalue, df, space, None, None)
