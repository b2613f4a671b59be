"""Who was analysed, what was measured of them, and by which software."""

from __future__ import annotations

from collections.abc import Mapping

from stratifn import __version__
from stratifn.report.methods.references import Citations
from stratifn.report.methods.words import in_words, measured_in, series
from stratifn.report.results import Results
from stratifn.shared.vocabulary import HEALTHY, RNA

OTHER = "other"
PLATFORMS = {
    "rnaseq": "RNA sequencing",
    "microarray": "microarrays",
    "nanostring": "NanoString",
    "qpcr": "quantitative PCR",
}


def cohort(results: Results, versions: Mapping[str, str], cite: Citations) -> str:
    """Write the paragraph on the people, the measurements and the software."""
    simulated = " The data are simulated." if results.settings.get("simulate") else ""
    return (
        f"{_people(results)}{simulated}{_specimen(results)}{_views(results)} Data were analysed with stratifn {__version__}, a "
        f"Snakemake {versions['snakemake']} {cite('Snakemake')} workflow in Python {versions['python']}."
    )


def _people(results: Results) -> str:
    heads, one_each = results.heads, results.samples["patient"].is_unique
    everybody = in_words(heads.everybody())
    whom = (
        f"{everybody} people" if one_each else f"{everybody} samples of {in_words(heads.everybody('patient'))} people"
    )
    groups = [f"{in_words(heads.total(disease))} with {disease}" for disease in results.diseases]
    if results.control is None:
        return f"The cohort comprised {whom}: {series(groups)}. It had no controls."
    controls = in_words(heads.total(results.control))
    if results.settings["control_type"] == HEALTHY:
        groups.append(f"{controls} healthy controls ({results.control})")
    else:
        groups.append(f"{controls} controls who were not healthy ({results.control})")
    return f"The cohort comprised {whom}: {series(groups)}."


def _specimen(results: Results) -> str:
    specimen, platform = results.settings["specimen"], PLATFORMS.get(results.settings["platform"], "")
    measured = f"gene expression was measured by {platform}" if platform and RNA in results.views else ""
    if specimen == OTHER:
        return f" {measured[0].upper()}{measured[1:]}." if measured else ""
    of = specimen.replace("sorted:", "sorted cells, ").replace("pbmc", "PBMC").replace("_", " ")
    return f" The specimen was {of}{'; ' if measured else ''}{measured}."


def _views(results: Results) -> str:
    what = "samples" if results.samples["patient"].duplicated().any() else "people"
    counts = [f"{view} ({measured_in(results, view)} {what})" for view in results.views]
    return f" The data were {series(counts)}."
