"""What the configuration decides about the scores; defaults and bounds are the schema's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from stratifn.shared.settings import Section

EXCLUDE, KEEP = "exclude", "keep"


@dataclass(frozen=True)
class Origin:
    """Where the expression comes from: it decides the wording and what may be compared.

    Attributes
    ----------
    specimen, platform
        As in the config (``whole_blood``, ``rnaseq``, ...).
    control_type
        ``healthy`` or ``other``.
    """

    specimen: str
    platform: str
    control_type: str


@dataclass(frozen=True)
class ProteinSettings(Section):
    """What the section ``interferon`` says of the measured protein, which no score depends on.

    Attributes
    ----------
    protein_analyte
        Name of the IFN-alpha protein in its view; None if it is to be detected from the analytes' names.
    protein_assay
        Name of the assay, as it is printed.
    protein_cutoff
        Cut-off of the assay in the view's units; None where it has none.
    """

    protein_analyte: str | None
    protein_assay: str
    protein_cutoff: float | None


@dataclass(frozen=True)
class Settings(Section):
    """The section ``interferon`` of the configuration, without what names files and the protein's assay.

    Attributes
    ----------
    signature, method
        What classes rest on: a signature's id and a scoring method's name.
    cutoff
        ``mean_2sd`` or ``percentile_95`` (40 controls or more).
    min_coverage
        Share of a signature's genes that must be found for a class (0 to 1).
    min_controls
        Fewest controls that make a reference, before outlying ones are left out.
    outlying_controls
        ``exclude`` or ``keep`` in the reference those that stand far above the others.
    bootstraps, seed
        Resamples of the controls and their seed.
    probability_high, probability_low
        Certainty from which a signature is called high, and up to which it is called low.
    """

    signature: str
    method: str
    cutoff: str
    min_coverage: float
    min_controls: int
    outlying_controls: str
    bootstraps: int
    seed: int
    probability_high: float
    probability_low: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for the frozen reference and the provenance."""
        return asdict(self)
