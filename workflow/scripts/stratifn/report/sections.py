"""What each part of the report says: sentences, tables and figures, from the results alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.report.results import Results

TOP_GENES = 10
LISTED_SAMPLES = 25
CLASSES = ("high", "borderline", "low", "unscored")


@dataclass(frozen=True)
class Text:
    """A paragraph; `warning` sets it apart."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption; every cell is text by now. `search` adds a search field."""

    caption: str
    frame: pd.DataFrame
    search: bool = False


@dataclass(frozen=True)
class FigureSlot:
    """The figures of one `FigureRecord`, where they were drawn."""

    name: str


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    id: str
    title: str
    content: tuple[Text | Table | FigureSlot, ...]


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
        sentences.append(f"No ISG expression signature was called: {_first_reason(classes)}.")
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


def _first_reason(frame: pd.DataFrame) -> str:
    reasons = frame["reason"].dropna()
    return str(reasons.mode().iloc[0]).rstrip(".") if len(reasons) else "no reason recorded"


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
    outliers = quality[quality["outlier"].astype(str).str.lower().eq("true")]
    if outliers.empty:
        yield Text("No sample stands out by library size, detected features or missing values.")
    else:
        yield Text(
            f"{outliers['sample'].nunique()} samples stand out. Nothing was dropped: look at them before you trust "
            "what rests on them."
        )
        shown = outliers[["sample", "view", "reason"]].copy()
        shown["sample"] = sample_labels(results).reindex(shown["sample"]).to_numpy()
        yield Table("Samples that stand out", shown.fillna("").astype(str))
    yield FigureSlot("library_size")
    yield FigureSlot("principal_components")
    covariates = results.tables["covariate_associations"]
    leading = covariates[covariates["padj"] < 0.05].sort_values(["view", "r2"], ascending=[True, False])
    if len(leading):
        yield Table(
            "Principal components that follow a variable (adjusted p below 0.05, strongest first within a view); "
            "a component that follows the batch asks for `batch` in the design",
            _formatted(leading.groupby("view").head(5)[["view", "component", "variable", "r2", "padj"]]),
        )


def _differential_expression(results: Results) -> Iterator[Text | Table | FigureSlot]:
    summary = results.tables["summary"]
    settings = results.config["differential_expression"]
    yield Text(f"Model: {model_name(results)}, design {results.settings['design']}.")
    if summary.empty:
        yield Text("No contrast could be computed: see what was left out.", warning=True)
        return
    yield Table(
        f"Genes called at a false discovery rate of {settings['alpha']:g} (Benjamini-Hochberg within a contrast)",
        _formatted(summary.drop(columns="permuted_calls") if summary["permuted_calls"].isna().all() else summary),
    )
    yield FigureSlot("volcano")
    leading = []
    for contrast, table in results.contrasts.items():
        called = table[table["padj"] < settings["alpha"]].sort_values(["pvalue", "gene_id"]).head(TOP_GENES)
        leading.append({"contrast": contrast, "most significant genes": ", ".join(called["gene_name"]) or "none"})
    yield Table(f"The {TOP_GENES} most significant genes of each contrast", pd.DataFrame(leading))
    yield from _across_diseases(results)
    yield from _enrichment(results)
    yield from _interferon_status(results)


def _across_diseases(results: Results) -> Iterator[Text | Table]:
    across = results.tables["cross_disease"]
    if across.empty or across["pooled_padj"].isna().all():
        return
    classes = across["class"].value_counts().rename_axis("class").reset_index(name="genes")
    yield Table(
        "Genes by what their effects have in common across diseases: pooled by generalised least squares, because the "
        "diseases share their controls; specific to one disease only where it differs from the mean of the others",
        classes.sort_values(["genes", "class"], ascending=[False, True]).astype(str),
    )


