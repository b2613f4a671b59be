"""The report on differential expression, over all diseases or of one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pandas as pd

from stratifn.report.claim_words import caveats, qualified
from stratifn.report.content import FigureSlot, Item, Table, Text, formatted
from stratifn.report.results import Results
from stratifn.shared.claims import NOT_COMPUTED
from stratifn.shared.vocabulary import CONTINUOUS, COUNTS, HEALTHY, OPPOSED, RNA, SHARED, SPECIFIC, UNDETERMINED

TOP_GENES = 10
TOP_SETS = 5
# columns of a summary that count people
SIZES = ("n_level", "n_baseline")


def differential_expression(results: Results) -> Iterator[Item]:
    """Write the section on differential expression of the overview."""
    yield from _model(results)
    summary = results.tables["differential_expression_summary"]
    if not results.tested_contrasts:
        return
    yield FigureSlot("calls")
    yield _calls(summary, results)
    yield from _verdicts(results, list(results.contrasts))
    yield FigureSlot("volcano")
    leading = [
        {"contrast": contrast, "most significant genes": ", ".join(_called(results.contrasts[contrast], results)["gene_name"].head(TOP_GENES)) or "none"}
        for contrast in results.tested_contrasts
    ]  # fmt: skip
    yield Table("leading-genes", f"The {TOP_GENES} most significant genes of each contrast", pd.DataFrame(leading))
    yield from _across_diseases(results)
    yield from _enrichment(results)
    yield from _interferon_status(results)


def expression_of_disease(results: Results) -> Iterator[Item]:
    """Write the section on differential expression of one disease."""
    yield from _model(results)
    summary = results.tables["differential_expression_summary"]
    summary = summary[summary["contrast"].isin(results.pairs_of_disease)]
    if not results.main_contrasts:
        if results.tested_contrasts:
            yield _not_computed(f"{results.disease} could not be compared", results, results.pairs_of_disease)
        return
    if results.control is None:
        yield Text(
            "There are no controls, so nothing here is a comparison with healthy people. A gene that is higher than in "
            "another disease may be raised in this one or lowered in the other.",
            warning=True,
        )
    elif results.settings["control_type"] != HEALTHY:
        yield Text(
            f"{results.control} are controls but not healthy, so nothing here is a comparison with healthy people.",
            warning=True,
        )
    yield _calls(summary, results)
    yield from _verdicts(results, results.pairs_of_disease)
    yield FigureSlot("volcano")
    for contrast in results.main_contrasts:
        yield from _leading_genes(contrast, results)
    yield from _shared_and_specific(results)
    yield from _enrichment(results)
    yield from _interferon_status(results)


def called_sentence(results: Results, contrast: str) -> str:
    """Say how many genes are called in a contrast, with its verdict."""
    summary = results.tables["differential_expression_summary"].set_index("contrast").loc[contrast]
    alpha = results.config["differential_expression"]["alpha"]
    level, _, baseline = contrast.partition("_vs_")
    compared = f"in {level} than in {baseline}" if baseline else f"in the contrast {contrast}"
    found = results.standing("calls", contrast)
    if found.verdict == NOT_COMPUTED:
        return f"No gene is called higher or lower {compared} at a false discovery rate of {alpha:g}."
    return qualified(
        f"{int(summary['up'])} genes higher and {int(summary['down'])} lower {compared} at a false discovery rate of {alpha:g}",
        found,
    )


def _verdicts(results: Results, contrasts: Sequence[str]) -> Iterator[Item]:
    for contrast in contrasts:
        found = results.standing("calls", contrast)
        if found.fails:
            yield Text(f"{contrast.replace('_vs_', ' against ')}: weak evidence, {caveats(found)}.", warning=True)


def _model(results: Results) -> Iterator[Item]:
    if RNA not in results.views:
        yield Text("There is no view rna, so differential expression was not computed.", warning=True)
        return
    yield Text(f"Model: {model_name(results)}, design {results.settings['design']}.")
    if not results.tested_contrasts:
        yield _not_computed("No contrast could be computed", results)


def _not_computed(what: str, results: Results, items: Collection[str] | None = None) -> Text:
    """Say what was not computed, with the reasons of the phase's notes (of some items where items are named)."""
    notes = results.tables["notes"]
    notes = notes[(notes["phase"] == "differential_expression") & (notes["what"] == "not computed")]
    if items is not None:
        notes = notes[notes["item"].isin(items)]
    return Text(f"{what}: {results.tidied('; '.join(notes['reason'].astype(str).unique()))}.", warning=True)


