"""From the text of a design ("disease + sex + age + disease:sex") to the columns of a model matrix.

A design is a list of column names of the sample sheet and of interactions between them, nothing else: it is
parsed here, checked here and turned into numbers here, and never handed to a formula library, because those
evaluate what they are given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError, Problem, listed
from stratifn.shared.samples import IDS, covariates, is_number
from stratifn.shared.vocabulary import ID_PATTERN

INTERCEPT = "Intercept"
# samples per group that a comparison needs
MIN_REPLICATES = 3
_ALLOWED = "names of sample sheet columns joined by +, with interactions as a:b, and nothing else"
# relative length of what a column adds to the columns before it, below which it adds nothing
_RANK_TOLERANCE = 1e-8

Term = tuple[str, ...]


@dataclass(frozen=True)
class DesignMatrix:
    """A model matrix and what its columns mean.

    Attributes
    ----------
    matrix
        Samples x columns (float), indexed by sample; the first column is ``Intercept``. Continuous covariates are
        centred and divided by their standard deviation, which changes no test and keeps the fit well conditioned.
    terms
        The design's terms, main effects first.
    levels
        Per factor its levels; the first one is the baseline.
    parts
        Per column the main-effect columns whose product it is.
    units
        Per column what one step of it is in the sheet's own units: the product of the standard deviations of its
        continuous covariates, 1 for the others. `contrast` divides by it, so that effects are per year, not per SD.
    """

    matrix: pd.DataFrame
    terms: tuple[Term, ...]
    levels: dict[str, tuple[str, ...]]
    parts: dict[str, tuple[str, ...]]
    units: pd.Series

    @property
    def columns(self) -> list[str]:
        """Names of the coefficients."""
        return list(self.matrix.columns)

    def contrast(self, coefficients: Mapping[str, float]) -> np.ndarray:
        """Return the weights of the matrix' columns for a combination of coefficients.

        Parameters
        ----------
        coefficients
            Weight per coefficient name, in the units of the sheet (an effect of ``age`` is per year).

        Returns
        -------
        numpy.ndarray
            Shape (columns,).

        Raises
        ------
        InputError
            A name that is no coefficient of this design, or no weight that differs from zero.
        """
        unknown = [name for name in coefficients if name not in self.matrix.columns]
        if unknown:
            raise InputError(
                _config_problem("IN-140", "contrasts", ", ".join(unknown), f"one of {', '.join(self.columns)}")
            )
        weights = pd.Series(0.0, index=self.matrix.columns)
        for name, weight in coefficients.items():
            weights[name] = float(weight) / self.units[name]
        if not np.any(weights.to_numpy()):
            raise InputError(_config_problem("IN-141", "contrasts", "weights that are all zero", "at least one weight"))
        return weights.to_numpy()

    def level_contrast(self, factor: str, level: str, baseline: str) -> np.ndarray:
        """Return the weights for one level of a factor against another.

        With an interaction in the design it is the difference at the other variables' baseline (at the mean of a
        continuous one), as in R.

        Raises
        ------
        InputError
            An unknown factor or level, or twice the same level.
        """
        known = self.levels.get(factor)
        if known is None:
            expected = f"a factor of the design: {', '.join(self.levels)}"
            raise InputError(_config_problem("IN-142", "contrasts", factor, expected))
        for name in (level, baseline):
            if name not in known:
                expected = f"one of {', '.join(known)}"
                raise InputError(_config_problem("IN-143", "contrasts", f"{factor} {name!r}", expected))
        if level == baseline:
            raise InputError(_config_problem("IN-144", "contrasts", f"{level} against itself", "two different levels"))
        weights = {column_name(factor, level): 1.0, column_name(factor, baseline): -1.0}
        return self.contrast({name: weight for name, weight in weights.items() if name in self.matrix.columns})

    def relevelled(self, factor: str, baseline: str) -> DesignMatrix:
        """Return the same model with another baseline of a factor: the same fit in other coefficients."""
        old, *others = self.levels[factor]
        if baseline == old:
            return self
        effects = {name: self.matrix[name].to_numpy() for parts in self.parts.values() for name in parts}
        levels = [column_name(factor, level) for level in others]
        effects[column_name(factor, old)] = 1.0 - np.sum([effects[name] for name in levels], axis=0)
        renamed = {column_name(factor, baseline): column_name(factor, old)}
        parts = {}
        for named in self.parts.values():
            new = tuple(renamed.get(name, name) for name in named)
            parts[":".join(new) or INTERCEPT] = new
        ones = np.ones(len(self.matrix))
        matrix = {name: np.prod([ones, *(effects[part] for part in new)], axis=0) for name, new in parts.items()}
        order = (baseline, *(level for level in self.levels[factor] if level != baseline))
        return DesignMatrix(
            pd.DataFrame(matrix, index=self.matrix.index),
            self.terms,
            {**self.levels, factor: order},
            parts,
            pd.Series(self.units.to_numpy(), index=list(parts)),
        )


def column_name(factor: str, level: str) -> str:
    """Name the coefficient of a factor's level."""
    return f"{factor}[{level}]"