def _enrichment(results: Results) -> Iterator[Text | Table]:
    enrichment = results.tables["enrichment"]
    main = enrichment[enrichment["contrast"].isin(results.main_contrasts) & (enrichment["padj"] < 0.05)]
    if main.empty:
        return
    leading = main.sort_values(["contrast", "pvalue", "gene_set"]).groupby("contrast").head(5)
    yield Table(
        "Strongest gene sets of each contrast (adjusted p below 0.05; genes of a set move together, so these p values "
        "rank sets rather than measure evidence)",
        _formatted(leading[["contrast", "gene_set", "n_genes", "score", "padj"]]),
    )


def _interferon_status(results: Results) -> Iterator[Text | Table]:
    status = results.tables.get("interferon_status")
    if status is None or not status["tested"].sum():
        return
    yield Table(
        "Descriptive: patients with a high against those with a low ISG expression signature. The classes were made "
        "from some of these genes, so nothing here is a test of the signature",
        _formatted(status.drop(columns="permuted_calls")),
    )


def model_name(results: Results) -> str:
    """Name the model of differential expression by the kind of the view `rna`."""
    kinds = {view["name"]: view["kind"] for view in results.settings["views"]}
    return {
        "counts": "negative binomial (DESeq2, by PyDESeq2)",
        "continuous": "moderated t (limma's empirical Bayes), because the view rna holds no counts",
    }.get(kinds.get("rna", ""), "none, because there is no view rna")


def _interferon(results: Results) -> Iterator[Text | Table | FigureSlot]:
    settings = results.config["interferon"]
    classes, scores = results.tables["classes"], results.tables["scores"]
    yield Text(
        "An ISG expression score is a number; an ISG expression signature is the class that a cut-off makes of it. "
        "Both describe the expression of interferon-stimulated genes, not the amount or activity of any interferon."
    )
    if classes["ifn_class"].isin(["high", "borderline", "low"]).any():
        own = scores[(scores["signature"] == settings["signature"]) & (scores["method"] == settings["method"])]
        found = f"{int(own['genes_found'].min())} of {int(own['genes_total'].max())}" if len(own) else "none"
        yield Text(
            f"Classes come from {settings['signature']} by {settings['method']} ({found} genes found), with the cut-off "
            f"{settings['cutoff']} from this run's own controls. "
            "A published cut-off belongs to its own assay and is not used."
        )
    else:
        yield Text(f"No class could be given: {_first_reason(classes)}.", warning=True)
    yield FigureSlot("interferon_scores")
    yield FigureSlot("interferon_classes")
    counts = pd.crosstab(classes["disease"], classes["ifn_class"].fillna("unscored"))
    counts = counts.reindex(index=results.groups, columns=list(CLASSES), fill_value=0)
    yield Table(
        "Samples by ISG expression signature",
        _small_cells(counts, results).reset_index(names="group"),
    )
    prevalence = results.tables["prevalence"]
    own = prevalence[prevalence["signature"] == settings["signature"]].set_index("disease")
    own = own.reindex([group for group in results.groups if group in own.index]).reset_index()
    if len(own) and own["prevalence"].notna().any():
        shown = own[["disease", "n", "prevalence", "ci_low", "ci_high", "published", "published_source"]]
        yield Table(
            "Share with a positive ISG expression signature (95 % interval, which carries the uncertainty of the "
            "cut-off), beside the published figure where specimen and controls are the same",
            _formatted(shown),
        )


def _integration(results: Results) -> Iterator[Text | Table | FigureSlot]:
    yield Text(
        "MOFA describes all views at once by a few factors. A factor is robust when it is found with other seeds too "
        "(|r| of at least 0.95 in at least 80 % of them); strata rest on robust factors alone."
    )
    yield FigureSlot("variance_explained")
    yield Table("Factors over seeds", _formatted(results.tables["robustness"]))
    yield Table("Models", _formatted(results.tables["seeds"]))
    associations = results.tables.get("factor_associations")
    if associations is not None and len(associations):
        strongest = associations[associations["padj"] < 0.05].sort_values("pvalue").groupby("factor").head(3)
        strongest = strongest.sort_values(["factor", "pvalue"], key=_natural)
        yield Table("What the factors follow (strongest three each, adjusted p below 0.05)", _formatted(strongest))
    yield FigureSlot("factors")


