"""What the report says of factors and of strata, over all groups or of one disease."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from stratifn.report.content import FigureSlot, Item, Table, Text, cell, formatted, people, small_cells
from stratifn.report.results import Results


def integration(results: Results) -> Iterator[Item]:
    """Write the section on integration of the overview."""
    yield Text(
        "MOFA describes all views at once by a few factors. A factor is robust when it is found with other seeds too "
        "(|r| of at least 0.95 in at least 80 % of them); strata rest on robust factors alone."
    )
    yield FigureSlot("variance_explained")
    yield _interferon_factor(results)
    yield Table("Factors over seeds", formatted(results.tables["robustness"], 0))
    warnings = results.tables["warnings"]
    if len(warnings):
        yield Table("Factors to be careful with", formatted(warnings, 0))
    yield Table("Models", formatted(results.tables["seeds"], 0))
    called = _called(results)
    if len(called):
        strongest = called.groupby("factor").head(3).sort_values(["factor", "pvalue"], key=_natural)
        yield Table(
            "What the factors follow (strongest three each, adjusted p below 0.05; variables from a view of the "
            "factor's own are described in factor_associations.tsv and not tested). Effect: Spearman's rho, for two groups "
            "the rank-biserial correlation, for more epsilon squared",
            formatted(strongest, results.min_cell),
        )
    yield FigureSlot("factors")


def _interferon_factor(results: Results) -> Text:
    return Text(str(results.tables["interferon_factor"].set_index("item")["value"]["statement"]))


def _called(results: Results) -> pd.DataFrame:
    associations = results.tables["factor_associations"]
    return associations[associations["padj"] < 0.05].sort_values(["pvalue", "variable"])


def _natural(column: pd.Series) -> pd.Series:
    """Order Factor2 before Factor10."""
    return column.str.extract(r"(\d+)$")[0].astype(int) if column.name == "factor" else column


def factors_of_disease(results: Results) -> Iterator[Item]:
    """Write the section on factors of one disease."""
    others = "the other diseases" if results.control is None else results.control
    yield Text(
        f"Factors on which the groups of the cohort differ (adjusted p below 0.05), and where {results.disease} stands on "
        f"them beside {others}: described, not tested a second time. MOFA itself is described in the overview."
    )
    yield _interferon_factor(results)
    differences = factor_differences(results)
    if differences.empty:
        yield Text("The groups differ on no factor.")
    else:
        yield Table(
            f"Rank-biserial correlation: 1 if every patient with {results.disease} lies higher than all of {others}, 0 if "
            "neither lies higher, -1 if every one lies lower",
            formatted(differences, results.min_cell),
        )
    yield FigureSlot("factors")


def factor_differences(results: Results) -> pd.DataFrame:
    """Describe one disease beside its comparison on every factor on which the groups differ.

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
    """Return how much more often the first lies higher than the second than the other way round (-1 to 1)."""
    if first.empty or second.empty:
        return float("nan")
    ranks = pd.concat([first, second]).rank().iloc[: len(first)]
    return float(2 * (ranks.mean() - (len(first) + 1) / 2) / len(second) - 1)


def stratification(results: Results) -> Iterator[Item]:
    """Write the section on strata."""
    said = results.tables["stratification_summary"].set_index("item")["value"]
    yield Text(str(said["reason"]), warning=results.one_stratum)
    if results.disease is None:
        yield Text(
            f"Controls: {said['controls']}. Gaussian mixture as a second opinion: {said['gaussian_mixture']}. "
            f"Factors left out: {said['factors_left_out']}."
        )
    yield FigureSlot("strata_composition")
    if not results.one_stratum:
        by = "diagnosis" if results.disease is None else f"group; share and confidence are those of {results.disease}"
        yield Table(f"Strata by {by}", strata_table(results, said))
        yield Text(
            "Strata were found in the whole cohort, without a look at the diagnosis. A bootstrap Jaccard above 0.75 is stable, "
            "below 0.5 dissolved."
        )
    if results.disease is None:
        yield from _basis_of_strata(results)


def _basis_of_strata(results: Results) -> Iterator[Item]:
    """Show how many strata there are and what differs between them: the same for every disease."""
    yield Table("How the number of strata was chosen", formatted(results.tables["selection"], 0))
    associations = results.tables["associations"]
    tested = associations[associations["pvalue"].notna()].sort_values(["pvalue", "variable"])
    if len(tested):
        yield Table(
            "What differs between the strata, overall and within diseases (Benjamini-Hochberg over the variables); "
            "variables of the views that made the strata are descriptive and stand in associations.tsv alone",
            formatted(tested, results.min_cell),
        )


def strata_table(results: Results, said: pd.Series) -> pd.DataFrame:
    """Count each group in each stratum, with the certainty of the stratum and of who is in it."""
    strata = results.tables["strata"]
    stability = results.tables["stability"].set_index("stratum").sort_index()
    counts = pd.crosstab(strata["stratum"], strata["disease"])
    counts = counts.reindex(index=stability.index, columns=results.groups, fill_value=0)
    listed = strata[strata["disease"].isin(results.subject)]
    confidence = listed.groupby("stratum")["confidence"].mean().reindex(stability.index)
    shown = small_cells(counts, results.min_cell)
    shown.insert(0, "label", results.stratum_labels)
    shown.insert(1, "all samples", [people(int(n), results.min_cell) for n in stability["n"]])
    if results.disease is not None:
        own = counts[results.disease]
        shares = (100 * own / max(own.sum(), 1)).map(lambda share: f"{share:.0f}")
        # a share with its total gives the count away
        shown[f"% of {results.disease}"] = shares.where((own == 0) | (own >= results.min_cell), "")
    shown["mean confidence"] = confidence.map(cell)
    shown["bootstrap Jaccard"] = stability["jaccard"].map(cell)
    shown["label rests on"] = [said.get(f"label_{number}", "").partition(": ")[2] for number in shown.index]
    return shown.reset_index(names="stratum")
