"""Type I and type II apart.

Both values are mean log2 differences from the controls over the pair of sets that was made to tell the types apart
(Aybey, Brors & Staub 2025, PMID 40611262). Type I interferon raises type II genes too, so the type II value is what
is left after a constant share of the type I value; the share was measured on stimulated cells (0.30 to 0.90 by
tissue) and is never fitted on the run. IL-1 and TNF raise the same genes: read it as *type II-weighted*.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.interferon.cutoffs import RULES
from stratifn.interferon.learning import condition
from stratifn.interferon.reference import TYPE_I, TYPE_II, Reference
from stratifn.interferon.scoring import People

TYPES = {(False, False): "none", (True, False): "I", (False, True): "II", (True, True): "I+II"}


def type_table(people: People, reference: Reference) -> pd.DataFrame:
    """Return type_i, type_ii, ifn_type and reason, one row per person (index = sample).

    ``ifn_type`` is ``uncertain`` when it changes over the measured range of the slope, and missing, with the
    reason, where a set is too incomplete or the controls are too few for a reference.
    """
    refusal = _refusal(reference)
    nothing = np.full(len(people.samples), np.nan)
    table = pd.DataFrame(
        {"type_i": nothing, "type_ii": nothing, "ifn_type": None, "reason": refusal}, index=list(people.samples)
    )
    if reference.refusal:
        return table
    if _enough(reference, TYPE_I):
        table["type_i"] = mean_difference(people, reference, TYPE_I)
    if refusal:
        return table
    type_i, type_ii = table["type_i"].to_numpy(), mean_difference(people, reference, TYPE_II)
    table["type_ii"] = condition(type_ii, type_i, reference.settings.type_ii_slope)
    by_slope = [
        [TYPES[bool(one), bool(two)] for one, two in zip(type_i > reference.type_i_cutoff, high, strict=True)]
        for high in (condition(type_ii, type_i, slope) > cutoff for slope, cutoff in reference.type_ii_cutoffs.items())
    ]
    table["ifn_type"] = [found[0] if len(set(found)) == 1 else "uncertain" for found in zip(*by_slope, strict=True)]
    table.loc[~np.isfinite(type_i + type_ii), "ifn_type"] = None
    return table


def mean_difference(people: People, reference: Reference, name: str) -> np.ndarray:
    """Return the mean log2 difference from the controls over a set's genes (people)."""
    gene_set = reference.panel.get(name) or reference.axes[name]
    total = np.zeros(len(people.samples))
    for gene in reference.positions(gene_set):
        total += people.genes[:, gene] - reference.arrays["location.zscore"][gene]
    return total / len(gene_set.genes)


def _enough(reference: Reference, name: str) -> bool:
    return reference.panel[name].coverage >= reference.settings.min_coverage


def _refusal(reference: Reference) -> str:
    """Return why there is no type; empty when there is."""
    if reference.refusal:
        return reference.refusal
    for name in (TYPE_I, TYPE_II):
        if not _enough(reference, name):
            gene_set = reference.panel[name]
            return f"no type: {len(gene_set.genes)} of {gene_set.total} genes of {name} found"
    if reference.n_controls < RULES[reference.settings.cutoff].min_controls:
        return "no type: too few controls for the cut-off"
    return ""
