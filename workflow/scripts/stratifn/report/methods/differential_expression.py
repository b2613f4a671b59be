"""What was compared, by which model, and what the calls were checked against."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from stratifn.report.methods.references import Citations, is_cited
from stratifn.report.methods.words import measured_in, series, times
from stratifn.report.results import Results
from stratifn.shared.vocabulary import RNA

NEGATIVE_BINOMIAL = "negative binomial"
# within what labels are permuted, where the sheet has it of everybody
STRATA = ("batch", "sex")


def differential_expression(results: Results, cite: Citations) -> str:
    """Write the paragraph on differential expression and gene sets; empty where nothing was compared."""
    if not results.tested_contrasts:
        return ""
    parts = (
        _model(results, cite),
        _calls(results, cite),
        _permutations(results),
        _rank_sum(results, cite),
        _across_diseases(results),
        _gene_sets(results, cite),
        _interferon_status(results),
    )
    return " ".join(part for part in parts if part)


def _summary(results: Results) -> pd.DataFrame:
    table = results.tables["differential_expression_summary"].set_index("contrast")
    return table.reindex(results.tested_contrasts)


def _counts(results: Results) -> bool:
    return bool(_summary(results)["model"].eq(NEGATIVE_BINOMIAL).any())


def _model(results: Results, cite: Citations) -> str:
    if _counts(results):
        model = f"one negative binomial model of the counts with Wald tests and independent filtering {cite('DESeq2')}"
    else:
        model = f"one linear model of the values with empirical Bayes moderated t statistics {cite('limma')}"
    fitted = str(len(results.tables["design"]))
    samples = f" to {fitted} samples" if fitted == measured_in(results, RNA) else ""
    return (
        f"Gene expression was compared between {_compared(results)} by {model}, fitted{samples} with the design "
        f"{_fitted_terms(results)}{_standardised(results)}.{_outliers(results)}"
    )


def _compared(results: Results) -> str:
    """Name what was compared: every disease and the controls, every pair of diseases, or one pair after another."""
    names = results.tested_contrasts
    controls = [f"{disease}_vs_{results.control}" for disease in results.diseases]
    pairs = [f"{first}_vs_{second}" for first, second in combinations(results.diseases, 2)]
    words = []
    for every, what in ((controls, "each disease and the controls"), (pairs, "each pair of diseases")):
        made = [name for name in every if name in names]
        if len(every) > 1 and made == every:
            words.append(what)
        else:
            words += [" and ".join(name.split("_vs_")) for name in made]
    words += [_own_contrast(results, name) for name in names if name not in (*controls, *pairs)]
    count = f" ({len(names)} contrasts)" if len(words) < len(names) else ""
    return " and between ".join(words) + count


def _own_contrast(results: Results, name: str) -> str:
    known: Mapping[str, Any] = next((each for each in results.config["contrasts"] if each["name"] == name), {})
    if known.get("factor"):
        return f"{known['level']} and {known['baseline']} of {known['factor']} ({name})"
    coefficients = known.get("coefficients") or {}
    terms = " ".join(f"{weight:+g} {term}" for term, weight in coefficients.items())
    return f"{name} ({terms})" if terms else name


def _columns(results: Results) -> list[str]:
    return [str(column) for column in results.tables["design"] if column not in ("sample", "Intercept")]


def _fitted_terms(results: Results) -> str:
    """Return the terms of the design that the fitted matrix has columns of."""
    fitted = {tuple(part.partition("[")[0] for part in column.split(":")) for column in _columns(results)}
    terms = [term.strip() for term in str(results.settings["design"]).split("+")]
    return " + ".join(term for term in terms if tuple(part.strip() for part in term.split(":")) in fitted)


def _standardised(results: Results) -> str:
    numbers = [column for column in _columns(results) if "[" not in column and ":" not in column]
    return (
        f" ({series(numbers)} centred and divided by {'its' if len(numbers) == 1 else 'their'} SD)" if numbers else ""
    )


def _outliers(results: Results) -> str:
    """Say what was done about outlying counts; with a continuous covariate nothing is."""
    notes = results.tables["notes"]
    own = notes.loc[(notes["phase"] == "differential_expression") & (notes["what"] == "model"), "reason"].astype(str)
    if not _counts(results) or own.str.contains("neither replaced nor flagged", regex=False).any():
        return ""
    if own.str.contains("Outlying counts were replaced", regex=False).any():
        return " Outlying counts (by Cook's distance) were replaced, or their genes were left without a p value."
    return " Genes with an outlying count (by Cook's distance) were left without a p value."


def _calls(results: Results, cite: Citations) -> str:
    settings = results.config["differential_expression"]
    threshold = settings["lfc_threshold"]
    null = f" The null hypothesis was an absolute log2 fold change of at most {threshold:g}." if threshold else ""
    adjusted = cite("BH")
    shrunken = [results.contrasts[name]["log2FoldChangeShrunk"].notna().any() for name in results.tested_contrasts]
    shrunk = f" Log2 fold changes were also shrunken by apeGLM {cite('apeGLM')}." if any(shrunken) else ""
    return (
        f"P values were adjusted within each contrast {adjusted}, and genes were called at a false discovery rate of "
        f"{settings['alpha']:g}.{null}{shrunk}"
    )


def _permutations(results: Results) -> str:
    table = results.tables["permutation"].set_index("contrast")["permutations"]
    made = table[table > 0]
    if made.empty:
        return ""
    within = [column for column in STRATA if column in results.samples and results.samples[column].notna().all()]
    words = f" within {series(within)}" if within else ""
    often = "once" if made.max() == 1 else f"{int(made.max())} times"
    return (
        f"As a negative control, the labels of the groups were permuted {often}{words}, the model was "
        "refitted, and calls were counted."
    )


def _rank_sum(results: Results, cite: Citations) -> str:
    if not _summary(results)["rank_calls"].notna().any():
        return ""
    values = "normalised counts" if _counts(results) else "values"
    return (
        f"Each comparison of two groups was repeated with Wilcoxon's rank-sum test {cite('rank-sum')} of the {values}, without "
        "covariates."
    )


def _across_diseases(results: Results) -> str:
    if not results.tables["cross_disease"]["pooled_padj"].notna().any():
        return ""
    return (
        "Because the diseases share their controls, effects were pooled across diseases by generalised least squares with the "
        "covariance of the one fit. A gene was classed as shared by all diseases, or as specific to some of them, by the largest "
        "of the p values that the class requires."
    )


def _gene_sets(results: Results, cite: Citations) -> str:
    tested = results.tables["enrichment"].dropna(subset=["pvalue"]).drop_duplicates("gene_set")
    if tested.empty:
        return ""
    values = "transformed values" if _counts(results) else "values"
    test = f"CAMERA {cite('CAMERA')}"
    cited = tested["source"].map(is_cited)
    published = tested[cited].set_index("gene_set")["source"].to_dict()
    others = tested.loc[~cited, "source"].str.partition(": ")[0].value_counts(sort=False)
    collections = [f"{len(published)} of stratifn's signature registry {cite.sources(published)}"] if published else []
    collections += [f"{count} of {source}" for source, count in others.items()]
    return (
        f"With {test}, {times(len(tested), 'gene set')} {'was' if len(tested) == 1 else 'were'} tested on the {values}, "
        f"with the same design: {series(collections)}."
    )


def _interferon_status(results: Results) -> str:
    table = results.tables["interferon_status"]
    if not table["tested"].gt(0).any():
        return ""
    return (
        "Patients with a high and patients with a low interferon signature (defined below) were compared in a second fit, adjusted "
        "for the disease. This comparison is descriptive, because the genes of the signature defined the groups; they have no p "
        "value there."
    )
