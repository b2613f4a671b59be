"""From factors to strata: test, number, partition, confidence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.shared.columns import columns_of
from stratifn.shared.errors import InputError
from stratifn.shared.factor_posterior import FactorPosterior
from stratifn.stratification.consensus import match_to_strata
from stratifn.stratification.informed import are_informed, known_factors, rarely_known
from stratifn.stratification.mixture import bootstrapped
from stratifn.stratification.model import StratumModel, measurement
from stratifn.stratification.null import null_test
from stratifn.stratification.selection import SELECTION_COLUMNS, Candidate, candidates, choose, consensus_of_strata
from stratifn.stratification.settings import MIN_STRATUM, Settings
from stratifn.stratification.space import FactorSpace, factor_space, factor_weights

logger = logging.getLogger("stratifn.stratification")

ALL_TOGETHER = 1
CONSENSUS_COLUMNS = list(columns_of("stratification/consensus.tsv"))


@dataclass(frozen=True)
class Strata:
    """The strata of a cohort, or why there is one only.

    Attributes
    ----------
    table
        Columns sample, stratum (from 1, by decreasing size; the most probable one), confidence (its probability),
        stability (share of the resamples that say so), uncertain (no stratum reaches one half), informed (the sample's
        data can show the strata), clustered (made the strata, or was placed in them afterwards); sorted by sample.
    selection
        Columns k, pac, silhouette, stability, bic, null_pvalue, chosen; one row per k from 1.
    consensus
        Columns sample, stratum, consensus: how often each sample that made the strata falls together with the others of
        each stratum; no rows if there is one stratum.
    jaccard
        Bootstrap Jaccard by stratum; missing if there is one stratum.
    hindrance
        Why structure could not be tested; empty where it was.
    null_pvalue, null_df
        P value of "there is structure", and the degrees of freedom of the null's copula; missing if not tested.
    space
        Factors and weights used.
    model
        What places a further patient; None if there is one stratum.
    """

    table: pd.DataFrame
    selection: pd.DataFrame
    consensus: pd.DataFrame
    jaccard: dict[int, float]
    hindrance: str
    null_pvalue: float
    null_df: float
    space: FactorSpace
    model: StratumModel | None

    @property
    def stratum(self) -> pd.Series:
        """Most probable stratum by sample."""
        return self.table.set_index("sample")["stratum"]

    @property
    def shown(self) -> pd.Series:
        """Stratum of the samples whose data show it: what the strata are is read from these."""
        return self.table[self.table["informed"] & ~self.table["uncertain"]].set_index("sample")["stratum"]

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
    posterior: FactorPosterior | None = None,
) -> Strata:
    """Stratify a cohort. The order of the patients does not matter.

    Those make the strata in whom the factors are known; the others are placed with what their data say.

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
    posterior
        Of the factors, its mean as `factors`; None if they are known without error.

    Raises
    ------
    InputError
        If samples have no row, or a robust factor no values.
    """
    factors = factors.loc[sorted(factors.index)]
    known = FactorPosterior.exact(factors) if posterior is None else posterior.of(list(factors.index), factors.columns)
    eligible = _eligible(factors.index, samples, control, settings)
    space, informed = _informed(known, eligible, variance_explained, robust)
    clustered = eligible & informed
    clusters = np.arange(settings.clusters[0], min(settings.clusters[1], clustered.sum() // MIN_STRATUM) + 1)
    hindrance = _hindrance(space, len(clusters), clustered, eligible, settings)
    if hindrance:
        return _one_stratum(factors, clustered, informed, space, hindrance)
    points = np.ascontiguousarray(space.coordinates(factors.loc[clustered]))
    test = null_test(points, clusters, settings.draws, settings.generator(0))
    tried = candidates(points, clusters.tolist(), settings)
    choice = choose(tried, test, settings.alpha)
    logger.info("p = %.3g that data without structure look like this", test.pvalue)
    if choice.candidate is None:
        return _one_stratum(factors, clustered, informed, space, "", choice.table, test.pvalue, test.df)
    model, order = _model(
        points, choice.candidate, space, known.of(list(factors.index[clustered]), space.factors), settings
    )
    table = _table(known, clustered, model)
    return Strata(
        table=table,
        selection=choice.table,
        consensus=_consensus(points, choice.candidate, table[clustered], settings),
        jaccard={stratum + 1: float(value) for stratum, value in enumerate(choice.candidate.jaccard[order])},
        hindrance="",
        null_pvalue=test.pvalue,
        null_df=test.df,
        space=space,
        model=model,
    )


def _informed(
    known: FactorPosterior, eligible: np.ndarray, variance_explained: pd.DataFrame, robust: Sequence[str]
) -> tuple[FactorSpace, np.ndarray]:
    """Return the space of the strata, and who knows enough of it to make them."""
    made_of = known.mean.loc[eligible]
    shares = known_factors(known)
    # of unknown factors `factor_space` says what is wrong
    rare = rarely_known(shares.loc[eligible], [name for name in robust if name in shares])
    space = factor_space(made_of, variance_explained, robust, rare)
    informed = are_informed(shares, factor_weights(variance_explained).reindex(list(space.factors)))
    return factor_space(known.mean.loc[eligible & informed], variance_explained, robust, rare), informed


def _hindrance(
    space: FactorSpace, numbers: int, clustered: np.ndarray, eligible: np.ndarray, settings: Settings
) -> str:
    """Say why structure cannot be tested; empty where it can."""
    if not space.factors:
        return "no robust factor to stratify by"
    if numbers:
        return ""
    lacking = int(eligible.sum() - clustered.sum())
    needed = settings.clusters[0] * MIN_STRATUM
    reason = f"{clustered.sum()} samples; {settings.clusters[0]} strata need at least {needed}"
    return f"{reason} ({lacking} samples lack views that the factors come from)" if lacking else reason


def _eligible(index: pd.Index, samples: pd.DataFrame, control: str | None, settings: Settings) -> np.ndarray:
    """Return which samples may make the strata."""
    disease = samples.set_index("sample")["disease"]
    unknown = sorted(set(index) - set(disease.index))
    if unknown:
        raise InputError(f"stratification: {len(unknown)} samples are not in the sheet, the first is {unknown[0]}.")
    if settings.include_controls or control is None:
        return np.ones(len(index), dtype=bool)
    return (disease.loc[index] != control).to_numpy()


def _model(
    points: np.ndarray, candidate: Candidate, space: FactorSpace, known: FactorPosterior, settings: Settings
) -> tuple[StratumModel, np.ndarray]:
    """Return the model of the strata by decreasing size, and that order of the candidate's."""
    matched = match_to_strata(points, candidate.labels, candidate.resampled, candidate.centroids)
    mixture = bootstrapped(points, candidate.mixture, candidate.resampled, settings.generator(2))
    measured = measurement(space, known.gain.mean(axis=0), known.covariance.mean(axis=0))
    model = StratumModel(space, matched, mixture, measured)
    # numbered by the patients that the strata have in the end
    placed = model.place(known).stratum
    order = np.argsort(-np.bincount(placed - 1, minlength=candidate.k), kind="stable")
    return model.reordered(order), order


