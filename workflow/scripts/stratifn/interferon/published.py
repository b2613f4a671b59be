"""The published figure to show beside ours: same disease, same specimen, healthy controls, or none at all."""

from __future__ import annotations

from dataclasses import dataclass

from stratifn.registry.signatures import PublishedPrevalence, Registry
from stratifn.shared.vocabulary import HEALTHY, TYPE_I

# one study, one assay, five diseases and healthy people: the fallback where a signature has no figure of its own
COMMON_STUDY = "HIGGS2011_5"
NOT_EXPRESSION = frozenset({"PROTEIN", "METHYLATION"})


@dataclass(frozen=True)
class Published:
    """A figure (share, or None where only a range was published) and the words that go with it."""

    value: float | None
    source: str


NOTHING = Published(None, "")
OF_TYPE_I = Published(None, "not comparable: the published shares are of type I signatures")


def published_prevalence(
    registry: Registry, disease: str, signature: str, specimen: str, control_type: str
) -> Published:
    """Choose the published share for a disease.

    The signature's own figure with the most patients comes first, then the study that measured five diseases with
    one assay, then a published range. Nothing is shown for another specimen, or where the controls are not healthy.
    All these figures are of type I signatures: another signature has only figures of its own.
    """
    if control_type != HEALTHY:
        return Published(None, "not comparable: the controls are not healthy people")
    candidates = [
        row
        for row in registry.prevalence
        if row.disease == disease and row.specimen == specimen and row.verified and row.signature not in NOT_EXPRESSION
    ]
    own = [row for row in candidates if row.signature == signature and row.value is not None]
    record = registry.signatures.get(signature)
    others = candidates if record is not None and record.ifn_type == TYPE_I else []
    common = [row for row in others if row.signature == COMMON_STUDY]
    ranges = [row for row in others if row.value is None and row.value_low is not None]
    for rows in (own, common, ranges):
        if rows:
            return _describe(max(rows, key=lambda row: (bool(row.signature), row.n or 0, row.source)), specimen)
    return OF_TYPE_I if candidates and not others else NOTHING


def _describe(row: PublishedPrevalence, specimen: str) -> Published:
    people = f", n = {row.n}" if row.n else ""
    words = f"{row.assay}, {specimen.replace('_', ' ')}{people}: {row.source}"
    if row.value is None:
        return Published(None, f"{row.value_low:g} to {row.value_high:g} %, {words}")
    return Published(row.value / 100, words)
