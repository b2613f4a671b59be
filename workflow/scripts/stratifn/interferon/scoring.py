"""Score people against a frozen reference: the one path for the cohort, a new batch, and one patient alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.interferon import expression
from stratifn.interferon.depth import shallow_libraries
from stratifn.interferon.learning import FEWEST_GENES
from stratifn.interferon.methods import METHODS, ControlMethod, RankMethod, average_ranks
from stratifn.interferon.reference import GeneSet, Reference
from stratifn.shared.columns import columns_of
from stratifn.shared.errors import listed
from stratifn.shared.vocabulary import COUNTS

NOT_MEASURED = "not in the expression matrix"
SCORE_COLUMNS = columns_of("interferon/scores.tsv")


@dataclass(frozen=True)
class People:
    """People on the scale of a reference.

    Attributes
    ----------
    samples
        Their ids.
    genes
        log2 values of ``reference.genes`` (people x genes); NaN where not measured or without a size factor.
    ranks
        Ranks over ``reference.universe`` (people x features), or None with `rank_refusal` saying why.
    size_factors
        Against the controls; None for log matrices and where there is no reference.
    everybody
        The same people on the scale of the reference with all controls; None where none was left out.
    shallow
        By signature, why a library is too shallow for it (see `depth`); empty without counts.
    """

    samples: tuple[str, ...]
    genes: np.ndarray
    ranks: np.ndarray | None
    rank_refusal: str
    size_factors: np.ndarray | None
    everybody: People | None = None
    shallow: Mapping[str, np.ndarray] = field(default_factory=dict)

    def too_shallow(self, signature: str) -> np.ndarray:
        """Return, for each person, why the library is too shallow for a signature; empty where it is not."""
        return self.shallow.get(signature, np.full(len(self.samples), "", dtype=object))


def measure(data: ad.AnnData, reference: Reference) -> People:
    """Bring a matrix (people x features, same kind as the reference's) onto the scale of the reference."""
    column = {feature: position for position, feature in enumerate(data.var_names)}
    values = expression.dense(data)
    universe = [column[feature] for feature in reference.universe if feature in column]
    complete = len(universe) == len(reference.universe)
    aligned = values[:, universe]
    lacking = len(reference.universe) - len(universe)
    refusal = (
        "" if complete else f"not measured here: {lacking} of the {len(reference.universe)} genes of the reference"
    )
    factors, genes = None, np.full((len(values), len(reference.genes)), np.nan)
    shallow: dict[str, np.ndarray] = {}
    if not reference.refusal:
        if reference.kind == COUNTS:
            found = np.array([feature in column for feature in reference.universe])
            factors = expression.size_factors(aligned, reference.arrays["log_geometric_means"][found])
            shallow = shallow_libraries(reference, factors, found)
        for position, feature in enumerate(reference.features):
            if feature in column:
                own = values[:, [column[feature]]]
                genes[:, position] = expression.log2_values(own, reference.kind, factors)[:, 0]
    return People(
        samples=tuple(data.obs_names),
        genes=genes,
        ranks=average_ranks(aligned) if complete else None,
        rank_refusal=refusal,
        size_factors=factors,
        everybody=None if reference.everybody is None else measure(data, reference.everybody),
        shallow=shallow,
    )


def set_scores(people: People, reference: Reference, gene_set: GeneSet, method_name: str) -> np.ndarray:
    """Return one set's scores by one method (people); NaN where they cannot be computed, or a library is too shallow."""
    method = METHODS[method_name]
    unscored = np.full(len(people.samples), np.nan)
    if gene_set.coverage < FEWEST_GENES or not people.samples:
        return unscored
    deep = people.too_shallow(gene_set.name) == ""
    if isinstance(method, RankMethod):
        if people.ranks is None:
            return unscored
        return np.where(deep, method.score(people.ranks, _members(reference, gene_set)), np.nan)
    if reference.refusal:
        return unscored
    members = reference.positions(gene_set)
    scores = against_controls(
        people.genes,
        reference,
        gene_set,
        method,
        reference.arrays[f"location.{method.name}"][members, None],
        reference.arrays[f"scale.{method.name}"][members, None],
    )[:, 0]
    return np.where(deep, scores, np.nan)


def against_controls(
    genes: np.ndarray,
    reference: Reference,
    gene_set: GeneSet,
    method: ControlMethod,
    location: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """Return scores (people x resamples) for a given location and scale (genes of the set x resamples)."""
    values = method.prepare(genes[:, reference.positions(gene_set)], reference.background)
    scores = method.score(values, location, scale, np.array(gene_set.weights), reference.kind)
    scores[~np.isfinite(values).all(axis=1)] = np.nan
    return scores


def _members(reference: Reference, gene_set: GeneSet) -> np.ndarray:
    column = {feature: position for position, feature in enumerate(reference.universe)}
    feature = dict(zip(reference.genes, reference.features, strict=True))
    return np.array([column[feature[gene]] for gene in gene_set.genes], dtype=int)


def score_table(people: People, reference: Reference) -> pd.DataFrame:
    """Return `scores.tsv`: every person by every signature and method, scored or with the reason why not."""
    frames = [
        _score_rows(people, reference, gene_set, method) for gene_set in reference.panel.values() for method in METHODS
    ]
    table = pd.concat(frames, ignore_index=True)[list(SCORE_COLUMNS)]
    return table.sort_values(["sample", "signature", "method"], kind="stable", ignore_index=True)


def _score_rows(people: People, reference: Reference, gene_set: GeneSet, method_name: str) -> pd.DataFrame:
    scores = set_scores(people, reference, gene_set, method_name)
    status, reason = set_status(people, reference, gene_set, method_name)
    missing = ~np.isfinite(scores)
    own = why_no_score(people, gene_set) if status != "NA" else reason
    return pd.DataFrame(
        {
            "sample": people.samples,
            "signature": gene_set.name,
            "method": method_name,
            "score": scores,
            "genes_found": len(gene_set.genes),
            "genes_total": gene_set.total,
            "status": np.where(missing, "NA", status),
            "reason": np.where(missing, own, reason),
        }
    )


def why_no_score(people: People, gene_set: GeneSet) -> np.ndarray:
    """Return the reason of each person who has no score of a set that others have."""
    shallow = people.too_shallow(gene_set.name)
    return np.where(shallow == "", "the sample has no value for some of the genes", shallow)


def set_status(people: People, reference: Reference, gene_set: GeneSet, method_name: str) -> tuple[str, str]:
    """Return ``ok``, ``partial`` or ``NA`` for a set and a method, with everything that there is to say about it."""
    method = METHODS[method_name]
    remarks = _remarks(reference, gene_set, method_name)
    coverage = f"{len(gene_set.genes)} of {gene_set.total} genes found"
    if gene_set.coverage < FEWEST_GENES:
        return "NA", "; ".join([coverage, *remarks])
    if method.needs_controls and reference.refusal:
        return "NA", reference.refusal
    if not method.needs_controls and people.rank_refusal:
        return "NA", people.rank_refusal
    if gene_set.coverage < reference.settings.min_coverage:
        need = f"{coverage}, at least {reference.settings.min_coverage:.0%} needed for a class"
        return "partial", "; ".join([need, *remarks])
    return "ok", "; ".join(remarks)


def _remarks(reference: Reference, gene_set: GeneSet, method_name: str) -> list[str]:
    remarks = [] if gene_set.verified else ["gene list not verified against its paper"]
    if gene_set.missing:
        remarks.append(f"not found: {listed(gene_set.missing, 6, ' ')}")
    remarks += gene_set.ambiguous
    floored = [gene for gene in gene_set.genes if gene in reference.floored]
    if method_name == "zscore" and floored:
        remarks.append(f"control SD raised to its floor: {listed(floored, 6, ' ')}")
    return remarks
