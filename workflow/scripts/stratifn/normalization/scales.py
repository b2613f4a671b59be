"""Views that are no counts: methylation fractions, proportions, concentrations, values on a log scale."""

from __future__ import annotations

from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.normalization.frozen import (
    SAMPLES_PER_BLOCK,
    FrozenTransform,
    aligned,
    dense,
    note,
    overwritable,
    transformed_view,
)
from stratifn.normalization.task import Task, ViewKind
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.vocabulary import BETA, CONCENTRATION, CONTINUOUS, PROPORTION

# fractions are read with three digits at best; beyond, a logit only magnifies noise
BETA_LIMIT = 1e-3
NO_NOTES = pd.DataFrame(columns=list(NOTE_COLUMNS), dtype=object)


@dataclass(frozen=True)
class BetaTransform(FrozenTransform):
    """Methylation fraction to M-value, ``log2(beta / (1 - beta))``, fractions clipped to [limit, 1 - limit]."""

    limit: float

    def transform(self, view: ad.AnnData, in_place: bool = False) -> ad.AnnData:
        """Return M-values; see `FrozenTransform.transform`."""
        view = aligned(view, self.features)
        values = overwritable(view.X, in_place)
        limit = values.dtype.type(self.limit)
        for start in range(0, len(values), SAMPLES_PER_BLOCK):
            block = values[start : start + SAMPLES_PER_BLOCK]
            np.clip(block, limit, 1 - limit, out=block)
            block /= 1 - block
            np.log2(block, out=block)
        return transformed_view(view, values)


def fit_beta(view: ad.AnnData, task: Task) -> tuple[BetaTransform, pd.DataFrame]:
    """Return the M-value transform and the number of fractions that it clips."""
    values = dense(view.X)
    clipped = 0
    for start in range(0, len(values), SAMPLES_PER_BLOCK):
        block = values[start : start + SAMPLES_PER_BLOCK]
        clipped += int(((block < BETA_LIMIT) | (block > 1 - BETA_LIMIT)).sum())
    notes = NO_NOTES
    if clipped:
        reason = f"fractions within {BETA_LIMIT:g} of 0 or 1 have no finite or no stable M-value"
        notes = note(task.view, f"{clipped} values", "clipped", reason)
    return BetaTransform(_features(view), BETA_LIMIT), notes


@dataclass(frozen=True)
class ProportionTransform(FrozenTransform):
    """Centred log-ratio, zeros replaced by half of the smallest positive share of that part in the training data.

    Attributes
    ----------
    replacements
        Per feature the value that replaces a zero.
    """

    replacements: np.ndarray

    def transform(self, view: ad.AnnData, in_place: bool = False) -> ad.AnnData:
        """Return natural log-ratios to the sample's geometric mean; see `FrozenTransform.transform`."""
        view = aligned(view, self.features)
        values = dense(view.X).astype(float)
        values = np.log(np.where(values == 0, self.replacements, values))
        for row in values:
            measured = np.isfinite(row)
            if measured.any():
                row -= row[measured].mean()
        return transformed_view(view, values)


def fit_proportion(view: ad.AnnData, task: Task) -> tuple[ProportionTransform, pd.DataFrame]:
    """Learn what replaces a zero in each part."""
    values = dense(view.X).astype(float)
    smallest = _smallest_positive(values)
    zeros = int((values == 0).sum())
    notes = NO_NOTES
    if zeros:
        reason = "a zero has no logarithm and was replaced by half of the smallest positive value of its part"
        notes = note(task.view, f"{zeros} zeros", "replaced", reason)
    return ProportionTransform(_features(view), smallest / 2), notes


@dataclass(frozen=True)
class ConcentrationTransform(FrozenTransform):
    """log2 of concentrations, values below the limit of detection replaced by the limit over the root of two.

    Attributes
    ----------
    limits
        Limit of detection per analyte; the smallest positive training value where the assay states none.
    """

    limits: np.ndarray

    def transform(self, view: ad.AnnData, in_place: bool = False) -> ad.AnnData:
        """Return log2 concentrations; missing values stay missing; see `FrozenTransform.transform`."""
        view = aligned(view, self.features)
        values = dense(view.X).astype(float)
        below = below_detection(view, values)
        values = np.log2(np.where(below, self.limits / np.sqrt(2), values))
        result = transformed_view(view, values)
        result.layers["below_lod"] = below
        result.var["lod"] = self.limits
        return result


