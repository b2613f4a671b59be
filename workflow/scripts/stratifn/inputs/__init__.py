"""Phase inputs: from a user's files to one validated matrix per view.

In reading order: `reading` (files to raw matrices), `sheet` (the sample sheet), `orientation` (which side holds the
samples), `values` (what each kind of view may hold), `gene_ids` (symbols and Ensembl ids), `analysis` (all of it, with
every problem collected before anything is refused).
"""

from stratifn.inputs.analysis import Cohort, read_cohort, too_few_samples
from stratifn.inputs.gene_ids import GeneNames
from stratifn.inputs.sheet import ANY_GROUP, Groups, any_group

__all__ = ["ANY_GROUP", "Cohort", "GeneNames", "Groups", "any_group", "read_cohort", "too_few_samples"]
