"""What the report says of factors and of strata."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from stratifn.report.content import FigureSlot, Table, Text, cell, formatted, small_cells
from stratifn.report.results import Results


def integration(results: Results) -> Iterator[Text | Table | FigureSlot]:
    """Write the section on integration."""
    yield Text(
        "MOFA describes all views at once by a few factors. A factor is robust when it is found with other seeds too "
        "(|r| of at least 0.95 in at least 80 % of them); strata rest on robust factors alone."
    )
    yield FigureSlot("variance_explained")
    said = results.tables["interferon_factor"].set_index("item")["value"]
    yield Text(str(said["statement"]))
    yield Table("Factors over seeds", formatted(results.tables["robustness"]))
    warnings = results.tables["warnings"]
    if len(warnings):
        yield Table("Factors to be careful with", formatted(warnings))
    yield Table("Models", formatted(results.tables["seeds"]))
    associations = results.tables["factor_associations"]
    called = associations[associations["padj"] < 0.05].sort_values(["pvalue", "variable"])
    if len(called):
        strongest = called.groupby("factor").head(3).sort_values(["factor", "pvalue"], key=_natural)
        yield Table(
            "What the factors follow (strongest three each, adjusted p below 0.05; variables from a view of the "
            "factor's own are described in factor_associations.tsv and not tested)",
            formatted(strongest),
        )
    yield FigureSlot("factors")


def _natural(column: pd.Series) -> pd.Series:
    """Order Factor2 before Factor10."""
    return column.str.extract(r"(\d+)$")[0].astype(int) if column.name == "factor" else column


def stratification(results: Results) -> Iterator[Text | Table | FigureSlot]:
    """Write the section on strata."""
    strata, said = results.tables["strata"], results.tables["stratification"].set_index("item")["value"]
    yield Text(str(said["reason"]), warning=strata["stratum"].nunique() == 1)
    yield Text(
        f"Controls: {said['controls']}. Gaussian mixture as a second opinion: {said['gaussian_mixture']}. "
        f"Factors left out: {said['factors_left_out']}."
    )
    yield FigureSlot("strata_composition")
    table = pd.crosstab(strata["stratum"], strata["disease"]).reindex(columns=results.groups, fill_value=0)
    shown = small_cells(table, results)
    stability = results.tables["stability"].set_index("stratum").reindex(shown.index)
    shown.insert(0, "label", stability["label"].fillna("").to_numpy())
    shown.insert(1, "samples", strata.groupby("stratum").size().astype(str).to_numpy())
    shown["mean confidence"] = strata.groupby("stratum")["confidence"].mean().map(cell).to_numpy()
    shown["bootstrap Jaccard"] = stability["jaccard"].map(cell).to_numpy()
    shown["label rests on"] = [said.get(f"label_{number}", "").partition(": ")[2] for number in shown.index]
    yield Table("Strata by diagnosis", shown.reset_index(names="stratum"))
    yield Table("How the number of strata was chosen", formatted(results.tables["selection"]))
    associations = results.tables["associations"]
    tested = associations[associations["pvalue"].notna()].sort_values(["pvalue", "variable"])
    if len(tested):
        yield Table(
            "What differs between the strata, overall and within diseases (Benjamini-Hochberg over the variables); "
            "variables of the views that made the strata are descriptive and stand in associations.tsv alone",
            formatted(tested),
        )
