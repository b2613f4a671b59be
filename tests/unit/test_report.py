"""The report says what the tables say, hides what it was asked to hide, and draws with nothing to draw."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stratifn.normalization import KINDS, described
from stratifn.report import draw_figures, methods_text, pages_of, render, write_tables
from stratifn.report.content import FigureSlot
from stratifn.report.figures.drawing import FIGURES, Drawing, draw
from stratifn.report.figures.style import CONTROL_LOOK, FAINT_COLOUR, FORMATS, group_looks, text_colour
from stratifn.report.page.content import Made
from stratifn.report.results import PrincipalComponents, Results
from stratifn.report.sections.answer import answer
from stratifn.report.sections.cohort import characteristics, notes_table, patient_table
from stratifn.report.sections.factors import factor_differences, rank_biserial
from stratifn.report.sections.pages import build_sections
from stratifn.report.settings import Settings
from stratifn.report.small_cells import HIDDEN
from stratifn.running.installation import software_versions
from stratifn.shared.claims import EVERYBODY, Measured, judged, verdicts_table

MADE = Made("0" * 40, "2026-01-31", "0" * 64)
METHODS = "# Methods\n\nSome text.\n\n## References\n\n1. A reference."
TEMPLATES = Path(__file__).resolve().parents[2] / "workflow" / "report"
SAMPLES = [f"person-{number:02d}" for number in range(12)]
PROVENANCE_FILES = ("software.tsv", "machine.tsv", "config.yaml", "inputs.tsv", "outputs.tsv", "ro-crate-metadata.json")
DISEASE = ["SLE"] * 5 + ["pSS"] * 3 + ["HC"] * 4


def config(**report) -> dict:
    return {
        "cohort": {
            "name": "tiny", "diseases": ["SLE", "pSS"], "control": "HC", "control_type": "healthy",
            "specimen": "whole_blood", "platform": "rnaseq", "design": "disease",
            "views": [{"name": "rna", "kind": "counts", "path": "c.tsv"}],
        },
        "normalization": {"min_count": 10, "size_factors": "ratio"},
        "contrasts": [],
        "differential_expression": {"alpha": 0.05, "shrink": True, "lfc_threshold": 0},
        "interferon": {"signature": "RICE_CROW_6", "method": "zscore", "cutoff": "mean_2sd", "bootstraps": 100, "reference": None,
                       "signature_files": [], "probability_high": 0.95, "probability_low": 0.05},
        "integration": {"factors": 3, "top_features": 50, "convergence": "fast", "float32": True, "seeds": [1], "min_views": 1,
                        "scale_views": True, "regress_out": ""},
        "stratification": {"clusters": [2, 4], "include_controls": True, "resamples": 20, "seed": 1},
        "report": {"sample_ids": True, "min_cell": 5} | report,
    }  # fmt: skip


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    return example_tables()


def example_verdicts(**values: float) -> pd.DataFrame:
    """Every claim supported, but for the criteria that are given another value, as ``claim__criterion=value``."""
    good = {
        ("calls", "SLE_vs_HC"): {"called": 1, "permuted_calls": 0.0, "leading_component": 0.1, "rank_sum": 1.0},
        ("cutoff", "RICE_CROW_6"): {"controls": 24, "enough_controls": 23, "outlying_controls": 0, "healthy_controls": 1},
        **{("prevalence", d): {"scored": 5, "healthy_controls": 1, "borderline": -3, "one_control": 0.05} for d in ("SLE", "pSS")},
        ("factor", "Factor1"): {"seeds_matched": 1, "seed_correlation": 0.99, "missing_view": 0.1},
        ("interferon_factor", "Factor1"): {"follows_score": 0.9, "signature_auc": 0.95, "robust": 1},
        ("strata", EVERYBODY): {"null_pvalue": 0.005, "clear_null_pvalue": 0.005, "smallest_stratum": 5, "stability": 0.9,
                                "one_diagnosis": 0.1, "one_batch": 0.1, "missing_view": 0.1},
        ("stratum_label", "1"): {"auc": 1.0, "margin": 0.3, "mostly_high": 0.9},
        ("stratum_label", "2"): {"controls_inside": 0.9, "controls_enriched": 0.1},
    }  # fmt: skip
    settings = {"permuted_calls": 0.05, "controls": 10, "null_pvalue": 0.05}
    return verdicts_table(
        judged(claim, subject, [
            Measured(key, values.get(f"{claim}__{key}", value), settings.get(key), "the controls are sicca")
            for key, value in criteria.items()
        ])
        for (claim, subject), criteria in good.items()
    )  # fmt: skip


def example_tables() -> dict[str, pd.DataFrame]:
    score = np.r_[np.linspace(2, 6, 5), 0.1, 3.0, 1.2, np.linspace(-0.5, 0.5, 4)]
    ifn_class = ["high"] * 5 + ["low", "high", "borderline"] + ["low"] * 4
    stratum = [1] * 5 + [2] * 7
    return {
        "notes": pd.DataFrame(
            {"phase": "inputs", "view": "rna", "item": ["person-01", "<b>x</b>"], "what": "missing", "reason": "not measured"}
        ),
        "quality": pd.DataFrame(
            {"sample": SAMPLES, "view": "rna", "library_size": 1e6, "outlier": ["true"] + ["false"] * 11,
             "near_duplicate": [None, "person-06"] + [None] * 10,
             "reason": ["library", "nearly identical to person-06"] + [None] * 10}
        ),
        "covariate_associations": pd.DataFrame(
            {"view": "rna", "component": ["PC1", "PC10", "PC2"], "variable": "batch", "r2": [0.9, 0.1, 0.2],
             "pvalue": [1e-6, 0.5, 0.4], "padj": [1e-5, 0.5, 0.5]}
        ),
        "differential_expression_summary": pd.DataFrame(
            {"contrast": ["SLE_vs_HC"], "n_level": [5], "n_baseline": [4], "tested": [3], "up": [1], "down": [0],
             "permuted_calls": [np.nan], "rank_calls": [1], "both_calls": [1], "model": ["negative binomial"]}
        ),
        "permutation": pd.DataFrame({"contrast": ["SLE_vs_HC"], "permutations": [10], "mean_calls": [0.4], "max_calls": [3]}),
        "design": pd.DataFrame({"sample": SAMPLES, "Intercept": 1.0, "disease[SLE]": 1.0}),
        "cross_disease": pd.DataFrame(
            {"gene_id": [*"ABCD"], "gene_name": ["IFI27", "GB", "GC", "GD"], "log2FoldChange_SLE": [3.0, 1.0, -1.0, 0.1],
             "log2FoldChange_pSS": [2.5, 0.1, 1.0, 0.0], "padj_SLE": 0.01, "padj_pSS": 0.02,
             "pooled_log2FoldChange": [2.8, 0.5, 0.1, 0.0], "pooled_padj": 0.001, "Q_padj": 0.3,
             "class": ["shared", "specific:SLE", "opposed", "none"]}
        ),
        "enrichment": pd.DataFrame(
            {"contrast": ["SLE_vs_HC"], "gene_set": ["SET"], "source": ["hallmark"], "n_genes": [10], "score": [3.0], "correlation": [0.1],
             "pvalue": [0.001], "padj": [0.002], "leading_genes": ["IFI27"]}
        ),
        "interferon_status": pd.DataFrame({"contrast": ["IFN_high_vs_IFN_low"], "tested": [0]}),
        "features": pd.DataFrame({"view": ["rna"], "samples": [12], "features": [60], "eligible": [60], "selected": [50]}),
        "scores": pd.DataFrame({"sample": SAMPLES * 2, "signature": ["RICE_CROW_6"] * 12 + ["CHAUSSABEL_M1.2"] * 12,
                                "method": ["zscore"] * 12 + ["module"] * 12, "score": [*score, *(score.clip(0, 5) / 5)],
                                "genes_found": 5, "genes_total": 6}),
        "reference": pd.DataFrame({"signature": ["RICE_CROW_6"], "method": ["zscore"], "n_controls": [23],
                                   "excluded": [1], "cutoff": [1.1], "cutoff_low": [0.9], "cutoff_high": [1.3],
                                   "prevalence_low": [0.5], "prevalence_high": [0.75], "flipped": [6.0]}),
        "classes": pd.DataFrame({"sample": SAMPLES, "disease": DISEASE, "score": score, "probability_high": 0.5,
                                 "ifn_class": ifn_class, "ifn_class_all_controls": ["low"] * 12, "ifn_type": "I", "type_i": score, "type_ii": score / 2, "reason": [None] * 12}),
        "response_types": pd.DataFrame(
            {"sample": SAMPLES, "disease": DISEASE, "ifn_type": "I", "type_i": score, "type_i_low": score - 0.1,
             "type_i_high": score + 0.1, "type_i_cutoff": 0.3, "type_ii": score / 2, "type_ii_low": score / 2 - 0.1,
             "genes_found": 180, "genes_total": 184, "type_ii_high": score / 2 + 0.1, "type_ii_cutoff": 0.2}
        ),
        "prevalence": pd.DataFrame({"disease": ["SLE", "pSS"], "signature": "RICE_CROW_6", "n": [5, 3],
                                    "prevalence": [1.0, 1 / 3], "ci_low": [0.5, 0.05], "ci_high": [1.0, 0.8],
                                    "published": [0.73, np.nan], "published_source": ["Higgs 2011", None]}),
        "factors": pd.DataFrame({"sample": SAMPLES, "Factor1": score, "Factor2": score[::-1]}),
        "variance_explained": pd.DataFrame({"view": "rna", "factor": ["Factor1", "Factor2", "total"],
                                            "r2": [20.0, 5.0, 24.0]}),
        "robustness": pd.DataFrame({"factor": ["Factor1", "Factor2"], "seeds_matched": [1, 1],
                                    "mean_abs_r": [1.0, 0.5], "robust": [True, False]}),
        "seeds": pd.DataFrame({"seed": [1], "elbo": [-10.0], "converged": [True], "factors": [2], "chosen": [True]}),
        "strata": pd.DataFrame({"sample": SAMPLES, "disease": DISEASE, "stratum": stratum, "confidence": 0.9, "informed": True,
                                "label": ["interferon"] * 5 + ["healthy-like"] * 7}),
        "selection": pd.DataFrame(
            {"k": [1, 2, 3], "pac": [np.nan, 0.1, 0.3], "silhouette": [np.nan, 0.4, 0.3], "stability": [np.nan, 0.9, 0.7],
             "bic": [np.nan, 1234.5, 1233.25], "null_pvalue": [np.nan, 0.005, 0.005], "chosen": [False, True, False]}
        ),
        "consensus": pd.DataFrame({"sample": np.repeat(SAMPLES, 2), "stratum": [1, 2] * 12,
                                   "consensus": np.where(np.repeat(stratum, 2) == [1, 2] * 12, 0.95, 0.05)}),
        "markers": pd.DataFrame({"stratum": [1, 2], "view": "rna", "feature": ["A", "B"], "difference": [1.0, -1.0], "auc": [0.9, 0.1]}),
        "top_features": pd.DataFrame({"view": "rna", "factor": ["Factor1", "Factor2"], "rank": 1, "feature": ["A", "B"], "weight": [2.0, -1.0]}),
        "stability": pd.DataFrame({"stratum": [1, 2], "n": [5, 7], "label": ["interferon", "healthy-like"], "jaccard": [0.9, 0.8]}),
        "stratification_summary": pd.DataFrame(
            {"item": ["controls", "samples_clustered", "samples_uninformed", "samples_uncertain", "factors", "factors_left_out",
                      "null_pvalue", "null_draws", "resamples"],
             "value": ["clustered", "12", "0", "0", "Factor1 Factor2", None, "0.005", "199", "20"]}
        ),
        "agreement": pd.DataFrame({"signature_a": ["A"], "signature_b": ["B"], "spearman": [0.8]}),
        "protein_ranks": pd.DataFrame({"sample": SAMPLES, "disease": DISEASE, "mean_rank": np.linspace(0, 1, 12),
                                       "rank_difference": np.linspace(-0.2, 0.2, 12)}),
        "protein": pd.DataFrame({"disease": ["SLE"], "analyte": ["IFNA"], "n": [5], "below_limit": [1],
                                 "spearman": [0.9], "ci_low": [0.5], "ci_high": [1.0], "kappa": [np.nan],
                                 "reason": [None]}),
        "methylation": pd.DataFrame({"sample": SAMPLES, "score": score, "score_adjusted": np.nan, "cpgs_found": 10}),
        "axes": pd.DataFrame({"sample": SAMPLES * 2, "axis": ["ligand"] * 12 + ["response"] * 12,
                              "score": [*score, *score], "evidence": "measured"}),
        "confounding": pd.DataFrame({"disease": ["SLE", "SLE", "pSS"], "variable": ["activity", "anti_ifn", "activity"],
                                     "kind": "activity", "n": [5, 5, 3], "test": ["Spearman", "not tested", "Spearman"],
                                     "effect": [0.5, np.nan, 0.1], "ci_low": [0.1, np.nan, 0.0],
                                     "ci_high": [0.8, np.nan, 0.2], "pvalue": [0.01, np.nan, 0.5],
                                     "padj": [0.02, np.nan, 0.5], "note": ["of SLE", "blocked", "of pSS"]}),
        "factor_associations": pd.DataFrame({"factor": ["Factor1", "Factor1"], "variable": ["age", "disease"],
                                             "test": ["spearman", "kruskal_wallis"], "n": [12, 12],
                                             "effect": [0.9, 0.8], "pvalue": [0.001, 0.002], "padj": [0.002, 0.003]}),
        "warnings": pd.DataFrame({"factor": ["all"], "warning": ["all_in_use"]}),
        "interferon_factor": pd.DataFrame({"item": ["candidate", "spearman", "n", "auc", "genes"],
                                           "value": ["Factor1", "0.9", "12", "0.95", "5"]}),
        "verdicts": example_verdicts(),
        "associations": pd.DataFrame(columns=["variable", "test", "pvalue"]),
    }  # fmt: skip


def results(tables, contrasts=None, cohort=None, **report) -> Results:
    samples = pd.DataFrame(
        {
            "sample": SAMPLES,
            "patient": SAMPLES,
            "disease": DISEASE,
            "sex": ["F", "M"] * 6,
            "age": range(30, 42),
            "in_rna": True,
        }
    )
    coordinates = pd.DataFrame(np.random.default_rng(1).normal(size=(12, 2)), index=SAMPLES)
    components = {"rna": PrincipalComponents(coordinates, [0.4, 0.2])}
    settings = config(**report)
    settings["cohort"] |= cohort or {}
    levels = {"rna": pd.DataFrame({"1": [1.0, -1.0], "2": [-0.7, 0.7]}, ["A", "B"])}
    return Results(
        "tiny", settings, samples, tables, contrasts or {}, components, marker_levels=levels, gene_names={"A": "IFI27"}
    )


def volcano(padj) -> pd.DataFrame:
    size = len(padj)
    genes = [f"G{number}" for number in range(size)]
    return pd.DataFrame({"gene_id": genes, "gene_name": genes, "log2FoldChange": np.linspace(-2, 2, size), "lfcSE": 0.1,
                         "pvalue": np.asarray(padj) / 2, "padj": padj, "log2FoldChangeShrunk": np.nan})  # fmt: skip


def pages(all_results: Results, figures: Path | None = None) -> dict[str, str]:
    """Every page; without a folder for figures none is drawn."""
    names = ("index", *all_results.diseases)
    drawn = dict.fromkeys(names, {}) if figures is None else draw_figures(all_results, figures)
    methods = methods_text(all_results, software_versions(), described)
    pages = pages_of(all_results, methods, MADE)
    return {name: render(page, drawn[name], figures or Path()) for name, page in pages.items()}


def figures_of(all_results: Results, folder: Path, *names: str) -> dict[str, Drawing]:
    """Draw some records alone."""
    return draw([record for record in FIGURES if record.name in names], all_results, folder)


def headline(all_results: Results) -> list[str]:
    """The statements of the first screen: interferon, strata, and what is shared or called."""
    return [" ".join([each.sentence, *each.reasons]) for each in answer(all_results).statements]


def section(all_results: Results, name: str) -> str:
    """The words and tables of one section, without drawing anything."""
    (found,) = [part for part in build_sections(all_results) if part.id == name]
    words = [getattr(item, "text", getattr(item, "caption", "")) for item in found.content]
    tables = [item.frame.to_string() for item in found.content if hasattr(item, "frame")]
    return "\n".join([*words, *tables])


def test_every_figure_is_drawn_twice_with_the_same_bytes(tables, tmp_path):
    contrasts = {name: volcano([1e-300, 0.01, 0.5]) for name in ("SLE_vs_HC", "pSS_vs_HC")}
    one = results(tables, contrasts, min_cell=0)
    drawn = draw_figures(one, tmp_path / "a")
    draw_figures(one, tmp_path / "b")
    assert set(drawn["index"]) == {record.name for record in FIGURES}
    of_disease = {record.name for record in FIGURES if record.again}
    assert set(drawn["SLE"]) == set(drawn["pSS"]) == of_disease
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == len(FORMATS) * (len(FIGURES) + 2 * len(of_disease))
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


@pytest.mark.parametrize("padj", [[0.9, 0.8, 1.0], [0.5], [np.nan, 0.2], [0.0, 0.0]])
def test_volcanoes_come_out_with_no_call_one_gene_and_p_values_of_zero(tables, tmp_path, padj):
    drawn = figures_of(results(tables, {"SLE_vs_HC": volcano(padj)}), tmp_path, "volcano")
    assert drawn["volcano"].stems == {"": "volcano"}


def test_a_contrast_without_a_tested_gene_has_no_volcano(tables, tmp_path):
    assert figures_of(results(tables, {"SLE_vs_HC": volcano([np.nan])}), tmp_path, "volcano") == {}


def test_disease_against_disease_gets_a_figure_only_where_there_is_nothing_else(tables):
    both = results(tables, {"SLE_vs_HC": volcano([0.1]), "SLE_vs_pSS": volcano([0.1])})
    assert both.main_contrasts == ["SLE_vs_HC"]
    assert results(tables, {"SLE_vs_pSS": volcano([0.1])}).main_contrasts == ["SLE_vs_pSS"]


def test_a_disease_has_its_own_contrasts_and_none_that_a_user_asked_for(tables):
    contrasts = ("SLE_vs_HC", "pSS_vs_HC", "SLE_vs_pSS", "male_vs_female")
    every = results(tables, {name: volcano([0.1]) for name in contrasts})
    assert every.main_contrasts == ["SLE_vs_HC", "pSS_vs_HC", "male_vs_female"]
    assert every.of_disease("pSS").main_contrasts == ["pSS_vs_HC"]
    assert every.of_disease("pSS").pairs_of_disease == ["pSS_vs_HC", "SLE_vs_pSS"]
    alone = results(tables, {"SLE_vs_pSS": volcano([0.1])}, cohort={"control": None})
    assert alone.of_disease("pSS").main_contrasts == ["SLE_vs_pSS"]


def test_text_of_users_is_escaped(tables):
    html = pages(results(tables))["index"]
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html


def test_small_groups_are_shown_as_fewer_than(tables):
    assert all("<td>&lt;5</td>" in html for html in pages(results(tables)).values())
    assert not any("&lt;5" in html for html in pages(results(tables, min_cell=0)).values())


def test_sample_ids_can_be_kept_out_of_every_page(tables):
    every = pages(results(tables, sample_ids=False, min_cell=0))
    for name, html in every.items():
        assert not [sample for sample in SAMPLES if sample in html], name
    assert "#01" in every["index"]
    assert "nearly identical to #07" in every["index"], "a number stands for the same sample wherever it is named"
    assert patient_table(results(tables, sample_ids=False))["sample"].is_unique


@pytest.mark.parametrize("shown", [True, False])
def test_no_row_and_no_point_is_one_person_where_ids_and_small_counts_are_hidden(tables, tmp_path, shown):
    one = results(tables, sample_ids=shown)
    html = pages(one)["index"]
    assert ("person-01</td>" in html) is shown
    assert ('class="table people"' in html) is shown
    assert ('<script type="application/json" id="people">' in html) is shown
    assert ("People are not listed one by one" in html) is not shown
    assert ("This page lists people one by one" in html) is shown
    drawn = figures_of(one, tmp_path, "interferon_scores", "principal_components", "axes", "types", "factors")
    assert len(drawn) == 5
    for name, drawing in drawn.items():
        svg = (tmp_path / f"{name}.svg").read_text()
        assert (svg.count('id="people-') > 0) is shown, name
        assert ("quartiles" in drawing.caption or "standard deviation" in drawing.caption) is not shown, name


def test_samples_that_the_sheet_alone_holds_are_counted_and_not_named():
    notes = pd.DataFrame(
        {"view": ["samples"] * 6 + ["rna"] * 2, "item": [*"abcdef", "g", "GENE"], "what": "left out", "reason": "why"}
    )
    hidden = notes_table(notes, {"g"}, Settings(sample_ids=False, min_cell=5))
    assert hidden["which"].tolist() == ["GENE", "<5 samples", "5 or more samples"]
    assert hidden["how many"].tolist() == ["1", "<5", "5 or more"]
    shown = notes_table(notes, {"g"}, Settings(sample_ids=True, min_cell=5))
    assert shown["which"].tolist() == ["GENE", "g", "a, b, c, d, e, f"]


def test_people_are_described_without_small_counts(tables):
    described = characteristics(results(tables)).set_index("")
    assert described.loc["sex: F"].to_dict() == dict.fromkeys(["SLE", "pSS", "HC"], "hidden")
    assert described.loc["age"].to_dict() == {"SLE": "32 (31 to 33)", "pSS": "", "HC": ""}
    assert characteristics(results(tables, min_cell=0)).set_index("").loc["sex: F", "SLE"] == "3"


def test_a_disease_page_lists_its_own_patients_and_no_others(tables):
    for disease in ("SLE", "pSS"):
        table = patient_table(results(tables).of_disease(disease))
        assert table["sample"].tolist() == [s for s, d in zip(SAMPLES, DISEASE, strict=True) if d == disease]
        html = pages(results(tables))[disease]
        rows = html[html.index('id="patients"') : html.index('id="methods"')]
        assert {s for s in SAMPLES if s in rows} == set(table["sample"])


def test_a_disease_page_names_what_concerns_its_samples(tables):
    assert "person-01" in section(results(tables).of_disease("SLE"), "cohort")
    assert "Nothing of this disease's samples was left out" in section(results(tables).of_disease("pSS"), "cohort")


def test_a_disease_page_tells_its_genes_up_and_down(tables):
    words = section(
        results(tables, {"SLE_vs_HC": volcano([0.001, 0.9, 0.002])}).of_disease("SLE"), "differential-expression"
    )
    assert "Genes higher in SLE than in HC: 1 of 1" in words
    assert "Genes lower in SLE than in HC: 1 of 1" in words
    assert "log2FoldChangeShrunk" not in words, "a column without a value is not shown"


def test_shared_and_specific_genes_are_told_for_each_disease(tables):
    tables["cross_disease"] = pd.DataFrame(
        {"gene_id": ["A", "B", "C"], "gene_name": ["GA", "GB", "GC"], "log2FoldChange_SLE": 1.0, "padj_SLE": 0.01,
         "log2FoldChange_pSS": 0.5, "padj_pSS": 0.02, "pooled_log2FoldChange": 0.7, "pooled_padj": 0.001, "Q_padj": 0.3,
         "class": ["shared", "specific:SLE", "specific:pSS"]}
    )  # fmt: skip
    words = section(results(tables, {"SLE_vs_HC": volcano([0.1])}).of_disease("SLE"), "differential-expression")
    assert "1 genes have a shared effect" in words
    assert "Genes with a larger effect in SLE than in each other disease: 1 of 1" in words
    assert "GB" in words
    assert "GC" not in words


def test_confounding_is_told_for_the_disease_of_the_page(tables):
    words = section(results(tables).of_disease("SLE"), "interferon")
    assert "of SLE" in words
    assert "of pSS" not in words
    assert "Not tested, because too few people have a value or the values hardly differ: anti_ifn." in words


def test_factors_are_described_beside_the_controls(tables):
    table = factor_differences(results(tables).of_disease("SLE"))
    assert table["factor"].tolist() == ["Factor1"]
    assert table["rank-biserial correlation"].tolist() == [1.0]
    assert table["the factor also follows"].tolist() == ["age"]


def test_the_rank_biserial_correlation_is_that_of_mann_whitney():
    from scipy.stats import mannwhitneyu

    first, second = pd.Series([1.0, 2.0, 2.0, 7.0]), pd.Series([0.0, 2.0, 3.0])
    expected = 2 * mannwhitneyu(first, second).statistic / 12 - 1
    assert rank_biserial(first, second) == pytest.approx(expected)
    assert np.isnan(rank_biserial(first, second[:0]))


def test_strata_of_a_disease_hide_small_counts(tables):
    said = headline(results(tables).of_disease("pSS"))[1]
    assert "Patients with pSS by stratum: 1 interferon: hidden; 2 healthy-like: hidden." in said


def with_uncertain(tables: dict[str, pd.DataFrame], count: int) -> dict[str, pd.DataFrame]:
    """Leave the last people of stratum 2 without a stratum, and without the measurements that tell the strata apart."""
    last = np.arange(12) >= 12 - count
    strata = tables["strata"].assign(informed=~last)
    strata["stratum"] = strata["stratum"].astype(str).mask(last, "uncertain")
    stability = tables["stability"].assign(stratum=["1", "2"], n=[5, 7 - count])
    return tables | {"strata": strata, "stability": stability}


def test_people_without_a_stratum_are_a_part_of_their_own(tables):
    shown = results(with_uncertain(tables, 2), min_cell=0)
    words = section(shown, "strata")
    assert "tell the strata apart: 2; they are placed" in words
    assert "probability one half or more (`uncertain`): 2." in words
    (table,) = (
        item.frame for part in build_sections(shown) for item in part.content
        if getattr(item, "caption", "").startswith("Strata by")
    )  # fmt: skip
    assert table["stratum"].tolist() == ["1", "2", "uncertain"]
    assert table["all samples"].tolist() == ["5", "5", "2"] and table["HC"].tolist() == ["0", "2", "2"]
    assert shown.stratum_colours["uncertain"] == FAINT_COLOUR
    assert "uncertain" not in section(results(tables, min_cell=0), "strata"), "it is nobody"


def test_how_many_lack_a_stratum_or_its_measurements_is_hidden_where_they_are_few(tables):
    heads = results(with_uncertain(tables, 4), min_cell=3).heads
    assert (heads.uncertain, heads.uninformed) == ("4", "4")
    assert (heads.of_strata(8, "age"), heads.of_strata(12, "age")) == (heads.of_everybody(8, "age"), "12")
    few = results(with_uncertain(tables, 2), min_cell=3).heads
    assert (few.uncertain, few.uninformed, few.of_strata(10, "age")) == (HIDDEN, "<3", HIDDEN)


def test_the_headline_gives_shares_with_their_intervals(tables):
    shown = results(tables, min_cell=0)
    assert "SLE 100 % (50 to 100), pSS 33 % (5 to 80)" in headline(shown)[0]
    assert "pSS 33 % (5 to 80)" in headline(shown.of_disease("pSS"))[0]
    assert "SLE 100 % (50 to 100), pSS not shown (fewer than 5 people)" in headline(results(tables))[0]


def test_without_classes_the_page_says_why(tables, tmp_path):
    tables["classes"] = tables["classes"].assign(ifn_class="unscored", score=np.nan, reason="this run has no controls")
    tables["prevalence"] = tables["prevalence"].assign(prevalence=np.nan)
    tables["scores"] = tables["scores"].assign(method="singscore")
    tables["differential_expression_summary"] = tables["differential_expression_summary"].assign(contrast="SLE_vs_pSS")
    without = results(tables, {"SLE_vs_pSS": volcano([0.1])}, cohort={"control": None})
    every = pages(without)
    for html in every.values():
        assert "No class could be given: this run has no controls." in html
        assert "There is also no cut-off, no share" in html
        assert "Still given: scores by ranks" in html
        assert "nothing here is a comparison with healthy people" in html or html is every["index"]
    assert without.of_disease("SLE").groups == ["SLE", "pSS"], "shown beside the other diseases"
    assert figures_of(without.of_disease("SLE"), tmp_path, "interferon_scores"), "the scores by ranks"


def test_without_classes_the_patients_have_their_score_by_ranks(tables):
    tables["classes"] = tables["classes"].assign(
        ifn_class="unscored", score=np.nan, probability_high=np.nan, reason="few"
    )
    tables["scores"] = tables["scores"].assign(method="singscore")
    table = patient_table(results(tables).of_disease("SLE"))
    assert table["score by ranks (singscore)"].tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]
    assert "probability_high" not in table
    assert "probability_high" not in section(results(tables), "patients")
    tables["protein"] = tables["protein"].assign(n=0, reason="fewer than 5 people with both")
    words = section(results(tables).of_disease("SLE"), "interferon")
    assert "No agreement of the score with measured IFN-alpha protein: fewer than 5 people with both." in words


def test_without_expression_the_page_says_so_and_names_no_platform(tables):
    views = [{"name": "cells", "kind": "proportion", "path": "c.tsv"}]
    without = results(tables, cohort={"views": views})
    without.samples["in_cells"] = True
    assert "so differential expression was not computed" in section(without, "differential-expression")
    assert "gene expression by" not in section(without, "cohort")


def test_one_stratum_is_said_as_such(tables, tmp_path):
    tables["strata"] = tables["strata"].assign(stratum=1, label="1")
    tables["stability"] = pd.DataFrame({"stratum": [1], "n": [12], "label": ["1"], "jaccard": [np.nan]})
    assert "do not support more than one stratum" in headline(results(tables))[1]
    assert "do not support more than one stratum" in headline(results(tables).of_disease("SLE"))[1]
    assert "label" not in patient_table(results(tables)), "a stratum that no label fits has no label"
    assert figures_of(results(tables), tmp_path, "strata_flow", "consensus", "markers") == {}


def test_one_seed_is_not_called_robust(tables):
    tables["robustness"] = tables["robustness"].assign(robust=np.nan)
    assert "With one seed it is not known whether the 2 MOFA factors are robust" in headline(results(tables))[2]


class Outline(HTMLParser):
    """What a browser and a screen reader take from a page."""

    def __init__(self, html: str):
        super().__init__()
        self.language, self.links, self.ids, self.headings = None, [], set(), []
        self.loaded, self.images, self.bare_fields, self.open_labels = [], [], 0, 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.language = given.get("lang", self.language)
        self.ids |= {given["id"]} if "id" in given else set()
        self.links += [given["href"]] if tag == "a" else []
        self.loaded += [given[name] for name in ("src", "action", "data", "srcset") if name in given]
        self.loaded += [given["href"]] if tag == "link" else []
        self.images += [given.get("aria-label", "")] if tag == "svg" and given.get("aria-hidden") != "true" else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []
        self.open_labels += tag == "label"
        self.bare_fields += tag == "input" and not self.open_labels

    def handle_endtag(self, tag):
        self.open_labels -= tag == "label"


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def drawn_pages(report) -> dict[str, str]:
    one = results(example_tables(), {"SLE_vs_HC": volcano([0.001, 0.9])})
    write_tables(pages_of(one, METHODS, MADE).values(), report / "tables")
    return pages(one, report / "figures")


def test_links_lead_to_files_and_parts_that_are_there_and_nothing_is_loaded(drawn_pages, report):
    every = drawn_pages
    files = {f"{name}.html" for name in every} | {"methods.md"}
    files |= {f"../provenance/{name}" for name in PROVENANCE_FILES}
    files |= {path.relative_to(report).as_posix() for path in report.rglob("*.*")}
    for name, html in every.items():
        outline = Outline(html)
        assert outline.loaded == [], name
        assert {link for link in outline.links if link.startswith("#")} <= {f"#{part}" for part in outline.ids}
        # papers are followed by the reader's click, and nothing else leaves the folder
        others = [link for link in outline.links if not link.startswith(("#", "https://doi.org/", "https://pubmed."))]
        assert {link.partition("#")[0] for link in others} <= files
        assert {f"{other}.html" for other in every if other != name} <= set(others), "every page leads to the others"
        assert "default-src 'none'" in html


def test_pages_can_be_read_with_the_ears(drawn_pages):
    for name, html in drawn_pages.items():
        outline = Outline(html)
        assert outline.language == "en"
        assert outline.headings[0] == 1 and outline.headings.count(1) == 1, name
        steps = zip(outline.headings, outline.headings[1:], strict=False)
        assert all(later - earlier <= 1 for earlier, later in steps), name
        assert outline.images and all(outline.images), name
        assert outline.bare_fields == 0, name


def test_a_disease_page_shows_its_own_figures(drawn_pages):
    assert "figures/SLE/interferon_scores.svg" in drawn_pages["SLE"]
    assert "figures/SLE/volcano.svg" in drawn_pages["SLE"]
    assert "figures/volcano.svg" in drawn_pages["index"]
    assert "volcano.svg" not in drawn_pages["pSS"], "it has no contrast"
    assert "figures/SLE/" not in drawn_pages["index"]


def test_text_stands_out_from_its_background():
    light, dark = (TEMPLATES / "frame.css").read_text().split("@media (prefers-color-scheme: dark)")[:2]
    for css in (light, dark.partition("} }")[0]):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", css))
        inks = ("ink", "soft", "accent", "good", "bad", "warn-line")
        assert [
            ink for ink in inks for paper in ("paper", "band") if contrast(colours[ink], colours[paper]) < 4.5
        ] == []
        assert contrast(colours["ink"], colours["warn"]) >= 4.5
    assert contrast("#fff", "#7a2e0e") >= 4.5


def contrast(first: str, second: str) -> float:
    """Contrast of two colours (WCAG 2)."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_disease_has_its_colour_and_marker_everywhere_and_no_two_groups_share_one():
    all_four = group_looks(["SLE", "pSS", "SSc", "DM"], "HC")
    assert group_looks(["SSc"], "HC")["SSc"] == all_four["SSc"]
    assert all_four["HC"] == CONTROL_LOOK
    mixed = group_looks(["RA", "SLE", "IBM", "pSS"], "AMP")
    assert len({look.colour for look in mixed.values()}) == len({look.marker for look in mixed.values()}) == 5
    assert mixed["SLE"] == all_four["SLE"]


