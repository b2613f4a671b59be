"""What enters the model: samples, the most variable features of each view, centred and scaled.

The choices and their reasons:

* **Variance on the transformed scale** (VST, M-value, ...): there the variance does not follow the mean, so the most
  variable features carry differences between samples and not only abundance.
* **As many features at most in each view** (`top_features`): MOFA weighs views by their number of features, so a view
  of 450,000 features would own every factor.
* **The union of samples**: a sample without a view stays in with the views that it has; MOFA's likelihood runs over
  what was observed.
* **Features centred**, because the model has no intercept, and **views divided by their overall standard deviation**:
  views are in different units, and the start (principal components of all views side by side) would otherwise belong
  to the view with the largest numbers. Features of one view keep their ratio of variances.
* **A known batch** is regressed out on request only (`stratifn.integration.batch`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.integration.batch import without_batch
from stratifn.integration.names import model_feature_names, require_plain_names
from stratifn.integration.settings import Settings
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.errors import InputError

if TYPE_CHECKING:
    import anndata as ad

logger = logging.getLogger("stratifn.integration")

# a feature that moves less than this relative to its own size is constant up to rounding
CONSTANT = 1e-9
BLOCK_FEATURES = 10_000


@dataclass(frozen=True)
class View:
    """One view as the model sees it.

    Attributes
    ----------
    name
        The view.
    features
        Ids of the features kept, in the order of the matrix (D).
    model_names
        Their names in the model file.
    values
        Centred and scaled values (samples of the cohort x D); NaN where not measured.
    means
        What was subtracted, per feature (D), on the scale of the input.
    scale
        What the centred values were divided by.
    """

    name: str
    features: tuple[str, ...]
    model_names: tuple[str, ...]
    values: np.ndarray
    means: np.ndarray
    scale: float


@dataclass(frozen=True)
class ModelInput:
    """All views of a cohort, ready for training.

    Attributes
    ----------
    samples
        Sample ids, the rows of every view.
    views
        The views, in the order of the config.
    selection
        One row per view: view, samples, features, too_many_missing, constant, eligible, selected, scale.
    overlap
        One row per combination of views that occurs: views, samples.
    notes
        What was left out or renamed: view, item, what, reason.
    """

    samples: tuple[str, ...]
    views: tuple[View, ...]
    selection: pd.DataFrame
    overlap: pd.DataFrame
    notes: pd.DataFrame


def prepare_views(views: Mapping[str, ad.AnnData], samples: pd.DataFrame, settings: Settings) -> ModelInput:
    """Choose samples and features, centre and scale.

    Parameters
    ----------
    views
        View name to AnnData; ``X`` holds transformed values (samples x features), NaN for a single missing value.
    samples
        The cohort, column ``sample``; the rows of the model follow its order.
    settings
        See `Settings`.

    Raises
    ------
    InputError
        Names that the model file cannot hold; nothing left to integrate.
    """
    everyone = [str(sample) for sample in samples["sample"]]
    require_plain_names(views, everyone)
    if settings.regress_out:
        views = without_batch(views, samples, settings.regress_out, settings.protect)
    has_view = _availability(views, everyone)
    kept = has_view.index[has_view.sum(axis=1) >= settings.min_views]
    _require_enough_samples(len(kept), settings)
    chosen = {view: _choose_features(data, kept, settings) for view, data in views.items()}
    _require_features(chosen)
    chosen = {view: choice for view, choice in chosen.items() if len(choice.columns)}
    ids = {view: [str(views[view].var_names[c]) for c in choice.columns] for view, choice in chosen.items()}
    names = model_feature_names(ids)
    ready = tuple(
        _build_view(view, views[view], kept, chosen[view].columns, names[view], settings.scale_views) for view in chosen
    )
    selection = _selection_table(views, has_view.loc[kept], chosen, ready)
    notes = _notes(has_view, kept, views, chosen, ids, names, settings)
    return ModelInput(tuple(kept), ready, selection, _overlap_table(has_view.loc[kept]), notes)


@dataclass(frozen=True)
class _Choice:
    columns: np.ndarray
    too_many_missing: int
    constant: int


def _availability(views: Mapping[str, ad.AnnData], samples: list[str]) -> pd.DataFrame:
    """Which sample has which view (samples x views of booleans)."""
    return pd.DataFrame({view: pd.Index(samples).isin(data.obs_names) for view, data in views.items()}, samples)


def _require_enough_samples(count: int, settings: Settings) -> None:
    if count < settings.min_samples:
        raise InputError(
            f"integration: {count} samples have at least {settings.min_views} view(s); factors need at least "
            f"{settings.min_samples} (and more than 15 to be of use). Add samples, or lower integration: min_views."
        )
    if count <= 15:
        logger.warning("%d samples: MOFA's authors advise more than 15; expect few and unstable factors", count)


def _choose_features(data: ad.AnnData, kept: pd.Index, settings: Settings) -> _Choice:
    """Choose the most variable features over the samples that are in the model; ties go by position."""
    rows = np.flatnonzero(data.obs_names.isin(kept))
    if rows.size < 2:
        return _Choice(np.array([], dtype=int), 0, 0)
    variance = np.empty(data.n_vars)
    missing = np.empty(data.n_vars)
    constant = np.empty(data.n_vars, dtype=bool)
    for start in range(0, data.n_vars, BLOCK_FEATURES):
        block = slice(start, start + BLOCK_FEATURES)
        variance[block], missing[block], constant[block] = _measure(_dense(data, rows, block))
    too_many = missing > settings.max_missing
    constant &= ~too_many
    eligible = np.flatnonzero(~too_many & ~constant)
    best = eligible[np.argsort(-variance[eligible], kind="stable")[: settings.top_features]]
    return _Choice(np.sort(best), int(too_many.sum()), int(constant.sum()))


def _dense(data: ad.AnnData, rows: np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
    values = data.X[:, columns][rows]
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, dtype=float)


def _measure(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return per feature: variance, fraction missing, whether it is constant."""
    observed = np.isfinite(values)
    counts = observed.sum(axis=0)
    divisor = np.maximum(counts, 1)
    filled = np.where(observed, values, 0.0)
    mean = filled.sum(axis=0) / divisor
    deviation = np.where(observed, filled - mean, 0.0)
    variance = np.square(deviation).sum(axis=0) / np.maximum(counts - 1, 1)
    largest = np.abs(filled).max(axis=0)
    constant = (counts < 2) | (np.abs(deviation).max(axis=0) <= CONSTANT * np.maximum(largest, CONSTANT))
    return variance, 1.0 - counts / values.shape[0], constant


