"""Public cohorts through the whole pipeline, by the configurations in config/examples."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from pages_in_browser import check_every_way
from stratifn.configuration.config import complete_config
from stratifn.configuration.contract import breaches, cohort_outputs
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
pytestmark = [pytest.mark.full, pytest.mark.skipif(not SHARED.exists(), reason="needs the shared real data")]
SCHEMA, CONTRACT = (
    yaml.safe_load((ROOT / "workflow" / "schemas" / name).read_text())
    for name in ("config.schema.yaml", "outputs.yaml")
)


def run_example(name: str, folder: Path, assert_the_checked_design_was_fitted, **settings: dict) -> Path:
    """Run an example as its first lines say, the data beside a copy of the configuration, with further settings."""
    shutil.copytree(SHARED / "data" / name, folder, dirs_exist_ok=True)
    os.chmod(folder, 0o755)
    config = yaml.safe_load((ROOT / "config" / "examples" / f"{name}.yaml").read_text()) | settings
    (folder / "my.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--directory", str(folder), "--configfile", str(folder / "my.yaml")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    results = folder / "results" / name
    config = complete_config(yaml.safe_load((folder / "my.yaml").read_text()), SCHEMA, CONTRACT)
    assert breaches(results, cohort_outputs(CONTRACT, config["cohorts"][0], config)) == []
    assert_the_checked_design_was_fitted(results, yaml.safe_load((folder / "my.yaml").read_text()), folder)
    return results


# factors are not the question where differential expression is
ONE_QUICK_SEED = {"seeds": [1], "factors": 5, "convergence": "fast"}


@pytest.fixture(scope="module")
def pss(tmp_path_factory, assert_the_checked_design_was_fitted):
    return run_example("pss-salivary-gland", tmp_path_factory.mktemp("pss"), assert_the_checked_design_was_fitted)


@pytest.fixture(scope="module")
def breast(tmp_path_factory, assert_the_checked_design_was_fitted):
    return run_example("breast-tcga", tmp_path_factory.mktemp("breast"), assert_the_checked_design_was_fitted)


@pytest.fixture(scope="module")
def ssc(tmp_path_factory, assert_the_checked_design_was_fitted):
    return run_example("ssc-blood", tmp_path_factory.mktemp("ssc"), assert_the_checked_design_was_fitted)


def test_pss_size_factors_are_those_of_r(pss):
    ours = read_table(pss / "normalization" / "size_factors.tsv").set_index("sample")["size_factor"]
    theirs = pd.read_csv(SHARED / "reference" / "pss_deseq2_size_factors.tsv.gz", sep="\t", dtype={"sample": str})
    theirs = theirs.set_index("sample")["size_factor"].reindex(ours.index)
    # the table holds ten digits; both are medians of the same ratios
    assert (ours / theirs - 1).abs().max() < 1e-6


def test_pss_calls_the_genes_that_r_calls(pss):
    ours = read_table(pss / "differential_expression" / "pSS_vs_nonSS.tsv.gz").set_index("gene_id")
    theirs = pd.read_csv(
        SHARED / "reference" / "pss_deseq2_pSS_vs_nonSS.tsv.gz", sep="\t", dtype={"gene_id": str}, keep_default_na=False,
        na_values={"padj": ["NA"], "stat": ["NA"]},
    ).set_index("gene_id")  # fmt: skip
    theirs = theirs.reindex(ours.index)
    called, expected = ours["padj"] < 0.05, theirs["padj"] < 0.05
    assert expected.sum() == 221
    # three genes at the edge of the filter or of 0.05 may differ
    assert abs(int(called.sum()) - 221) <= 3
    assert (called & expected).sum() >= 218
    assert ours["stat"].corr(theirs["stat"].astype(float), method="spearman") > 0.999


def test_pss_glands_score_higher_than_sicca_glands(pss):
    classes = read_table(pss / "interferon" / "classes.tsv")
    assert roc_auc_score(classes["disease"].eq("pSS"), classes["score"]) >= 0.85


def test_controls_that_are_not_healthy_are_never_called_so(pss):
    page = (pss / "report" / "index.html").read_text()
    assert "they are not healthy controls" in page
    prevalence = read_table(pss / "interferon" / "prevalence.tsv")
    assert prevalence["published"].isna().all()


def test_breast_strata_recover_the_subtypes(breast):
    strata = read_table(breast / "stratification" / "strata.tsv")
    assert adjusted_rand_score(strata["disease"], strata["stratum"]) >= 0.5


def test_breast_says_what_is_not_possible_without_controls(breast):
    classes = read_table(breast / "interferon" / "classes.tsv")
    assert classes["ifn_class"].eq("unscored").all()
    assert classes["reason"].str.contains("this run has no controls").all()
    page = (breast / "report" / "index.html").read_text()
    assert "No class could be given" in page
    assert "this run has no controls: diseases are compared only with each other" in page
    summary = read_table(breast / "differential_expression" / "summary.tsv")
    assert summary["contrast"].tolist() == ["Basal_vs_Her2", "Basal_vs_LumA", "Her2_vs_LumA"]


def test_ssc_runs_from_the_sheets_own_names_and_names_the_damaged_symbols(ssc):
    samples = read_samples(ssc / "inputs" / "samples.tsv")
    assert samples["disease"].value_counts().to_dict() == {"SSc": 49, "HC": 25}
    notes = read_table(ssc / "inputs" / "notes.tsv")
    (damaged,) = notes.loc[notes["what"] == "not recognised", "reason"]
    assert "2-Mar, 6-Mar, 7-Mar, 8-Mar" in damaged
    page = (ssc / "report" / "index.html").read_text()
    assert "moderated t" in page
    assert "SIGLEC1" in page


@pytest.mark.parametrize("cohort", ["pss", "breast", "ssc"])
def test_pages_of_public_cohorts_can_be_read_in_every_way(browser, cohort, request):
    check_every_way(browser, sorted((request.getfixturevalue(cohort) / "report").glob("*.html")))


def check_cells_under_interferon(folder: Path, checked, threshold: float) -> None:
    results = run_example(
        "ifn-stimulated-airway", folder, checked,
        integration=ONE_QUICK_SEED, differential_expression={"lfc_threshold": threshold, "permutations": 0},
    )  # fmt: skip
    sets = read_table(results / "differential_expression" / "enrichment.tsv").set_index(["contrast", "gene_set"])
    assert sets.index.get_level_values("contrast").nunique() == 10
    for cells in ("IFNa", "IFNb", "IFNg", "IFNl3"):
        # six genes that lead the ranking of stimulated cells
        six = sets.loc[(f"{cells}_vs_Control", "RICE_CROW_6")]
        assert six["n_genes"] == 6 and six["score"] > 0 and six["padj"] < 0.05
    assert (results / "report" / "index.html").exists()


@pytest.mark.parametrize("threshold", [0, 0.5, 1])
def test_cells_under_interferon_run_to_the_report_with_any_threshold(
    tmp_path, assert_the_checked_design_was_fitted, threshold
):
    check_cells_under_interferon(tmp_path, assert_the_checked_design_was_fitted, threshold)
