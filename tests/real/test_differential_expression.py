from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.differential_expression import Contrast, contrast_table, fit_model
from stratifn.differential_expression.contrasts import versus
from stratifn.inference import BatchedInference
from stratifn.normalization import normalize_view
from stratifn.shared.design import model_matrix

SHARED = Path(__file__).resolve().parents[3] / "shared"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared real data")


SETTINGS = settings_of("differential_expression", shrink=False, permutations=0)


def reference(name):
    table = pd.read_csv(
        SHARED / "reference" / f"{name}.tsv.gz", sep="\t", index_col=0, keep_default_na=False, na_values=["NA", ""]
    )
    return table.set_axis(table.index.astype(str), axis=0)


def counts_fit(counts, samples, design, control):
    view = ad.AnnData(counts.T.loc[samples["sample"]])
    # all genes, also those without a count: R's independent filtering starts at their share
    every_gene = settings_of("normalization", min_count=0)
    options = {"always_keep": set(counts.index), "inference": BatchedInference()}
    data = normalize_view(view, "rna", "counts", samples, every_gene, **options).data
    return fit_model(data, model_matrix(samples, design, control), BatchedInference())


def compared(fit, contrast, name, table=None):
    """Our table and R's on R's genes."""
    theirs = reference(name)
    ours = contrast_table(fit, contrast, SETTINGS) if table is None else table
    return ours.set_index("gene_id").loc[theirs.index], theirs


def assert_like_r(ours, theirs, jaccard):
    """Within 1 % (or 1e-3) for 99.5 % of the genes with ten counts or more; weaker genes are where engines differ."""
    counted = theirs["baseMean"] >= 10
    for column in ("log2FoldChange", "lfcSE", "stat"):
        r = theirs.loc[counted, column]
        difference = (ours.loc[counted, column] - r).abs()
        near = (difference <= 0.01 * r.abs()) | (difference <= 1e-3) | (r.isna() & ours.loc[counted, column].isna())
        assert near.mean() >= 0.995, column
    assert (ours["pvalue"].isna() == theirs["pvalue"].isna()).mean() >= 0.999
    called, expected = ours["padj"] < 0.05, theirs["padj"] < 0.05
    assert (called & expected).sum() >= jaccard * (called | expected).sum()


@pytest.fixture(scope="module")
def pss():
    samples = pd.read_csv(SHARED / "data/pss-salivary-gland/samples.tsv", sep="\t", dtype={"sample": str})
    samples["disease"] = samples["condition"]
    counts = pd.read_csv(SHARED / "data/pss-salivary-gland/counts.tsv.gz", sep="\t", index_col=0)
    return counts_fit(counts, samples, "disease", "nonSS")


def test_the_salivary_gland_gives_r_s_numbers(pss):
    ours, theirs = compared(pss, versus("pSS", "nonSS"), "pss_deseq2_pSS_vs_nonSS")
    assert_like_r(ours, theirs, jaccard=0.995)
    # R calls 221; a gene more or less at the edge of padj = 0.05 is rounding
    assert abs((ours["padj"] < 0.05).sum() - 221) <= 3
    assert ours["stat"].corr(theirs["stat"], method="spearman") > 0.999


def test_shrinkage_keeps_the_direction_of_what_is_called(pss):
    table = contrast_table(pss, versus("pSS", "nonSS"), replace(SETTINGS, shrink=True))
    called = table[table["padj"] < 0.05]
    same = np.sign(called["log2FoldChangeShrunk"]) == np.sign(called["log2FoldChange"])
    # as R's lfcShrink, shrinkage sees the counts as they were, also where an outlying one was replaced for the test
    assert same.mean() > 0.99
    # the prior has nothing to hold on to where the effect is weak
    weak = table[table["pvalue"] > 0.5]
    assert weak["log2FoldChangeShrunk"].abs().median() < 0.2 * weak["log2FoldChange"].abs().median()


