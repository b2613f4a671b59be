"""The notes on a placement: the reference, what differs or is not stated, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from stratifn.shared.columns import NOTE_COLUMNS, columns_of
from stratifn.transfer.freezing import ReferenceModel
from stratifn.transfer.matching import MatchedView, Note
from stratifn.transfer.reference import STRATA, Reference, Source

REFERENCE_COLUMNS = list(columns_of("transfer/{name}/provenance/reference.tsv"))
# says what a specimen is not: two of them are not known to be the same
OTHER = "other"


@dataclass(frozen=True)
class Measured:
    """Where the new patients' samples come from, as far as it is stated.

    Attributes
    ----------
    specimen, platform
        As for a cohort; None where not said.
    control
        Label of the people who are the batch's own controls; None where it names none.
    """

    specimen: str | None = None
    platform: str | None = None
    control: str | None = None


def described_reference(reference: Reference) -> pd.DataFrame:
    """Return the reference in one row, columns `REFERENCE_COLUMNS`."""
    source = reference.source
    version = source.software.get("stratifn")
    row = (source.name, source.contract, version, source.specimen or None, source.platform or None, reference.digest)
    return pd.DataFrame([row], columns=REFERENCE_COLUMNS)


def specimen_difference(source: Source, measured: Measured) -> list[str]:
    """Return what every patient's `reason` says where reference and patients are known to differ in specimen."""
    if not (source.specimen and measured.specimen) or source.specimen == measured.specimen:
        return []
    return [f"specimen is {measured.specimen}, but {source.specimen} in the reference"]


def placement_notes(
    reference: Reference, model: ReferenceModel, matched: Mapping[str, MatchedView], measured: Measured
) -> pd.DataFrame:
    """Return the notes on a placement: view, item, what, reason."""
    source = reference.source
    versions = f"contract {source.contract}, stratifn {source.software.get('stratifn', 'unknown')}"
    notes: list[Note] = [("all", source.name, "reference", f"sha256 {reference.digest}; {versions}")]
    notes += _comparability("specimen", source.specimen, measured.specimen)
    notes += _comparability("platform", source.platform, measured.platform)
    for stratum in reference.parts[STRATA].values["strata"]:
        stable = "not tested" if stratum["jaccard"] is None else f"{stratum['jaccard']:.2f}"
        reason = f"{stratum['label']}; bootstrap Jaccard in the reference {stable}"
        notes.append(("all", f"stratum {stratum['stratum']}", "label", reason))
    if model.refusal:
        notes.append(("all", "factors and strata", "not computed", model.refusal))
    notes += [
        (view.name, view.name, "missing", "no patient has this view of the model")
        for view in model.views
        if view.name not in matched
    ]
    notes += [note for view in matched.values() for note in view.notes]
    return pd.DataFrame(notes, columns=list(NOTE_COLUMNS))


def _comparability(item: str, theirs: str, ours: str | None) -> list[Note]:
    """Note what differs, or may differ, between new patients and reference."""
    if theirs and ours and theirs != ours:
        reason = f"here {ours}, in the reference {theirs}: scores and strata may not be comparable"
        return [("all", item, "differs", reason)]
    if not theirs or not ours:
        reason = f"here {ours or 'not stated'}, in the reference {theirs or 'not stated'}: assumed to be the same"
        return [("all", item, "not stated", reason)]
    if ours == OTHER:
        return [("all", item, "not stated", "other, here and in the reference: assumed to be the same")]
    return []
