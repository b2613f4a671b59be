"""DNA methylation: beta values of an array, written as Parquet row group by row group.

Parquet at every size: a file of 450,000 CpGs is read several times faster than from compressed text and can be read
in parts, and one format for all sizes means that the small demonstration exercises what the big cohort needs. The
X and Y probes are left out, as preprocessing usually does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stratifn.shared.files import atomic_path
from stratifn.simulation.composition import COMPARTMENTS
from stratifn.simulation.patients import FACTORS
from stratifn.simulation.randomness import random_stream
from stratifn.simulation.streaming import gzip_text

CPGS_PER_BLOCK = 16_384
# change of the M-value per unit of type I activity at the registry's CpGs, by gene; the strongest in SLE and pSS blood
STRONG_GENES = frozenset("IFI44L PARP9 PLSCR1 MX1 CMPK2 IFIT1 IFIT3 RSAD2 EPSTI1 USP18".split())
STRONG, WEAK = -2.2, -0.9
# share of CpGs and spread of their M-value's change per unit of the driver
EFFECTS = {
    "type_i_ifn": (0.03, 0.6),
    "inflammation": (0.06, 0.6),
    "lymphoid": (0.06, 0.6),
    **dict.fromkeys(COMPARTMENTS, (0.04, 0.5)),
}
AGE_SHARE, AGE_SPREAD = 0.05, 0.06
BATCH_SPREAD = 0.07
NOISE = 0.24
# M-value: share, mean and spread of unmethylated, methylated and intermediate CpGs
MODES = ((0.45, -3.3, 0.7), (0.38, 3.0, 0.7), (0.17, 0.3, 1.0))
BETA_DECIMALS = 4


def cpg_names(size: int, registry_cpgs: pd.DataFrame) -> list[str]:
    """Return the registry's CpGs (column ``cpg``) and then made-up ones, `size` in all."""
    known = sorted(set(registry_cpgs["cpg"]))[:size]
    return known + [f"cg{90_000_000 + number:08d}" for number in range(size - len(known))]


def write_methylation(
    cohort: pd.DataFrame,
    drivers: pd.DataFrame,
    cpgs: Sequence[str],
    registry_cpgs: pd.DataFrame,
    present: pd.Series,
    seed: int,
    path: Path,
    weights_path: Path,
) -> None:
    """Write the beta values (CpGs in rows, first column ``cpg``) and, apart, the true weights.

    Parameters
    ----------
    cohort
        Sheet with ``age`` and ``batch``.
    drivers
        Samples x drivers.
    cpgs
        Names from `cpg_names`.
    registry_cpgs
        Columns ``cpg`` and ``gene``.
    present
        Per sample, whether it was measured.
    seed
        The cohort's seed.
    path
        ``.parquet``.
    weights_path
        ``.tsv.gz``, for the truth.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    samples = cohort.loc[present.to_numpy()].reset_index(drop=True)
    schema = pa.schema([("cpg", pa.string()), *((sample, pa.float32()) for sample in samples["sample"])])
    columns = [*FACTORS, *COMPARTMENTS]
    with atomic_path(path) as temporary, gzip_text(weights_path) as weights_file:
        weights_file.write("\t".join(["feature", *columns]) + "\n")
        with pq.ParquetWriter(
            temporary, schema, compression="zstd", use_dictionary=False, write_statistics=False
        ) as writer:
            blocks = beta_blocks(samples, drivers.loc[samples["sample"], columns], cpgs, registry_cpgs, seed)
            for beta, weights in blocks:
                arrays = [pa.array(weights.index), *map(pa.array, beta)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=CPGS_PER_BLOCK)
                weights.to_csv(weights_file, sep="\t", header=False, float_format="%.6g", lineterminator="\n")


def beta_blocks(
    samples: pd.DataFrame, drivers: pd.DataFrame, cpgs: Sequence[str], registry_cpgs: pd.DataFrame, seed: int
) -> Iterator[tuple[np.ndarray, pd.DataFrame]]:
    """Draw `CPGS_PER_BLOCK` CpGs at a time: beta values (samples x CpGs, float32) and true weights of the M-values."""
    batches, batch = np.unique(samples["batch"].to_numpy(dtype=str), return_inverse=True)
    decades = (samples["age"].to_numpy(dtype=np.float32) - 50) / 10
    gene_of = dict(zip(registry_cpgs["cpg"], registry_cpgs["gene"], strict=True))
    scores = drivers.to_numpy(dtype=np.float32)
    for block, start in enumerate(range(0, len(cpgs), CPGS_PER_BLOCK)):
        names = list(cpgs[start : start + CPGS_PER_BLOCK])
        rng = random_stream(seed, "methylation", block)
        level, weights = _cpg_model(names, gene_of, list(drivers.columns), rng)
        age = np.where(rng.uniform(size=len(names)) < AGE_SHARE, rng.normal(0, AGE_SPREAD, len(names)), 0.0)
        m_value = scores @ weights.to_numpy(dtype=np.float32).T
        m_value += level.astype(np.float32)
        m_value += np.outer(decades, age.astype(np.float32))
        shift = BATCH_SPREAD * rng.standard_normal((len(batches), len(names)), dtype=np.float32)
        m_value += shift[batch]
        noise = (NOISE * np.exp(0.25 * rng.standard_normal(len(names)))).astype(np.float32)
        m_value += noise * rng.standard_normal(m_value.shape, dtype=np.float32)
        yield _beta(m_value), weights


def _beta(m_value: np.ndarray) -> np.ndarray:
    """Turn M-values (log2 of beta over 1 - beta) into rounded betas, in place."""
    np.exp2(-m_value, out=m_value)
    m_value += 1
    np.reciprocal(m_value, out=m_value)
    return np.round(m_value, BETA_DECIMALS, out=m_value)


def _cpg_model(
    names: Sequence[str], gene_of: dict[str, str], drivers: Sequence[str], rng: np.random.Generator
) -> tuple[np.ndarray, pd.DataFrame]:
    size = len(names)
    mode = rng.choice(len(MODES), size=size, p=[share for share, _, _ in MODES])
    _, mean, spread = np.array(MODES).T
    level = mean[mode] + spread[mode] * rng.standard_normal(size)
    weights = pd.DataFrame(0.0, index=pd.Index(names, name="feature"), columns=list(drivers))
    for driver, (share, effect) in EFFECTS.items():
        chosen = rng.uniform(size=size) < share
        draws = effect * rng.standard_normal(size)
        # interferon takes methylation away
        weights[driver] = np.where(chosen, -np.abs(draws) if driver == "type_i_ifn" else draws, 0.0)
    strength = np.exp(0.2 * rng.standard_normal(size))
    for place, name in enumerate(names):
        if name in gene_of:
            strong = any(gene in STRONG_GENES for gene in str(gene_of[name]).split("-"))
            weights.iloc[place] = 0.0
            weights.iloc[place, weights.columns.get_loc("type_i_ifn")] = strength[place] * (STRONG if strong else WEAK)
            level[place] = 1.2
    return level, weights
