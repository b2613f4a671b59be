"""The report on factors, over all groups or of one disease."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from stratifn.report.claim_words import caveats, qualified
from stratifn.report.content import SHOWN_PADJ, SHOWN_WORDS, FigureSlot, Item, Table, Text, formatted
from stratifn.report.head_counts import SCORES
from stratifn.report.results import Results
from stratifn.report.small_cells import HIDDEN
from stratifn.shared.claims import NOT_COMPUTED, UNSUPPORTED, WEAK


def integration(results: Results) -> Iterator[Item]:
    """Write the section on integration of the overview."""
    share, least = (results.bound("factor", key) for key in ("seeds_matched", "seed_correlation"))
    rule = "" if share is None else f" (|r| of at least {least:g} in at least {100 * share:.0f} % of them)"
    yield Text(
        f"MOFA describes all views by a few factors. A factor is robust if other seeds find it too{rule}; "
        "only robust factors are used for strata."
    )
    yield FigureSlot("factor_overview")
    yield Text(interferon_factor(results))
    yield Table("robustness", "Factors over seeds", formatted(results.tables["robustness"]))
    for factor in results.tables["robustness"]["factor"]:
        found = results.standing("factor", factor)
        if found.verdict == WEAK:
            yield Text(f"{factor} is weak: {caveats(found)}.", warning=True)
    warnings = results.tables["warnings"]
    if len(warnings):
        yield Table("technical", "Factors that may be technical or redundant", formatted(warnings))
    yield Table("models", "Models", formatted(results.tables["seeds"]))
    called = _called(results)
    if len(called):
        strongest = called.groupby("factor").head(3).sort_values(["factor", "pvalue"], key=_natural)
        yield Table(
            "factor-associations",
            f"What the factors follow (three strongest per factor, {SHOWN_WORDS}; variables from a view that "
            "the factor was made from are not tested and only in factor_associations.tsv). Effect: Spearman's rho; "
            "for two groups the rank-biserial correlation; for more groups epsilon squared",
            formatted(_with_counts(strongest, results)),
        )
    yield FigureSlot("top_weights")
    yield FigureSlot("factors")


def interferon_factor(results: Results) -> str:
    """Say which factor is the interferon factor and by what evidence, or why none is."""
    said = results.tables["interferon_factor"].set_index("item")["value"]
    name = str(said["candidate"])
    if not name:
        return "No interferon factor: there are no factors, or too few scored samples."
    found = results.standing("interferon_factor", name)
    explained = results.tables["variance_explained"]
    r2 = explained[explained["factor"] == name].set_index("view")["r2"]
    genes = (
        f"; its weights separate the {said['genes']} signature genes from the other genes with AUC "
        f"{float(said['auc']):.2f}"
        if found.rows["signature_auc"]["verdict"] != NOT_COMPUTED
        else ""
    )
    by_view = ", ".join(f"{r2[view]:.1f} % of {view}" for view in results.views if view in r2)
    counted = results.heads.of_everybody(int(said["n"]), SCORES[0])
    samples = "" if counted == HIDDEN else f", {counted} samples"
    evidence = (
        f"{name} follows the interferon score (Spearman's rho {float(said['spearman']):.2f}{samples}){genes}; it "
        f"explains {by_view}"
    )
    if found.verdict == UNSUPPORTED:
        return f"No interferon factor. The closest is not supported: {caveats(found)}. {evidence}."
    sentence = f"Interferon factor: {evidence}"
    if found.rows["robust"]["verdict"] == NOT_COMPUTED:
        sentence += "; with one seed it is not known whether the factor is robust"
    return qualified(sentence, found)


def _with_counts(table: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Write the n of tests over the whole cohort."""
    counts = zip(table["n"].astype(int), table["variable"], strict=True)
    return table.assign(n=[results.heads.of_everybody(n, str(variable)) for n, variable in counts])


def _called(results: Results) -> pd.DataFrame:
    associations = results.tables["factor_associations"]
    return associations[associations["padj"] < SHOWN_PADJ].sort_values(["pvalue", "variable"])


def _natural(column: pd.Series) -> pd.Series:
    """Order Factor2 before Factor10."""
    return column.str.extract(r"(\d+)$")[0].astype(int) if column.name == "factor" else column


def factors_of_disease(results: Results) -> Iterator[Item]:
    """Write the section on factors of one disease."""
    others = "the other diseases" if results.control is None else results.control
    yield Text(
        f"Factors on which the groups of the cohort differ ({SHOWN_WORDS}), and the values of {results.disease} and of "
        f"{others} on them. The difference is described, not tested again. The overview describes the model."
    )
    yield Text(interferon_factor(results))
    differences = factor_differences(results)
    if differences.empty:
        yield Text("The groups differ on no factor.")
    else:
        yield Table(
            "factor-differences",
            f"Rank-biserial correlation: 1 if every patient with {results.disease} is higher than all of {others}, 0 if "
            "neither group is higher, -1 if every patient is lower",
            formatted(differences),
        )
    yield FigureSlot("factors")


def factor_differences(results: Results) -> pd.DataFrame:
    """Compare one disease with the controls, or with the other diseases, on every factor on which the groups differ.

    Returns
    -------
    pandas.DataFrame
        factor, robust, median of the disease, median of the others, rank-biserial correlation, what else the factor
        follows; the largest difference first.
    """
    called = _called(results)
    by_disease = called["variable"].eq("disease") | called["variable"].str.startswith("disease[")
    values = results.tables["factors"].set_index("sample")
    here = results.disease_of.reindex(values.index) == results.disease
    others = "median of the others" if results.control is None else f"median of {results.control}"
    rows = []
    for factor in called.loc[by_disease, "factor"]:
        follows = called.loc[~by_disease & (called["factor"] == factor), "variable"].head(2)
        rows.append(
            {
                "factor": factor,
                "robust": factor in results.robust_factors,
                f"median of {results.disease}": values.loc[here, factor].median(),
                others: values.loc[~here, factor].median(),
                "rank-biserial correlation": rank_biserial(values.loc[here, factor], values.loc[~here, factor]),
                "the factor also follows": ", ".join(follows),
            }
        )
    table = pd.DataFrame(rows).replace({"the factor also follows": {"": None}}).dropna(axis="columns", how="all")
    return (
        table if table.empty else table.sort_values("rank-biserial correlation", key=lambda r: -r.abs(), kind="stable")
    )


def rank_biserial(first: pd.Series, second: pd.Series) -> float:
    """Return how much more often the first is higher than the second than the other way round (-1 to 1)."""
    if first.empty or second.empty:
        return float("nan")
    ranks = pd.concat([first, second]).rank().iloc[: len(first)]
    return float(2 * (ranks.mean() - (len(first) + 1) / 2) / len(second) - 1)
