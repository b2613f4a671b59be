"""A simulated cohort: what a user would bring, deterministic, and no word of the truth in it."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from defaults import settings_of
from stratifn.simulation.genes import FIRST_SETS, MALE_GENES, XIST, choose_genes, genes_of_signatures
from stratifn.simulation.methylation import CPGS_PER_BLOCK, cpg_names, write_methylation
from stratifn.simulation.patients import SHEET_COLUMNS, draw_cohort, presence
from stratifn.simulation.randomness import allocate
from stratifn.simulation.truth import driver_table

DISEASES = ("SLE", "pSS", "SSc", "DM")
MICRO = settings_of("simulation", patients=4, controls=8, genes=300, cpgs=200, seed=1)


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", index_col=0, keep_default_na=False)


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_same_seed_gives_the_same_bytes(simulate, tmp_path):
    first = contents(simulate(tmp_path / "first", MICRO))
    assert first == contents(simulate(tmp_path / "second", MICRO))
    assert set(first) == {
        "simulated/samples.tsv", "simulated/rna.tsv.gz", "simulated/methylation.parquet",
        "simulated/cytokines.tsv", "simulated/cells.tsv",
        "truth/samples.tsv", "truth/factors.tsv", "truth/cells.tsv", "truth/differential_expression.tsv",
        "truth/weights_rna.tsv.gz", "truth/weights_methylation.tsv.gz", "truth/weights_cytokines.tsv",
    }  # fmt: skip


def test_another_seed_gives_another_cohort(simulate, tmp_path):
    first = contents(simulate(tmp_path / "first", MICRO))
    other = contents(
        simulate(tmp_path / "other", settings_of("simulation", patients=4, controls=8, genes=300, cpgs=200, seed=2))
    )
    seedless = {"truth/weights_cytokines.tsv"}
    assert all(first[name] != other[name] for name in first if name not in seedless)


def test_compressed_files_carry_neither_name_nor_time(demo):
    header = (demo / "simulated" / "rna.tsv.gz").read_bytes()[:10]
    assert header[3] == 0, "no optional field such as a file name"
    assert header[4:8] == b"\0\0\0\0"


def test_sheet_holds_what_a_clinic_knows_and_nothing_of_the_truth(demo):
    sheet = pd.read_csv(demo / "simulated" / "samples.tsv", sep="\t", keep_default_na=False)
    truth = read(demo / "truth" / "samples.tsv")
    assert tuple(sheet.columns) == SHEET_COLUMNS
    assert sheet["sample"].is_monotonic_increasing and sheet["sample"].is_unique and sheet["patient"].is_unique
    assert sheet["disease"].value_counts().to_dict() == {"SLE": 24, "pSS": 24, "SSc": 24, "DM": 24, "HC": 24}
    assert (sheet.loc[sheet["disease"] == "HC", "activity"] == "NA").all()
    words = set(truth["stratum"]) | set(truth.columns) - {"disease"}
    for path in (demo / "simulated").glob("*.tsv"):
        assert not words & set(pd.read_csv(path, sep="\t", dtype=str).stack()), path.name
        assert not words & set(pd.read_csv(path, sep="\t", nrows=0).columns), path.name
    # the order of the samples tells nothing either
    assert (sheet["disease"] != sheet["disease"].shift()).sum() > 60


def test_every_group_is_in_every_batch_and_matched_by_sex_and_age(demo):
    sheet = read(demo / "simulated" / "samples.tsv")
    assert pd.crosstab(sheet["disease"], sheet["batch"]).to_numpy().min() >= 7
    assert sheet.groupby("disease")["sex"].agg(lambda sex: (sex == "M").sum()).nunique() == 1
    ages = sheet["age"].astype(float).groupby(sheet["disease"]).mean()
    assert ages.max() - ages.min() < 2


def test_counts_are_integers_of_real_genes_including_the_whole_registry(demo, registry, gene_symbols):
    counts = pd.read_csv(demo / "simulated" / "rna.tsv.gz", sep="\t", index_col="gene_id", keep_default_na=False)
    assert counts.shape[0] == 3000 and counts.index.is_unique and counts.index.is_monotonic_increasing
    assert all(dtype == np.int64 for dtype in counts.dtypes) and counts.to_numpy().min() == 0
    assert set(registry.genes()) <= set(counts.index)
    assert set(counts.index) <= set(gene_symbols["gene_symbol"]) | set(registry.genes()) | {XIST}


def test_sex_genes_tell_the_sex_and_pseudoautosomal_genes_do_not(demo):
    counts = pd.read_csv(demo / "simulated" / "rna.tsv.gz", sep="\t", index_col="gene_id", keep_default_na=False)
    sex = read(demo / "simulated" / "samples.tsv").loc[counts.columns, "sex"]
    men, women = counts.loc[:, sex == "M"], counts.loc[:, sex == "F"]
    assert women.loc[XIST].min() > men.loc[XIST].max()
    assert men.loc["RPS4Y1"].min() > women.loc["RPS4Y1"].max()
    assert women.loc[list(MALE_GENES)].to_numpy().mean() < 0.1
    ordinary = [gene for gene in ("CD99", "SLC25A6", "CSF2RA", "IL3RA") if gene in counts.index]
    assert (women.loc[ordinary].mean(axis=1) > 0.5 * men.loc[ordinary].mean(axis=1)).all()


def test_overdispersion_falls_with_the_mean_and_libraries_differ(demo):
    counts = pd.read_csv(demo / "simulated" / "rna.tsv.gz", sep="\t", index_col="gene_id", keep_default_na=False)
    library = counts.sum()
    assert 1.5 < library.quantile(0.9) / library.quantile(0.1) < 6
    weights = pd.read_csv(demo / "truth" / "weights_rna.tsv.gz", sep="\t", index_col=0, keep_default_na=False)
    undriven = counts.loc[(weights == 0).all(axis=1)]
    normalized = undriven / (library / library.mean())
    mean, variance = normalized.mean(axis=1), normalized.var(axis=1)
    dispersion = (variance - mean) / mean**2
    assert dispersion[mean.between(3, 10)].median() > 2 * dispersion[mean > 300].median() > 0.05


def test_betas_lie_between_zero_and_one_and_the_registry_cpgs_come_first(demo, registry):
    beta = pd.read_parquet(demo / "simulated" / "methylation.parquet").set_index("cpg")
    assert beta.shape[0] == 2000 and beta.index.is_unique
    assert beta.to_numpy().min() >= 0 and beta.to_numpy().max() <= 1
    assert set(beta.index[: len(registry.cpgs)]) == {record.cpg for record in registry.cpgs}


def test_concentrations_below_the_limit_of_detection_are_text(demo):
    cytokines = read(demo / "simulated" / "cytokines.tsv")
    text = cytokines.astype(str)
    below = text["IFNA_fg_ml"].str.startswith("<")
    assert 0 < below.sum() < 0.5 * len(text) and set(text.loc[below, "IFNA_fg_ml"]) == {"<0.7"}
    assert (text.loc[~below, "IFNA_fg_ml"].astype(float) >= 0.7).all()
    assert {"CXCL10", "CXCL9", "IL6", "TNF", "BAFF"} <= set(cytokines.columns)


def test_cell_proportions_sum_to_one(demo):
    cells = read(demo / "simulated" / "cells.tsv").astype(float)
    assert cells.to_numpy().min() >= 0
    np.testing.assert_allclose(cells.sum(axis=1), 1, atol=1e-5)  # six significant digits are written


def test_one_sample_in_ten_is_missing_from_each_view_and_none_from_all():
    samples = [f"S{number}" for number in range(500)]
    measured = presence(samples, ["rna", "methylation", "cytokines", "cells"], seed=1)
    assert (~measured).sum().to_dict() == {"rna": 10, "methylation": 50, "cytokines": 50, "cells": 50}
    assert measured.loc[~measured["rna"], ["methylation", "cytokines", "cells"]].all(axis=None)
    assert measured.any(axis=1).all()


def test_views_hold_the_samples_of_the_sheet_less_those_missing(demo):
    sheet = set(read(demo / "simulated" / "samples.tsv").index)
    rna = set(pd.read_csv(demo / "simulated" / "rna.tsv.gz", sep="\t", nrows=1).columns[1:])
    methylation = set(pq.read_schema(demo / "simulated" / "methylation.parquet").names[1:])
    others = [set(read(demo / "simulated" / name).index) for name in ("cytokines.tsv", "cells.tsv")]
    assert [len(sheet - view) for view in (rna, methylation, *others)] == [2, 12, 12, 12]
    assert all(view < sheet for view in (rna, methylation, *others))


def test_prevalence_is_as_published():
    cohort = draw_cohort(dict.fromkeys([*DISEASES, "HC"], 2000), "HC", seed=3)
    prevalence = (cohort["ifn_status"] == "high").groupby(cohort["disease"]).mean()
    # Higgs 2011 and Brkic 2013; SLE less the 4 % whose signature an anti-interferon drug masks
    expected = {"SLE": 0.69, "DM": 0.66, "SSc": 0.68, "pSS": 0.55, "HC": 0.02}
    for disease, share in expected.items():
        assert prevalence[disease] == pytest.approx(share, abs=0.01), disease


def test_demo_prevalence_is_near_the_published_although_it_is_small(demo):
    truth = read(demo / "truth" / "samples.tsv")
    prevalence = (truth["ifn_status"] == "high").groupby(truth["disease"]).mean()
    for disease, share in {"SLE": 0.73, "DM": 0.66, "SSc": 0.68, "pSS": 0.55, "HC": 0.0}.items():
        assert prevalence[disease] == pytest.approx(share, abs=0.06), disease


def test_strata_cut_across_the_diseases_and_most_controls_are_healthy_like(demo):
    truth = read(demo / "truth" / "samples.tsv")
    table = pd.crosstab(truth["disease"], truth["stratum"])
    assert table.loc[list(DISEASES)].to_numpy().min() >= 2
    assert table.loc["HC", "healthy-like"] >= 0.8 * 24 and table.loc["HC", "interferon"] == 0
    assert truth.loc[truth["stratum"] == "interferon", "ifn_status"].eq("high").all()


def test_type_two_comes_with_type_one_and_hardly_alone():
    cohort = draw_cohort({"pSS": 1000}, None, seed=4)
    share = cohort["ifn_type"].value_counts(normalize=True)
    assert 0.35 <= share["I+II"] <= 0.55 and share["II"] <= 0.02


def test_an_unknown_disease_gets_the_default_prevalence(simulate, tmp_path):
    cohort = draw_cohort({"Behcet": 400}, None, seed=1)
    assert (cohort["ifn_status"] == "high").mean() == pytest.approx(0.5, abs=0.01)
    folder = simulate(
        tmp_path,
        settings_of("simulation", patients=6, controls=6, genes=300, cpgs=100, seed=1),
        diseases=("Behcet",),
        control="healthy",
    )
    assert set(read(folder / "simulated" / "samples.tsv")["disease"]) == {"Behcet", "healthy"}


def test_a_cohort_without_controls_has_no_true_contrasts(simulate, tmp_path):
    folder = simulate(
        tmp_path, settings_of("simulation", patients=6, controls=0, genes=300, cpgs=100, seed=1), control=None
    )
    assert len(read(folder / "simulated" / "samples.tsv")) == 24
    assert pd.read_csv(folder / "truth" / "differential_expression.tsv", sep="\t").empty


def test_small_cohorts_keep_the_signatures_and_half_of_their_genes_ordinary(registry, gene_symbols):
    small = set(choose_genes(300, genes_of_signatures(registry), gene_symbols, seed=1))
    assert len(small) == 300
    assert set(registry.genes(FIRST_SETS)) | {XIST, *MALE_GENES} <= small
    assert len(small - set(registry.genes())) > 100


def test_more_genes_than_the_list_continue_with_linc_symbols(registry, gene_symbols):
    signatures = pd.DataFrame([("RICE_CROW_6", "LINC00101")], columns=["signature_id", "gene_symbol"])
    names = choose_genes(20_000, signatures, gene_symbols, seed=1)
    added = sorted(set(names) - set(gene_symbols["gene_symbol"]) - {XIST})
    assert len(names) == len(set(names)) == 20_000
    assert all(name.startswith("LINC") for name in added) and added[0] == "LINC00100"


def test_quotas_add_up():
    labels = allocate({"a": 0.5, "b": 0.3, "c": 0.2, "never": 0.0}, 7, np.random.default_rng(1))
    assert pd.Series(labels).value_counts().to_dict() == {"a": 4, "b": 2, "c": 1}


def test_memory_does_not_grow_with_the_number_of_cpgs(tmp_path, registry):
    cohort = draw_cohort({"SLE": 40, "HC": 40}, "HC", seed=1)
    cells = pd.DataFrame(1 / 14, index=cohort["sample"], columns=_cell_names())
    drivers = driver_table(cohort, cells, [])
    known = pd.DataFrame([(record.cpg, record.gene) for record in registry.cpgs], columns=["cpg", "gene"])
    present = pd.Series(True, index=cohort["sample"])

    def peak(cpgs: int) -> int:
        names, path = cpg_names(cpgs, known), tmp_path / f"{cpgs}.parquet"
        tracemalloc.start()
        write_methylation(cohort, drivers, names, known, present, 1, path, tmp_path / "weights.tsv.gz")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert pq.ParquetFile(path).num_row_groups == -(-cpgs // CPGS_PER_BLOCK)
        return most

    assert peak(4 * CPGS_PER_BLOCK) < 1.2 * peak(2 * CPGS_PER_BLOCK)


def _cell_names() -> list[str]:
    from stratifn.simulation.composition import CELL_TYPES

    return [cell.name for cell in CELL_TYPES]


def test_text_files_are_plain_utf8_with_unix_line_ends(demo):
    text = gzip.decompress((demo / "simulated" / "rna.tsv.gz").read_bytes())
    assert b"\r" not in text and text.endswith(b"\n")