def parse_design(design: str) -> list[Term]:
    """Split a design into its terms, main effects first.

    Parameters
    ----------
    design
        For example ``"disease + sex + disease:sex"``.

    Returns
    -------
    list of tuple of str
        One tuple per term: one name for a main effect, two or more for an interaction.

    Raises
    ------
    InputError
        Anything but names, ``+`` and ``:``; a repeated term; an interaction without its main
        effects (its coefficients would then mean something else than their names say).
    """
    terms = [tuple(part.strip() for part in term.split(":")) for term in str(design).split("+")]
    names = [name for term in terms for name in term]
    wrong = [name for name in names if not ID_PATTERN.match(name)]
    if wrong:
        raise InputError(_config_problem("IN-145", "design", repr(wrong[0]) + f" in {design!r}", _ALLOWED))
    if len({frozenset(term) for term in terms}) < len(terms) or any(len(set(t)) < len(t) for t in terms):
        raise InputError(_config_problem("IN-146", "design", f"a repeated name in {design!r}", "every term once"))
    orphans = [term for term in terms if len(term) > 1 and any((name,) not in terms for name in term)]
    if orphans:
        expected = f"also the main effects {' + '.join(orphans[0])}"
        raise InputError(_config_problem("IN-147", "design", f"the interaction {':'.join(orphans[0])}", expected))
    return sorted(terms, key=len)


def check_names(design: str, columns: Collection[str] | None) -> list[Problem]:
    """Find what is wrong with a design whatever the samples are: its words, and names that are no column.

    Parameters
    ----------
    design
        See `parse_design`.
    columns
        Of the sample sheet; None while it cannot be read.
    """
    return _known_terms(design, columns)[1]


def check_terms(samples: pd.DataFrame, design: str, sheet: str = "sample sheet") -> list[Problem]:
    """Find what is a mistake in a design whether or not it can be fitted: its words, its columns, missing values.

    Parameters are those of `check_design`.
    """
    names, problems = _known_terms(design, [*IDS, *covariates(samples)])
    return [*problems, *(problem for name in names for problem in _check_term(samples, name, sheet))]


def check_design(samples: pd.DataFrame, design: str, control: str | None, sheet: str = "sample sheet") -> list[Problem]:
    """List every reason why a design cannot be fitted, without fitting it.

    How many samples a comparison needs is no matter of the fit: a group of one can be in it.

    Parameters
    ----------
    samples
        The samples that would be fitted, one row each.
    design
        See `parse_design`.
    control
        The baseline of ``disease``; None if this cohort has no controls.
    sheet
        How the user calls the sample sheet, for the messages.

    Returns
    -------
    list of Problem
        Empty if the design can be fitted.
    """
    names, problems = _known_terms(design, [*IDS, *covariates(samples)])
    for name in names:
        problems += _check_term(samples, name, sheet) or _check_levels(samples, name, control, sheet)
    return problems or _check_rank(samples, parse_design(design), control)


