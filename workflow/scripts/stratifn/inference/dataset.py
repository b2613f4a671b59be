"""PyDESeq2's data set with size factors that are known already."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.inference import Inference


def deseq_dataset(
    counts: np.ndarray, size_factors: np.ndarray, design: pd.DataFrame, genes: pd.Index, inference: Inference
) -> DeseqDataSet:
    """Make a `DeseqDataSet` that uses the size factors given to it.

    PyDESeq2's own ``deseq2()`` and ``vst()`` recompute size factors from the genes that they are given, which
    after a filter are no longer all genes, and switch to an iterative method where a gene without zeros is missing.
    Its steps (``fit_genewise_dispersions`` and on) use ``obs["size_factors"]``.

    Parameters
    ----------
    counts
        Integer counts, samples x genes.
    size_factors
        Shape (samples,).
    design
        Model matrix, samples x coefficients, indexed by sample.
    genes
        Gene ids.
    inference
        The engine that fits; PyDESeq2's default would use every core of the machine.
    """
    with warnings.catch_warnings():  # its import changes the process' warning filters
        from pydeseq2.dds import DeseqDataSet

    # plain strings: the storage type of an index must not decide how anndata handles it
    samples = pd.Index(design.index.astype(str).to_numpy(dtype=object))
    genes = pd.Index(genes.astype(str).to_numpy(dtype=object))
    dataset = DeseqDataSet(
        counts=pd.DataFrame(np.asarray(counts, dtype=np.int64), index=samples, columns=genes, copy=False),
        metadata=pd.DataFrame({"sample": samples}, index=samples),
        design=design.set_axis(samples, axis=0),
        inference=inference,
        quiet=True,
        low_memory=True,
    )
    dataset.obs["size_factors"] = np.asarray(size_factors, dtype=float)
    dataset.layers["normed_counts"] = dataset.X / dataset.obs["size_factors"].to_numpy()[:, None]
    dataset.var["_normed_means"] = dataset.layers["normed_counts"].mean(axis=0)
    return dataset
