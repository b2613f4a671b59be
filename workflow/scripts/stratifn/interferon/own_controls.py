"""Scores of new patients against the controls of their own batch.

Another chip or laboratory shifts every gene, in controls as in patients. With enough controls of its own, a batch is scored
by the reference's genes, method and settings, while locations, scales and cut-off come from its own controls, learnt by the
same functions as those of a cohort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.interferon import expression
from stratifn.interferon.classes import MASKED, call, standing, under_anti_ifn
from stratifn.interferon.controls import find_controls
from stratifn.interferon.learning import learnt
from stratifn.interferon.reference import GeneSet, Reference, from_parts
from stratifn.interferon.scoring import measure
from stratifn.interferon.sensitivity import words_on_few_controls
from stratifn.interferon.settings import EXCLUDE
from stratifn.shared.claims import Measured, judged
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.vocabulary import BY_OWN_CONTROLS, LEFT_OUT_OF_REFERENCE, RNA, UNSCORED


@dataclass(frozen=True)
class OwnControls:
    """New patients against the controls of their own batch.

    Attributes
    ----------
    classes
        sample, score, ifn_class, reason: one row per sample of the sheet.
    verdicts
        Whether the cut-off can be trusted; the subject is `vocabulary.BY_OWN_CONTROLS`.
    notes
        view, item, what, reason.
    """

    classes: pd.DataFrame
    verdicts: pd.DataFrame
    notes: pd.DataFrame


def place_by_own_controls(data: ad.AnnData, samples: pd.DataFrame, control: str, frozen: Reference) -> OwnControls:
    """Score new patients against the controls of their own batch.

    Parameters
    ----------
    data
        Raw counts or log-scale values of the batch, in the features of the reference (samples x features).
    samples
        Its sheet: ``sample``, ``disease`` and any of ``batch``, ``centre``, ``anti_ifn``.
    control
        Label of its controls.
    frozen
        The reference: its genes, method and settings are used, none of its controls' values.
    """
    controls = find_controls(samples, data.obs_names, control, frozen.settings.min_controls)
    values = expression.dense(data[list(controls.samples)])
    blank = replace(_held_to(frozen, data, values), n_controls=len(values), refusal=controls.refusal)
    own, outlying = learnt(blank, values, controls)
    found = len(controls.samples)
    measured = [
        Measured("controls", float(found), own.settings.min_controls),
        Measured("enough_controls", np.nan if own.refusal else own.n_controls, reason=words_on_few_controls(own)),
        Measured(
            "outlying_controls",
            np.nan if own.refusal else len(outlying),
            reason="left out of the reference" if own.excluded else "kept in the reference",
        ),
    ]
    verdicts = judged("cutoff", BY_OWN_CONTROLS.format(signature=own.settings.signature), measured)
    return OwnControls(_classes(data, samples, own), verdicts, _notes(own, control, controls.warnings, outlying))


def score_by_own_controls(
    values: Mapping[str, Any], arrays: Mapping[str, np.ndarray], data: ad.AnnData, samples: pd.DataFrame, control: str
) -> OwnControls:
    """Do the same with a reference as values and arrays."""
    return place_by_own_controls(data, samples, control, from_parts(values, arrays))


def _held_to(frozen: Reference, data: ad.AnnData, values: np.ndarray) -> Reference:
    """Hold a reference to the features that every control of a batch has a value of, without what its controls taught."""
    measured = set(data.var_names[np.isfinite(values).all(axis=0)])
    kept = {gene: feature for gene, feature in zip(frozen.genes, frozen.features, strict=True) if feature in measured}
    return replace(
        frozen,
        universe=tuple(data.var_names),
        genes=tuple(kept),
        features=tuple(kept.values()),
        panel={name: _set_held_to(gene_set, set(kept)) for name, gene_set in frozen.panel.items()},
        axes={name: _set_held_to(gene_set, set(kept)) for name, gene_set in frozen.axes.items()},
        profiles=_set_held_to(frozen.profiles, set(kept)),
        arrays={"profiles": frozen.arrays["profiles"][:, [gene in kept for gene in frozen.profiles.genes]]},
        floored=(),
        cutoffs={},
        excluded=0,
        everybody=None,
    )


def _set_held_to(gene_set: GeneSet, kept: set[str]) -> GeneSet:
    weights = {gene: weight for gene, weight in zip(gene_set.genes, gene_set.weights, strict=True) if gene in kept}
    lost = [gene for gene in gene_set.genes if gene not in kept]
    missing = tuple(sorted([*gene_set.missing, *lost]))
    return replace(gene_set, genes=tuple(weights), weights=tuple(weights.values()), missing=missing)


def _classes(data: ad.AnnData, samples: pd.DataFrame, own: Reference) -> pd.DataFrame:
    people = measure(data, own)
    stand = standing(people, own, own.panel[own.settings.signature])
    unvalued = ~np.isfinite(stand.score) & (stand.refusal == "")
    reason = np.where(unvalued, "the sample has no value for some of the genes", stand.refusal)
    found = pd.DataFrame(
        {"score": stand.score, "ifn_class": call(stand.probability_high, own), "reason": reason},
        index=list(people.samples),
    )
    table = found.reindex(samples["sample"].astype(str))
    absent = ~table.index.isin(found.index)
    table.loc[absent, ["ifn_class", "reason"]] = [UNSCORED, "not in the expression matrix"]
    masked = under_anti_ifn(samples)
    table.loc[masked, "ifn_class"] = UNSCORED
    table.loc[masked & table["reason"].eq("").to_numpy(), "reason"] = MASKED
    return table.rename_axis("sample").reset_index()


def _notes(own: Reference, control: str, warnings: Sequence[str], outlying: Sequence[str]) -> pd.DataFrame:
    item = f"own controls ({control})"
    rows = [(item, "read with care", warning) for warning in warnings]
    if own.refusal:
        rows.append((item, "no score against own controls and no class", own.refusal))
    else:
        rows.append((item, "scored against", f"{own.n_controls} controls of these patients' own batch"))
    gene_set = own.panel[own.settings.signature]
    if gene_set.missing:
        lacking = f"not measured in every own control, or not in the reference: {' '.join(gene_set.missing)}"
        rows.append((f"{gene_set.name} by own controls", f"{len(gene_set.genes)} of {gene_set.total} genes", lacking))
    what = LEFT_OUT_OF_REFERENCE if own.settings.outlying_controls == EXCLUDE else "kept in the interferon reference"
    rows += [
        (name, what, "an own control far above the others, as with an infection or a vaccination") for name in outlying
    ]
    return pd.DataFrame([(RNA, *row) for row in rows], columns=list(NOTE_COLUMNS))