def fit_concentration(view: ad.AnnData, task: Task) -> tuple[ConcentrationTransform, pd.DataFrame]:
    """Learn the limit of detection of every analyte and count the values below it."""
    values = dense(view.X).astype(float)
    below = below_detection(view, values)
    stated = view.var["lod"].to_numpy(dtype=float) if "lod" in view.var else np.full(view.n_vars, np.nan)
    limits = np.where(np.isfinite(stated) & (stated > 0), stated, _smallest_positive(values))
    notes = [
        note(
            task.view,
            str(name),
            f"{count} values imputed",
            f"below the limit of detection ({limit:g}): limit / sqrt(2)",
        )
        for name, count, limit in zip(view.var_names, below.sum(axis=0), limits, strict=True)
        if count
    ]
    frozen = ConcentrationTransform(_features(view), limits)
    return frozen, pd.concat(notes, ignore_index=True) if notes else NO_NOTES


def below_detection(view: ad.AnnData, values: np.ndarray) -> np.ndarray:
    """Tell which values lie below the limit of detection: those marked so, and measured zeros."""
    marked = view.layers["below_lod"].astype(bool) if "below_lod" in view.layers else False
    return np.asarray(marked | (values <= 0))


@dataclass(frozen=True)
class ContinuousTransform(FrozenTransform):
    """Values that are on a log or normal scale already, as they are."""

    def transform(self, view: ad.AnnData, in_place: bool = False) -> ad.AnnData:
        """Return the values as they are; see `FrozenTransform.transform`."""
        view = aligned(view, self.features)
        return transformed_view(view, overwritable(view.X, in_place))


def fit_continuous(view: ad.AnnData, task: Task) -> tuple[ContinuousTransform, pd.DataFrame]:
    """Return the transform that changes nothing."""
    return ContinuousTransform(_features(view)), NO_NOTES


def _features(view: ad.AnnData) -> np.ndarray:
    return view.var_names.astype(str).to_numpy(dtype=object)


def _smallest_positive(values: np.ndarray) -> np.ndarray:
    """Smallest positive value per feature; of the whole matrix for a feature without any."""
    positive = np.where(values > 0, values, np.inf)
    smallest = positive.min(axis=0, initial=np.inf)
    overall = smallest.min(initial=np.inf)
    return np.where(np.isfinite(smallest), smallest, overall if np.isfinite(overall) else 1.0)


SCALES = (
    ViewKind(
        BETA,
        "Methylation fractions",
        f"were turned into M-values, log2(beta / (1 - beta)), after clipping to [{BETA_LIMIT:g}, {1 - BETA_LIMIT:g}]",
        "Du et al. 2010, doi:10.1186/1471-2105-11-587",
        "M-value",
        BetaTransform,
        fit_beta,
    ),
    ViewKind(
        PROPORTION,
        "Proportions",
        "were transformed to centred log-ratios (natural logarithm), a zero being replaced by half of the smallest "
        "positive value of its part in the training samples",
        "Aitchison 1982, doi:10.1111/j.2517-6161.1982.tb01195.x; Martin-Fernandez et al. 2003, "
        "doi:10.1023/A:1023866030544",
        "centred log-ratio",
        ProportionTransform,
        fit_proportion,
    ),
    ViewKind(
        CONCENTRATION,
        "Concentrations",
        "were transformed to log2, values below the limit of detection being replaced by the limit over the square root "
        "of two, and missing values left missing",
        "Hornung & Reed 1990, doi:10.1080/1047322X.1990.10389587",
        "log2 concentration",
        ConcentrationTransform,
        fit_concentration,
    ),
    ViewKind(
        CONTINUOUS,
        "Values",
        "were used as they are (already on a log or normal scale)",
        "none",
        "as given",
        ContinuousTransform,
        fit_continuous,
    ),
)
