"""How the interferon signature was scored and classed, and what it was compared with."""

from __future__ import annotations

import pandas as pd

from stratifn.registry.knowledge import deciding_signature
from stratifn.report.content import first_reason
from stratifn.report.methods.references import Citations
from stratifn.report.methods.words import in_words, number, series, times
from stratifn.report.results import Results
from stratifn.report.small_cells import part_of, people
from stratifn.shared.claims import NOT_COMPUTED, SUPPORTED
from stratifn.shared.vocabulary import CLASSES, COUNTS, HEALTHY, RNA, SHALLOW, UNSCORED

# method to how the score is made of the genes, and what is cited for it
SCORES = {
    "zscore": (
        "the mean over the genes of the z-score: the log2 value minus the mean of the controls, divided by their SD, which was "
        "held above a floor",
        ("Kirou", "Feng"),
    ),
    "median_fold_change": (
        "the median over the genes of the log2 fold change against the median of the controls, both held above background",
        ("Rice",),
    ),
    "singscore": (
        "the mean rank of the genes within the sample, scaled between its smallest and largest possible value and centred",
        ("singscore",),
    ),
    "ssgsea": ("the single-sample enrichment score of the ranks of the genes", ("ssGSEA",)),
    "module": (
        "the share of the genes with a fold change above 1.5 (on counts also a difference above 10) against the mean of the "
        "controls",
        ("BloodGen3",),
    ),
}
# what the score may go with: kinds in the table of associations, one of which compares with the controls
CELLS, PLURALS = "cells", {"autoantibody": "autoantibodies"}
CUTOFFS = {
    "mean_2sd": "the mean plus 2 SD of the controls' scores",
    "percentile_95": "the 95th centile of the controls' scores",
}


def interferon(results: Results, cite: Citations) -> str:
    """Write the paragraph on the interferon signature; empty where nothing was scored."""
    if not results.tables["classes"]["ifn_class"].isin(CLASSES).any():
        return _ranks_alone(results, cite)
    parts = (
        _score(results, cite),
        _controls(results),
        _cutoff(results, cite),
        _depth(results),
        _panel(results, cite),
        _types(results),
        _methylation(results, cite),
        _protein(results),
        _within_diseases(results, cite),
        f"Terms follow the EULAR points to consider {cite('EULAR')}.",
    )
    return " ".join(part for part in parts if part)


def _settings(results: Results) -> dict:
    return dict(results.config["interferon"])


def _reference(results: Results) -> pd.Series:
    """Return the row of the configured signature and method."""
    settings, table = _settings(results), results.tables["reference"]
    own = table[(table["signature"] == settings["signature"]) & (table["method"] == settings["method"])]
    return own.iloc[0]


def _on_counts(results: Results) -> bool:
    return any(view["name"] == RNA and view["kind"] == COUNTS for view in results.settings["views"])


def _score(results: Results, cite: Citations) -> str:
    settings = _settings(results)
    name = settings["signature"]
    signature = deciding_signature(settings["signature_files"], name)
    genes, source = "", ""
    if signature is not None:
        genes = f" ({series(signature.symbols)})"
        source = cite.sources({name: signature.genes[0].source})
    own = results.scores(settings["method"])
    found, total = int(own["genes_found"].max()), int(own["genes_total"].max())
    missing = "" if found == total else f"; {found} of them were found"
    how, papers = SCORES[settings["method"]]
    cited = f" {source}" if source else ""
    return (
        f"The expression of interferon-stimulated genes was scored with the signature {name}{cited}, which has "
        f"{times(total, 'gene')}{genes}{missing}. The score was {how} {cite(*papers)}."
    )


def _controls(results: Results) -> str:
    """Say who the controls of the reference were, and which of them were left out."""
    own = _reference(results)
    factors = (
        " For scores, size factors came from the controls alone, so that a person's score does not depend on other patients."
        if _on_counts(results)
        else ""
    )
    if _settings(results)["reference"]:
        return f"The controls were those of a frozen reference from another run.{factors}"
    measured = int(results.heads.measured.loc[results.control, RNA])
    kept = in_words(part_of(int(own["n_controls"]), measured, results.min_cell))
    return f"The reference consisted of {kept} {_kind(results)} ({results.control}).{_left_out(results, own)}{factors}"


def _kind(results: Results) -> str:
    return "healthy controls" if results.settings["control_type"] == HEALTHY else "controls who were not healthy"


def _left_out(results: Results, own: pd.Series) -> str:
    """Say how many controls the reference leaves out, or that it keeps outlying ones."""
    if own["excluded"]:
        count = in_words(people(int(own["excluded"]), results.min_cell))
        return (
            f" Controls whose score was far above those of the others were left out of the reference ({count}); intervals of "
            "the prevalence are the union of those with and without them."
        )
    row = results.standing("cutoff", _settings(results)["signature"]).rows.get("outlying_controls")
    if row is None or row["verdict"] == NOT_COMPUTED:
        return ""
    if row["verdict"] == SUPPORTED:
        return " No control had a score far above those of the others."
    return " Controls whose score was far above those of the others were kept in the reference."