def model_matrix(samples: pd.DataFrame, design: str = "disease", control: str | None = None) -> DesignMatrix:
    """Build the model matrix of a design.

    Columns of text are factors in treatment coding with columns ``factor[level]``; columns of numbers are continuous
    covariates: what a column is, validation has decided. The baseline of ``disease`` is the control, every other
    baseline is the first level in alphabetical order.

    Parameters
    ----------
    samples
        One row per sample, with a column ``sample`` and the columns that the design names.
    design
        See `parse_design`.
    control
        The baseline of ``disease``, or None.

    Raises
    ------
    InputError
        Everything that `check_design` finds.
    """
    problems = check_design(samples, design, control)
    if problems:
        raise InputError(problems)
    return _build(samples, parse_design(design), control)


def _build(samples: pd.DataFrame, terms: list[Term], control: str | None) -> DesignMatrix:
    variables: dict[str, dict[str, np.ndarray]] = {}
    levels: dict[str, tuple[str, ...]] = {}
    spread: dict[str, float] = {}
    for (name,) in (term for term in terms if len(term) == 1):
        values = samples[name]
        if not is_number(values):
            levels[name] = _levels(values, control if name == "disease" else None)
            text = values.astype(str).to_numpy()
            variables[name] = {column_name(name, level): (text == level) * 1.0 for level in levels[name][1:]}
        else:
            numbers = values.to_numpy(dtype=float)
            spread[name] = float(numbers.std(ddof=1))
            variables[name] = {name: (numbers - numbers.mean()) / spread[name]}
    columns = {INTERCEPT: np.ones(len(samples))}
    named: dict[str, tuple[str, ...]] = {INTERCEPT: ()}
    units = {INTERCEPT: 1.0}
    for term in terms:
        unit = float(np.prod([spread.get(name, 1.0) for name in term]))
        # the last variable varies slowest, as in R
        for parts in product(*(variables[name].items() for name in reversed(term))):
            named_parts = tuple(name for name, _ in reversed(parts))
            column = ":".join(named_parts)
            named[column] = named_parts
            columns[column] = np.prod([values for _, values in parts], axis=0)
            units[column] = unit
    index = pd.Index(samples["sample"].astype(str), name="sample")
    return DesignMatrix(pd.DataFrame(columns, index=index), tuple(terms), levels, named, pd.Series(units))


def _levels(values: pd.Series, baseline: str | None) -> tuple[str, ...]:
    levels = sorted(values.astype(str).unique())
    if baseline is None:
        return tuple(levels)
    return (baseline, *(level for level in levels if level != baseline))


def _main_effects(design: str) -> list[str]:
    names = [term[0] for term in parse_design(design) if len(term) == 1]
    if "disease" not in names:
        raise InputError(_config_problem("IN-148", "design", " + ".join(names), "the term disease among them"))
    return names


def _known_terms(design: str, columns: Collection[str] | None) -> tuple[list[str], list[Problem]]:
    """Return the terms that are columns (all while none are known), and what is wrong whatever the samples are."""
    try:
        names = _main_effects(design)
    except InputError as error:
        return [], error.problems
    if columns is None:
        return names, []
    expected = f"a column of the sample sheet ({', '.join(name for name in columns if name not in IDS)})"
    unknown = [_config_problem("IN-149", "design", name, expected) for name in names if name not in columns]
    return [name for name in names if name in columns], unknown


