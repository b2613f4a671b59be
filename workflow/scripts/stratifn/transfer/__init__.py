"""Placing new patients with a frozen reference alone.

`factors` computes the factors of new samples from the model's weights.
"""

from stratifn.transfer.factors import FactorView, ProjectedFactors, project_factors

__all__ = ["FactorView", "ProjectedFactors", "project_factors"]