def _cutoff(results: Results, cite: Citations) -> str:
    settings, own = _settings(results), _reference(results)
    interval = (
        f" ({number(own['cutoff'])}; 95 % bootstrap interval {number(own['cutoff_low'])} to {number(own['cutoff_high'])})"
        if pd.notna(own["cutoff_low"])
        else f" ({number(own['cutoff'])})"
    )
    prevalences = "The 95 % intervals of prevalences include the uncertainty of the cut-off."
    if settings["reference"]:
        # its rules may be others than those of the configuration
        return (
            f"The cut-off was that of the reference{interval}; a signature was called high, borderline or low by how certain it is, "
            f"over studentised bootstraps of the controls of the reference {cite('bootstrap')}, that the score lies above it. "
            f"{prevalences}"
        )
    return (
        f"The cut-off was {CUTOFFS[settings['cutoff']]}{interval}. The probability that a score lies above it was estimated with "
        f"{settings['bootstraps']} studentised bootstraps of the controls {cite('bootstrap')}; a signature was called high at a "
        f"probability of at least {number(settings['probability_high'])}, low at {number(settings['probability_low'])} or less, and "
        f"borderline in between. {prevalences}"
    )


def _depth(results: Results) -> str:
    if not _on_counts(results):
        return ""
    classes = results.tables["classes"]
    unscored = classes[classes["ifn_class"] == UNSCORED]
    shallow = int(unscored["reason"].astype("string").str.contains(SHALLOW, na=False, regex=False).sum())
    count = in_words(part_of(shallow, len(unscored), results.min_cell)) if shallow else "none"
    return (
        "A library was left unscored if sampling at its depth, simulated by Poisson draws from the controls' means, could move the "
        f"score further than the cut-off lies above the controls; this applied to {count}."
    )


def _panel(results: Results, cite: Citations) -> str:
    settings, scored = _settings(results), results.tables["scores"].dropna(subset=["score"])
    others = sorted(set(scored["signature"]) - {settings["signature"]})
    methods = _methods([name for name in SCORES if name in set(scored["method"]) - {settings["method"]}], cite)
    count = f"{times(len(others), 'other signature')} {'was' if len(others) == 1 else 'were'}"
    sentences = [
        f"For comparison, {count} scored in the same way ({series(others)})." if others else "",
        f"All signatures were also scored by {methods}." if methods else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _methods(names: list[str], cite: Citations) -> str:
    return series(f"{name} {cite(*SCORES[name][1])}" for name in names) if names else ""


def _ranks_alone(results: Results, cite: Citations) -> str:
    """Say what was scored without controls."""
    scored = results.tables["scores"].dropna(subset=["score"])
    if scored.empty:
        return ""
    methods = _methods([name for name in SCORES if name in set(scored["method"])], cite)
    reason = results.tidied(first_reason(results.tables["classes"]))
    return (
        f"No interferon signature was classed ({reason}). {times(scored['signature'].nunique(), 'signature')} "
        f"({series(sorted(set(scored['signature'])))}) were scored from the ranks of their genes within each sample, by {methods}; "
        "these scores order the samples of this run, and have no cut-off."
    )


def _types(results: Results) -> str:
    table = results.tables["response_types"].dropna(subset=["ifn_type"])
    if table.empty:
        return ""
    found, total = int(table["genes_found"].max()), int(table["genes_total"].max())
    genes = times(total, "gene") if found == total else f"{found} of {total} genes"
    return (
        f"To tell type I from type II responses, each person's log2 differences from the controls in {genes} were fitted as a "
        "non-negative sum of two profiles of small airway epithelial cells (GEO GSE161664): under interferon alpha and beta "
        "(type I), and under interferon gamma (type II). A type was called present if the 90 % bootstrap interval of its amount "
        "lay above the prediction limit of 97.5 % from the controls and above a quarter of the other amount."
    )


def _methylation(results: Results, cite: Citations) -> str:
    table = results.tables["methylation"].dropna(subset=["score"])
    if table.empty:
        return ""
    adjusted = "; it was also adjusted for the composition of cells" if table["score_adjusted"].notna().any() else ""
    return (
        f"The methylation score was minus the mean z-score, against the controls, of the M-values of {int(table['cpgs_found'].max())} "
        f"CpGs in interferon-stimulated genes {cite('methylation score')}{adjusted}."
    )


def _protein(results: Results) -> str:
    table = results.tables["protein"].dropna(subset=["spearman"])
    if table.empty:
        return ""
    analytes = series(sorted(set(table["analyte"])))
    return f"The score was compared with the protein {analytes} by Spearman's rank correlation."


def _within_diseases(results: Results, cite: Citations) -> str:
    tested = results.tables["confounding"].dropna(subset=["pvalue"])
    kinds = sorted(set(tested["kind"]) - {CELLS})
    words = series(PLURALS.get(kind, kind) for kind in kinds) if kinds else ""
    sentences = [
        f"Associations of the score with {words} were tested within each disease, with p values adjusted {cite('BH')}."
        if kinds
        else "",
        "The difference of each disease from the controls was also adjusted for the composition of cells."
        if tested["kind"].eq(CELLS).any()
        else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)
