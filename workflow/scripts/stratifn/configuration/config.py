"""The configuration: read strictly, checked against the schema, with its defaults filled in.

``python -m stratifn.configuration.config SCHEMA CONFIG`` checks a file from the command line, before Snakemake reads it:
Snakemake's own loader lets a duplicated key win silently and can run code by its template engine.
"""

from __future__ import annotations

import copy
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stratifn.configuration.names import name_problems
from stratifn.configuration.schema import schema_problems, with_defaults
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import reading_users
from stratifn.shared.views import lender_mismatches, view_mismatches
from stratifn.shared.vocabulary import (
    BETA,
    CHECKED,
    CONCENTRATION,
    CONTINUOUS,
    COUNTS,
    OWN_FACTORS,
    PROPORTION,
    RNA,
    SIZE_FACTORS,
)

INHERIT = "inherit"
SIMULATED_VIEWS = (
    {"name": RNA, "kind": COUNTS, "path": "rna.tsv.gz"},
    {"name": "methylation", "kind": BETA, "path": "methylation.parquet"},
    {"name": "cytokines", "kind": CONCENTRATION, "path": "cytokines.tsv"},
    {"name": "cells", "kind": PROPORTION, "path": "cells.tsv"},
)


class _StrictLoader(yaml.SafeLoader):
    """YAML without duplicated keys."""


def _mapping_without_duplicates(loader: _StrictLoader, node: yaml.MappingNode) -> dict:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key, count in Counter(map(str, keys)).items():
        if count > 1:
            raise InputError(
                Problem(
                    "config",
                    f"line {node.start_mark.line + 1}",
                    f"the key `{key}` {count} times in one place",
                    "each key once",
                    "Remove or merge the copies.",
                    code="IN-160",
                )
            )
    return {key: loader.construct_object(value, deep=True) for key, (_, value) in zip(keys, node.value, strict=True)}


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates)


def read_config(path: Path) -> dict[str, Any]:
    """Read a YAML configuration, refusing duplicated keys and template code.

    Raises
    ------
    InputError
        If the file is missing, is no YAML mapping, holds a key twice, or uses the template engine.
    """
    source, again = str(path), "Correct it; an editor for YAML shows where."
    with reading_users(path, "a configuration in YAML", again):
        text = path.read_text(encoding="utf-8-sig")
        try:
            config = yaml.load(text, Loader=_StrictLoader)
        except (yaml.YAMLError, RecursionError) as error:
            found = " ".join(str(error).split())
            raise InputError(Problem(source, "the file", found, "YAML", again, code="IN-172")) from error
    if not isinstance(config, dict):
        found, fix = f"{type(config).__name__}", "Write `key: value` lines, as in config/README.md."
        raise InputError(Problem(source, "the file", found, "keys with values", fix, code="IN-173"))
    templates = [key for key in _keys(config) if key.startswith(("__use_yte__", "__definitions__", "?"))]
    if templates:
        found = f"the key `{templates[0]}`, which runs code through a template engine"
        raise InputError(Problem(source, "the file", found, "plain values", "Remove the key.", code="IN-174"))
    return config


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield str(key)
            yield from _keys(child)
    elif isinstance(value, list):
        for child in value:
            yield from _keys(child)


