"""The methods text says what was used, in numbers of the tables, and nothing of what did not run."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stratifn.interferon.cutoffs import RULES
from stratifn.interferon.methods import METHODS
from stratifn.normalization import described
from stratifn.registry.knowledge import load_knowledge
from stratifn.report import methods_text, pages_of, render
from stratifn.report.methods.differential_expression import STRATA
from stratifn.report.methods.interferon import CUTOFFS, SCORES
from stratifn.report.methods.references import NAMES, PAPERS, Citations
from stratifn.report.methods.stratification import NOT_ROBUST, SCORES_OF_LABELS
from stratifn.running.installation import software_versions
from stratifn.shared.claims import EVERYBODY, Measured, judged
from stratifn.stratification.labels import LABEL_RULES
from stratifn.stratification.space import factor_space
from unit.test_report import MADE, example_tables, results, volcano


def said(tables=None, contrasts=None, cohort=None, section=None, **report) -> str:
    """The methods of the example, with some tables, settings of the cohort or of a section replaced."""
    contrasts = {"SLE_vs_HC": volcano([0.001, 0.9])} if contrasts is None else contrasts
    shown = results(example_tables() | (tables or {}), contrasts, cohort, **report)
    for name, values in (section or {}).items():
        shown.config[name].update(values)
    return methods_text(shown, software_versions(), described)


def notes(**row: str) -> pd.DataFrame:
    return pd.DataFrame([{"phase": "", "view": "rna", "item": "", "what": "", "reason": ""} | row])


# --- people -----------------------------------------------------------------------------------------------------------


def test_people_are_counted_per_group_and_view():
    text = said(min_cell=0)
    assert "12 people: 5 with SLE, 3 with pSS and 4 healthy controls (HC)" in text
    assert "The data were rna (12 people)." in text


def test_small_groups_are_not_counted():
    text = said({"reference": example_tables()["reference"].assign(n_controls=3)})
    assert "5 with SLE, fewer than 5 with pSS and fewer than 5 healthy controls (HC)" in text
    assert "rna (more than 5 people)" in text
    assert "12 people" not in text and not re.search(r"\b[34] (with|healthy)", text)
    # how many controls are left would tell how many were left out
    assert "The reference consisted of fewer than 5 healthy controls" in text
    assert "left out of the reference (fewer than 5)" in text


def test_controls_who_are_not_healthy_are_called_so():
    text = said(cohort={"control_type": "sicca"})
    assert "controls who were not healthy (HC)" in text and "healthy controls" not in text


def test_samples_of_the_same_people_are_called_samples():
    shown = results(example_tables(), min_cell=0)
    shown = replace(shown, samples=shown.samples.assign(patient=["a"] * 2 + list("bcdefghijk")))
    text = methods_text(shown, software_versions(), described)
    assert "12 samples of 11 people" in text and "rna (12 samples)" in text


# --- normalization ----------------------------------------------------------------------------------------------------


def test_kept_genes_are_those_of_the_tables():
    dropped = notes(phase="normalization", item="7 genes", what="dropped")
    used = notes(phase="normalization", item="size factors", what="55 of 67 genes used")
    tables = {"notes": pd.concat([dropped, used], ignore_index=True)}
    text = said(tables, min_cell=0)
    assert "medians of ratios, from 55 of 67 genes" in text
    rule = "those with at least 10 counts in as many samples as the smallest group has"
    assert f"Of the 67 genes of rna, 60 were kept: {rule} (3), and those of the signature registry." in text
    assert f"{rule}, and" in said(tables)
    assert "counted at least 0 times" not in said(section={"normalization": {"min_count": 0}})


def test_borrowed_size_factors_are_said():
    views = [{"name": "rna", "kind": "counts"}, {"name": "te", "kind": "counts", "size_factors": "rna"}]
    shown = results(example_tables(), cohort={"views": views})
    shown = replace(shown, samples=shown.samples.assign(in_te=True))
    assert "The size factors of te were those of rna." in methods_text(shown, software_versions(), described)


# --- differential expression ------------------------------------------------------------------------------------------


def test_nothing_is_said_of_comparisons_that_were_not_made():
    text = said(contrasts={})
    for word in ("compared between", "CAMERA", "apeGLM", "permuted", "rank-sum"):
        assert word not in text


def test_gene_sets_are_counted_by_where_they_come_from():
    assert "CAMERA" not in said(tables={"enrichment": example_tables()["enrichment"].iloc[:0]})
    sets = pd.DataFrame(
        {
            "contrast": "SLE_vs_HC",
            "gene_set": ["A", "B", "C", "D"],
            "source": ["10.1038/ni.2789", "10.1000/xyz;PMID:123", "own.gmt: mine", "own.gmt"],
            "pvalue": [0.1, 0.2, 0.3, 0.4],
        }
    )
    text = said({"enrichment": sets})
    assert re.search(
        r"4 gene sets were tested .*: 2 of stratifn's signature registry \[\d+-\d+\] and 2 of own.gmt\.", text
    )
    assert "Source of B. https://doi.org/10.1000/xyz" in text
    assert "Source of B. https://pubmed.ncbi.nlm.nih.gov/123/" in text


@pytest.mark.parametrize(("made", "times"), [(10, "10 times"), (1, "once"), (0, "")])
def test_permutations_are_those_that_were_made(made, times):
    text = said({"permutation": pd.DataFrame({"contrast": ["SLE_vs_HC"], "permutations": [made]})})
    assert ("permuted" in text) == bool(made)
    assert f"permuted {times} within sex" in text or not made


def test_the_model_is_the_one_that_was_fitted():
    assert "one negative binomial model" in said()
    summary = example_tables()["differential_expression_summary"].assign(model="moderated t")
    text = said({"differential_expression_summary": summary})
    assert "moderated t" in text and "negative binomial" not in text and "Cook" not in text


def test_only_what_happened_is_said_of_outlying_counts():
    assert "Genes with an outlying count (by Cook's distance) were left without a p value" in said()
    continuous = "With the continuous covariate age ... (Cook's distance) are neither replaced nor flagged, as in R."
    assert "Cook" not in said({"notes": notes(phase="differential_expression", what="model", reason=continuous)})


def test_the_design_has_only_terms_that_were_fitted():
    text = said(cohort={"design": "disease + batch + age"})
    assert "with the design disease." in text
    design = example_tables()["design"].assign(age=0.1)
    assert "with the design disease + age (age centred" in said(
        {"design": design}, cohort={"design": "disease + batch + age"}
    )


def test_contrasts_of_the_configuration_are_named():
    own = [
        {"name": "arms", "factor": "arm", "level": "drug", "baseline": "placebo", "coefficients": None},
        {"name": "by_sex", "factor": None, "coefficients": {"disease[SLE]:sex[M]": 1}},
    ]
    contrasts = {name: volcano([0.001, 0.9]) for name in ("SLE_vs_HC", "arms", "by_sex")}
    summary = example_tables()["differential_expression_summary"]
    summary = pd.concat([summary.assign(contrast=name) for name in contrasts], ignore_index=True)
    shown = results(example_tables() | {"differential_expression_summary": summary}, contrasts)
    shown.config["contrasts"] = own
    text = methods_text(shown, software_versions(), described)
    assert "between SLE and HC" in text and "drug and placebo of arm (arms)" in text
    assert "by_sex (+1 disease[SLE]:sex[M])" in text


def test_every_pair_is_named_in_a_word_only_where_all_were_compared():
    both = {"SLE_vs_HC": volcano([0.1]), "pSS_vs_HC": volcano([0.1])}
    summary = pd.DataFrame({"contrast": list(both), "rank_calls": 1, "model": "negative binomial"})
    text = said({"differential_expression_summary": summary}, both)
    assert "between each disease and the controls (2 contrasts)" in text and "pair of diseases" not in text
    assert "between SLE and HC by" in said()


def test_shrinkage_is_said_where_any_effect_was_shrunken():
    assert "apeGLM" not in said()
    shrunken = volcano([0.001, 0.9]).assign(log2FoldChangeShrunk=0.1)
    assert "apeGLM" in said(contrasts={"SLE_vs_HC": shrunken})


# --- interferon -------------------------------------------------------------------------------------------------------


def test_the_signature_is_told_with_genes_and_sources():
    text = said()
    record = load_knowledge().registry.signature("RICE_CROW_6")
    assert all(symbol in text for symbol in record.symbols)
    assert all(f"https://doi.org/{doi}" in text for doi in record.genes[0].source.split(";"))
    assert "which has 6 genes (" in text and "; 5 of them were found" in text


def test_the_cut_off_is_that_of_the_table():
    assert "the mean plus 2 SD of the controls' scores (1.1; 95 % bootstrap interval 0.9 to 1.3)" in said()
    assert "100 studentised bootstraps" in said()


def test_of_unscored_cohorts_nothing_is_said_but_scores_by_rank():
    classes = example_tables()["classes"].assign(ifn_class="unscored", reason="this run has no controls")
    empty = {"classes": classes, "scores": example_tables()["scores"].assign(score=np.nan)}
    text = said(empty)
    assert "signature was classed" not in text and "cut-off" not in text and "RICE_CROW_6" not in text
    text = said({"classes": classes, "scores": example_tables()["scores"].assign(method="singscore")})
    assert "No interferon signature was classed (this run has no controls)." in text and "singscore [" in text
    assert "bootstrap interval" not in text


def test_a_frozen_reference_is_said_and_own_controls_are_not():
    text = said(section={"interferon": {"reference": "elsewhere"}})
    assert "were those of a frozen reference from another run" in text and "The reference consisted of" not in text
    assert "The cut-off was that of the reference (1.1; 95 % bootstrap interval 0.9 to 1.3)" in text
    # its settings are not those of this configuration
    assert "plus 2 SD" not in text and "100 studentised" not in text


def test_every_method_cut_off_and_label_has_its_words():
    assert set(SCORES) == set(METHODS)
    assert set(CUTOFFS) == set(RULES)
    assert set(SCORES_OF_LABELS) == {rule.label for rule in LABEL_RULES if rule.genes}


def test_words_of_the_phases_that_the_text_looks_for_are_theirs():
    from stratifn.differential_expression.permutation import STRATA as OF_THE_PHASE

    assert STRATA == OF_THE_PHASE
    variance = pd.DataFrame({"view": "rna", "factor": ["Factor1", "Factor2"], "r2": [2.0, 1.0]})
    space = factor_space(pd.DataFrame({"Factor1": [0.0, 1.0], "Factor2": [0.0, 1.0]}), variance, ["Factor1"])
    assert space.dropped == {"Factor2": NOT_ROBUST}


def test_associations_and_adjustment_for_cells_are_said_where_they_were_made():
    assert "Associations of the score with activity were tested within each disease" in said()
    assert "adjusted for the composition of cells" not in said()
    cells = example_tables()["confounding"].assign(kind="cells")
    text = said({"confounding": cells})
    assert "difference of each disease from the controls was also adjusted for the composition of cells" in text
    assert "Associations of the score" not in text


# --- factors and strata -----------------------------------------------------------------------------------------------


def test_selected_features_are_those_of_the_table():
    assert "from the 50 most variable of 60 features of rna" in said(section={"integration": {"top_features": 5000}})
    whole = example_tables()["features"].assign(selected=60)
    text = said({"features": whole})
    assert "all features (60 of rna)" in text and "5000" not in text and "most variable" not in text


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (["age", "sex[M]"], "with the columns of the sample sheet were"),
        (["age", "score:RICE_CROW_6", "rna:IL6"], "with the columns of the sample sheet, the interferon score and the features of rna were"),
        (["rna:IL6"], "with the features of rna were"),
        (["a column: of the sheet"], "with the columns of the sample sheet were"),
    ],
)  # fmt: skip
def test_associations_of_factors_are_those_that_were_tested(variables, words):
    table = pd.DataFrame({"factor": "Factor1", "variable": variables, "test": "spearman", "pvalue": 0.1})
    text = said({"factor_associations": table})
    assert f"Associations of the factors {words} tested by Spearman's rank correlation, with" in text
    assert "Associations of the factors" not in said({"factor_associations": table.assign(pvalue=np.nan)})


def test_what_was_done_before_the_model_is_said_where_it_was_done():
    text = said()
    assert "regressed out" not in text and "views were left out" not in text and "People in whom" not in text
    settings = {"integration": {"regress_out": "batch", "min_views": 2, "scale_views": False}}
    text = said(section=settings)
    assert (
        "Effects of batch were regressed out before" in text and "People with fewer than 2 views were left out" in text
    )
    assert "divided by the overall SD of their view" not in text


def test_the_numbers_of_strata_are_those_tried():
    text = said(section={"stratification": {"clusters": [2, 8]}})
    assert "For 2 to 3 strata" in text and "2 to 8" not in text
    assert "p = 0.005 (alpha 0.05), so more than one stratum was accepted" in text
    assert re.search(r"was taken: 2 \(Jaccard index 0.9, BIC 1234\)", text)


def test_neighbouring_factors_are_a_range():
    summary = example_tables()["stratification_summary"].set_index("item")
    summary.loc["factors", "value"] = "Factor1 Factor2 Factor4 Factor5 Factor6"
    text = said({"stratification_summary": summary.reset_index()})
    assert "5 robust factors (Factor1, Factor2 and Factor4 to Factor6)" in text


def test_unstable_strata_are_told_as_the_most_stable():
    table = example_tables()["selection"].assign(stability=[np.nan, 0.7, 0.6])
    assert "the most stable was taken, 2 (Jaccard index 0.7), and its strata are called weak" in said(
        {"selection": table}
    )


def one_stratum(pvalue: float, reason: str = "") -> dict[str, pd.DataFrame]:
    tables = example_tables()
    summary = tables["stratification_summary"].set_index("item")
    summary.loc["null_pvalue", "value"] = str(pvalue)
    verdicts = tables["verdicts"]
    kept = verdicts[~verdicts["claim"].isin(["strata", "stratum_label"])]
    judgement = judged("strata", EVERYBODY, [Measured("null_pvalue", pvalue, 0.05, reason)])
    return {
        "stratification_summary": summary.reset_index(),
        "stability": tables["stability"].iloc[:1].assign(label="1", jaccard=np.nan),
        "verdicts": pd.concat([kept, judgement], ignore_index=True),
    }


def test_of_one_stratum_nothing_is_said_of_numbers_and_labels():
    text = said(one_stratum(0.355))
    assert "p = 0.355 (alpha 0.05), so everybody was left in one stratum" in text
    for word in ("BIC", "Jaccard", "healthy-like", "Gaussian mixture", "was taken"):
        assert word not in text


def test_strata_that_could_not_be_sought_have_the_reason():
    text = said(one_stratum(np.nan, "no robust factor to stratify by"))
    assert "Strata were not sought: no robust factor to stratify by." in text and "consensus clustering" not in text


def test_without_a_view_rna_genes_and_interferon_are_not_mentioned():
    classes = example_tables()["classes"].assign(ifn_class="unscored", reason="there is no view rna")
    tables = {
        "classes": classes,
        "scores": example_tables()["scores"].iloc[:0],
        "features": pd.DataFrame(
            {"view": ["cells"], "samples": [12], "features": [9], "eligible": [9], "selected": [9]}
        ),
    }
    shown = results(example_tables() | tables, {}, {"views": [{"name": "cells", "kind": "proportion"}]})
    shown = replace(shown, samples=shown.samples.drop(columns="in_rna").assign(in_cells=True))
    text = methods_text(shown, software_versions(), described)
    assert "rna" not in text.replace("RNA-seq", "").replace("journal", "").replace("International", "")
    assert "signature RICE" not in text and "Gene expression" not in text
    assert "all features (9 of cells)" in text


# --- references -------------------------------------------------------------------------------------------------------


def test_references_are_numbered_as_cited_and_none_is_left_over():
    text, _, listed = said().partition("## References")
    cited = {int(number) for run in re.findall(r"\[([\d, -]+)\]", text) for number in numbers(run)}
    lines = listed.strip().splitlines()
    assert cited == set(range(1, len(lines) + 1))
    assert [line.split(". ")[0] for line in lines] == [str(number) for number in sorted(cited)]
    in_order = [number for run in re.findall(r"\[([\d, -]+)\]", text) for number in numbers(run)]
    assert all(number <= max([0, *in_order[:place]]) + 1 for place, number in enumerate(in_order))


def numbers(run: str) -> list[int]:
    found = []
    for part in run.split(", "):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def test_every_reference_has_its_doi():
    assert set(NAMES.values()) <= set(PAPERS)
    _, _, listed = said().partition("## References")
    assert all(re.search(r" https://doi\.org/10\.\d+/\S+$", line) for line in listed.strip().splitlines())


def test_runs_of_numbers_are_ranges():
    cite = Citations()
    assert cite("MOFA", "BIC", "gap") == "[1-3]"
    assert cite("EULAR") == "[4]"
    assert cite("MOFA", "EULAR", "gap") == "[1, 3, 4]"


def test_a_reference_is_a_link_on_the_page_and_the_text_can_be_copied():
    shown = results(example_tables())
    text = methods_text(shown, software_versions(), described)
    page = render(pages_of(shown, text, MADE)["index"], {}, MADE)
    doi = "https://doi.org/10.1186/s13059-014-0550-8"
    assert f'<a href="{doi}">{doi}</a></li>' in page
    button = re.search(r'<button type="button" class="copy" data-copies="([\w-]+)" hidden>', page)
    assert button is not None and f'id="{button.group(1)}"' in page
