"""Which patients have an interferon-driven disease, and what do they share across diagnoses: the library of stratifn.

One module or small package per phase of the pipeline (``inputs``, ``normalization``,
``differential_expression``, ``interferon``, ``integration``, ``stratification``, ``transfer``, ``report``)
and a few shared ones. The library computes; it imports no Snakemake and knows no path of the workflow.
"""

__version__ = "0.1.0"
