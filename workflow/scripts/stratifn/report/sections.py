"""What each part of the report says: sentences, tables and figures, from the results alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from stratifn.report.content import FigureSlot, Section, Table, Text, first_reason, formatted, sample_labels
from stratifn.report.expression_sections import differential_expression, interferon
from stratifn.report.results import Results
from stratifn.report.strata_sections import integration, stratification

LISTED_SAMPLES = 25


def build_sections(results: Results) -> list[Section]:
    """Write every section of the report, in reading order."""
    return [Section(name, title, tuple(write(results))) for name, title, write in SECTIONS]


def headline(results: Results) -> list[str]:
    """Answer the pipeline's question in a few sentences, with what they rest on."""
    sentences = []
    classes = results.tables["classes"]
    signature = results.config["interferon"]["signature"]
    prevalence = results.tables["prevalence"]
    own = prevalence[(prevalence["signature"] == signature) & prevalence["prevalence"].notna()].set_index("disease")
    shares = [
        f"{disease} {100 * own.loc[disease, 'prevalence']:.0f} % ({100 * own.loc[disease, 'ci_low']:.0f} to "
        f"{100 * own.loc[disease, 'ci_high']:.0f})"
        for disease in results.diseases
        if disease in own.index
    ]
    if shares:
        sentences.append(
            f"Positive ISG expression signature, {signature}, with 95 % intervals: " + ", ".join(shares) + "."
        )
    else:
        sentences.append(f"No ISG expression signature was called: {first_reason(classes)}.")
    strata = results.tables["strata"]
    count = strata["stratum"].nunique()
    if count > 1:
        sentences.append(f"The patients and controls fall into {count} strata across diagnoses.")
    else:
        sentences.append("The data do not support more than one stratum.")
    explained = results.tables["variance_explained"]
    totals = explained[explained["factor"] == "total"].set_index("view")["r2"]
    robust = int(results.tables["robustness"]["robust"].astype(bool).sum())
    sentences.append(
        f"{robust} of {len(results.tables['robustness'])} MOFA factors are robust over seeds; "
        "together all factors explain "
        + ", ".join(f"{totals[view]:.0f} % of {view}" for view in results.views if view in totals)
        + "."
    )
    return sentences


def _cohort(results: Results) -> Iterator[Text | Table | FigureSlot]:
    settings = results.settings
    control = "There are no controls in this cohort." if results.control is None else (
        f"Controls are labelled {results.control}"
        + (" and healthy." if settings["control_type"] == "healthy" else "; they are not healthy controls.")
    )  # fmt: skip
    yield Text(
        f"{len(results.samples)} samples of {results.samples['patient'].nunique()} people. {control} "
        f"Specimen: {settings['specimen'].replace('_', ' ')}; gene expression by {settings['platform']}."
    )
    if "simulate" in settings:
        yield Text("These data are simulated: every person in this report is made up.", warning=True)
    yield FigureSlot("views")
    notes = results.tables["notes"]
    if notes.empty:
        yield Text("Nothing was left out, renamed or missing.")
        return
    grouped = notes.groupby(["phase", "view", "what", "reason"], sort=True)["item"].agg(list).reset_index()
    yield Table(
        "What was left out, missing, renamed or not computed",
        pd.DataFrame(
            {
                "phase": grouped["phase"],
                "view": grouped["view"],
                "what": grouped["what"],
                "how many": grouped["item"].map(len).astype(str),
                "which": [_listed(items, results) for items in grouped["item"]],
                "reason": grouped["reason"],
            }
        ),
    )


def _listed(items: list[str], results: Results) -> str:
    samples = set(results.samples["sample"])
    if not results.config["report"]["sample_ids"]:
        hidden = sum(item in samples for item in items)
        items = [item for item in items if item not in samples] + ([f"{hidden} samples"] if hidden else [])
    more = f" and {len(items) - LISTED_SAMPLES} more" if len(items) > LISTED_SAMPLES else ""
    return ", ".join(map(str, items[:LISTED_SAMPLES])) + more


def _quality(results: Results) -> Iterator[Text | Table | FigureSlot]:
    quality = results.tables["quality"]
    odd = quality[quality["reason"].notna()]
    if odd.empty:
        yield Text(
            "No sample stands out by library size, detected features, missing values, sex or likeness to another."
        )
    else:
        yield Text(
            f"{odd['sample'].nunique()} samples stand out. Nothing was dropped: look at them before you trust what rests "
            "on them."
        )
        shown = odd[["sample", "view", "reason"]].copy()
        shown["sample"] = sample_labels(results).reindex(shown["sample"]).to_numpy()
        yield Table("Samples that stand out", shown.astype(str))
    yield FigureSlot("library_size")
    yield FigureSlot("principal_components")
    yield FigureSlot("covariates")
    covariates = results.tables["covariate_associations"]
    leading = covariates[covariates["padj"] < 0.05].sort_values(["view", "r2"], ascending=[True, False])
    if len(leading):
        yield Table(
            "Principal components that follow a variable (adjusted p below 0.05, strongest first within a view); "
            "a component that follows the batch asks for `batch` in the design",
            formatted(leading.groupby("view").head(5)[["view", "component", "variable", "r2", "padj"]]),
        )


def _patients(results: Results) -> Iterator[Text | Table | FigureSlot]:
    yield Text(
        "The column probability_high is the certainty about the side of the cut-off, not a probability of disease."
    )
    yield Table("All samples", formatted(patient_table(results)), search=True)


def patient_table(results: Results) -> pd.DataFrame:
    """Join what is known of each sample: group, score, class, stratum, confidence."""
    classes = results.tables["classes"].drop(columns=["disease"])
    strata = results.tables["strata"][["sample", "stratum", "label", "confidence"]]
    table = (
        results.samples[["sample", "disease"]]
        .merge(classes, on="sample", how="left")
        .merge(strata, on="sample", how="left")
    )
    table["sample"] = sample_labels(results).reindex(table["sample"]).to_numpy()
    kept = ["sample", "disease", "score", "probability_high", "ifn_class", "ifn_type", "stratum", "label", "confidence"]
    return table[[column for column in kept if not table[column].isna().all()]]


SECTIONS: tuple[tuple[str, str, Callable[[Results], Iterator[Text | Table | FigureSlot]]], ...] = (
    ("cohort", "Who was analysed, and what was left out", _cohort),
    ("quality", "Quality", _quality),
    ("differential-expression", "Differential expression", differential_expression),
    ("interferon", "Interferon-stimulated genes", interferon),
    ("integration", "Integration", integration),
    ("strata", "Strata across diagnoses", stratification),
    ("patients", "Patients", _patients),
)
