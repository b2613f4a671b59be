"""The methods text as a whole: one paragraph per phase, and the references that they name."""

from __future__ import annotations

from collections.abc import Mapping

from stratifn.report.methods.cohort import cohort
from stratifn.report.methods.differential_expression import differential_expression
from stratifn.report.methods.integration import integration
from stratifn.report.methods.interferon import interferon
from stratifn.report.methods.normalization import Described, normalization
from stratifn.report.methods.references import Citations
from stratifn.report.methods.stratification import stratification
from stratifn.report.results import Results


def methods_text(results: Results, versions: Mapping[str, str], described: Described) -> str:
    """Write the methods in Markdown, one paragraph per phase, and the references that they name.

    Parameters
    ----------
    results
        The results; what was used is read from the tables, where the configuration may say something else.
    versions
        Name of the software to its version.
    described
        Says what normalization does to a kind of view.
    """
    cite = Citations()
    paragraphs = [
        f"# Methods: cohort {results.cohort}",
        cohort(results, versions, cite),
        normalization(results, versions, described, cite),
        differential_expression(results, cite),
        interferon(results, cite),
        integration(results, versions, cite),
        stratification(results, cite),
        "## References",
        cite.listed(),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"