def complete_config(config: dict[str, Any], schema: dict[str, Any], contract: Mapping[str, Any]) -> dict[str, Any]:
    """Check a configuration and return a copy in which every default and every cohort's settings are filled in.

    In the copy each cohort has its own ``diseases``, ``control``, ``design`` and ``views``, so that a rule
    needs the cohort alone.

    Parameters
    ----------
    config
        As it was read.
    schema
        The content of ``config.schema.yaml``.
    contract
        The content of ``outputs.yaml``: no name may take the place of a file.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    problems = schema_problems(config, schema)
    if problems:
        raise InputError(problems)
    complete = with_defaults(copy.deepcopy(config), schema)
    found = complete | {"cohorts": [_complete_cohort(cohort, complete) for cohort in complete["cohorts"]]}
    problems = [*_cross_problems(complete), *name_problems(found, contract)]
    if problems:
        raise InputError(problems)
    return found


def _cross_problems(config: dict[str, Any]) -> Iterator[Problem]:
    """List what a schema cannot express: keys that must agree with one another."""
    cohorts = config["cohorts"]
    for number, item in enumerate(config["transfer"]):
        yield from _transfer_problems(f"transfer[{number}] ({item['name']}).views", item, cohorts)
    for item in config["contrasts"]:
        if item.get("factor") and item.get("coefficients"):
            found = "both `factor` and `coefficients`"
            yield Problem("config", f"contrasts.{item['name']}", found, "one of the two", "Remove one.", code="IN-161")
    low, high = config["stratification"]["clusters"]
    if low > high:
        yield Problem(
            "config", "stratification.clusters", f"{low} to {high}", "smallest first", "Swap them.", code="IN-162"
        )
    analyte = config["interferon"]["protein_analyte"]
    if (
        analyte is not None
        and cohorts
        and not any(view["kind"] == CONCENTRATION for each in cohorts for view in _views(each))
    ):
        found, expected = f"`{analyte}`, and no view of concentrations", "a view of kind concentration that has it"
        yield Problem(
            "config", "interferon.protein_analyte", found, expected, "Add the view, or remove the key.", code="IN-233"
        )
    for number, cohort in enumerate(cohorts):
        yield from _cohort_problems(f"cohorts[{number}] ({cohort['name']})", cohort, config)


def _cohort_problems(where: str, cohort: dict[str, Any], config: dict[str, Any]) -> Iterator[Problem]:
    simulated, read = cohort["simulate"] is not None, cohort["samples"] is not None
    if simulated == read:
        found = "both `simulate` and `samples`" if simulated else "neither `simulate` nor `samples`"
        yield Problem("config", where, found, "one of the two", "Remove or add one.", code="IN-163")
    if read and not cohort["views"]:
        yield Problem("config", f"{where}.views", "no view", "at least one", "Name a matrix.", code="IN-164")
    if simulated and cohort["views"]:
        yield Problem("config", f"{where}.views", "views of a simulated cohort", "none", "Remove them.", code="IN-165")
    yield from _view_problems(f"{where}.views", cohort["views"])
    control, diseases = _control(cohort, config), cohort["diseases"] or config["diseases"]
    if control is not None and control.lower() in map(str.lower, diseases):
        yield Problem(
            "config",
            where,
            f"`{control}` as control and as disease",
            "one of the two",
            "Remove it from `diseases`.",
            code="IN-166",
        )
    if simulated and (control is None) != (cohort["simulate"]["controls"] == 0):
        yield Problem(
            "config",
            f"{where}.simulate.controls",
            f"{cohort['simulate']['controls']} with control {control}",
            "controls if `control` is set, and 0 if it is null",
            "Set both, or neither.",
            code="IN-167",
        )


def _view_problems(where: str, views: list[dict[str, Any]]) -> Iterator[Problem]:
    for view in views:
        at, kind = f"{where}.{view['name']}", view["kind"]
        if view["name"] == RNA and kind not in (COUNTS, CONTINUOUS):
            yield Problem("config", at, f"kind {kind}", "counts or continuous", "Correct the kind.", code="IN-168")
        if view["round"] and kind != COUNTS:
            yield Problem("config", at, f"round with kind {kind}", "kind counts", "Remove `round`.", code="IN-169")
        yield from _size_factor_problems(at, view, views)


def _size_factor_problems(at: str, view: dict[str, Any], views: list[dict[str, Any]]) -> Iterator[Problem]:
    lender = view.get(SIZE_FACTORS, OWN_FACTORS)
    if lender == OWN_FACTORS:
        return
    lenders = [
        v["name"] for v in views if v["kind"] == COUNTS and v[SIZE_FACTORS] == OWN_FACTORS and v["name"] != view["name"]
    ]
    if view["kind"] != COUNTS or view["name"] == RNA:
        what = "the view rna" if view["name"] == RNA else f"kind {view['kind']}"
        yield Problem(
            "config",
            at,
            f"size_factors with {what}",
            "a second view of counts",
            "Remove `size_factors`.",
            code="IN-170",
        )
    elif lender not in lenders:
        expected = f"`own`, or a view of counts with its own: {', '.join(lenders) or 'there is none'}"
        yield Problem("config", at, f"size_factors {lender}", expected, "Correct the name.", code="IN-171")


def _transfer_problems(where: str, item: dict[str, Any], cohorts: list[dict[str, Any]]) -> Iterator[Problem]:
    yield from _view_problems(where, item["views"])
    for cohort in cohorts:
        if cohort["name"] == item["reference"]:
            known = {view["name"]: view["kind"] for view in _views(cohort)}
            yield from view_mismatches(where, item["views"], known)
            yield from lender_mismatches(where, item["views"], {v["name"]: v[SIZE_FACTORS] for v in _views(cohort)})


def _control(cohort: dict[str, Any], config: dict[str, Any]) -> str | None:
    return config["control"] if cohort["control"] == INHERIT else cohort["control"]


def _complete_cohort(cohort: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    own = {"diseases": cohort["diseases"] or config["diseases"], "control": _control(cohort, config)}
    return cohort | own | {"views": _views(cohort)}


def _views(cohort: dict[str, Any]) -> list[dict[str, Any]]:
    return (
        cohort["views"]
        if cohort["simulate"] is None
        else [dict(view, format=None, round=False, size_factors=OWN_FACTORS, scale=CHECKED) for view in SIMULATED_VIEWS]
    )


def main(arguments: list[str]) -> int:
    """Check one configuration file and print its problems."""
    schema_path, config_path = map(Path, arguments)
    paths = (schema_path, schema_path.with_name("outputs.yaml"))
    schema, contract = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths)
    try:
        complete_config(read_config(config_path), schema, contract)
    except InputError as error:
        print(f"{config_path}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
