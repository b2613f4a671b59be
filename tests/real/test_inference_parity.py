"""The plain PyDESeq2 objects with the batched engine against R DESeq2's own tables.

Tolerances are those that a reader of the results would notice: 1 % (or 0.001) of effect, error and statistic for
nearly all genes with a mean of at least 10. R stops its line searches early and falls back to a coarse grid, which
is most of the rest; genes with few reads, where the likelihood is flat, are left out of the numbers and kept in the
comparison of significant sets and missing values.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydeseq2.dds import DeseqDataSet
from pydeseq2.ds import DeseqStats

from stratifn.inference import BatchedInference, fit_dispersion_prior

SHARED = Path(__file__).resolve().parents[3] / "shared"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared real data")

ALPHA = 0.05
EXPRESSED = 10


@dataclass(frozen=True)
class Study:
    """A study with one factor: its folder, the factor's column and baseline."""

    folder: str
    column: str
    baseline: str
    samples: str = "samples.tsv"
    counts: str = "counts.tsv.gz"


STUDIES = {
    "pss": Study("pss-salivary-gland", "condition", "nonSS"),
    "myositis": Study("myositis-muscle", "Phenotype", "AMP"),
    "airwayifn": Study("ifn-stimulated-airway", "stimulus", "Control"),
    "airway": Study("airway", "dex", "control", "samples.csv", "counts.csv.gz"),
}


def read(path):
    table = pd.read_csv(path, sep="\t" if ".tsv" in path.name else ",", index_col=0)
    return table.loc[~table.index.duplicated()]


def reference(name):
    return read(SHARED / "reference" / f"{name}.tsv.gz")


def make_data_set(counts, metadata, design):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return DeseqDataSet(counts=counts, metadata=metadata, design=design, inference=BatchedInference(), quiet=True)


@cache
def inputs(name):
    study = STUDIES[name]
    folder = SHARED / "data" / study.folder
    counts = read(folder / study.counts).T.astype(int)
    if name != "airway":
        counts = counts.loc[:, counts.columns.isin(reference(f"{name}_deseq2_dispersions").index)]
    labels = read(folder / study.samples).loc[counts.index, study.column]
    levels = [study.baseline, *sorted(set(labels) - {study.baseline})]
    return counts, pd.DataFrame({"condition": pd.Categorical(labels, levels)}, index=counts.index)


@cache
def fitted(name):
    dataset = make_data_set(*inputs(name), "~condition")
    dataset.deseq2()
    return dataset


@cache
def multifactor(design, subset):
    folder = SHARED / "data" / "simulated-multifactor"
    metadata = read(folder / "samples.tsv")
    counts = pd.read_parquet(folder / "counts.parquet").T.loc[metadata.index]
    if subset:
        counts = counts[(SHARED / "reference" / "multifactor6k_genes.txt").read_text().split()]
    metadata["condition"] = pd.Categorical(metadata["condition"], ["healthy", "IBD", "PSO", "RA", "SLE"])
    metadata["age_z"] = (metadata["age"] - metadata["age"].mean()) / metadata["age"].std()
    dataset = make_data_set(counts, metadata, design)
    dataset.deseq2()
    return dataset


def results(dataset, contrast, alpha=ALPHA):
    stats = DeseqStats(dataset, contrast=contrast, alpha=alpha, inference=BatchedInference(), quiet=True)
    stats.summary()
    return stats.results_df


def assert_like_r(found, expected, jaccard):
    found = found.loc[expected.index]
    expressed = (expected["baseMean"] >= EXPRESSED) & expected["stat"].notna()
    for column in ("log2FoldChange", "lfcSE", "stat"):
        limit = np.maximum(1e-3, 0.01 * expected[column].abs())
        close = (found[column] - expected[column]).abs() <= limit
        assert close[expressed].mean() >= 0.9995, column
    assert (found["pvalue"].isna() == expected["pvalue"].isna()).mean() >= 0.999
    ours, theirs = found["padj"] < ALPHA, expected["padj"] < ALPHA
    assert (ours & theirs).sum() >= jaccard * (ours | theirs).sum()


@pytest.mark.parametrize(
    ("name", "level", "baseline", "jaccard"),
    [
        ("pss", "pSS", "nonSS", 0.995),
        ("myositis", "IBM", "AMP", 0.995),
        ("myositis", "TMD", "AMP", 0.995),
        ("myositis", "IBM", "TMD", 0.995),
        ("airwayifn", "IFNa", "Control", 0.995),
        ("airwayifn", "IFNg", "Control", 0.995),
    ],
)
def test_contrast_equals_r(name, level, baseline, jaccard):
    found = results(fitted(name), ["condition", level, baseline])
    assert_like_r(found, reference(f"{name}_deseq2_{level}_vs_{baseline}"), jaccard)