def _calls(summary: pd.DataFrame, results: Results) -> Table:
    alpha = results.config["differential_expression"]["alpha"]
    return Table(
        "calls",
        f"Genes called at a false discovery rate of {alpha:g} (Benjamini-Hochberg within a contrast); up_lfc1 and "
        "down_lfc1: those with an absolute log2 fold change of at least 1; permuted_calls: mean number of calls on "
        "permuted labels; rank_calls and both_calls: calls of a rank-sum test without covariates, and of both. A batch that "
        "coincides with the groups makes calls that none of these can tell from a difference",
        formatted(_counted(summary, results).drop(columns="model").dropna(axis="columns", how="all")),
    )


def _counted(summary: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Write how many samples each contrast compares."""
    sizes = [
        results.heads.of_contrast(name, int(level), int(baseline))
        if pd.notna(level) and pd.notna(baseline)
        else ("", "")
        for name, level, baseline in zip(*(summary[each] for each in ("contrast", *SIZES)), strict=True)
    ]
    return summary.assign(**dict(zip(SIZES, zip(*sizes, strict=True), strict=True)))


def _called(table: pd.DataFrame, results: Results) -> pd.DataFrame:
    alpha = results.config["differential_expression"]["alpha"]
    return table[table["padj"] < alpha].sort_values(["pvalue", "gene_id"])


def _leading_genes(contrast: str, results: Results) -> Iterator[Item]:
    level, _, baseline = contrast.partition("_vs_")
    called = _called(results.contrasts[contrast], results)
    columns = ["gene_name", "log2FoldChange", "lfcSE", "padj", "log2FoldChangeShrunk"]
    for direction, chosen in (("higher", called["log2FoldChange"] > 0), ("lower", called["log2FoldChange"] < 0)):
        genes = called.loc[chosen, columns]
        if genes.empty:
            yield Text(f"No gene is called {direction} in {level} than in {baseline}.")
            continue
        yield Table(
            f"{contrast}-{direction}",
            f"Genes {direction} in {level} than in {baseline}: {min(len(genes), TOP_GENES)} of {len(genes)}, the most "
            f"significant first (all of them in differential_expression/{contrast}.tsv.gz)",
            formatted(genes.head(TOP_GENES).dropna(axis="columns", how="all")),
        )


def _across_diseases(results: Results) -> Iterator[Item]:
    yield FigureSlot("overlap")
    across = results.tables["cross_disease"]
    if _nothing_across(across):
        return
    yield FigureSlot("effects")
    classes = across["class"].value_counts().rename_axis("class").reset_index(name="genes")
    yield Table(
        "across",
        "Genes by how their effects compare across diseases, each class at the false discovery rate of the phase. shared: there "
        "in every disease in one direction; subset and specific: there in these diseases and larger in each of them than in each other one "
        "(larger, not only there); opposed: up in one disease and down in another; undetermined: an effect, but the data do not "
        "decide in which diseases; none: no effect found",
        classes.sort_values(["genes", "class"], ascending=[False, True]).astype(str),
    )


def _nothing_across(across: pd.DataFrame) -> bool:
    return bool(across.empty or across["pooled_padj"].isna().all())


def _shared_and_specific(results: Results) -> Iterator[Item]:
    across = results.tables["cross_disease"]
    if _nothing_across(across):
        yield Text("Shared and disease-specific genes were not computed: they need several diseases and controls.")
        return
    own = f"{SPECIFIC}{results.disease}"
    counts = across["class"].value_counts()
    yield Text(
        f"Across the cohort's diseases {counts.get(SHARED, 0)} genes have a shared effect (there in every disease, in one "
        f"direction), {counts.get(own, 0)} are larger in {results.disease} than in each other disease, {counts.get(OPPOSED, 0)} are "
        f"up in one disease and down in another. {counts.get(UNDETERMINED, 0)} others have an effect, but the data do not decide in "
        "which diseases."
    )
    effect, padj = f"log2FoldChange_{results.disease}", f"padj_{results.disease}"
    tables = (
        (own, f"Genes with a larger effect in {results.disease} than in each other disease", [effect, padj, "pooled_log2FoldChange", "Q_padj"], "Q_padj"),
        (SHARED, f"Genes that {results.disease} shares with the other diseases",
         [effect, padj, "pooled_log2FoldChange", "pooled_padj"], "pooled_padj"),
    )  # fmt: skip
    for name, words, columns, order in tables:
        genes = across[across["class"] == name].sort_values([order, "gene_id"])
        if len(genes):
            shown = min(len(genes), TOP_GENES)
            yield Table(
                name.rstrip(":").partition(":")[0],
                f"{words}: {shown} of {len(genes)}, by {order}",
                formatted(genes[["gene_name", *columns]].head(shown)),
            )


def _enrichment(results: Results) -> Iterator[Item]:
    enrichment, alpha = results.tables["enrichment"], results.config["differential_expression"]["alpha"]
    main = enrichment[enrichment["contrast"].isin(results.main_contrasts) & (enrichment["padj"] < alpha)]
    if main.empty:
        return
    order = {name: position for position, name in enumerate(results.main_contrasts)}
    main = main.assign(order=main["contrast"].map(order)).sort_values(["order", "pvalue", "gene_set"])
    if results.disease is None:
        yield FigureSlot("gene_sets")
    leading = main.groupby("contrast", sort=False).head(TOP_SETS if results.disease is None else TOP_GENES)
    yield Table(
        "gene-sets",
        f"Strongest gene sets of each contrast (adjusted p below {alpha:g}, by CAMERA, which allows for the correlation "
        "between the genes of a set)",
        formatted(leading[["contrast", "gene_set", "n_genes", "score", "correlation", "padj", "leading_genes"]]),
    )


def _interferon_status(results: Results) -> Iterator[Item]:
    status = results.tables.get("interferon_status")
    if status is None:
        return
    if results.disease is not None:
        status = status[status["contrast"] == f"{results.disease}_IFN_high_vs_IFN_low"]
    if not status["tested"].sum():
        return
    sizes = [
        results.heads.of_status(name, results.diseases, int(level), int(baseline))
        if pd.notna(level) and pd.notna(baseline)
        else ("", "")
        for name, level, baseline in zip(*(status[each] for each in ("contrast", *SIZES)), strict=True)
    ]
    counted = status.assign(**dict(zip(SIZES, zip(*sizes, strict=True), strict=True)))
    yield Table(
        "interferon-status",
        "Descriptive: patients with a high against patients with a low ISG expression signature. The classes were made "
        "from some of these genes, so these numbers do not test the signature",
        formatted(counted.drop(columns=["permuted_calls", "rank_calls", "both_calls", "model"])),
    )


def model_name(results: Results) -> str:
    """Name the model of differential expression by the kind of the view `rna`."""
    kinds = {view["name"]: view["kind"] for view in results.settings["views"]}
    return {
        COUNTS: "negative binomial (DESeq2, by PyDESeq2)",
        CONTINUOUS: "moderated t (limma's empirical Bayes), because the view rna holds no counts",
    }[kinds[RNA]]
