"""What the configuration decides about differential expression; defaults and bounds are the schema's."""

from __future__ import annotations

from dataclasses import dataclass

from stratifn.shared.settings import Section


@dataclass(frozen=True)
class Settings(Section):
    """The section ``differential_expression`` of the configuration.

    Attributes
    ----------
    alpha
        False discovery rate at which a gene is called, and for which independent filtering is chosen.
    lfc_threshold
        An absolute log2 fold change must exceed this to be called, in every table of the phase.
    shrink
        Whether to shrink the effects of counts.
    permutations
        How many label permutations; None: ten up to 400 samples, two above.
    gene_sets
        Paths of the user's gene sets.
    """

    alpha: float
    lfc_threshold: float
    shrink: bool
    permutations: int | None
    gene_sets: tuple[str, ...]