def _require_features(chosen: Mapping[str, _Choice]) -> None:
    if not any(len(choice.columns) for choice in chosen.values()):
        raise InputError(
            "integration: no view has a feature that varies between its samples; there is nothing to integrate."
        )


def _build_view(
    name: str, data: ad.AnnData, kept: pd.Index, columns: np.ndarray, names: list[str], scale_views: bool
) -> View:
    rows = data.obs_names.get_indexer(kept)
    present = np.flatnonzero(rows >= 0)
    measured = _dense(data, rows[present], columns)
    measured[~np.isfinite(measured)] = np.nan
    means = np.nanmean(measured, axis=0)
    measured -= means
    scale = float(np.nanstd(measured)) if scale_views else 1.0
    values = np.full((len(kept), len(columns)), np.nan)
    values[present] = measured / scale
    features = tuple(str(data.var_names[column]) for column in columns)
    return View(name, features, tuple(names), values, means, scale)


def _selection_table(views, has_view, chosen, ready) -> pd.DataFrame:
    scale = {view.name: view.scale for view in ready}
    rows = [
        {
            "view": view,
            "samples": int(has_view[view].sum()),
            "features": views[view].n_vars,
            "too_many_missing": choice.too_many_missing,
            "constant": choice.constant,
            "eligible": views[view].n_vars - choice.too_many_missing - choice.constant,
            "selected": len(choice.columns),
            "scale": scale[view],
        }
        for view, choice in chosen.items()
    ]
    return pd.DataFrame(rows)


def _overlap_table(has_view: pd.DataFrame) -> pd.DataFrame:
    labels = ["+".join(has_view.columns[row]) for row in has_view.to_numpy()]
    counts = pd.Series(labels).value_counts()
    table = pd.DataFrame({"views": counts.index, "samples": counts.to_numpy()})
    return table.sort_values(["samples", "views"], ascending=[False, True], ignore_index=True)


def _notes(has_view, kept, views, chosen, ids, names, settings) -> pd.DataFrame:
    rows = (
        []
        if not settings.regress_out
        else [
            (
                view,
                settings.regress_out,
                "regressed out before integration",
                f"protected: {', '.join(settings.protect)}",
            )
            for view in views
        ]
    )
    rows += [
        (",".join(has_view.columns[has_view.loc[sample]]) or "NA", sample, "sample left out", "too few views")
        for sample in has_view.index.difference(kept)
    ]
    for view in views:
        if view not in chosen:
            rows.append((view, view, "view left out", "no feature varies between its samples"))
            continue
        choice = chosen[view]
        for count, reason in (
            (choice.too_many_missing, f"missing in more than {settings.max_missing:g} of the samples"),
            (choice.constant, "constant"),
        ):
            if count:
                rows.append((view, f"{count} features", "features left out of the integration", reason))
        rows += [
            (view, feature, f"named {name} in the model file", "names must be ASCII, without /, unique over views")
            for feature, name in zip(ids[view], names[view], strict=True)
            if feature != name
        ]
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))