def test_outliers_among_three_and_four_replicates_lose_their_p_value_as_in_r():
    folder = SHARED / "data/ifn-stimulated-airway"
    samples = pd.read_csv(folder / "samples.tsv", sep="\t").assign(disease=lambda sheet: sheet["stimulus"])
    counts = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0)
    fit = counts_fit(counts.loc[reference("airwayifn_deseq2_IFNa_vs_Control").index], samples, "disease", "Control")
    for stimulus in ("IFNa", "IFNg"):
        ours, theirs = compared(fit, versus(stimulus, "Control"), f"airwayifn_deseq2_{stimulus}_vs_Control")
        assert (ours["status"] == "outlier").sum() == 10
        # with three replicates the edge of padj = 0.05 moves with the last digits of weak genes
        assert_like_r(ours, theirs, jaccard=0.98)


def multifactor():
    samples = pd.read_csv(SHARED / "data/simulated-multifactor/samples.tsv", sep="\t")
    samples["disease"] = samples["condition"]
    samples["age_z"] = (samples["age"] - samples["age"].mean()) / samples["age"].std()
    counts = pd.read_parquet(SHARED / "data/simulated-multifactor/counts.parquet")
    genes = (SHARED / "reference/multifactor6k_genes.txt").read_text().split()
    return counts.loc[genes], samples


@pytest.fixture(scope="module")
def age_fit():
    counts, samples = multifactor()
    return counts_fit(counts, samples, "batch + age_z + disease", "healthy")


def test_disease_against_disease_gives_r_s_numbers(age_fit):
    assert_like_r(*compared(age_fit, versus("SLE", "RA"), "multifactor6k_deseq2_SLE_vs_RA"), jaccard=0.995)


def test_a_continuous_covariate_gives_r_s_numbers(age_fit):
    per_sd = Contrast("age", coefficients={"age_z": 1})
    assert_like_r(*compared(age_fit, per_sd, "multifactor6k_deseq2_age"), jaccard=0.995)


def test_the_threshold_test_of_disease_against_disease_gives_r_s_numbers(age_fit):
    table = contrast_table(age_fit, versus("SLE", "RA"), replace(SETTINGS, lfc_threshold=0.5))
    ours, theirs = compared(age_fit, None, "multifactor6k_deseq2_SLE_vs_RA_threshold0.5", table)
    near = np.isclose(ours["pvalue"], theirs["pvalue"], rtol=0.02, atol=1e-3, equal_nan=True)
    # three genes below ten counts differ, as their standard errors do
    assert near.mean() >= 0.999 and near[theirs["baseMean"] >= 10].all()
    called, expected = ours["padj"] < 0.05, theirs["padj"] < 0.05
    assert (called & expected).sum() >= 0.995 * (called | expected).sum()


def test_an_interaction_gives_r_s_numbers():
    counts, samples = multifactor()
    fit = counts_fit(counts, samples, "batch + sex + disease + sex:disease", "healthy")
    contrast = Contrast("interaction", coefficients={"sex[M]:disease[SLE]": 1})
    assert_like_r(*compared(fit, contrast, "multifactor6k_deseq2_interaction_sexM_SLE"), jaccard=0.995)


def test_moderated_t_equals_limma_on_scleroderma_blood():
    samples = pd.read_csv(SHARED / "data/ssc-blood/samples.tsv", sep="\t")
    samples["sample"] = samples["gsm"]
    samples["disease"] = samples["condition"].map({"Control": "HC", "systemic sclerosis patient": "SSc"})
    values = pd.read_csv(SHARED / "data/ssc-blood/expr_log2_symbol.tsv.gz", sep="\t", index_col=0)
    data = normalize_view(
        ad.AnnData(values.T.loc[samples["sample"]]), "rna", "continuous", samples, settings_of("normalization")
    ).data
    fit = fit_model(data, model_matrix(samples, "disease", "HC"))
    ours, theirs = compared(fit, versus("SSc", "HC"), "ssc_limma_SSc_vs_HC")
    # the same formulas: the digits that the reference is printed with set the limit
    for column, limma in {
        "log2FoldChange": "logFC",
        "baseMean": "AveExpr",
        "stat": "t",
        "pvalue": "P.Value",
        "padj": "adj.P.Val",
    }.items():
        np.testing.assert_allclose(ours[column], theirs[limma], rtol=1e-6, atol=1e-12)
    assert fit.notes == ("prior variance 0.143817 with 5.54849 degrees of freedom",)
    assert (ours["padj"] < 0.05).sum() == 19
