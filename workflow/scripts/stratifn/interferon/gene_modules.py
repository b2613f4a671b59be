"""How many of the three interferon modules of blood are active (Chiche 2014, doi:10.1002/art.38628).

A module's value is the share of its genes up against the controls (BloodGen3's rule, adapted: see `methods`). It is
active above the 15 % at which BloodGen3 draws a module *and* above this run's own cut-off, because single people
among the controls pass 15 % by chance.
"""

from __future__ import annotations

import numpy as np

from stratifn.interferon.reference import MODULES, Reference
from stratifn.interferon.scoring import People, set_scores

DRAWN_FROM = 0.15


def modules_active(people: People, reference: Reference) -> np.ndarray:
    """Return 0 to 3 per person; NaN unless all three modules reach the coverage that a class needs."""
    active = np.zeros(len(people.samples))
    for name in MODULES:
        gene_set = reference.panel[name]
        cutoff = reference.cutoff(name, "module").cutoff
        if gene_set.coverage < reference.settings.min_coverage or not np.isfinite(cutoff):
            return np.full(len(people.samples), np.nan)
        share = set_scores(people, reference, gene_set, "module")
        active += np.where(np.isfinite(share), share > max(DRAWN_FROM, cutoff), np.nan)
    return active
