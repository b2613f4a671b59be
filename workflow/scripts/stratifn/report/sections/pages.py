"""The contents of each page of the report: sentences, tables and figures, from the results alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stratifn.report.claim_words import caveats, qualified
from stratifn.report.content import Item, Section, first_reason
from stratifn.report.results import Results
from stratifn.report.sections.cohort import patients, quality, who_was_analysed
from stratifn.report.sections.expression import called_sentence, differential_expression, expression_of_disease
from stratifn.report.sections.factors import factors_of_disease, integration, interferon_factor
from stratifn.report.sections.interferon import interferon
from stratifn.report.sections.strata import one_stratum, strata_sentence, stratification
from stratifn.shared.claims import Standing


def build_sections(results: Results) -> list[Section]:
    """Write every section of a page, in reading order."""
    sections = OVERVIEW_SECTIONS if results.disease is None else DISEASE_SECTIONS
    return [Section(name, title, tuple(write(results))) for name, title, write in sections]


def headline(results: Results) -> list[str]:
    """Answer the pipeline's question in a few sentences, with the evidence."""
    return _headline_of_cohort(results) if results.disease is None else _headline_of_disease(results)


def _headline_of_cohort(results: Results) -> list[str]:
    return [*_interferon(results, results.diseases), _strata_of_cohort(results), *_factors(results)]


def _interferon(results: Results, diseases: list[str]) -> list[str]:
    """Say how many patients of each disease are high: diseases of one verdict in one sentence."""
    classes = results.tables["classes"]
    shares = _shares(results, diseases)
    if not shares:
        chosen = classes if results.disease is None else classes[classes["disease"] == results.disease]
        return [f"No ISG expression signature was called: {results.tidied(first_reason(chosen))}."]
    signature = results.config["interferon"]["signature"]
    by_verdict: dict[tuple[str, str], tuple[list[str], Standing]] = {}
    for disease, share in shares.items():
        found = results.standing("prevalence", disease)
        by_verdict.setdefault((found.verdict, caveats(found)), ([], found))[0].append(share)
    return [
        qualified(
            f"Positive ISG expression signature (score above the cut-off), {signature}, with 95 % interval"
            f"{'s' if len(named) > 1 else ''}: {', '.join(named)}",
            found,
        )
        for named, found in by_verdict.values()
    ]


def _shares(results: Results, groups: list[str]) -> dict[str, str]:
    """Write the share with a positive signature and its interval, by group."""
    table = results.tables["prevalence"]
    signature = results.config["interferon"]["signature"]
    own = table[(table["signature"] == signature) & table["prevalence"].notna()]
    rows = {row["disease"]: row for row in own.to_dict("records")}
    return {group: f"{group} {results.heads.share(rows[group]).words}" for group in groups if group in rows}


def _strata_of_cohort(results: Results) -> str:
    whom = "patients" if results.control is None else "patients and controls"
    if results.one_stratum:
        return one_stratum(results)
    return strata_sentence(results, f"The {whom} fall into {len(results.stratum_names)} strata across diagnoses")


def _factors(results: Results) -> list[str]:
    explained = results.tables["variance_explained"]
    totals = explained[explained["factor"] == "total"].set_index("view")["r2"]
    robustness = results.tables["robustness"]
    by_view = ", ".join(f"{totals[view]:.0f} % of {view}" for view in results.views if view in totals)
    robust = (
        f"With one seed it is not known whether the {len(robustness)} MOFA factors are robust"
        if robustness["robust"].isna().all()
        else f"{len(results.robust_factors)} of {len(robustness)} MOFA factors are robust over seeds"
    )
    return [f"{robust}; together all factors explain {by_view}.", interferon_factor(results)]


def _headline_of_disease(results: Results) -> list[str]:
    return [
        *_interferon(results, [str(results.disease)]),
        *(called_sentence(results, name) for name in results.main_contrasts),
        _strata_of_disease(results),
    ]


def _strata_of_disease(results: Results) -> str:
    if results.one_stratum:
        return one_stratum(results)
    names, words = results.heads.shown_strata, results.heads.by_stratum.words.loc[results.disease]
    weak = {n: " (weak label)" if results.standing("stratum_label", n).fails else "" for n in names}
    parts = [f"{name}{weak[number]}: {words[number]}" for number, name in names.items() if words[number] != "0"]
    return strata_sentence(results, f"Patients with {results.disease} by stratum: {'; '.join(parts)}")


Write = Callable[[Results], Iterator[Item]]
OVERVIEW_SECTIONS: tuple[tuple[str, str, Write], ...] = (
    ("cohort", "Who was analysed, and what was left out", who_was_analysed),
    ("quality", "Quality", quality),
    ("differential-expression", "Differential expression", differential_expression),
    ("interferon", "Interferon-stimulated genes", interferon),
    ("integration", "Integration", integration),
    ("strata", "Strata across diagnoses", stratification),
    ("patients", "Patients", patients),
)
DISEASE_SECTIONS: tuple[tuple[str, str, Write], ...] = (
    ("cohort", "Who was analysed, and what was left out", who_was_analysed),
    ("quality", "Quality", quality),
    ("differential-expression", "Differential expression", expression_of_disease),
    ("interferon", "Interferon-stimulated genes", interferon),
    ("integration", "Factors", factors_of_disease),
    ("strata", "Strata", stratification),
    ("patients", "Patients", patients),
)
