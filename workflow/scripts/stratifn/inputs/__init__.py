"""Phase inputs: from a user's files to one validated matrix per view.

In reading order: `reading` (files to raw matrices), `formats` (programs of the field), `sheet` (the sample sheet),
`orientation` (which side holds the samples), `not_features` (rows that are none), `limits` (concentrations beyond what
an assay measures), `scales` (whether the values are on the scale that their kind promises), `values` (what each kind
of view may hold), `gene_ids` (symbols and ids of genes), `view` (all of this for one view), `canonical` (its matrix
as the phases read it), `analysis` (all of it, with every problem collected before
anything is refused).
"""

from stratifn.inputs.analysis import Cohort, read_cohort, size_checks, write_cohort
from stratifn.inputs.gene_ids import GeneNames, known_genes
from stratifn.inputs.sheet import ANY_GROUP, Groups, any_group

__all__ = [
    "ANY_GROUP",
    "Cohort",
    "GeneNames",
    "Groups",
    "any_group",
    "known_genes",
    "read_cohort",
    "size_checks",
    "write_cohort",
]
