"""Three axes, after the three places where drugs act: the ligand, the sensing of nucleic acids, the response.

- *ligand*: IFN-alpha protein (antibodies against IFN-alpha; depletion of plasmacytoid dendritic cells),
- *sensing*: RIG-I/MDA5 and endosomal TLRs (inhibitors of TLR7/8, TBK1, cGAS, STING),
- *response*: the ISG expression score (blockade of IFNAR, JAK inhibitors).

Each value says what was measured in one person; none of them selects anybody for a treatment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from stratifn.interferon.learning import FEWEST_GENES
from stratifn.interferon.reference import Reference
from stratifn.interferon.scoring import People, set_scores, set_status
from stratifn.registry.signatures import AxisSet, Registry
from stratifn.shared.columns import columns_of

AXIS_COLUMNS = columns_of("interferon/axes.tsv")
# log2 rise of the sensing sets per log2 of the type I value, in airway cells under IFN-alpha (GSE161664); 0.02 to 0.11
# over the sets and over IFN-alpha, -beta and -lambda
SENSING_SLOPE = 0.06
# the type I response that the sensing sets are conditioned on
RESPONSE_SIGNATURE = "AYBEY_IFN1_20"
SENSING = "sensing:"
LIGAND_GENES = ("IFNA", "IFNB1", "IFNW1", "IFNL", "IFNK", "IFNE")
# the general step after every sensor, no sensor of its own
NOT_A_SENSOR = frozenset({"sensing:irf3_irf7"})


def axes_table(
    people: People,
    reference: Reference,
    axis_sets: Sequence[AxisSet],
    registry: Registry,
    protein: pd.Series | None = None,
    analyte: str = "",
) -> pd.DataFrame:
    """Return `axes.tsv`: three rows per person.

    Parameters
    ----------
    people, reference
        From `cohort.analyse_cohort`.
    axis_sets
        From `stratifn.registry.signatures.load_axis_sets`, the same as the reference was fitted with.
    registry
        Names the response genes, which are left out of the sensing sets.
    protein, analyte
        log2 IFN-alpha relative to the controls' median (index = sample; see `protein.log2_over_controls`), and its
        name in the view; None where it was not measured.

    Notes
    -----
    Sensing is the mean, over the sensors with verified genes, of the mean log2 difference from the controls, conditioned on type I:
    ``set - 0.06 * max(type I, 0)``. The slope is the constant that stimulated cells show; the response's own genes and
    those of the interferons are left out of the sets. Sets that are not verified are reported in the evidence alone.
    Where a library is too shallow for the configured signature, sensing and response have no value.
    """
    frames = [
        _ligand(people, protein, analyte),
        _sensing(people, reference, axis_sets, response_genes(registry)),
        _response(people, reference),
    ]
    shallow = people.too_shallow(reference.settings.signature)
    for frame in frames[1:]:
        frame.loc[shallow != "", "score"] = np.nan
        frame["evidence"] = np.where(shallow == "", frame["evidence"], shallow)
    table = pd.concat(frames, ignore_index=True)[list(AXIS_COLUMNS)]
    return table.sort_values(["sample", "axis"], kind="stable", ignore_index=True)


def response_genes(registry: Registry) -> frozenset[str]:
    """Return the genes of the response: all signatures of the default panel."""
    return frozenset(registry.genes(registry.default_panel))


def _rows(people: People, axis: str, score: np.ndarray, evidence: Iterable[str] | str) -> pd.DataFrame:
    return pd.DataFrame({"sample": people.samples, "axis": axis, "score": score, "evidence": evidence})


def _ligand(people: People, protein: pd.Series | None, analyte: str) -> pd.DataFrame:
    if protein is None:
        nothing = np.full(len(people.samples), np.nan)
        return _rows(people, "ligand", nothing, "IFN-alpha protein not measured in this run")
    values = protein.reindex(list(people.samples))
    words = f"{analyte} protein, log2 over the median of the controls"
    return _rows(
        people, "ligand", values.to_numpy(), np.where(values.notna(), words, f"{analyte} not measured in this sample")
    )


def _response(people: People, reference: Reference) -> pd.DataFrame:
    settings = reference.settings
    gene_set = reference.panel[settings.signature]
    score = set_scores(people, reference, gene_set, settings.method)
    status, reason = set_status(people, reference, gene_set, settings.method)
    words = f"{gene_set.name} {settings.method}, {len(gene_set.genes)} of {gene_set.total} genes"
    return _rows(people, "response", score, "; ".join(filter(None, [words, reason if status != "ok" else ""])))


def _sensing(
    people: People, reference: Reference, axis_sets: Sequence[AxisSet], response: frozenset[str]
) -> pd.DataFrame:
    nothing = np.full(len(people.samples), np.nan)
    if reference.refusal:
        return _rows(people, "sensing", nothing, reference.refusal)
    type_i = _mean_difference(people, reference, reference.panel[RESPONSE_SIGNATURE].genes)
    if reference.panel[RESPONSE_SIGNATURE].coverage < FEWEST_GENES:
        return _rows(people, "sensing", nothing, f"too few genes of {RESPONSE_SIGNATURE} to condition on")
    values: list[np.ndarray] = []
    words: list[tuple[str, np.ndarray | None]] = []
    for sensor, verified, genes in _sensors(axis_sets):
        wanted = [gene for gene in genes if gene not in response and not gene.startswith(LIGAND_GENES)]
        found = tuple(gene for gene in wanted if gene in reference.genes)
        label = f"{sensor} ({len(found)} of {len(wanted)} genes"
        if len(found) < FEWEST_GENES * len(wanted):
            words.append((f"{label}, too few)", None))
            continue
        value = _mean_difference(people, reference, found) - SENSING_SLOPE * np.maximum(type_i, 0)
        words.append((f"{label})" if verified else f"{label}, list not verified, not in the mean)", value))
        if verified:
            values.append(value)
    score = sum(values, start=np.zeros(len(people.samples))) / len(values) if values else nothing
    evidence = [_evidence(words, person) for person in range(len(people.samples))]
    return _rows(people, "sensing", score, evidence)


def _sensors(axis_sets: Sequence[AxisSet]) -> list[tuple[str, bool, list[str]]]:
    """Return each sensor with whether its genes are verified, and its genes: the union of its sets."""
    genes: dict[tuple[str, bool], set[str]] = {}
    for axis in axis_sets:
        if axis.axis.startswith(SENSING) and axis.axis not in NOT_A_SENSOR:
            genes.setdefault((axis.axis.removeprefix(SENSING), axis.verified), set()).update(axis.symbols)
    return [(sensor, verified, sorted(found)) for (sensor, verified), found in sorted(genes.items())]


def _evidence(words: list[tuple[str, np.ndarray | None]], person: int) -> str:
    return "; ".join(label if value is None else f"{label} {value[person]:.2f}" for label, value in words)


def _mean_difference(people: People, reference: Reference, genes: Sequence[str]) -> np.ndarray:
    index = {gene: position for position, gene in enumerate(reference.genes)}
    total = np.zeros(len(people.samples))
    for gene in genes:
        total += people.genes[:, index[gene]] - reference.arrays["location.zscore"][index[gene]]
    return total / max(len(genes), 1)
