"""New patients, one to thousands, placed with a frozen reference alone.

Nothing is learnt from the new patients: each one's numbers come from the patient and the reference, so that one alone
gets what it gets in a batch. Scores against the batch's own controls, if it names any, are given beside (`own_controls`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from stratifn.shared.claims import verdicts_table
from stratifn.shared.columns import columns_of
from stratifn.shared.factor_posterior import FactorPosterior, ProjectedFactors, project_factors
from stratifn.shared.files import reading_users
from stratifn.shared.vocabulary import RNA, UNCERTAIN, UNSCORED
from stratifn.transfer.freezing import FrozenView, ReferenceModel, frozen_views, reference_limits, reference_model
from stratifn.transfer.limits import Judgement, Limits
from stratifn.transfer.matching import MatchedView, match_views
from stratifn.transfer.notes import Measured, described_reference, placement_notes, specimen_difference
from stratifn.transfer.own_controls import ScoreLocally, against_own_controls
from stratifn.transfer.reference import INTERFERON_PART, STRATA, VALUES_FILE, Part, Reference, load_reference
from stratifn.transfer.size_factors import with_lent_size_factors
from stratifn.transfer.verdicts import placement_verdicts, reference_verdicts

if TYPE_CHECKING:
    import anndata as ad

PATIENT_COLUMNS = list(columns_of("transfer/{name}/patients.tsv"))
NOT_COMPARED = Judgement(np.nan, "")


class Placed(Protocol):
    """Where patients were placed (see `stratifn.stratification.model.Placed`): one value per patient."""

    @property
    def stratum(self) -> np.ndarray:
        """Most probable stratum, from 1."""

    @property
    def confidence(self) -> np.ndarray:
        """Probability of that stratum."""

    @property
    def uncertain(self) -> np.ndarray:
        """Whether the probability is below one half."""

    @property
    def informed(self) -> np.ndarray:
        """Whether the patient's data can show the strata."""


class StratumModel(Protocol):
    """What places patients in strata by their factors (see `stratifn.stratification.StratumModel`)."""

    def place(self, posterior: FactorPosterior) -> Placed:
        """Place patients."""


@dataclass(frozen=True)
class Phases:
    """How the other phases read their part of the reference.

    Attributes
    ----------
    transform
        (frozen view, validated matrix) -> transformed matrix.
    score
        (interferon reference as values and arrays, validated matrix, samples) -> sample, score, probability_high,
        ifn_class, reason.
    strata
        Arrays -> stratum model, None for one stratum.
    score_locally
        As `score`, and the label of the batch's own controls -> the scores against these.
    """

    transform: Callable[[FrozenView, ad.AnnData], ad.AnnData]
    score: Callable[[Mapping[str, Any], Mapping[str, np.ndarray], ad.AnnData, pd.DataFrame], pd.DataFrame]
    strata: Callable[[Mapping[str, np.ndarray]], StratumModel | None]
    score_locally: ScoreLocally | None = None


@dataclass(frozen=True)
class Placement:
    """New patients in the reference.

    Attributes
    ----------
    patients
        Columns `PATIENT_COLUMNS`, one row per sample, sorted.
    factors
        sample, Factor1 ... FactorK, sd_Factor1 ... sd_FactorK: posterior mean and SD; missing where not placed.
    notes
        view, item, what, reason.
    reference
        What they were placed in: one row, columns `notes.REFERENCE_COLUMNS`.
    verdicts
        Whether the reference fits these patients at all, and what it could claim of its own cohort.
    """

    patients: pd.DataFrame
    factors: pd.DataFrame
    notes: pd.DataFrame
    reference: pd.DataFrame
    verdicts: pd.DataFrame