def _check_term(samples: pd.DataFrame, name: str, sheet: str) -> list[Problem]:
    values, where = samples[name], f"column {name}"
    absent = samples.loc[values.isna(), "sample"].astype(str).tolist()
    if absent:
        fix = f"Fill it in, leave these samples out, or take {name} out of the design."
        return [
            Problem(sheet, where, f"no value for {listed(absent, 5)}", "a value for every sample", fix, code="IN-130")
        ]
    if is_number(values) and not np.isfinite(values.to_numpy(dtype=float)).all():
        return [Problem(sheet, where, "an infinite value", "numbers", "Correct the sheet.", code="IN-131")]
    return []


def _check_levels(samples: pd.DataFrame, name: str, control: str | None, sheet: str) -> list[Problem]:
    values = samples[name].astype(str)
    if values.nunique() < 2:
        found = f"only {values.iloc[0] if len(values) else 'no sample'}"
        fix = f"Take {name} out of the design." if name != "disease" else "Add samples of another group."
        return [Problem(sheet, f"column {name}", found, "at least two different values", fix, code="IN-132")]
    if name == "disease":
        return _check_control(values, control)
    return _check_identical(samples, name) if not is_number(samples[name]) else []


def _check_control(disease: pd.Series, control: str | None) -> list[Problem]:
    if control is None or (disease == control).any():
        return []
    expected = f"one of {', '.join(sorted(disease.unique()))}"
    return [
        Problem(
            "config", "control", f"no sample of the control {control!r}", expected, "Correct the name.", code="IN-039"
        )
    ]


def _check_identical(samples: pd.DataFrame, name: str) -> list[Problem]:
    """Report a factor that says the same as the disease: no model can tell the two apart."""
    pairs = samples[["disease", name]].astype(str).drop_duplicates()
    if len(pairs) > pairs["disease"].nunique() or len(pairs) > pairs[name].nunique():
        return []
    expected = f"a {name} that varies within the diseases"
    fix = f"Take {name} out of the design; its effect and the disease's cannot be told apart."
    return [Problem("config", "design", f"{name} identical to disease", expected, fix, code="IN-133")]


def _check_rank(samples: pd.DataFrame, terms: list[Term], control: str | None) -> list[Problem]:
    matrix = _build(samples, terms, control).matrix
    aliased = aliased_columns(matrix)
    if aliased:
        found = "; ".join(f"{name} = {formula}" for name, formula in aliased.items())
        expected = "columns that are linearly independent"
        return [_config_problem("IN-150", "design", f"aliased columns: {found}", expected, "Take a term out.")]
    if matrix.shape[0] <= matrix.shape[1]:
        found = f"{matrix.shape[1]} coefficients for {matrix.shape[0]} samples"
        return [_config_problem("IN-151", "design", found, "more samples than coefficients", "Take a term out.")]
    return []


def aliased_columns(matrix: pd.DataFrame) -> dict[str, str]:
    """Name the columns that are a linear combination of columns before them.

    Parameters
    ----------
    matrix
        Samples x columns.

    Returns
    -------
    dict
        Per aliased column the combination in words, for example ``{"batch[2]": "disease[SLE]"}``; empty if the
        matrix has full column rank.
    """
    kept: list[str] = []
    aliased = {}
    for name in matrix.columns:
        values = matrix[name].to_numpy()
        before = matrix[kept].to_numpy()
        weights = np.linalg.lstsq(before, values, rcond=None)[0] if kept else np.zeros(0)
        rest = np.linalg.norm(values - before @ weights) if kept else np.linalg.norm(values)
        if rest > _RANK_TOLERANCE * max(float(np.linalg.norm(values)), 1.0):
            kept.append(name)
            continue
        parts = [f"{weight:+.3g} {other}" for other, weight in zip(kept, weights, strict=True) if abs(weight) > 1e-6]
        aliased[name] = " ".join(parts) or "0 (no sample is in this cell)"
    return aliased


def _config_problem(code: str, where: str, found: str, expected: str, fix: str = "Correct the config.") -> Problem:
    return Problem("config", where, found, expected, fix, code=code)
