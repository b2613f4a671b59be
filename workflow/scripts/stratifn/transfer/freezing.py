"""From a finished cohort to its frozen reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.shared.claims import verdicts_table
from stratifn.shared.factor_model import ViewModel
from stratifn.shared.vocabulary import OWN_FACTORS
from stratifn.transfer.limits import Limits, Reach, Tail, fit_limits
from stratifn.transfer.reference import INTERFERON_PART, LIMITS, MODEL, STRATA, VERDICTS, VIEWS, Part, Reference, Source
from stratifn.transfer.verdicts import verdicts_part

if TYPE_CHECKING:
    import anndata as ad

# the column of a matrix that holds its features' symbols
GENE_NAME = "gene_name"
# the arrays of a view's model that training fits
FITTED = ("weights", "weights_squared", "tau", "means")


@dataclass(frozen=True)
class FrozenView:
    """How a view is transformed.

    Attributes
    ----------
    kind
        The kind of the view (``counts``, ``beta``, ...).
    fields
        The frozen transform as arrays, numbers and words; ``features`` are its feature ids, and every array as long
        as these has one value per feature. Beside them ``gene_names``, the features' symbols, where the view has any.
    """

    kind: str
    fields: Mapping[str, Any]

    @property
    def lender(self) -> str:
        """The view whose size factors this one takes, or `OWN_FACTORS`; references made before there was a choice say nothing."""
        return str(self.fields.get("lender", OWN_FACTORS))

    @classmethod
    def of(cls, kind: str, fields: Mapping[str, Any], validated: ad.AnnData | None) -> FrozenView:
        """Put the transform's fields and the gene names of the matrix that it was learnt from together."""
        if validated is None or GENE_NAME not in validated.var:
            return cls(kind, fields)
        names = validated.var.loc[fields["features"], GENE_NAME].to_numpy(str)
        return cls(kind, {**fields, "gene_names": names})


@dataclass(frozen=True)
class ReferenceModel:
    """The model of the factors, as read from a reference.

    Attributes
    ----------
    views
        One per view of the model.
    factors
        How many of the model's factors are reported, Factor1 first.
    refusal
        Why new patients get no factors; empty when they do.
    """

    views: tuple[ViewModel, ...]
    factors: int
    refusal: str


@dataclass(frozen=True)
class LearntModel:
    """What integration and stratification learnt.

    Attributes
    ----------
    views
        The chosen model, view by view.
    factors
        How many of its factors are reported.
    samples
        The samples that it was trained on.
    strata
        The stratum model as arrays.
    stability
        Columns stratum, jaccard, label: what the strata are.
    """

    views: Sequence[ViewModel]
    factors: int
    samples: Sequence[str]
    strata: Mapping[str, np.ndarray]
    stability: pd.DataFrame


def freeze_reference(
    source: Source,
    transforms: Mapping[str, FrozenView],
    learnt: LearntModel,
    values: Mapping[str, ad.AnnData],
    interferon: tuple[Mapping[str, Any], Mapping[str, np.ndarray]] | None,
    verdicts: Iterable[pd.DataFrame],
    corrected_for: str = "",
) -> Reference:
    """Collect what placing a new patient needs.

    Parameters
    ----------
    source
        What it is made of, and with what.
    transforms
        View name to its frozen transform.
    learnt
        Factors and strata.
    values
        View name to transformed values (samples x features): the limits are learnt from them, and nothing of them is
        kept.
    interferon
        The interferon reference as values and arrays; None where the cohort has no view to score.
    verdicts
        What each phase judged of the cohort.
    corrected_for
        Column of the sheet that was regressed out before training; empty if none was.
    """
    refusal = ""
    if corrected_for:
        refusal = f"the reference was trained on views corrected for {corrected_for}; a new patient cannot be corrected"
    limits = fit_limits(learnt.views, _training_values(learnt, values), learnt.factors)
    return Reference(
        source=source,
        parts={
            VIEWS: _views_part(transforms),
            MODEL: _model_part(learnt.views, learnt.factors, refusal),
            LIMITS: _limits_part(limits),
            STRATA: Part({"strata": [_stratum(row) for row in learnt.stability.itertuples()]}, learnt.strata),
            INTERFERON_PART: _interferon_part(interferon),
            VERDICTS: verdicts_part(verdicts_table(verdicts)),
        },
    )