def test_colours_of_groups_and_strata_are_the_same_on_every_page(tables):
    everybody = results(tables, cohort={"diseases": ["RA", "SLE"]})
    assert everybody.of_disease("SLE").colours["SLE"] == everybody.colours["SLE"]
    assert results(tables).of_disease("pSS").stratum_colours == results(tables).stratum_colours


def test_text_on_a_colour_can_be_read():
    assert text_colour("#ffffff") == "black"
    assert text_colour("#332288") == "white"


def test_a_figure_is_one_record_beside_what_draws_it_and_one_slot():
    all_results = results(example_tables(), {"SLE_vs_HC": volcano([0.001, 0.9])})
    slots = {
        item.name
        for page in (all_results, all_results.of_disease("SLE"))
        for part in build_sections(page)
        for item in part.content
        if isinstance(item, FigureSlot)
    }
    assert {record.name for record in FIGURES} == slots
    assert len({record.name for record in FIGURES}) == len(FIGURES)
    for record in FIGURES:
        module = import_module(record.draw.__module__)
        assert record in module.FIGURES


def test_the_methods_say_of_a_kind_what_its_record_says(monkeypatch):
    all_results = results(example_tables())
    words = [kind.what for kind in KINDS.values()]
    views = [{"name": f"view-{kind}", "kind": kind, "path": "x.tsv"} for kind in KINDS]
    measured = dict.fromkeys([f"in_{view['name']}" for view in views] + ["in_odd"], True)
    of_all = replace(
        all_results,
        config=all_results.config | {"cohort": all_results.settings | {"views": views}},
        samples=all_results.samples.assign(**measured),
    )
    text = methods_text(of_all, software_versions(), described)
    assert all(one in text for one in words)
    new = replace(KINDS["beta"], name="invented", values="Ratios", what="were turned upside down")
    monkeypatch.setitem(KINDS, "invented", new)
    views.append({"name": "odd", "kind": "invented", "path": "x.tsv"})
    assert "Ratios (odd) were turned upside down." in methods_text(of_all, software_versions(), described)


