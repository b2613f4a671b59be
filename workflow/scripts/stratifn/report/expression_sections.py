"""What the report says of differential expression and of interferon-stimulated genes."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from stratifn.report.content import FigureSlot, Table, Text, first_reason, formatted, small_cells
from stratifn.report.results import Results

TOP_GENES = 10
CLASSES = ("high", "borderline", "low", "unscored")


def differential_expression(results: Results) -> Iterator[Text | Table | FigureSlot]:
    """Write the section on differential expression."""
    summary = results.tables["summary"]
    settings = results.config["differential_expression"]
    yield Text(f"Model: {model_name(results)}, design {results.settings['design']}.")
    if summary.empty:
        yield Text("No contrast could be computed: see what was left out.", warning=True)
        return
    yield Table(
        f"Genes called at a false discovery rate of {settings['alpha']:g} (Benjamini-Hochberg within a contrast)",
        formatted(summary.drop(columns="permuted_calls") if summary["permuted_calls"].isna().all() else summary),
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
        formatted(leading[["contrast", "gene_set", "n_genes", "score", "padj"]]),
    )


def _interferon_status(results: Results) -> Iterator[Text | Table]:
    status = results.tables.get("interferon_status")
    if status is None or not status["tested"].sum():
        return
    yield Table(
        "Descriptive: patients with a high against those with a low ISG expression signature. The classes were made "
        "from some of these genes, so nothing here is a test of the signature",
        formatted(status.drop(columns="permuted_calls")),
    )


def model_name(results: Results) -> str:
    """Name the model of differential expression by the kind of the view `rna`."""
    kinds = {view["name"]: view["kind"] for view in results.settings["views"]}
    return {
        "counts": "negative binomial (DESeq2, by PyDESeq2)",
        "continuous": "moderated t (limma's empirical Bayes), because the view rna holds no counts",
    }.get(kinds.get("rna", ""), "none, because there is no view rna")


def interferon(results: Results) -> Iterator[Text | Table | FigureSlot]:
    """Write the section on interferon-stimulated genes."""
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
            f"{settings['cutoff']} from {reference_words(results)}. "
            "A published cut-off belongs to its own assay and is not used."
        )
    else:
        yield Text(f"No class could be given: {first_reason(classes)}.", warning=True)
    notes = results.tables["notes"]
    careful = notes[(notes["phase"] == "interferon") & (notes["what"] == "read with care")]
    for reason in careful["reason"]:
        yield Text(f"Read with care: {reason}.", warning=True)
    yield FigureSlot("interferon_scores")
    yield FigureSlot("interferon_classes")
    yield FigureSlot("prevalence")
    yield FigureSlot("types")
    yield FigureSlot("agreement")
    counts = pd.crosstab(classes["disease"], classes["ifn_class"].fillna("unscored"))
    counts = counts.reindex(index=results.groups, columns=list(CLASSES), fill_value=0)
    yield Table(
        "Samples by ISG expression signature",
        small_cells(counts, results).reset_index(names="group"),
    )
    prevalence = results.tables["prevalence"]
    own = prevalence[prevalence["signature"] == settings["signature"]].set_index("disease")
    own = own.reindex([group for group in results.groups if group in own.index]).reset_index()
    if len(own) and own["prevalence"].notna().any():
        shown = own[["disease", "n", "prevalence", "ci_low", "ci_high", "published", "published_source"]]
        yield Table(
            "Share with a positive ISG expression signature (95 % interval, which carries the uncertainty of the "
            "cut-off), beside the published figure where specimen and controls are the same",
            formatted(shown),
        )
    yield from _beside_expression(results)


def reference_words(results: Results) -> str:
    """Say whose controls the scores rest on."""
    elsewhere = results.config["interferon"]["reference"]
    return "the controls of a reference that another run exported" if elsewhere else "this run's own controls"


def _beside_expression(results: Results) -> Iterator[Text | Table | FigureSlot]:
    """Show what other measurements say of the score, disease by disease."""
    protein = results.tables["protein"]
    measured = protein[protein["n"] > 0] if len(protein) else protein
    if len(measured):
        columns = ["disease", "analyte", "n", "below_limit", "spearman", "ci_low", "ci_high", "kappa"]
        shown = measured[columns].dropna(axis=1, how="all")
        yield Table("Rank agreement of the score with the measured IFN-alpha protein", formatted(shown))
    yield FigureSlot("protein_ranks")
    yield FigureSlot("methylation")
    yield FigureSlot("axes")
    if results.tables["axes"]["score"].notna().any():
        yield Text(
            "The axes follow the three places where drugs act. Ligand: IFN-alpha protein in the blood, what a neutralising "
            "antibody would bind. Sensing: genes of the sensors of nucleic acids (RIG-I and MDA5, endosomal TLRs), whose "
            "blockade would lower the making of interferon. Response: interferon-stimulated genes, what a blocked receptor "
            "would silence. They describe what was measured and select nobody for a treatment."
        )
    confounding = results.tables["confounding"]
    tested = confounding[confounding["pvalue"].notna()]
    if len(tested):
        columns = ["disease", "variable", "kind", "n", "effect", "ci_low", "ci_high", "pvalue", "padj"]
        yield Table(
            "The score beside cell composition (as it is and adjusted: composition can mediate), treatment, activity and "
            "autoantibodies, within each disease and never pooled",
            formatted(tested[columns]),
        )
