"""What the configuration decides about normalization; defaults and bounds are the schema's."""

from __future__ import annotations

from dataclasses import dataclass

from stratifn.shared.settings import Section


@dataclass(frozen=True)
class Settings(Section):
    """The section ``normalization`` of the configuration.

    Attributes
    ----------
    min_count
        See `gene_filter.genes_to_keep`; counts only.
    size_factors
        ``ratio`` or ``poscounts``; counts only.
    """

    min_count: int
    size_factors: str
