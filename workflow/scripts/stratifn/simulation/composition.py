"""Blood cells: true proportions that follow the patient's activities, and what flow cytometry counts of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.simulation.randomness import random_stream

EVENTS = 50_000


@dataclass(frozen=True)
class CellType:
    """One cell type of whole blood.

    Attributes
    ----------
    name
        Column of the cell table.
    compartment
        Group of cells whose amount genes and CpGs follow; empty if none does.
    share
        Usual proportion in healthy blood.
    spread
        Standard deviation between people (natural log).
    shifts
        Change (natural log) per unit of type I activity, inflammation and lymphoid activity: interferon lowers
        lymphocytes and blood pDC, inflammation raises neutrophils.
    """

    name: str
    compartment: str
    share: float
    spread: float
    shifts: tuple[float, float, float]


CELL_TYPES = (
    CellType("neutrophils", "neutrophils", 0.580, 0.10, (-0.10, 0.35, -0.25)),
    CellType("eosinophils", "", 0.025, 0.35, (-0.10, -0.30, 0.00)),
    CellType("basophils", "", 0.006, 0.30, (-0.10, -0.10, 0.00)),
    CellType("monocytes_classical", "monocytes", 0.058, 0.16, (0.10, 0.25, -0.10)),
    CellType("monocytes_nonclassical", "monocytes", 0.009, 0.25, (0.30, 0.00, -0.10)),
    CellType("dendritic_conventional", "", 0.004, 0.25, (-0.20, -0.15, 0.00)),
    CellType("dendritic_plasmacytoid", "dendritic_plasmacytoid", 0.002, 0.30, (-0.60, -0.20, 0.00)),
    CellType("cd4_naive", "t_cells", 0.070, 0.18, (-0.30, -0.45, 0.45)),
    CellType("cd4_memory", "t_cells", 0.095, 0.15, (-0.20, -0.40, 0.50)),
    CellType("cd8", "t_cells", 0.075, 0.18, (-0.15, -0.40, 0.40)),
    CellType("nk", "nk_cells", 0.034, 0.25, (-0.25, -0.30, 0.10)),
    CellType("b_naive", "b_cells", 0.024, 0.22, (-0.10, -0.25, 0.65)),
    CellType("b_memory", "b_cells", 0.012, 0.25, (-0.25, -0.25, 0.50)),
    CellType("plasmablasts", "plasmablasts", 0.002, 0.35, (0.60, 0.10, 0.80)),
)
COMPARTMENTS = tuple(dict.fromkeys(cell.compartment for cell in CELL_TYPES if cell.compartment))


def true_proportions(cohort: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw each person's cell proportions (samples x cell types, rows sum to 1).

    Glucocorticoids move neutrophils from the vessel wall into the blood and lymphocytes out of it.
    """
    activities = cohort[["type_i_ifn", "inflammation", "lymphoid"]].to_numpy(dtype=float)
    shifts = np.array([cell.shifts for cell in CELL_TYPES])
    spread = np.array([cell.spread for cell in CELL_TYPES])
    logs = np.log([cell.share for cell in CELL_TYPES]) + activities @ shifts.T
    logs = logs + spread * rng.standard_normal(logs.shape)
    dose = cohort["glucocorticoid_mg"].to_numpy(dtype=float)[:, None] / 10
    logs = logs + dose * np.array([0.05 if cell.name == "neutrophils" else -0.03 for cell in CELL_TYPES])
    amounts = np.exp(logs)
    return pd.DataFrame(
        amounts / amounts.sum(axis=1, keepdims=True),
        index=cohort["sample"],
        columns=[cell.name for cell in CELL_TYPES],
    )


def compartment_levels(proportions: pd.DataFrame) -> pd.DataFrame:
    """Return log2 of each compartment's proportion over its usual one (samples x compartments)."""
    usual_total = sum(cell.share for cell in CELL_TYPES)
    levels = {}
    for compartment in COMPARTMENTS:
        members = [cell for cell in CELL_TYPES if cell.compartment == compartment]
        usual = sum(cell.share for cell in members) / usual_total
        levels[compartment] = np.log2(proportions[[cell.name for cell in members]].sum(axis=1) / usual)
    return pd.DataFrame(levels, index=proportions.index)


def measured_cells(proportions: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the cell table as a laboratory exports it: samples in rows, proportions of the counted events."""
    rng = random_stream(seed, "cells")
    counts = rng.multinomial(EVENTS, proportions.to_numpy() / proportions.to_numpy().sum(axis=1, keepdims=True))
    return pd.DataFrame(counts / EVENTS, index=proportions.index, columns=proportions.columns).reset_index()
