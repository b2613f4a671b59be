"""How many of the three interferon modules of blood are active (Chiche 2014, doi:10.1002/art.38628).

A module's value is the share of its genes up against the controls (BloodGen3's rule, adapted: see `methods`). It is
active above the 15 % at which BloodGen3 draws a module *and* above this run's own cut-off, because single people
among the controls pass 15 % by chance. A module of which some genes were not found is judged by the others, if they are
at least half of it: its cut-off comes from the same genes.
"""

from __future__ import annotations

import numpy as np

from stratifn.interferon.learning import FEWEST_GENES
from stratifn.interferon.reference import Reference
from stratifn.interferon.scoring import People, set_scores
from stratifn.shared.vocabulary import MODULE_DRAWN_FROM, MODULE_METHOD, MODULES


def modules_active(people: People, reference: Reference) -> tuple[np.ndarray, str]:
    """Return 0 to 3 per person, and how many genes that rests on where some are missing.

    NaN for everybody where a module has less than half of its genes or no cut-off.
    """
    active = np.zeros(len(people.samples))
    words = _words(reference)
    for name in MODULES:
        gene_set = reference.panel[name]
        cutoff = reference.cutoff(name, MODULE_METHOD).cutoff
        if gene_set.coverage < FEWEST_GENES or not np.isfinite(cutoff):
            return np.full(len(people.samples), np.nan), words
        share = set_scores(people, reference, gene_set, MODULE_METHOD)
        active += np.where(np.isfinite(share), share > max(MODULE_DRAWN_FROM, cutoff), np.nan)
    return active, words


def _words(reference: Reference) -> str:
    sets = [reference.panel[name] for name in MODULES]
    if reference.refusal or all(gene_set.coverage == 1 for gene_set in sets):
        return ""
    found = ", ".join(f"{len(gene_set.genes)} of {gene_set.total} of {gene_set.name}" for gene_set in sets)
    if any(gene_set.coverage < FEWEST_GENES for gene_set in sets):
        return f"no count of active modules: genes found: {found}, at least half of each needed"
    return f"active modules from genes found: {found}"