def test_airway_equals_r():
    """The table that comes with the data was made with ``alpha = 0.1``."""
    found = results(fitted("airway"), ["condition", "treated", "control"], alpha=0.1)
    assert_like_r(found, read(SHARED / "data" / "airway" / "deseq2_results_R.csv.gz"), 0.995)


@pytest.mark.parametrize("name", ["pss", "myositis", "airwayifn"])
def test_dispersions_equal_r(name):
    """Within 2 % for 99.5 %: gene-wise, trend and final ones (at 0, where R says 1e-8, anything tiny is equal)."""
    found, expected = fitted(name).var, reference(f"{name}_deseq2_dispersions")
    found = found.loc[expected.index]
    expressed = (expected["baseMean"] >= EXPRESSED) & expected["dispersion"].notna()
    columns = {"genewise_dispersions": "dispGeneEst", "fitted_dispersions": "dispFit", "dispersions": "dispersion"}
    for ours, theirs in columns.items():
        difference = (found[ours] - expected[theirs]).abs()
        close = difference <= 0.02 * expected[theirs] + 1e-6
        assert close[expressed].mean() >= 0.995, ours
    outlier = found["_outlier_genes"][expressed] == expected["dispOutlier"][expressed].astype(bool)
    assert outlier.mean() >= 0.999


@pytest.mark.parametrize(("name", "limit"), [("pss", 1e-4), ("myositis", 1e-3), ("airwayifn", 0.02)])
def test_blind_vst_equals_r(name, limit):
    """Log2 units, every value; on airwayifn genes with fewer than one read, fitted coarsely by R, bend the trend."""
    counts, metadata = inputs(name)
    dataset = make_data_set(counts, metadata, "~condition")
    dataset.vst()
    expected = reference(f"{name}_deseq2_vst_blind")
    found = pd.DataFrame(dataset.layers["vst_counts"], counts.index, counts.columns).T
    assert (found.loc[expected.index, expected.columns] - expected).abs().to_numpy().max() < limit


@pytest.mark.parametrize(
    ("n_samples", "design", "variance", "significant"),
    [(8, "~celltype + dex", 0.592592592592593, 3306), (4, "~dex", 0.768768768768769, 720)],
    ids=["three_degrees", "two_degrees"],
)
def test_few_degrees_of_freedom_give_the_prior_of_r(n_samples, design, variance, significant):
    """R 4.2.2, DESeq2 1.38.3 on the same samples; the candidates are 0.008 apart, so one step either way may pass."""
    counts, _ = inputs("airway")
    counts = counts.iloc[:n_samples]
    metadata = read(SHARED / "data" / "airway" / "samples.csv").loc[counts.index]
    dataset = make_data_set(counts, metadata, design)
    dataset.fit_size_factors()
    dataset.fit_dispersion_trend()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit_dispersion_prior(dataset)
    assert abs(float(dataset.uns["prior_disp_var"]) - variance) < 0.009
    dataset.fit_MAP_dispersions()
    dataset.fit_LFC()
    dataset.calculate_cooks()
    dataset.refit()
    called = (results(dataset, ["dex", "treated", "control"])["padj"] < ALPHA).sum()
    assert abs(called - significant) <= 0.01 * significant


@pytest.mark.parametrize("level", ["RA", "SLE"])
def test_many_factors_equal_r(level):
    found = results(multifactor("~batch + sex + condition", False), ["condition", level, "healthy"])
    assert_like_r(found, reference(f"multifactor_deseq2_{level}_vs_healthy"), 0.995)


@pytest.mark.parametrize(
    ("design", "coefficient", "name"),
    [
        ("~batch + sex + condition + sex:condition", "sex[T.M]:condition[T.SLE]", "interaction_sexM_SLE"),
        ("~batch + age_z + condition", "age_z", "age"),
    ],
)
def test_interaction_and_age_equal_r(design, coefficient, name):
    """No gene is significant in either, in R or here."""
    dataset = multifactor(design, True)
    contrast = (dataset.obsm["design_matrix"].columns == coefficient).astype(float)
    assert contrast.sum() == 1
    assert_like_r(results(dataset, contrast), reference(f"multifactor6k_deseq2_{name}"), 1.0)


def test_disease_against_disease_with_a_continuous_covariate_equals_r():
    dataset = multifactor("~batch + age_z + condition", True)
    assert_like_r(results(dataset, ["condition", "SLE", "RA"]), reference("multifactor6k_deseq2_SLE_vs_RA"), 0.995)
