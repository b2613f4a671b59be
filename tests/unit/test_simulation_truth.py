"""The truth of a simulated cohort holds in its data, and the design goals are within reach of simple methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from stratifn.simulation.composition import true_proportions
from stratifn.simulation.expression import count_blocks, library_factors
from stratifn.simulation.genes import choose_genes, gene_model, genes_of_signatures
from stratifn.simulation.patients import draw_cohort
from stratifn.simulation.randomness import random_stream
from stratifn.simulation.truth import driver_table, population_log2_fold_changes


@pytest.fixture(scope="module")
def truth(demo):
    return pd.read_csv(demo / "truth" / "samples.tsv", sep="\t", index_col="sample", keep_default_na=False)


@pytest.fixture(scope="module")
def expression(demo):
    """log2 normalised counts, genes x samples, by the median of ratios."""
    counts = pd.read_csv(demo / "simulated" / "rna.tsv.gz", sep="\t", index_col="gene_id", keep_default_na=False)
    complete = counts[(counts > 0).all(axis=1)]
    logs = np.log(complete)
    factors = np.exp(logs.sub(logs.mean(axis=1), axis=0).median())
    return np.log2(counts / factors + 4)


def scores(expression: pd.DataFrame, truth: pd.DataFrame, genes: list[str]) -> pd.Series:
    controls = expression.columns[truth.loc[expression.columns, "disease"] == "HC"]
    reference = expression.loc[genes, controls]
    return expression.loc[genes].sub(reference.mean(axis=1), axis=0).div(reference.std(axis=1), axis=0).mean()


@pytest.fixture(scope="module")
def population(registry, gene_symbols):
    """Counts of a population of SLE and controls, with the library sizes known."""
    signatures = genes_of_signatures(registry)
    symbols = choose_genes(600, signatures, gene_symbols, seed=7)
    model = gene_model(symbols, ["SLE"], signatures, gene_symbols, seed=7)
    cohort = draw_cohort({"SLE": 1500, "HC": 1500}, "HC", seed=7)
    drivers = driver_table(cohort, true_proportions(cohort, random_stream(7, "composition")), ["SLE"])
    library = library_factors(len(cohort), seed=7)
    counts = pd.concat(count_blocks(cohort, drivers, model, library, seed=7))
    changes = population_log2_fold_changes(model, ["SLE"], "HC", seed=7).set_index("gene_id")
    return counts / library, (cohort["disease"] == "SLE").to_numpy(), changes


def observed(normalized: pd.DataFrame, diseased: np.ndarray) -> tuple[pd.Series, pd.Series]:
    """Return log2 ratio of the means and its z value."""
    case, control = normalized.loc[:, diseased], normalized.loc[:, ~diseased]
    change = np.log2(case.mean(axis=1) / control.mean(axis=1))
    relative = (case.sem(axis=1) / case.mean(axis=1)) ** 2 + (control.sem(axis=1) / control.mean(axis=1)) ** 2
    return change, change / (np.sqrt(relative) / np.log(2))


def test_true_null_genes_have_no_mean_difference_in_a_large_population(population):
    normalized, diseased, changes = population
    null = changes.index[~changes["de"] & (normalized.mean(axis=1) > 1)]
    change, z = observed(normalized.loc[null], diseased)
    assert len(null) > 150
    assert changes.loc[null, "log2FoldChange"].eq(0).all()
    assert (z.abs() > 1.96).mean() < 0.10 and z.abs().max() < 4.5
    assert abs(change.median()) < 0.01


def test_true_changes_are_those_of_the_population_means(population):
    normalized, diseased, changes = population
    driven = changes.index[changes["de"] & (normalized.mean(axis=1) > 5)]
    change, _ = observed(normalized.loc[driven], diseased)
    assert np.corrcoef(change, changes.loc[driven, "log2FoldChange"])[0, 1] > 0.99
    # two random populations of 1,500 and 3,000 people are compared, hence not closer
    assert (change - changes.loc[driven, "log2FoldChange"]).abs().quantile(0.95) < 0.15


def test_signature_genes_rise_in_those_with_the_true_signature(expression, truth):
    high = truth.loc[expression.columns, "ifn_status"].eq("high").to_numpy()
    genes = ["IFI27", "IFI44L", "RSAD2", "SIGLEC1", "IFIT1", "ISG15", "MX1", "OAS3", "HERC5", "EPSTI1"]
    difference = expression.loc[genes, high].mean(axis=1) - expression.loc[genes, ~high].mean(axis=1)
    assert (difference > 1).all() and difference.max() < 6


def test_interferon_status_can_be_told_from_six_genes_but_not_without_doubt(expression, truth):
    score = scores(expression, truth, ["IFI27", "IFI44L", "IFIT1", "ISG15", "RSAD2", "SIGLEC1"])
    high = truth.loc[score.index, "ifn_status"].eq("high")
    assert roc_auc_score(high, score) >= 0.95
    assert score[high].min() < score[~high].max(), "some patients are ambiguous"


def test_type_two_can_be_told_from_type_one(expression, truth, registry):
    controls = expression.columns[truth.loc[expression.columns, "disease"] == "HC"]
    change = expression.sub(expression[controls].mean(axis=1), axis=0)
    type_i = change.loc[list(registry.signature("AYBEY_IFN1_20").symbols)].mean()
    type_ii = change.loc[list(registry.signature("AYBEY_IFN2_6").symbols)].mean()
    conditioned = type_ii - 0.5 * type_i.clip(lower=0)
    assert roc_auc_score(truth.loc[change.columns, "ifn_type"].isin(["I+II", "II"]), conditioned) >= 0.95


def test_principal_components_hold_the_four_strata(expression, truth):
    variable = expression.var(axis=1).nlargest(2000).index
    components = PCA(8, random_state=0).fit_transform(expression.loc[variable].T)
    found = KMeans(4, n_init=20, random_state=0).fit_predict(components)
    of_samples = truth.loc[expression.columns]
    assert adjusted_rand_score(of_samples["stratum"], found) >= 0.75
    healthy_like = pd.crosstab(of_samples["stratum"], found).loc["healthy-like"].idxmax()
    assert (found[of_samples["disease"] == "HC"] == healthy_like).mean() >= 0.7


def test_cells_of_a_lineage_and_their_genes_rise_together(demo, expression):
    cells = pd.read_csv(demo / "truth" / "cells.tsv", sep="\t", index_col="sample").loc[expression.columns]
    b_cells = np.log(cells["b_naive"] + cells["b_memory"])
    assert np.corrcoef(expression.loc[["CD19", "MS4A1", "CD79A"]].mean(), b_cells)[0, 1] > 0.6
    assert np.corrcoef(expression.loc[["FCGR3B", "CXCR2", "CSF3R"]].mean(), np.log(cells["neutrophils"]))[0, 1] > 0.5


def test_interferon_alpha_protein_follows_the_signature(demo, truth):
    cytokines = pd.read_csv(demo / "simulated" / "cytokines.tsv", sep="\t", index_col="sample", dtype=str)
    protein = cytokines["IFNA_fg_ml"].str.lstrip("<").astype(float)
    activity = truth.loc[protein.index, "type_i_ifn"]
    assert 0.66 < protein.corr(activity, method="spearman") < 0.94  # the range of Huijser 2022
    assert protein[truth.loc[protein.index, "disease"] == "HC"].median() <= 5


def test_interferon_takes_methylation_from_the_registry_cpgs(demo, truth, registry):
    beta = pd.read_parquet(demo / "simulated" / "methylation.parquet").set_index("cpg")
    of_ifi44l = [record.cpg for record in registry.cpgs if record.gene == "IFI44L"]
    high = truth.loc[beta.columns, "ifn_status"].eq("high").to_numpy()
    loss = beta.loc[of_ifi44l].loc[:, high].mean(axis=1) - beta.loc[of_ifi44l].loc[:, ~high].mean(axis=1)
    # published: -0.18 to -0.29 between all patients and controls
    assert (loss < -0.1).all() and (loss > -0.5).all()


def test_masked_patients_look_healthy_and_say_so_in_the_sheet():
    cohort = draw_cohort({"SLE": 500}, "HC", seed=1)
    masked = cohort[cohort["anti_ifn"] == "yes"]
    assert len(masked) == 20
    assert masked["ifn_status"].eq("low").all() and masked["stratum"].eq("healthy-like").all()
    assert masked["type_i_ifn"].max() < 0.25
