"""How much one control decides: cut-off and classes again with each control left out in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stratifn.interferon.cutoffs import RULES, CutoffRule
from stratifn.interferon.learning import FEWEST_GENES
from stratifn.interferon.methods import METHODS, ControlMethod
from stratifn.interferon.reference import GeneSet, Reference
from stratifn.interferon.scoring import People, against_controls, set_scores, set_status


@dataclass(frozen=True)
class Influence:
    """Which scores lie above a cut-off, and which do with each control left out.

    Attributes
    ----------
    scored
        Who has a score (people).
    above
        Whether it lies above the cut-off (people).
    without
        The same without each of the controls (people x controls).
    """

    scored: np.ndarray
    above: np.ndarray
    without: np.ndarray

    def shares(self, chosen: np.ndarray) -> np.ndarray:
        """Return the share above the cut-off without each control, among some people; empty if none has a score."""
        people = self.scored & chosen
        return self.without[people].mean(axis=0) if people.any() else np.array([])

    def flipped(self, chosen: np.ndarray) -> int:
        """Count the people who change sides when some control is left out."""
        people = self.scored & chosen
        return int((self.without[people] != self.above[people, None]).any(axis=1).sum())

    def largest_change(self, chosen: np.ndarray) -> float:
        """Return the largest change of the share above the cut-off that one control makes; NaN if nobody is scored."""
        people = self.scored & chosen
        return float(np.abs(self.shares(chosen) - self.above[people].mean()).max()) if people.any() else float("nan")


def leave_one_out(reference: Reference, people: People, controls: np.ndarray) -> dict[tuple[str, str], Influence]:
    """Score and class people again without each control.

    Parameters
    ----------
    reference
        Of the run's own controls.
    people
        Everybody, on the scale of that reference.
    controls
        Positions among them of the controls that the reference rests on.

    Returns
    -------
    dict
        By signature and method, for those with a cut-off. Size factors, the background and the floors of the SDs are
        not computed again.
    """
    rule = RULES[reference.settings.cutoff]
    if reference.refusal or len(controls) - 1 < rule.min_controls:
        return {}
    found = {}
    for method in METHODS.values():
        scores = _refitted(reference, people, controls, method) if isinstance(method, ControlMethod) else None
        for gene_set in reference.panel.values():
            status, _ = set_status(people, reference, gene_set, method.name)
            cutoff = reference.cutoff(gene_set.name, method.name).cutoff
            if status != "ok" or gene_set.coverage < FEWEST_GENES or not np.isfinite(cutoff):
                continue
            own = set_scores(people, reference, gene_set, method.name)
            again = scores(gene_set) if scores else np.repeat(own[:, None], len(controls), axis=1)
            cutoffs = _cutoffs_without(rule, again[controls])
            found[gene_set.name, method.name] = Influence(np.isfinite(own), own > cutoff, again > cutoffs)
    return found


def _refitted(
    reference: Reference, people: People, controls: np.ndarray, method: ControlMethod
) -> Callable[[GeneSet], np.ndarray]:
    """Return what scores a set against the reference without each control (people x controls)."""
    values = method.prepare(people.genes[controls], reference.background)
    fits = [method.fit(np.delete(values, left_out, axis=0)) for left_out in range(len(controls))]
    location, scale = (np.column_stack(columns) for columns in zip(*fits, strict=True))
    if method.floors_scale:
        scale = np.maximum(scale, reference.arrays["sd_floor"][:, None])

    def scores(gene_set: GeneSet) -> np.ndarray:
        members = reference.positions(gene_set)
        return against_controls(people.genes, reference, gene_set, method, location[members], scale[members])

    return scores


def _cutoffs_without(rule: CutoffRule, scores: np.ndarray) -> np.ndarray:
    """Return the cut-off without each control from scores (controls x left-out control)."""
    columns = range(scores.shape[1])
    return np.array([float(rule.rule(np.delete(scores[:, left_out], left_out))) for left_out in columns])
