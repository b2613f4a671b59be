"""How large a simulated cohort is; defaults and bounds are the schema's."""

from __future__ import annotations

from dataclasses import dataclass

from stratifn.shared.settings import Section


@dataclass(frozen=True)
class Settings(Section):
    """The section ``simulate`` of a cohort.

    Attributes
    ----------
    patients
        Per disease.
    controls
        Healthy people.
    genes, cpgs
        Features of the RNA and of the methylation view.
    seed
        Same seed and size, same bytes.
    """

    patients: int
    controls: int
    genes: int
    cpgs: int
    seed: int