def frozen_views(reference: Reference) -> dict[str, FrozenView]:
    """Return the transforms of a reference by view."""
    part = reference.parts[VIEWS]
    return {
        view["name"]: FrozenView(view["kind"], view["numbers"] | part.group(view["name"]))
        for view in part.values["views"]
    }


def reference_model(reference: Reference) -> ReferenceModel:
    """Return the model of a reference."""
    part = reference.parts[MODEL]
    views = []
    for view in part.values["views"]:
        arrays = part.group(view["name"])
        features = tuple(str(feature) for feature in arrays.pop("features"))
        views.append(ViewModel(name=view["name"], features=features, scale=view["scale"], **arrays))
    return ReferenceModel(tuple(views), part.values["factors"], part.values["refusal"])


def reference_limits(reference: Reference) -> Limits:
    """Return the limits of a reference."""
    part, views, spread = reference.parts[LIMITS], [], {}
    for view in reference_model(reference).views:
        arrays: dict[str, Any] = part.group(f"views/{view.name}")
        spread[view.name] = arrays.pop("spread")
        views.append(replace(view, **arrays))
    tails = [
        Tail(tuple(each["views"]), np.array(each["scores"]), each["excess"], each["above"])
        for each in part.values["tails"]
    ]
    reach = Reach(**part.group("reach"), distance=part.values["reach"])
    return Limits(views, spread, part.values["typical"], reach, tails, part.values["level"])


def _views_part(transforms: Mapping[str, FrozenView]) -> Part:
    views: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for name, frozen in transforms.items():
        single = {key: value for key, value in frozen.fields.items() if np.ndim(value) == 0}
        arrays |= {f"{name}/{key}": np.asarray(value) for key, value in frozen.fields.items() if key not in single}
        views.append({"name": name, "kind": frozen.kind, "numbers": single, "features": len(frozen.fields["features"])})
    return Part({"views": views}, arrays)


def _model_part(model: Sequence[ViewModel], factors: int, refusal: str) -> Part:
    arrays: dict[str, np.ndarray] = {}
    for view in model:
        arrays[f"{view.name}/features"] = np.array(view.features, dtype=str)
        for field in FITTED:
            arrays[f"{view.name}/{field}"] = np.asarray(getattr(view, field), dtype=float)
    views = [{"name": view.name, "scale": float(view.scale), "features": len(view.features)} for view in model]
    return Part({"factors": factors, "refusal": refusal, "views": views}, arrays)


def _training_values(learnt: LearntModel, values: Mapping[str, ad.AnnData]) -> dict[str, pd.DataFrame]:
    """Return what the model was trained on: view to samples x features."""
    trained = set(learnt.samples)
    chosen = {}
    for view in learnt.views:
        data = values[view.name]
        chosen[view.name] = data[data.obs_names.isin(trained), list(view.features)].to_df()
    return chosen


def _limits_part(limits: Limits) -> Part:
    """Features and scales are those of the model."""
    arrays = {"reach/mean": limits.reach.mean, "reach/precision": limits.reach.precision}
    for view in limits.model:
        arrays |= {f"views/{view.name}/{field}": getattr(view, field) for field in FITTED}
        arrays[f"views/{view.name}/spread"] = limits.spread[view.name]
    tails = [vars(tail) | {"views": list(tail.views), "scores": tail.scores.tolist()} for tail in limits.tails]
    values = {"level": limits.level, "reach": limits.reach.distance, "typical": dict(limits.typical), "tails": tails}
    return Part(values, arrays)


def _stratum(row: Any) -> dict[str, Any]:
    jaccard = None if pd.isna(row.jaccard) else float(row.jaccard)
    return {"stratum": int(row.stratum), "label": str(row.label), "jaccard": jaccard}


def _interferon_part(interferon: tuple[Mapping[str, Any], Mapping[str, np.ndarray]] | None) -> Part:
    if interferon is None:
        return Part({"reference": None}, {})
    values, arrays = interferon
    return Part({"reference": values}, arrays)