def place_patients(
    reference: Reference,
    views: Mapping[str, ad.AnnData],
    samples: pd.DataFrame,
    phases: Phases,
    measured: Measured,
    notes: pd.DataFrame | None = None,
) -> Placement:
    """Place new patients.

    Parameters
    ----------
    reference
        From `load_reference`.
    views
        Validated views by name (samples x features, in the units of the reference's own inputs).
    samples
        The sheet: ``sample``, ``disease`` and whatever the scores look at (``anti_ifn``).
    phases
        How to transform, score and stratify.
    measured
        Specimen and platform, which change no number (a difference from the reference is reported, of the specimen with
        every patient), and who the batch's own controls are.
    notes
        What is known about the new patients' files already: view, item, what, reason.

    Raises
    ------
    InputError
        See `match_views`.
    """
    everyone = sorted(samples["sample"].astype(str))
    model = reference_model(reference)
    matched = with_lent_size_factors(match_views(frozen_views(reference), views), phases.transform)
    transformed = _transformed(model, matched, phases)
    projected = project_factors(model.views, transformed) if transformed else None
    names = [f"Factor{k + 1}" for k in range(model.factors)]
    mean, sd = _posterior(projected, everyone, names)
    classes = _classes(reference.parts[INTERFERON_PART], matched, samples, phases).reindex(everyone)
    seen = pd.DataFrame(index=everyone) if projected is None else projected.observed.reindex(everyone, fill_value=0)
    placed = seen.gt(0).any(axis=1)
    strata, one = _strata(phases.strata(reference.parts[STRATA].arrays), projected, mean.columns, placed)
    limits = reference_limits(reference)
    compared = _compared(limits, transformed, everyone)
    pvalues = pd.Series([each.pvalue for each in compared], everyone, dtype=float)
    local = against_own_controls(reference, matched.get(RNA), samples, measured.control, phases.score_locally)
    local_classes = local.classes.reindex(everyone)
    outside = [
        [text for text in (each.reason, reason) if isinstance(text, str) and text]
        for each, reason in zip(compared, local_classes["reason"], strict=True)
    ]
    foreign = specimen_difference(reference.source, measured)
    reasons = [[*foreign, *own] for own in _reasons(model, classes, placed, one, strata["informed"], outside, seen)]
    patients = pd.DataFrame(
        {
            "sample": everyone,
            "score": classes["score"].to_numpy(float),
            "probability_high": classes["probability_high"].to_numpy(float),
            "ifn_class": classes["ifn_class"].to_numpy(object),
            "stratum": strata["stratum"].array,
            "probability": strata["probability"].to_numpy(float),
            "out_of_reference": pvalues.le(limits.level).astype("boolean").mask(pvalues.isna()).array,
            "outlier_pvalue": pvalues.to_numpy(),
            "score_local": local_classes["score"].to_numpy(float),
            "ifn_class_local": local_classes["ifn_class"].to_numpy(object),
            "views_used": [_joined([view for view in seen.columns if seen.loc[name, view]], "+") for name in everyone],
            "reason": [_joined(reason, "; ") for reason in reasons],
        },
        columns=PATIENT_COLUMNS,
    )
    factors = pd.concat([mean, sd.add_prefix("sd_")], axis=1).rename_axis("sample").reset_index()
    told = [placement_notes(reference, model, matched, measured), local.notes]
    everything = pd.concat(told if notes is None else [*told, notes], ignore_index=True)
    verdicts = verdicts_table([placement_verdicts(patients), local.verdicts, reference_verdicts(reference)])
    return Placement(patients, factors, everything, described_reference(reference), verdicts)


def require_usable(
    folder: str | Path | None, contract: str, views: Mapping[str, ad.AnnData], samples: pd.DataFrame, phases: Phases
) -> None:
    """Place a few of the new patients for a trial: what is wrong inside a reference ends the validation, and no later job.

    Parameters
    ----------
    folder
        Of a reference from elsewhere; None where this run makes it.
    contract, views, samples, phases
        As of `load_reference` and `place_patients`.

    Raises
    ------
    InputError
        As `load_reference`; and for parts that do not fit together.
    """
    if folder is None:
        return
    names = {str(data.obs_names[0]) for data in views.values() if data.n_obs}
    some = {name: data[data.obs_names.isin(names)].copy() for name, data in views.items() if data.n_obs}
    fix = "Copy the whole folder again from its source; if it is unchanged, freeze it again."
    with reading_users(Path(folder) / VALUES_FILE, "a reference whose parts fit together", fix):
        placed = samples[samples["sample"].isin(names)]
        place_patients(load_reference(folder, contract), some, placed, phases, Measured("", ""))


