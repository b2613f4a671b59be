"""What each page of the report says: sentences, tables and figures, from the results alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stratifn.report.cohort_sections import patients, quality, who_was_analysed
from stratifn.report.content import Item, Section, first_reason, people
from stratifn.report.expression_sections import differential_expression, expression_of_disease
from stratifn.report.interferon_sections import interferon
from stratifn.report.results import Results
from stratifn.report.strata_sections import factors_of_disease, integration, stratification


def build_sections(results: Results) -> list[Section]:
    """Write every section of a page, in reading order."""
    sections = OVERVIEW_SECTIONS if results.disease is None else DISEASE_SECTIONS
    return [Section(name, title, tuple(write(results))) for name, title, write in sections]


def headline(results: Results) -> list[str]:
    """Answer the pipeline's question in a few sentences, with what they rest on."""
    return _headline_of_cohort(results) if results.disease is None else _headline_of_disease(results)


def _headline_of_cohort(results: Results) -> list[str]:
    shares = _shares(results, results.diseases)
    signature = results.config["interferon"]["signature"]
    interferon = (
        f"Positive ISG expression signature (score above the cut-off), {signature}, with 95 % intervals: {', '.join(shares)}."
        if shares
        else f"No ISG expression signature was called: {first_reason(results.tables['classes'])}."
    )
    whom = "patients" if results.control is None else "patients and controls"
    strata = (
        "The data do not support more than one stratum."
        if results.one_stratum
        else f"The {whom} fall into {len(results.stratum_names)} strata across diagnoses."
    )
    explained = results.tables["variance_explained"]
    totals = explained[explained["factor"] == "total"].set_index("view")["r2"]
    robustness = results.tables["robustness"]
    by_view = ", ".join(f"{totals[view]:.0f} % of {view}" for view in results.views if view in totals)
    robust = (
        f"Whether the {len(robustness)} MOFA factors are robust is not known, with one seed"
        if robustness["robust"].isna().all()
        else f"{len(results.robust_factors)} of {len(robustness)} MOFA factors are robust over seeds"
    )
    factors = f"{robust}; together all factors explain {by_view}."
    return [interferon, strata, factors]


def _shares(results: Results, groups: list[str]) -> list[str]:
    """Write the share with a positive signature and its interval, group by group."""
    table = results.tables["prevalence"]
    signature = results.config["interferon"]["signature"]
    own = table[(table["signature"] == signature) & table["prevalence"].notna()].set_index("disease")
    return [
        f"{group} {100 * own.loc[group, 'prevalence']:.0f} % ({100 * own.loc[group, 'ci_low']:.0f} to "
        f"{100 * own.loc[group, 'ci_high']:.0f})"
        for group in groups
        if group in own.index
    ]


def _headline_of_disease(results: Results) -> list[str]:
    shares = _shares(results, [results.disease])
    signature = results.config["interferon"]["signature"]
    classes = results.tables["classes"]
    interferon = (
        f"Positive ISG expression signature (score above the cut-off), {signature}, with its 95 % interval: {shares[0]}."
        if shares
        else f"No ISG expression signature was called: {first_reason(classes[classes['disease'] == results.disease])}."
    )
    summary = results.tables["differential_expression_summary"].set_index("contrast")
    called = [
        f"{summary.loc[name, 'up']} genes higher and {summary.loc[name, 'down']} lower in "
        f"{name.replace('_vs_', ' than in ')}"
        for name in results.main_contrasts
        if name in summary.index
    ]
    alpha = results.config["differential_expression"]["alpha"]
    expression = f"At a false discovery rate of {alpha:g}: {'; '.join(called)}." if called else ""
    return [sentence for sentence in (interferon, expression, _strata_of_disease(results)) if sentence]


def _strata_of_disease(results: Results) -> str:
    if results.one_stratum:
        return "The data do not support more than one stratum."
    strata = results.tables["strata"]
    names = results.stratum_names
    counts = strata.loc[strata["disease"] == results.disease, "stratum"].value_counts().sort_index()
    parts = [f"{names[number]}: {people(int(count), results.min_cell)}" for number, count in counts.items()]
    return f"Its patients by stratum ({results.disease} alone): {'; '.join(parts)}."


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
