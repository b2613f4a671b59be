"""RNA counts: negative-binomial draws around what drives each gene, written block by block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from stratifn.simulation.genes import GeneModel
from stratifn.simulation.randomness import random_stream
from stratifn.simulation.streaming import gzip_text

GENES_PER_BLOCK = 1000
LIBRARY_SPREAD = 0.35
BATCH_SPREAD = 0.15


def library_factors(size: int, seed: int) -> np.ndarray:
    """Return each sample's library size relative to the usual one (log-normal)."""
    return np.exp(LIBRARY_SPREAD * random_stream(seed, "rna.library").standard_normal(size))


def write_counts(
    cohort: pd.DataFrame, drivers: pd.DataFrame, model: GeneModel, present: pd.Series, seed: int, path: Path
) -> None:
    """Write the counts of the samples that have RNA, genes in rows, as ``.tsv.gz``.

    Parameters
    ----------
    cohort
        Sheet with ``sex``, ``age``, ``batch``.
    drivers
        Samples x drivers.
    model
        What drives each gene.
    present
        Per sample, whether it was sequenced.
    seed
        The cohort's seed.
    path
        ``.tsv.gz``.
    """
    kept = present.to_numpy()
    library = library_factors(len(cohort), seed)[kept]
    samples = cohort.loc[kept].reset_index(drop=True)
    with gzip_text(path) as handle:
        handle.write("\t".join(["gene_id", *samples["sample"]]) + "\n")
        for counts in count_blocks(samples, drivers.loc[samples["sample"]], model, library, seed):
            counts.to_csv(handle, sep="\t", header=False, lineterminator="\n")


def count_blocks(
    samples: pd.DataFrame, drivers: pd.DataFrame, model: GeneModel, library: np.ndarray, seed: int
) -> Iterator[pd.DataFrame]:
    """Draw counts for `GENES_PER_BLOCK` genes at a time (genes x samples).

    The variance is ``mu + alpha * mu^2`` with the dispersion trend ``alpha = a0 + a1 / mu`` and log-normal scatter
    around it (Love, Huber & Anders 2014, doi:10.1186/s13059-014-0550-8).
    """
    batches, batch = np.unique(samples["batch"].to_numpy(dtype=str), return_inverse=True)
    male = (samples["sex"] == "M").to_numpy(dtype=float)
    decades = (samples["age"].to_numpy(dtype=float) - 50) / 10
    genes = model.weights.index
    for block, start in enumerate(range(0, len(genes), GENES_PER_BLOCK)):
        part = slice(start, start + GENES_PER_BLOCK)
        rng = random_stream(seed, "rna.counts", block)
        log2_mean = model.weights.iloc[part].to_numpy() @ drivers.to_numpy().T
        log2_mean += model.level[part, None] + np.log2(library)
        log2_mean += np.outer(model.male[part], male) + np.outer(model.age[part], decades)
        log2_mean += rng.normal(0, BATCH_SPREAD, (log2_mean.shape[0], len(batches)))[:, batch]
        shape = 1 / model.dispersion[part, None]
        rate = rng.gamma(shape, np.exp2(log2_mean) / shape)
        yield pd.DataFrame(rng.poisson(rate), index=genes[part], columns=samples["sample"])