def _table(known: FactorPosterior, clustered: np.ndarray, model: StratumModel) -> pd.DataFrame:
    placed = model.place(known)
    return pd.DataFrame(
        {
            "sample": known.mean.index,
            "stratum": placed.stratum,
            "confidence": placed.confidence,
            "stability": placed.stability,
            "uncertain": placed.uncertain,
            "informed": placed.informed,
            "clustered": clustered,
        }
    )


def _consensus(points: np.ndarray, chosen: Candidate, clustered: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    means = consensus_of_strata(points, chosen, clustered["stratum"].to_numpy() - 1, settings)
    names = pd.RangeIndex(1, chosen.k + 1, name="stratum")
    wide = pd.DataFrame(means, clustered["sample"], names)
    return wide.stack().rename("consensus").reset_index()[CONSENSUS_COLUMNS]


def _one_stratum(
    factors: pd.DataFrame,
    clustered: np.ndarray,
    informed: np.ndarray,
    space: FactorSpace,
    hindrance: str,
    selection: pd.DataFrame | None = None,
    pvalue: float = np.nan,
    df: float = np.nan,
) -> Strata:
    """Everybody in stratum 1: no confidence, because nothing was decided."""
    if selection is None:
        selection = pd.DataFrame([{"k": 1, "chosen": True}], columns=SELECTION_COLUMNS)
        selection[SELECTION_COLUMNS[1:-1]] = np.nan
    table = pd.DataFrame(
        {
            "sample": factors.index,
            "stratum": ALL_TOGETHER,
            "confidence": np.nan,
            "stability": np.nan,
            "uncertain": False,
            "informed": informed,
            "clustered": clustered,
        }
    )
    nothing = pd.DataFrame(columns=CONSENSUS_COLUMNS)
    return Strata(table, selection, nothing, {ALL_TOGETHER: np.nan}, hindrance, pvalue, df, space, None)
