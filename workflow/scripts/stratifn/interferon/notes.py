"""What must be said beside the numbers: about the controls, the specimen, the platform, the genes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from stratifn.interferon.controls import Controls
from stratifn.interferon.methods import METHODS, ControlMethod
from stratifn.interferon.reference import Reference
from stratifn.interferon.replicates import DISAGREEMENT_SD
from stratifn.interferon.scoring import People
from stratifn.interferon.settings import Origin
from stratifn.registry.signatures import Registry
from stratifn.registry.user_signatures import REPEATED
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.vocabulary import HEALTHY, LEFT_OUT_OF_REFERENCE, RNA, UNSCORED


def notes_table(
    reference: Reference,
    people: People,
    controls: Controls,
    outlying: Sequence[str],
    disagreeing: Sequence[str],
    registry: Registry,
    origin: Origin,
) -> pd.DataFrame:
    """Return everything that was left out, held up or needs a word (view, item, what, reason)."""
    rows: list[tuple[str, str, str]] = []
    if reference.refusal:
        rows.append(("controls", "no score against controls and no class", reference.refusal))
    rows += [("controls", "read with care", warning) for warning in controls.warnings]
    if origin.control_type != HEALTHY and not reference.refusal:
        what = "the controls are not healthy people"
        rows.append(("controls", what, "a low signature means similar to these controls, not to healthy people"))
    rows += _about_signatures(reference, registry, origin)
    if reference.floored:
        genes = " ".join(reference.floored)
        floors = ", ".join(
            name for name, method in METHODS.items() if isinstance(method, ControlMethod) and method.floors_scale
        )
        rows.append((floors, "control SD raised to its floor", f"hardly vary among the controls: {genes}"))
    rows += [(name, *_outlying(reference)) for name in outlying]
    shallow = people.too_shallow(reference.settings.signature)
    rows += [(name, UNSCORED, words) for name, words in zip(people.samples, shallow, strict=True) if words]
    reason = f"another sample of the same person and visit scores more than {DISAGREEMENT_SD:g} SD of the controls away"
    rows += [(name, "technical replicates disagree", reason) for name in disagreeing]
    if people.rank_refusal:
        by_ranks = ", ".join(name for name, method in METHODS.items() if not method.needs_controls)
        rows.append((by_ranks, "not computed", people.rank_refusal))
    table = pd.DataFrame([(RNA, *row) for row in rows], columns=list(NOTE_COLUMNS))
    return table.drop_duplicates(ignore_index=True)


def _outlying(reference: Reference) -> tuple[str, str]:
    """Say what was done about a control far above the others, and why."""
    if reference.excluded:
        reason = (
            "a control far above the other controls, as with an infection or a vaccination: it would raise the cut-off; "
            "ifn_class_all_controls is the class with it"
        )
        return LEFT_OUT_OF_REFERENCE, reason
    return "a control far above the other controls", "it raises the cut-off; check for infection or vaccination"


def _about_signatures(reference: Reference, registry: Registry, origin: Origin) -> list[tuple[str, str, str]]:
    rows = []
    for name, gene_set in reference.panel.items():
        missing = " ".join(gene_set.missing)
        if gene_set.missing:
            found = f"{len(gene_set.genes)} of {gene_set.total} genes found"
            rows.append((name, found, f"not in the matrix: {missing}"))
        rows += [(name, "gene not used", sentence) for sentence in gene_set.ambiguous]
        if not gene_set.verified:
            rows.append((name, "not verified", "the gene list could not be checked against its paper"))
        record = registry.signatures.get(name)
        repeated = [gene.symbol for gene in record.genes if gene.note == REPEATED] if record else []
        if repeated:
            rows.append((name, "repeated genes", f"counted once: {', '.join(repeated)}"))
        if record is None or name != reference.settings.signature:
            continue
        if origin.specimen not in record.specimen.split(" or "):
            rows.append((name, f"made on {record.specimen}", f"this run is on {origin.specimen}"))
        if record.platform not in (origin.platform, "many", "not stated"):
            reason = "its published cut-off is not used: the cut-off comes from this run's controls"
            rows.append((name, f"made with {record.platform}", reason))
    return rows
