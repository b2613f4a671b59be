"""Which comparisons the samples of a cohort allow: one answer, for validation and for the phase.

What cannot be compared is no mistake, and stops no other phase: its table says why. A design or a contrast that is
written wrongly is a mistake, and validation refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from stratifn.differential_expression.contrasts import Contrast, Question
from stratifn.differential_expression.results import COLUMNS
from stratifn.shared.checks import Checks
from stratifn.shared.design import MIN_REPLICATES, check_design, check_terms, model_matrix, parse_design
from stratifn.shared.design import check_names as check_design_names
from stratifn.shared.errors import InputError, Problem, problems_of
from stratifn.shared.samples import IDS, covariates
from stratifn.shared.vocabulary import IN_VIEW, RNA

IN_RNA = f"{IN_VIEW}{RNA}"
ONE_GROUP = "one group: nothing to compare"
_LEVEL = re.compile(r"(?P<factor>[^\[\]]+)\[(?P<level>.*)\]")


@dataclass(frozen=True)
class Possible:
    """What can be compared.

    Attributes
    ----------
    question
        The contrasts that are read from the fit (none where nothing is fitted), the diseases that can be compared with
        the control, and the control where any of its samples is measured.
    reasons
        Name of every other contrast to why it is not made.
    reason
        Why nothing is fitted; empty where something is.
    """

    question: Question
    reasons: Mapping[str, str]
    reason: str


def possible_comparisons(samples: pd.DataFrame, question: Question) -> Possible:
    """Choose the contrasts that the samples allow.

    Every sample stays in the fit, those of a group that is too small to be compared too, as in R.

    Parameters
    ----------
    samples
        The samples with expression.
    question
        What was asked.
    """
    disease, control = samples["disease"].astype(str), question.control
    one_group = disease.nunique() < 2
    measured = control if control is not None and (disease == control).any() else None
    no_baseline = (
        "" if measured == control else f"no sample of {control}, the baseline of the model, has expression data"
    )
    groups = {*question.diseases, *([control] if control is not None else [])}
    reasons = {
        each.name: ONE_GROUP if one_group else _reason(each, samples, groups, no_baseline)
        for each in question.contrasts
    }
    made = tuple(contrast for contrast in question.contrasts if not reasons[contrast.name])
    reasons = {name: reason for name, reason in reasons.items() if reason}
    against_control = {each.level for each in made if each.factor == "disease" and each.baseline == control}
    of_control = tuple(name for name in question.diseases if name in against_control)
    reason = "" if made else ONE_GROUP if one_group else "; ".join(dict.fromkeys(reasons.values()))
    return Possible(replace(question, diseases=of_control, control=measured, contrasts=made), reasons, reason)


def _reason(contrast: Contrast, samples: pd.DataFrame, groups: Collection[str], without_baseline: str) -> str:
    """Say why these samples do not allow a contrast; nothing where they do, or where its words are a mistake."""
    few = []
    for factor, level in _levels(contrast):
        if factor not in samples:
            continue
        size = int((samples[factor].astype(str) == level).sum())
        # a level that nobody has is a typing error, unless it is a group whose samples other views hold
        if size < MIN_REPLICATES and (size or (factor == "disease" and level in groups)):
            few.append(f"{size} sample{'s' if size != 1 else ''} of {level}")
    if few:
        return f"{' and '.join(few)}; {MIN_REPLICATES} are needed"
    return "" if contrast.factor == "disease" else without_baseline


def _levels(contrast: Contrast) -> list[tuple[str, str]]:
    """List the (factor, level) pairs that a contrast is about."""
    if contrast.factor:
        return [(contrast.factor, contrast.level), (contrast.factor, contrast.baseline)]
    parts = [part for name in contrast.coefficients for part in re.split(r":(?![^\[]*\])", name)]
    found = filter(None, map(_LEVEL.fullmatch, parts))
    return list(dict.fromkeys((match["factor"], match["level"]) for match in found))


def comparison_checks(cohort: Mapping[str, Any], own_contrasts: Sequence[Mapping[str, Any]]) -> Checks:
    """Return what is asked of a cohort; parameters as of `Question.of`, the cohort with its `views`.

    The configuration's own contrasts are for cohorts with gene expression.
    """
    measured = any(view["name"] == RNA for view in cohort["views"])
    question = Question.of(cohort, own_contrasts if measured else [])
    return Checks(
        names=lambda columns: check_names(columns, question),
        samples=lambda samples: check_comparisons(samples, question),
    )


def check_names(columns: Collection[str] | None, question: Question) -> list[Problem]:
    """Find what is wrong with design and contrasts whatever the samples are: `check_comparisons` finds it too.

    Parameters
    ----------
    columns
        Of the sample sheet; None while it cannot be read.
    question
        What is asked.
    """
    problems = check_design_names(question.design, columns)
    # a design that cannot be read names no factor
    terms = [] if problems_of(parse_design, question.design) else parse_design(question.design)
    for contrast in question.contrasts:
        problems += _name_problems(contrast, {name for term in terms for name in term}, columns)
    return problems


def _name_problems(contrast: Contrast, terms: Collection[str], columns: Collection[str] | None) -> Iterator[Problem]:
    where, fix = f"contrasts: {contrast.name}", "Correct the config."
    if contrast.factor and columns is not None and contrast.factor not in columns:
        expected = f"a column of the sample sheet ({', '.join(name for name in columns if name not in IDS)})"
        yield Problem("config", where, contrast.factor, expected, fix, code="IN-152")
    elif contrast.factor and terms and contrast.factor not in terms:
        expected = f"a factor of the design: {', '.join(sorted(terms))}"
        yield Problem("config", where, contrast.factor, expected, "Add it to the design.", code="IN-142")
    if contrast.factor and contrast.level == contrast.baseline:
        found = f"{contrast.level} against itself"
        yield Problem("config", where, found, "two different levels", fix, code="IN-144")
    if contrast.coefficients and not any(contrast.coefficients.values()):
        yield Problem("config", where, "weights that are all zero", "at least one weight", fix, code="IN-141")


def check_comparisons(samples: pd.DataFrame, question: Question) -> list[Problem]:
    """Find the mistakes in design and contrasts, before anything is fitted.

    Parameters
    ----------
    samples
        The samples of the cohort, with a column `in_rna`; without it there is no expression, and a mistake in the
        design alone is one.
    question
        What is asked.

    Returns
    -------
    list of Problem
        Empty if every contrast that the samples allow can be read from the fit.
    """
    if IN_RNA not in samples:
        return check_terms(samples, question.design)
    samples = samples[samples[IN_RNA]]
    columns = [*IDS, *covariates(samples)]
    problems = [*check_names(columns, question), *check_terms(samples, question.design)]
    problems = list(dict.fromkeys(problems))
    allowed = possible_comparisons(samples, question).question
    if problems or not allowed.contrasts:
        return problems
    problems = check_design(samples, allowed.design, allowed.control)
    if problems:
        return problems
    matrix = model_matrix(samples, allowed.design, allowed.control)
    for contrast in allowed.contrasts:
        try:
            contrast.weights(matrix)
        except InputError as error:
            problems += [replace(found, where=f"contrasts: {contrast.name}") for found in error.problems]
    return problems


def impossible_table(genes: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Return the table of a contrast that is not made: every gene, no numbers, and the reason as its status.

    Parameters
    ----------
    genes
        Indexed by gene id, with a column ``gene_name``.
    reason
        Why.
    """
    table = pd.DataFrame({"gene_id": genes.index.astype(str), "gene_name": genes["gene_name"].astype(str).to_numpy()})
    table = table.reindex(columns=COLUMNS)
    table["status"] = reason
    return table.astype(dict.fromkeys(COLUMNS[2:-1], float)).sort_values("gene_id", ignore_index=True)
