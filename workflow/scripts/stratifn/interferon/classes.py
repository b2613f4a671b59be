"""From a score to a class: the signature is high, borderline or low, and how sure the cut-off lets us be.

A *score* is the number, a *signature* the class (EULAR points to consider 2022, doi:10.1136/ard-2022-223628). The
certainty is about the cut-off, given these controls; it is no probability of a disease.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.interferon.cutoffs import RULES
from stratifn.interferon.gene_modules import modules_active
from stratifn.interferon.methods import METHODS, RankMethod
from stratifn.interferon.reference import GeneSet, Reference
from stratifn.interferon.scoring import NOT_MEASURED, People, against_controls, set_scores, set_status, why_no_score
from stratifn.shared.columns import columns_of
from stratifn.shared.vocabulary import BORDERLINE, HIGH, LOW, NO, UNSCORED

CALLED = ["ifn_class", "ifn_class_all_controls"]
CLASS_COLUMNS = columns_of("interferon/classes.tsv")
# people per block of resampled scores: bounds memory, changes no value
BLOCK = 256
MASKED = "under anti-IFN therapy: the drug, not the disease, would decide the class"


@dataclass(frozen=True)
class Standing:
    """Where people stand against one signature's cut-off.

    Attributes
    ----------
    score
        By the chosen method (people).
    above
        Whether the score lies above the cut-off in each resample of the controls (people x resamples; no columns
        where there is no class).
    refusal
        Why nobody has a class; empty when they have.
    cutoff
        The cut-off itself.
    """

    score: np.ndarray
    above: np.ndarray
    refusal: str
    cutoff: float

    @property
    def probability_high(self) -> np.ndarray:
        """Share of resamples with the score above the cut-off; NaN without a score or a class."""
        if not self.above.shape[1]:
            return np.full(len(self.score), np.nan)
        return np.where(np.isfinite(self.score), self.above.mean(axis=1), np.nan)


def with_everybody(people: People, reference: Reference, gene_set: GeneSet) -> Standing | None:
    """Return where people stand if no outlying control is left out; None where none was."""
    if people.everybody is None or reference.everybody is None:
        return None
    return standing(people.everybody, reference.everybody, gene_set)


def standing(people: People, reference: Reference, gene_set: GeneSet) -> Standing:
    """Compare people with one signature's cut-off, over all resamples of the controls."""
    method = METHODS[reference.settings.method]
    score = set_scores(people, reference, gene_set, method.name)
    refusal = _class_refusal(people, reference, gene_set)
    if refusal:
        return Standing(score, np.zeros((len(score), 0), dtype=bool), refusal, float("nan"))
    cutoffs = reference.arrays[f"boot_cutoff.{gene_set.name}"]
    if isinstance(method, RankMethod):
        above = score[:, None] > cutoffs
    else:
        members = reference.positions(gene_set)
        location = reference.arrays["boot_location"][members]
        scale = reference.arrays["boot_scale"][members]
        blocks = [
            against_controls(people.genes[start : start + BLOCK], reference, gene_set, method, location, scale)
            > cutoffs
            for start in range(0, len(score), BLOCK)
        ]
        above = np.concatenate(blocks) if blocks else np.zeros((0, len(cutoffs)), dtype=bool)
    return Standing(score, above, "", reference.cutoff(gene_set.name, method.name).cutoff)


def _class_refusal(people: People, reference: Reference, gene_set: GeneSet) -> str:
    settings = reference.settings
    if reference.refusal:
        return reference.refusal
    status, reason = set_status(people, reference, gene_set, settings.method)
    if status != "ok":
        return reason
    rule = RULES[settings.cutoff]
    if reference.controls_found < rule.min_controls:
        return f"cut-off {rule.name} needs {rule.min_controls} controls, there are {reference.controls_found}"
    return ""


def call(probability_high: np.ndarray, reference: Reference) -> np.ndarray:
    """Return ``high``, ``borderline``, ``low`` or ``unscored`` for each probability."""
    settings = reference.settings
    return np.select(
        [
            probability_high >= settings.probability_high,
            probability_high <= settings.probability_low,
            np.isfinite(probability_high),
        ],
        [HIGH, LOW, BORDERLINE],
        default=UNSCORED,
    ).astype(object)


def under_anti_ifn(samples: pd.DataFrame) -> np.ndarray:
    """Return who is treated with a drug against interferon (column ``anti_ifn``: yes, or the drug's name).

    Where it is not known nobody is masked; validation notes that.
    """
    if "anti_ifn" not in samples:
        return np.zeros(len(samples), dtype=bool)
    given = samples["anti_ifn"]
    return (given.notna() & given.ne(NO)).to_numpy()


def class_table(people: People, reference: Reference, samples: pd.DataFrame, types: pd.DataFrame) -> pd.DataFrame:
    """Return `classes.tsv`: one row per sample of the sheet, with or without expression data.

    Parameters
    ----------
    people, reference
        Whom to class, and against what.
    samples
        The sheet.
    types
        From `types.type_table`, for the same people.
    """
    gene_set = reference.panel[reference.settings.signature]
    stand = standing(people, reference, gene_set)
    measured = pd.DataFrame(
        {
            "score": stand.score,
            "probability_high": stand.probability_high,
            "ifn_class": call(stand.probability_high, reference),
            "reason": stand.refusal,
        },
        index=pd.Index(people.samples),
    )
    all_controls = with_everybody(people, reference, gene_set)
    measured["ifn_class_all_controls"] = (
        measured["ifn_class"] if all_controls is None else call(all_controls.probability_high, reference)
    )
    _, remark = set_status(people, reference, gene_set, reference.settings.method)
    unvalued = ~np.isfinite(stand.score) & (stand.refusal == "")
    measured.loc[unvalued, "reason"] = why_no_score(people, gene_set)[unvalued]
    measured = measured.join(types.set_index("sample")[["type_i", "type_ii", "ifn_type"]])
    measured["modules_active"], of_modules = modules_active(people, reference)
    measured["reason"] = [
        "; ".join(dict.fromkeys(filter(None, (own, remark, of_type, of_modules))))
        for own, of_type in zip(measured["reason"], types["reason"], strict=True)
    ]
    sheet = samples.set_index("sample")
    table = measured.reindex(sheet.index)
    table.insert(0, "disease", sheet["disease"] if "disease" in sheet else None)
    absent = ~table.index.isin(measured.index)
    table.loc[absent, CALLED] = UNSCORED
    table.loc[absent, "reason"] = NOT_MEASURED
    masked = under_anti_ifn(samples)
    table.loc[masked, CALLED] = UNSCORED
    table.loc[masked, "reason"] = [
        f"{MASKED}; {reason}" if reason else MASKED for reason in table.loc[masked, "reason"]
    ]
    return table.rename_axis("sample").reset_index()[list(CLASS_COLUMNS)].sort_values("sample", ignore_index=True)