def test_a_scale_that_was_taken_as_given_or_is_in_doubt_is_said(tables):
    view = {"name": "rna", "kind": "counts", "path": "c.tsv", "scale": "as_given"}
    reasons = ["`scale: as_given`, although the check found sums per sample of 1,000,000", "no value above 4.2"]
    tables["notes"] = pd.DataFrame(
        {
            "phase": "inputs",
            "view": "rna",
            "item": "values",
            "what": ["scale as given", "scale in doubt"],
            "reason": reasons,
        }
    )
    said = results(tables, cohort={"views": [view]})
    texts = [item for part in build_sections(said) for item in part.content if hasattr(item, "text")]
    for reason in reasons:
        assert any(reason in item.text and item.warning for item in texts)
    assert "The values of rna were taken as given: their scale was not checked" in methods_text(
        said, software_versions(), described
    )
    checked = results(example_tables(), cohort={"views": [view | {"scale": "checked"}]})
    assert "as given" not in methods_text(checked, software_versions(), described)


def test_the_page_says_what_single_controls_decide_and_who_was_left_out(tables):
    words = section(results(tables, min_cell=0), "interferon")
    assert "Leaving out any one control, 50 to 75 % of all patients lie above the cut-off; 6 change sides." in words
    assert (
        "Outlying controls left out of the reference: 1; with every control kept, 7 would have another class." in words
    )
    methods = methods_text(results(tables, min_cell=0), software_versions(), described)
    assert "Controls whose score was far above those of the others were left out of the reference (1)" in methods
    hidden = section(results(tables), "interferon")
    # the share of all patients would tell the one that is hidden
    assert "Leaving out any one control, 6 change sides among all patients." in hidden
    assert "Outlying controls left out of the reference: <5;" in hidden


def test_shallow_libraries_are_counted_apart_from_other_reasons(tables):
    classes = tables["classes"]
    classes.loc[:2, "ifn_class"] = "unscored"
    classes["reason"] = [f"too shallow a library: at 0.0{number} of the depth" for number in (1, 2)] + [None] * 10
    classes.loc[2, "reason"] = "under anti-IFN therapy"
    words = section(results(tables, min_cell=1), "interferon")
    assert "Unscored because of too shallow a library: 2." in words
    assert "Unscored because: under anti-IFN therapy." in words and "at 0.01 of the depth" not in words
