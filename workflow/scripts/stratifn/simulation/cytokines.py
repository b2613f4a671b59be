"""Serum proteins as laboratories report them: concentrations, and ``<limit`` below the limit of detection."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from stratifn.simulation.patients import FACTORS
from stratifn.simulation.randomness import random_stream

BATCH_SPREAD = 0.12


@dataclass(frozen=True)
class Analyte:
    """One protein.

    Attributes
    ----------
    name
        Column of the table; pg/ml unless the name says otherwise.
    level
        log2 concentration in health.
    spread
        Standard deviation of log2 between people.
    detection
        Limit of detection, in the table's unit.
    weights
        log2 change per unit of each factor.
    """

    name: str
    level: float
    spread: float
    detection: float
    weights: dict[str, float] = field(default_factory=dict)


IFN_ALPHA = "IFNA_fg_ml"
# IFN-alpha in fg/ml by single-molecule array (Huijser 2022: medians <= 5 in health, 61 in pSS, 314 in SLE)
ANALYTES = (
    Analyte(IFN_ALPHA, 0.4, 1.5, 0.7, {"type_i_ifn": 8.5}),
    Analyte("IFNG", 0.5, 0.9, 0.8, {"type_ii_ifn": 2.2}),
    Analyte("CXCL9", 5.5, 0.7, 4.0, {"type_ii_ifn": 2.2, "type_i_ifn": 0.6}),
    Analyte("CXCL10", 6.5, 0.6, 2.0, {"type_i_ifn": 1.6, "type_ii_ifn": 1.2}),
    Analyte("CCL2", 7.0, 0.5, 5.0, {"type_i_ifn": 0.5, "inflammation": 0.4}),
    Analyte("CCL8", 4.8, 0.6, 1.0, {"type_i_ifn": 1.2}),
    Analyte("CCL19", 5.6, 0.6, 3.0, {"type_i_ifn": 0.9, "lymphoid": 0.5}),
    Analyte("BAFF", 9.5, 0.35, 20.0, {"type_i_ifn": 0.6, "lymphoid": 0.5}),
    Analyte("LGALS9", 12.0, 0.35, 50.0, {"type_i_ifn": 0.7}),
    Analyte("IL6", 0.6, 0.9, 0.7, {"inflammation": 2.4}),
    Analyte("CXCL8", 3.0, 0.8, 1.2, {"inflammation": 1.6}),
    Analyte("TNF", 1.2, 0.5, 0.5, {"inflammation": 1.0, "type_i_ifn": 0.3}),
    Analyte("IL10", 0.0, 0.8, 0.6, {"lymphoid": 0.8, "inflammation": 0.5}),
    Analyte("IL17A", -1.2, 1.0, 0.4, {"inflammation": 0.5}),
    Analyte("CXCL13", 5.4, 0.7, 4.0, {"lymphoid": 2.0, "type_i_ifn": 0.4}),
)


def measured_cytokines(cohort: pd.DataFrame, drivers: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the cytokine table: samples in rows, text such as ``12.4`` or ``<0.7``.

    Parameters
    ----------
    cohort
        Sheet with ``batch`` and the true ``ifn_alpha_log2``.
    drivers
        Samples x drivers.
    seed
        The cohort's seed.
    """
    rng = random_stream(seed, "cytokines")
    batches, batch = np.unique(cohort["batch"].to_numpy(dtype=str), return_inverse=True)
    log2 = drivers[list(FACTORS)].to_numpy() @ true_weights().to_numpy().T
    log2 += [analyte.level for analyte in ANALYTES]
    log2 += rng.standard_normal(log2.shape) * [analyte.spread for analyte in ANALYTES]
    log2 += rng.normal(0, BATCH_SPREAD, (len(batches), len(ANALYTES)))[batch]
    # the disease's share of IFN-alpha among the interferons matters only where there is a response
    log2[:, 0] += cohort["ifn_alpha_log2"].to_numpy() * np.clip(drivers["type_i_ifn"].to_numpy(), 0, 1)
    table = pd.DataFrame({"sample": cohort["sample"].to_numpy()})
    for column, analyte in enumerate(ANALYTES):
        table[analyte.name] = [_reported(value, analyte.detection) for value in np.exp2(log2[:, column])]
    return table


def true_weights() -> pd.DataFrame:
    """Return the log2 change of each analyte per unit of each factor (analytes x factors)."""
    return pd.DataFrame(
        [[analyte.weights.get(factor, 0.0) for factor in FACTORS] for analyte in ANALYTES],
        index=pd.Index([analyte.name for analyte in ANALYTES], name="feature"),
        columns=list(FACTORS),
    )


def _reported(value: float, detection: float) -> str:
    return f"<{detection:g}" if value < detection else f"{value:.4g}"
