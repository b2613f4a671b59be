"""How often a class can be expected to be high, given how few the controls are.

For normal scores the rule is a tolerance bound: a signature is high where the score lies above the upper confidence
limit of mean + 2 SD, whose factor and power are noncentral t distributions (Owen 1968,
doi:10.1080/00401706.1968.10490527).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import nct

from stratifn.interferon.cutoffs import SDS
from stratifn.interferon.reference import Reference

# log2: 2.8-fold in every gene
RAISED = 1.5


def chance_of_high(shift: float, n_controls: int, certainty: float) -> float:
    """Return the chance that a raised patient is called high.

    Parameters
    ----------
    shift
        How far the patient's mean score lies above that of healthy people, in SDs of healthy people.
    n_controls
        Controls that give mean and SD.
    certainty
        From which a signature is called high (0.5 to 1).
    """
    root = np.sqrt(n_controls)
    factor = nct.ppf(certainty, n_controls - 1, SDS * root) / root
    widening = np.sqrt(1 + 1 / n_controls)
    return float(nct.sf(factor / widening, n_controls - 1, shift / widening))


def words_on_few_controls(reference: Reference) -> str:
    """Say how often a patient with every gene of the signature raised would be called high."""
    settings = reference.settings
    gene_set, cutoff = reference.panel[settings.signature], reference.cutoff(settings.signature, "zscore")
    if (settings.method, settings.cutoff) != ("zscore", "mean_2sd") or reference.refusal or not cutoff.sd > 0:
        return ""
    scale = reference.arrays["scale.zscore"][reference.positions(gene_set)]
    weights = np.array(gene_set.weights)
    shift = float((weights / weights.sum() * RAISED / scale).sum()) / cutoff.sd
    chance = chance_of_high(shift, reference.n_controls, settings.probability_high)
    return (
        f"a patient with every gene of the signature {RAISED:g} log2 above the controls is called high with a chance "
        f"of {chance:.2f}"
    )