def _transformed(model: ReferenceModel, matched: Mapping[str, MatchedView], phases: Phases) -> dict[str, pd.DataFrame]:
    """Return the values of the model's features by view; nothing where the reference gives no factors."""
    if model.refusal:
        return {}
    values = {}
    for view in model.views:
        if view.name in matched:
            data = phases.transform(matched[view.name].frozen, matched[view.name].data)
            values[view.name] = data[:, data.var_names.isin(view.features)].to_df()
    return values


def _posterior(
    projected: ProjectedFactors | None, everyone: list[str], names: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if projected is None:
        nothing = pd.DataFrame(np.nan, everyone, names)
        return nothing, nothing
    # of a sample without a single value there is nothing but the prior
    known = projected.observed.gt(0).any(axis=1)
    return tuple(part.loc[known, names].reindex(everyone) for part in (projected.mean, projected.sd))


def _classes(part: Part, matched: Mapping[str, MatchedView], samples: pd.DataFrame, phases: Phases) -> pd.DataFrame:
    """Return score, probability_high, ifn_class and reason by sample."""
    if part.values["reference"] is not None and RNA in matched:
        classes = phases.score(part.values["reference"], part.arrays, matched[RNA].data, samples)
        return classes.set_index("sample")
    reason = f"no view {RNA} given" if part.values["reference"] is not None else f"the reference has no view {RNA}"
    columns = {"score": np.nan, "probability_high": np.nan, "ifn_class": UNSCORED, "reason": reason}
    return pd.DataFrame(columns, index=samples["sample"].astype(str))


def _strata(
    model: StratumModel | None, projected: ProjectedFactors | None, factors: pd.Index, placed: pd.Series
) -> tuple[pd.DataFrame, bool]:
    """Return stratum, probability and informed by sample, and whether the reference has one stratum only."""
    table = pd.DataFrame({"stratum": None, "probability": np.nan, "informed": True}, placed.index)
    table["stratum"] = table["stratum"].astype(object)
    if model is None:
        table.loc[placed, "stratum"] = "1"
        return table, True
    if projected is None or not placed.any():
        return table, False
    found = model.place(projected.posterior.of(list(placed.index[placed]), list(factors)))
    table.loc[placed, "stratum"] = np.where(found.uncertain, UNCERTAIN, found.stratum.astype(str))
    table.loc[placed, "probability"] = found.confidence
    table.loc[placed, "informed"] = found.informed
    return table, False


def _compared(limits: Limits, transformed: Mapping[str, pd.DataFrame], everyone: list[str]) -> list[Judgement]:
    """Compare each sample with those of the reference; one without a value with nothing."""
    values = {
        view.name: transformed[view.name].reindex(everyone, columns=list(view.features)).to_numpy(float)
        for view in limits.model
        if view.name in transformed
    }
    own = [{name: array[row] for name, array in values.items()} for row in range(len(everyone))]
    return [
        limits.judge(each) if any(np.isfinite(array).any() for array in each.values()) else NOT_COMPARED for each in own
    ]


def _reasons(
    model: ReferenceModel,
    classes: pd.DataFrame,
    placed: pd.Series,
    one: bool,
    informed: pd.Series,
    outside: list[list[str]],
    seen: pd.DataFrame,
) -> list[list[str]]:
    totals = {view.name: len(view.features) for view in model.views}
    reasons = []
    for sample, far in zip(classes.index, outside, strict=True):
        text = classes.loc[sample, "reason"]
        own = [f"score: {text}"] if isinstance(text, str) and text else []
        if not placed[sample]:
            own.append(f"no factors: {model.refusal or 'nothing measured in the views of the model'}")
        elif one:
            own.append("the reference has one stratum")
        elif not informed[sample]:
            own.append("what was measured cannot tell the strata apart")
        own += far
        own += [
            f"{view}: {seen.loc[sample, view]} of the model's {totals[view]} features"
            for view in seen.columns
            if 0 < seen.loc[sample, view] < totals[view]
        ]
        reasons.append(own)
    return reasons


def _joined(words: list[str], mark: str) -> str | None:
    return mark.join(words) if words else None
