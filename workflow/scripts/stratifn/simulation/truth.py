"""The truth of a simulated cohort: for tests and benchmarks, never read by the pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stratifn.simulation.composition import compartment_levels, true_proportions
from stratifn.simulation.genes import GeneModel, disease_driver
from stratifn.simulation.patients import FACTORS, draw_cohort
from stratifn.simulation.randomness import random_stream

POPULATION = 3000
TRUTH_COLUMNS = ("sample", "disease", "ifn_status", "ifn_type", "stratum", *FACTORS)


def driver_table(cohort: pd.DataFrame, proportions: pd.DataFrame, diseases: Sequence[str]) -> pd.DataFrame:
    """Return everything that differs between people and drives features (samples x drivers)."""
    drivers = cohort.set_index("sample")[list(FACTORS)].astype(float).join(compartment_levels(proportions))
    for disease in diseases:
        drivers[disease_driver(disease)] = (cohort["disease"] == disease).to_numpy(dtype=float)
    return drivers


def population_log2_fold_changes(
    model: GeneModel, diseases: Sequence[str], control: str | None, seed: int
) -> pd.DataFrame:
    """Compute each gene's true change per disease from the generating model, not from any counts.

    A negative-binomial fit compares arithmetic means, so the truth is
    ``log2(E[mu | disease] / E[mu | control])`` over a population of `POPULATION` people per group that is drawn
    again from the model. Sex, age, batch and library size have the same distribution in all groups and cancel. A gene
    that nothing drives is exactly unchanged.

    Returns
    -------
    pandas.DataFrame
        gene_id, disease, log2FoldChange, de (whether anything that differs between the groups drives the gene);
        sorted by disease and gene; empty without a control.
    """
    columns = ["gene_id", "disease", "log2FoldChange", "de"]
    if control is None:
        return pd.DataFrame(columns=columns)
    baseline, _ = _mean_expression(model, control, control, seed)
    tables = []
    for disease in sorted(diseases):
        mean, drives = _mean_expression(model, disease, control, seed)
        changes = np.where(drives, np.log2(mean / baseline), 0.0)
        tables.append(
            pd.DataFrame({"gene_id": model.weights.index, "disease": disease, "log2FoldChange": changes, "de": drives})
        )
    return pd.concat(tables, ignore_index=True)[columns]


def _mean_expression(model: GeneModel, group: str, control: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of ``2^drive`` over a group's population, and which genes something drives in it."""
    people = draw_cohort({group: POPULATION}, control, seed, stream="population")
    proportions = true_proportions(people, random_stream(seed, f"population.composition.{group}"))
    drivers = driver_table(people, proportions, [group] if group != control else [])
    weights = model.weights[drivers.columns].to_numpy()
    means = np.ones(len(weights))
    drives = (weights != 0).any(axis=1)
    for rows in np.array_split(np.flatnonzero(drives), max(1, drives.sum() // 500)):
        means[rows] = np.exp2(weights[rows] @ drivers.to_numpy().T).mean(axis=1)
    return means, drives


def truth_of_samples(cohort: pd.DataFrame) -> pd.DataFrame:
    """Return the true status, type, stratum and activities, one row per sample."""
    return cohort[list(TRUTH_COLUMNS)].reset_index(drop=True)
