"""Transfer: a finished cohort frozen as a reference, and new patients placed with that reference alone.

The factors of new samples come from `shared.factor_posterior`. Read in this order: `folds` (the model without some of its
samples), `limits` (who is unlike the reference),
`reference` (its files, and when they are refused), `freezing` (from a cohort to a reference and back to objects),
`verdicts` (what the reference's cohort could claim), `matching` (the new patients' views matched to the reference's),
`size_factors` (of views that take those of another), `own_controls` (scores against the batch's own controls), `notes`
(notes on the numbers), `placement`
(all of it). What the phases normalization, interferon and stratification froze passes through here as plain values and
arrays; the script says how each reads its own part.
"""

from stratifn.shared.factor_posterior import ProjectedFactors, project_factors
from stratifn.transfer.freezing import FrozenView, LearntModel, freeze_reference
from stratifn.transfer.matching import reference_features, require_features
from stratifn.transfer.notes import Measured
from stratifn.transfer.placement import Phases, Placement, place_patients, require_usable
from stratifn.transfer.reference import Part, Reference, Source, load_interferon, load_reference, write_reference

__all__ = [
    "FrozenView",
    "LearntModel",
    "Measured",
    "Part",
    "Phases",
    "Placement",
    "ProjectedFactors",
    "Reference",
    "Source",
    "freeze_reference",
    "load_interferon",
    "load_reference",
    "place_patients",
    "project_factors",
    "reference_features",
    "require_features",
    "require_usable",
    "write_reference",
]
