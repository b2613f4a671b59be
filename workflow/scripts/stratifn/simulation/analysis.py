"""A whole cohort on disk: the files that a user would provide, and separately the simulated truth."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stratifn.registry.signatures import Registry
from stratifn.shared.tables import write_table
from stratifn.shared.vocabulary import RNA
from stratifn.simulation.composition import measured_cells, true_proportions
from stratifn.simulation.cytokines import measured_cytokines, true_weights
from stratifn.simulation.expression import write_counts
from stratifn.simulation.genes import GeneModel, choose_genes, gene_model, genes_of_signatures
from stratifn.simulation.methylation import cpg_names, write_methylation
from stratifn.simulation.patients import SHEET_COLUMNS, draw_cohort, presence
from stratifn.simulation.randomness import random_stream
from stratifn.simulation.settings import Settings
from stratifn.simulation.truth import driver_table, population_log2_fold_changes, truth_of_samples

VIEWS = (RNA, "methylation", "cytokines", "cells")
logger = logging.getLogger("stratifn.simulation")


def simulate_cohort(
    settings: Settings,
    diseases: Sequence[str],
    control: str | None,
    registry: Registry,
    gene_symbols: pd.DataFrame,
    simulated: Path,
    truth: Path,
) -> None:
    """Write a cohort and its truth.

    Parameters
    ----------
    settings
        Its size and seed.
    diseases
        Labels; those without a published prevalence get `stratifn.simulation.profiles.DEFAULT_PROFILE`.
    control
        Label of the healthy controls, or None for a cohort without.
    registry
        Its genes and CpGs are in the cohort (the default signatures alone where there are few genes).
    gene_symbols
        ``gene_symbol`` and ``chromosome`` of protein-coding genes.
    simulated
        Folder for ``samples.tsv``, ``rna.tsv.gz`` (genes x samples), ``methylation.parquet`` (CpGs x samples),
        ``cytokines.tsv`` and ``cells.tsv`` (samples x features).
    truth
        Folder for ``samples.tsv``, ``factors.tsv``, ``differential_expression.tsv`` and ``weights_<view>.tsv``
        (``.gz`` for RNA and methylation).
    """
    simulated, truth = Path(simulated), Path(truth)
    sizes = dict.fromkeys(diseases, settings.patients)
    if control is not None:
        sizes[control] = settings.controls
    cohort = draw_cohort(sizes, control, settings.seed)
    proportions = true_proportions(cohort, random_stream(settings.seed, "composition"))
    drivers = driver_table(cohort, proportions, diseases)
    measured = presence(cohort["sample"], VIEWS, settings.seed)
    logger.info("simulating %d samples, %d genes, %d CpGs", len(cohort), settings.genes, settings.cpgs)

    write_table(cohort[list(SHEET_COLUMNS)], simulated / "samples.tsv")
    write_table(truth_of_samples(cohort), truth / "samples.tsv")
    write_table(drivers.reset_index(), truth / "factors.tsv")
    _write_small_views(cohort, drivers, proportions, measured, settings.seed, simulated, truth)
    model = _gene_model(settings, diseases, registry, gene_symbols)
    write_counts(cohort, drivers, model, measured[RNA], settings.seed, simulated / "rna.tsv.gz")
    changes = population_log2_fold_changes(model, diseases, control, settings.seed)
    write_table(changes, truth / "differential_expression.tsv")
    write_table(model.weights.rename_axis("feature").reset_index(), truth / "weights_rna.tsv.gz")
    registry_cpgs = pd.DataFrame([(record.cpg, record.gene) for record in registry.cpgs], columns=["cpg", "gene"])
    write_methylation(
        cohort,
        drivers,
        cpg_names(settings.cpgs, registry_cpgs),
        registry_cpgs,
        measured["methylation"],
        settings.seed,
        simulated / "methylation.parquet",
        truth / "weights_methylation.tsv.gz",
    )


def _write_small_views(
    cohort: pd.DataFrame,
    drivers: pd.DataFrame,
    proportions: pd.DataFrame,
    measured: pd.DataFrame,
    seed: int,
    simulated: Path,
    truth: Path,
) -> None:
    cytokines = measured_cytokines(cohort, drivers, seed)
    write_table(cytokines.loc[measured["cytokines"].to_numpy()], simulated / "cytokines.tsv")
    write_table(true_weights().reset_index(), truth / "weights_cytokines.tsv")
    cells = measured_cells(proportions, seed)
    write_table(cells.loc[measured["cells"].to_numpy()], simulated / "cells.tsv")
    write_table(proportions.reset_index(), truth / "cells.tsv")


def _gene_model(
    settings: Settings, diseases: Sequence[str], registry: Registry, gene_symbols: pd.DataFrame
) -> GeneModel:
    known = genes_of_signatures(registry)
    symbols = choose_genes(settings.genes, known, gene_symbols, settings.seed)
    return gene_model(symbols, diseases, known, gene_symbols, settings.seed)
