"""The report says what the tables say, hides what it was asked to hide, and draws with nothing to draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stratifn.provenance import software_versions
from stratifn.report import draw_figures, methods_text, render_page
from stratifn.report.results import PrincipalComponents, Results
from stratifn.report.sections import headline, patient_table
from stratifn.style import CONTROL_COLOUR, group_colours, text_colour

TEMPLATES = Path(__file__).resolve().parents[2] / "workflow" / "report"
SAMPLES = [f"person-{number:02d}" for number in range(12)]
DISEASE = ["SLE"] * 5 + ["pSS"] * 3 + ["HC"] * 4


def config(**report) -> dict:
    return {
        "cohort": {
            "name": "tiny", "diseases": ["SLE", "pSS"], "control": "HC", "control_type": "healthy",
            "specimen": "whole_blood", "platform": "rnaseq", "design": "disease",
            "views": [{"name": "rna", "kind": "counts", "path": "c.tsv"}],
        },
        "normalization": {"min_count": 10, "size_factors": "ratio"},
        "differential_expression": {"alpha": 0.05, "shrink": True, "lfc_threshold": 0},
        "interferon": {"signature": "RICE_CROW_6", "method": "zscore", "cutoff": "mean_2sd", "bootstraps": 100, "reference": None},
        "integration": {"factors": 3, "top_features": 50, "convergence": "fast", "float32": True, "seeds": [1]},
        "stratification": {"clusters": [2, 4], "include_controls": True, "resamples": 20, "seed": 1},
        "report": {"sample_ids": True, "min_cell": 5} | report,
    }  # fmt: skip


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    score = np.r_[np.linspace(2, 6, 5), 0.1, 3.0, 1.2, np.linspace(-0.5, 0.5, 4)]
    ifn_class = ["high"] * 5 + ["low", "high", "borderline"] + ["low"] * 4
    stratum = [1] * 5 + [2] * 7
    return {
        "notes": pd.DataFrame(
            {"phase": "inputs", "view": "rna", "item": ["person-01", "<b>x</b>"], "what": "missing", "reason": "not measured"}
        ),
        "quality": pd.DataFrame(
            {"sample": SAMPLES, "view": "rna", "library_size": 1e6, "outlier": ["true"] + ["false"] * 11,
             "reason": ["library"] + [None] * 11}
        ),
        "covariate_associations": pd.DataFrame(
            {"view": "rna", "component": ["PC1", "PC10", "PC2"], "variable": "batch", "r2": [0.9, 0.1, 0.2],
             "pvalue": [1e-6, 0.5, 0.4], "padj": [1e-5, 0.5, 0.5]}
        ),
        "summary": pd.DataFrame({"contrast": ["SLE_vs_HC"], "tested": [3], "up": [1], "down": [0],
                                 "permuted_calls": [np.nan]}),
        "cross_disease": pd.DataFrame({"pooled_padj": [np.nan], "class": ["none"]}),
        "enrichment": pd.DataFrame(columns=["contrast", "gene_set", "n_genes", "score", "pvalue", "padj"]),
        "scores": pd.DataFrame({"sample": SAMPLES, "signature": "RICE_CROW_6", "method": "zscore", "score": score,
                                "genes_found": 5, "genes_total": 6}),
        "reference": pd.DataFrame({"signature": ["RICE_CROW_6"], "method": ["zscore"], "cutoff": [1.1],
                                   "cutoff_low": [0.9], "cutoff_high": [1.3]}),
        "classes": pd.DataFrame({"sample": SAMPLES, "disease": DISEASE, "score": score, "probability_high": 0.5,
                                 "ifn_class": ifn_class, "ifn_type": "I", "type_i": score, "type_ii": score / 2, "reason": [None] * 12}),
        "prevalence": pd.DataFrame({"disease": ["SLE", "pSS"], "signature": "RICE_CROW_6", "n": [5, 3],
                                    "prevalence": [1.0, 1 / 3], "ci_low": [0.5, 0.05], "ci_high": [1.0, 0.8],
                                    "published": [0.73, np.nan], "published_source": ["Higgs 2011", None]}),
        "factors": pd.DataFrame({"sample": SAMPLES, "Factor1": score, "Factor2": score[::-1]}),
        "variance_explained": pd.DataFrame({"view": "rna", "factor": ["Factor1", "Factor2", "total"],
                                            "r2": [20.0, 5.0, 24.0]}),
        "robustness": pd.DataFrame({"factor": ["Factor1", "Factor2"], "seeds_matched": [1, 1],
                                    "mean_abs_r": [1.0, 0.5], "robust": [True, False]}),
        "seeds": pd.DataFrame({"seed": [1], "elbo": [-10.0]}),
        "strata": pd.DataFrame({"sample": SAMPLES, "disease": DISEASE, "stratum": stratum, "confidence": 0.9,
                                "label": ["interferon"] * 5 + ["healthy-like"] * 7}),
        "selection": pd.DataFrame({"k": [1, 2], "chosen": [False, True]}),
        "stability": pd.DataFrame({"stratum": [1, 2], "label": ["interferon", "healthy-like"], "jaccard": [0.9, 0.8]}),
        "stratification": pd.DataFrame(
            {"item": ["reason", "controls", "gaussian_mixture", "factors_left_out", "label_1"],
             "value": ["2 strata", "clustered", "agrees", "none", "interferon: AUC 1"]}
        ),
        "agreement": pd.DataFrame({"signature_a": ["A"], "signature_b": ["B"], "spearman": [0.8]}),
        "protein_ranks": pd.DataFrame({"sample": SAMPLES, "disease": DISEASE, "mean_rank": np.linspace(0, 1, 12),
                                       "rank_difference": np.linspace(-0.2, 0.2, 12)}),
        "protein": pd.DataFrame({"disease": ["SLE"], "analyte": ["IFNA"], "n": [5], "below_limit": [1],
                                 "spearman": [0.9], "ci_low": [0.5], "ci_high": [1.0], "kappa": [np.nan]}),
        "methylation": pd.DataFrame({"sample": SAMPLES, "score": score}),
        "axes": pd.DataFrame({"sample": SAMPLES * 2, "axis": ["ligand"] * 12 + ["response"] * 12,
                              "score": [*score, *score]}),
        "confounding": pd.DataFrame({"disease": ["SLE"], "variable": ["activity"], "kind": ["activity"], "n": [5],
                                     "effect": [0.5], "ci_low": [0.1], "ci_high": [0.8], "pvalue": [0.01],
                                     "padj": [0.02]}),
        "factor_associations": pd.DataFrame({"factor": ["Factor1"], "variable": ["age"], "test": ["spearman"],
                                             "n": [12], "effect": [0.9], "pvalue": [0.001], "padj": [0.002]}),
        "warnings": pd.DataFrame({"factor": ["all"], "warning": ["all_in_use"]}),
        "interferon_factor": pd.DataFrame({"item": ["statement"], "value": ["Factor1 follows the score."]}),
        "associations": pd.DataFrame(columns=["variable", "pvalue"]),
    }  # fmt: skip


def results(tables, contrasts=None, **report) -> Results:
    samples = pd.DataFrame({"sample": SAMPLES, "patient": SAMPLES, "disease": DISEASE, "in_rna": True})
    coordinates = pd.DataFrame(np.random.default_rng(1).normal(size=(12, 2)), index=SAMPLES)
    components = {"rna": PrincipalComponents(coordinates, [0.4, 0.2])}
    return Results("tiny", config(**report), samples, tables, contrasts or {}, components)


def volcano(padj) -> pd.DataFrame:
    size = len(padj)
    genes = [f"G{number}" for number in range(size)]
    return pd.DataFrame({"gene_id": genes, "gene_name": genes, "log2FoldChange": np.linspace(-2, 2, size),
                         "pvalue": np.asarray(padj) / 2, "padj": padj})  # fmt: skip


def page(all_results: Results, folder: Path) -> str:
    drawn = draw_figures(all_results, folder / "figures")
    methods = methods_text(all_results, software_versions())
    return render_page(all_results, drawn, folder / "figures", TEMPLATES, methods)


def test_every_figure_is_drawn_twice_with_the_same_bytes(tables, tmp_path):
    one = results(tables, {"SLE_vs_HC": volcano([1e-300, 0.01, 0.5])})
    drawn = draw_figures(one, tmp_path / "a")
    draw_figures(one, tmp_path / "b")
    assert set(drawn) == {
        "views", "library_size", "principal_components", "volcano", "interferon_scores", "interferon_classes",
        "methylation", "axes", "covariates", "prevalence", "types", "agreement", "protein_ranks", "variance_explained", "factors", "strata_composition",
    }  # fmt: skip
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 32
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


@pytest.mark.parametrize("padj", [[0.9, 0.8, 1.0], [0.5], [np.nan, 0.2], [0.0, 0.0]])
def test_volcanoes_come_out_with_no_call_one_gene_and_p_values_of_zero(tables, tmp_path, padj):
    drawn = draw_figures(results(tables, {"SLE_vs_HC": volcano(padj)}), tmp_path)
    assert drawn["volcano"] == ["volcano_SLE_vs_HC"]


def test_a_contrast_without_a_tested_gene_has_no_volcano(tables, tmp_path):
    assert "volcano" not in draw_figures(results(tables, {"SLE_vs_HC": volcano([np.nan])}), tmp_path)


def test_disease_against_disease_gets_a_figure_only_where_there_is_nothing_else(tables):
    both = results(tables, {"SLE_vs_HC": volcano([0.1]), "SLE_vs_pSS": volcano([0.1])})
    assert both.main_contrasts == ["SLE_vs_HC"]
    assert results(tables, {"SLE_vs_pSS": volcano([0.1])}).main_contrasts == ["SLE_vs_pSS"]


def test_text_of_users_is_escaped(tables, tmp_path):
    html = page(results(tables), tmp_path)
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


def test_small_groups_are_shown_as_fewer_than(tables, tmp_path):
    html = page(results(tables), tmp_path)
    assert "<td>&lt;5</td>" in html
    assert "<td>&lt;5</td>" not in page(results(tables, min_cell=0), tmp_path)


def test_sample_ids_can_be_kept_out_of_the_page(tables, tmp_path):
    html = page(results(tables, sample_ids=False), tmp_path)
    assert not [sample for sample in SAMPLES if sample in html]
    assert "#01" in html
    assert patient_table(results(tables, sample_ids=False))["sample"].is_unique


def test_the_headline_gives_shares_with_their_intervals(tables):
    assert "SLE 100 % (50 to 100), pSS 33 % (5 to 80)" in headline(results(tables))[0]


def test_without_classes_the_page_says_why(tables, tmp_path):
    tables["classes"] = tables["classes"].assign(ifn_class="unscored", score=np.nan, reason="this run has no controls")
    tables["prevalence"] = tables["prevalence"].assign(prevalence=np.nan)
    html = page(results(tables), tmp_path)
    assert "No class could be given: this run has no controls." in html


def test_one_stratum_is_said_as_such(tables):
    tables["strata"] = tables["strata"].assign(stratum=1, label="1")
    assert "do not support more than one stratum" in headline(results(tables))[1]


def test_a_disease_has_its_colour_everywhere_and_no_two_groups_share_one():
    all_four = group_colours(["SLE", "pSS", "SSc", "DM"], "HC")
    assert group_colours(["SSc"], "HC")["SSc"] == all_four["SSc"]
    assert all_four["HC"] == CONTROL_COLOUR
    mixed = group_colours(["RA", "SLE", "IBM", "pSS"], "AMP")
    assert len(set(mixed.values())) == 5
    assert mixed["SLE"] == all_four["SLE"]


def test_text_on_a_colour_can_be_read():
    assert text_colour("#ffffff") == "black"
    assert text_colour("#332288") == "white"