def _natural(column: pd.Series) -> pd.Series:
    """Order Factor2 before Factor10."""
    return column.str.extract(r"(\d+)$")[0].astype(int) if column.name == "factor" else column


def _stratification(results: Results) -> Iterator[Text | Table | FigureSlot]:
    strata, said = results.tables["strata"], results.tables["stratification"].set_index("item")["value"]
    yield Text(str(said["reason"]), warning=strata["stratum"].nunique() == 1)
    yield Text(
        f"Controls: {said['controls']}. Gaussian mixture as a second opinion: {said['gaussian_mixture']}. "
        f"Factors left out: {said['factors_left_out']}."
    )
    yield FigureSlot("strata_composition")
    table = pd.crosstab(strata["stratum"], strata["disease"]).reindex(columns=results.groups, fill_value=0)
    shown = _small_cells(table, results)
    stability = results.tables["stability"].set_index("stratum").reindex(shown.index)
    shown.insert(0, "label", stability["label"].fillna("").to_numpy())
    shown.insert(1, "samples", strata.groupby("stratum").size().astype(str).to_numpy())
    shown["mean confidence"] = strata.groupby("stratum")["confidence"].mean().map(_cell).to_numpy()
    shown["bootstrap Jaccard"] = stability["jaccard"].map(_cell).to_numpy()
    shown["label rests on"] = [said.get(f"label_{number}", "").partition(": ")[2] for number in shown.index]
    yield Table("Strata by diagnosis", shown.reset_index(names="stratum"))
    yield Table("How the number of strata was chosen", _formatted(results.tables["selection"]))
    associations = results.tables["associations"]
    tested = associations[associations["pvalue"].notna()].sort_values(["pvalue", "variable"])
    if len(tested):
        yield Table(
            "What differs between the strata, overall and within diseases (Benjamini-Hochberg over the variables); "
            "variables of the views that made the strata are descriptive and stand in associations.tsv alone",
            _formatted(tested),
        )


def _patients(results: Results) -> Iterator[Text | Table | FigureSlot]:
    yield Text(
        "The column probability_high is the certainty about the side of the cut-off, not a probability of disease."
    )
    yield Table("All samples", _formatted(patient_table(results)), search=True)


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


def sample_labels(results: Results) -> pd.Series:
    """Return how each sample is called in the report: by its id, or by a number where ids are not to be shown."""
    ids = results.samples["sample"]
    if results.config["report"]["sample_ids"]:
        return pd.Series(ids.to_numpy(), index=ids)
    width = len(str(len(ids)))
    return pd.Series([f"#{number:0{width}d}" for number in range(1, len(ids) + 1)], index=ids)


def _small_cells(counts: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Hide how few: a count between 1 and `min_cell` - 1 is shown as `<min_cell`."""
    limit = results.config["report"]["min_cell"]
    return counts.map(lambda count: f"<{limit}" if 0 < count < limit else str(count))


def _formatted(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn numbers into text of three significant digits; missing values become an empty cell."""
    return frame.apply(lambda column: column.map(_cell))


def _cell(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e6 else f"{value:.3g}"
    return str(value)


SECTIONS: tuple[tuple[str, str, Callable[[Results], Iterator[Text | Table | FigureSlot]]], ...] = (
    ("cohort", "Who was analysed, and what was left out", _cohort),
    ("quality", "Quality", _quality),
    ("differential-expression", "Differential expression", _differential_expression),
    ("interferon", "Interferon-stimulated genes", _interferon),
    ("integration", "Integration", _integration),
    ("strata", "Strata across diagnoses", _stratification),
    ("patients", "Patients", _patients),
)
