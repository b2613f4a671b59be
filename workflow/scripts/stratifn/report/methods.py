"""Text for the methods section of a paper, with the values and versions that were used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stratifn import __version__
from stratifn.report.results import Results
from stratifn.report.small_cells import people
from stratifn.shared.vocabulary import (
    AS_GIVEN,
    CHECKED,
    CLASSES,
    COUNTS,
    HEALTHY,
    OWN_FACTORS,
    RNA,
    SCALE,
    SIZE_FACTORS,
)

# names of references to their numbers in brackets
Cite = Callable[..., str]
# (kind of view, names of views) -> what normalization does to them (see `stratifn.normalization.described`)
Described = Callable[[str, str], str]
REFERENCES = {
    "Snakemake": "Mölder F et al. Sustainable data analysis with Snakemake. F1000Research 2021;10:33. "
    "doi:10.12688/f1000research.29032.2",
    "DESeq2": "Love MI, Huber W, Anders S. Moderated estimation of fold change and dispersion for RNA-seq data with "
    "DESeq2. Genome Biol 2014;15:550. doi:10.1186/s13059-014-0550-8",
    "PyDESeq2": "Muzellec B et al. PyDESeq2: a python package for bulk RNA-seq differential expression analysis. "
    "Bioinformatics 2023;39:btad547. doi:10.1093/bioinformatics/btad547",
    "apeGLM": "Zhu A, Ibrahim JG, Love MI. Heavy-tailed prior distributions for sequence count data. Bioinformatics "
    "2019;35:2084-2092. doi:10.1093/bioinformatics/bty895",
    "limma": "Smyth GK. Linear models and empirical Bayes methods for assessing differential expression in microarray "
    "experiments. Stat Appl Genet Mol Biol 2004;3:3. doi:10.2202/1544-6115.1027",
    "CAMERA": "Wu D, Smyth GK. Camera: a competitive gene set test accounting for inter-gene correlation. Nucleic Acids "
    "Res 2012;40:e133. doi:10.1093/nar/gks461",
    "MOFA": "Argelaguet R et al. MOFA+: a statistical framework for comprehensive integration of multi-modal "
    "single-cell data. Genome Biol 2020;21:111. doi:10.1186/s13059-020-02015-1",
    "consensus": "Monti S et al. Consensus clustering. Mach Learn 2003;52:91-118. doi:10.1023/A:1023949509487",
    "EULAR": "Rodriguez-Carrio J et al. 2022 EULAR points to consider for the measurement, reporting and application "
    "of IFN-I pathway activation assays in clinical research and practice. Ann Rheum Dis 2023;82:754-762. "
    "doi:10.1136/ard-2022-223628",
    "BH": "Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 1995;57:289-300. "
    "doi:10.1111/j.2517-6161.1995.tb02031.x",
}


def methods_text(results: Results, versions: Mapping[str, str], described: Described) -> str:
    """Write the methods in Markdown, one paragraph per phase, and the references that they name.

    Parameters
    ----------
    results
        The results; their configuration holds every value.
    versions
        Name of the software to its version.
    described
        Says what normalization does to a kind of view.
    """
    cited: list[str] = []

    def cite(*names: str) -> str:
        cited.extend(name for name in names if name not in cited)
        return "[" + ", ".join(str(cited.index(name) + 1) for name in names) + "]"

    paragraphs = [
        f"# Methods: cohort {results.cohort}",
        f"Data were analysed with stratifn {__version__}, a Snakemake {versions['snakemake']} {cite('Snakemake')} "
        f"workflow in Python {versions['python']}.",
        _normalization(results, versions, described, cite),
        _differential_expression(results, cite),
        _interferon(results, cite),
        _integration(results, versions, cite),
        _stratification(results, cite),
        "Results are for research use, not for diagnosis.",
        "## References",
        "\n".join(f"{number}. {REFERENCES[name]}" for number, name in enumerate(cited, start=1)),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _kinds(results: Results) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for view in results.settings["views"]:
        kinds.setdefault(view["kind"], []).append(view["name"])
    return kinds


def _normalization(results: Results, versions: Mapping[str, str], described: Described, cite: Cite) -> str:
    settings = results.config["normalization"]
    sentences = []
    for kind, views in _kinds(results).items():
        sentence = described(kind, ", ".join(views))
        if kind == COUNTS:
            sentence += (
                f" {cite('DESeq2')}, by PyDESeq2 {versions['pydeseq2']} {cite('PyDESeq2')} (size factors: "
                f"{settings['size_factors']}). Genes counted at least {settings['min_count']} times in as many samples as the "
                "smallest group has were kept, and genes of the signature registry in any case"
            )
        sentences.append(f"{sentence}.")
    sentences += [
        f"The size factors of {view['name']} were those of {view[SIZE_FACTORS]}."
        for view in results.settings["views"]
        if view.get(SIZE_FACTORS, OWN_FACTORS) != OWN_FACTORS
    ]
    sentences += [
        f"The values of {view['name']} were taken as given: their scale was not checked (`{SCALE}: {AS_GIVEN}`)."
        for view in results.settings["views"]
        if view.get(SCALE, CHECKED) == AS_GIVEN
    ]
    return " ".join(sentences)


def _differential_expression(results: Results, cite: Cite) -> str:
    if not results.tested_contrasts:
        return ""
    settings, kinds = results.config["differential_expression"], _kinds(results)
    contrasts = ", ".join(name.replace("_vs_", " against ") for name in results.tested_contrasts)
    if RNA in kinds.get(COUNTS, []):
        shrunk = f" Log2 fold changes were also shrunken by apeGLM {cite('apeGLM')}." if settings["shrink"] else ""
        model = (
            "one negative binomial model per cohort with Wald tests, Cook's distance outlier handling and independent "
            f"filtering {cite('DESeq2')}"
        )
    else:
        shrunk, model = "", f"a linear model with empirical Bayes moderated t statistics {cite('limma')}"
    threshold = settings["lfc_threshold"]
    beyond = f" The null hypothesis was an absolute log2 fold change of at most {threshold:g}." if threshold else ""
    return (
        f"Differential expression ({contrasts}) was tested by {model}; the design was {results.settings['design']}."
        f"{beyond}{shrunk} P values were adjusted within each contrast {cite('BH')}; genes were called at {settings['alpha']:g}. "
        f"Gene sets were tested by CAMERA on the transformed values with the same design {cite('CAMERA')}."
    )


def _interferon(results: Results, cite: Cite) -> str:
    settings = results.config["interferon"]
    if not results.tables["classes"]["ifn_class"].isin(CLASSES).any():
        return ""
    source = "a frozen reference's" if settings["reference"] else "this run's own"
    control = "healthy controls" if results.settings["control_type"] == HEALTHY else "controls (not healthy)"
    return (
        f"ISG expression scores ({settings['signature']}, {settings['method']}) were computed against {source} "
        f"{control}, with size factors whose reference came from the controls alone, so that a patient's score does not "
        f"depend on other patients.{_left_out_controls(results)} The cut-off was {settings['cutoff']} of the controls; {settings['bootstraps']} bootstraps "
        f"of the controls gave the certainty of each class. Terms follow the EULAR points to consider {cite('EULAR')}."
    )


def _left_out_controls(results: Results) -> str:
    """Say how many controls the reference leaves out."""
    excluded = results.tables["reference"]["excluded"]
    if not len(excluded) or not excluded.max():
        return ""
    number = people(int(excluded.max()), results.min_cell)
    return (
        f" Controls whose score was far above those of the others were left out of the reference ({number}); intervals of the "
        "prevalence are the union of those with and without."
    )


def _integration(results: Results, versions: Mapping[str, str], cite: Cite) -> str:
    settings = results.config["integration"]
    return (
        f"Views were integrated by MOFA {cite('MOFA')} (mofapy2 {versions['mofapy2']}; up to {settings['factors']} factors, the "
        f"{settings['top_features']} most variable features per view, convergence {settings['convergence']}, "
        f"{'single' if settings['float32'] else 'double'} precision), with seeds {', '.join(map(str, settings['seeds']))}; "
        f"the model with the best evidence lower bound was kept.{_robust(results)}"
    )


def _robust(results: Results) -> str:
    share, least = (results.bound("factor", key) for key in ("seeds_matched", "seed_correlation"))
    if share is None:
        return ""
    return (
        f" A factor found with |r| of at least {least:g} in at least {100 * share:.0f} % of the seeds counts as robust."
    )


def _stratification(results: Results, cite: Cite) -> str:
    settings = results.config["stratification"]
    low, high = settings["clusters"]
    whom = "patients and controls" if settings["include_controls"] and results.control else "patients"
    return (
        f"Strata of {whom} came from consensus clustering {cite('consensus')} of the robust factors, each standardised and "
        f"multiplied by the square root of the variance that it explains, with {settings['resamples']} resamples; "
        f"{low} to {high} strata were tried (seed {settings['seed']}).{_tested(results)} Their number is that with the lowest BIC "
        "of a Gaussian mixture with one covariance; the confidence of a stratum is its probability in that mixture, "
        "averaged over bootstraps, given what was measured of the person."
    )


def _tested(results: Results) -> str:
    alpha, least = results.bound("strata", "null_pvalue"), results.bound("strata", "stability")
    if alpha is None:
        return ""
    stable = "" if least is None else f"; strata with a mean bootstrap Jaccard below {least:g} are called weak"
    return f" More than one stratum needed p of at most {alpha:g} against data without structure{stable}."
