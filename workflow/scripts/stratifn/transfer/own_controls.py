"""New patients scored against the controls of their own batch, beside the reference's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from stratifn.shared.claims import COLUMNS
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.vocabulary import UNSCORED
from stratifn.transfer.matching import MatchedView
from stratifn.transfer.reference import INTERFERON_PART, Reference

if TYPE_CHECKING:
    import anndata as ad


class Anchored(Protocol):
    """Scores against own controls (see `stratifn.interferon.OwnControls`)."""

    @property
    def classes(self) -> pd.DataFrame:
        """sample, score, ifn_class, reason."""

    @property
    def verdicts(self) -> pd.DataFrame:
        """Whether their cut-off can be trusted."""

    @property
    def notes(self) -> pd.DataFrame:
        """view, item, what, reason."""


ScoreLocally = Callable[[Mapping[str, Any], Mapping[str, np.ndarray], "ad.AnnData", pd.DataFrame, str], Anchored]


@dataclass(frozen=True)
class Local:
    """New patients against the controls of their own batch.

    Attributes
    ----------
    classes
        Index sample; score, ifn_class, reason; all missing where no controls are named.
    verdicts, notes
        Of these classes.
    """

    classes: pd.DataFrame
    verdicts: pd.DataFrame
    notes: pd.DataFrame


def against_own_controls(
    reference: Reference,
    rna: MatchedView | None,
    samples: pd.DataFrame,
    control: str | None,
    score: ScoreLocally | None,
) -> Local:
    """Score new patients against the controls of their own batch.

    Parameters
    ----------
    reference
        Its genes, method and settings are used.
    rna
        The new patients' view to score; None where they have none.
    samples
        Their sheet.
    control
        Label of their own controls; None where they have none.
    score
        How to score.
    """
    nothing = pd.DataFrame({"score": np.nan, "ifn_class": None, "reason": None}, samples["sample"].astype(str))
    verdicts, notes = pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(NOTE_COLUMNS))
    part = reference.parts[INTERFERON_PART]
    if control is None or score is None:
        return Local(nothing, verdicts, notes)
    if rna is None or part.values["reference"] is None:
        # why there is no score is told with the score against the reference
        return Local(nothing.assign(ifn_class=UNSCORED), verdicts, notes)
    own = score(part.values["reference"], part.arrays, rna.data, samples, control)
    reason = own.classes["reason"].map(lambda text: f"own controls: {text}" if text else None)
    return Local(own.classes.assign(reason=reason).set_index("sample"), own.verdicts, own.notes)
