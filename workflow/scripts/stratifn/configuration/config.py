"""The configuration: read strictly, checked against the schema, with its defaults filled in.

``python -m stratifn.configuration.config SCHEMA CONFIG`` checks a file from the command line, before Snakemake reads it:
Snakemake's own loader lets a duplicated key win silently and can run code by its template engine.
"""

from __future__ import annotations

import copy
import difflib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stratifn.shared.errors import InputError, Problem
from stratifn.shared.vocabulary import RNA

INHERIT = "inherit"
RESERVED_COHORTS = frozenset({"transfer"})
RESERVED_CONTRASTS = frozenset({"index", "cross_disease", "summary", "enrichment", "design", "transfer", "notes"})
SIMULATED_VIEWS = (
    {"name": RNA, "kind": "counts", "path": "rna.tsv.gz"},
    {"name": "methylation", "kind": "beta", "path": "methylation.parquet"},
    {"name": "cytokines", "kind": "concentration", "path": "cytokines.tsv"},
    {"name": "cells", "kind": "proportion", "path": "cells.tsv"},
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
                )
            )
    return {key: loader.construct_object(value, deep=True) for key, (_, value) in zip(keys, node.value, strict=True)}


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates)


def read_config(path: Path) -> dict[str, Any]:
    """Read a YAML configuration, refusing duplicated keys and template code.

    Raises
    ------
    InputError
        If the file is missing, is no YAML mapping, holds a key twice, or asks for the template engine.
    """
    try:
        config = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(config, dict):
        raise InputError(f"{path}: found {type(config).__name__}; expected `key: value` lines.")
    templates = [key for key in _keys(config) if key.startswith(("__use_yte__", "__definitions__", "?"))]
    if templates:
        raise InputError(
            f"{path}: the key `{templates[0]}` runs code through a template engine; expected plain values. Remove it."
        )
    return config


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield str(key)
            yield from _keys(child)
    elif isinstance(value, list):
        for child in value:
            yield from _keys(child)


def complete_config(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration and return a copy in which every default and every cohort's settings are filled in.

    In the copy each cohort carries its own ``diseases``, ``control``, ``design`` and ``views``, so that a rule
    needs the cohort alone.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    problems = schema_problems(config, schema)
    if problems:
        raise InputError(problems)
    complete = _with_defaults(copy.deepcopy(config), schema)
    problems = list(_cross_problems(complete))
    if problems:
        raise InputError(problems)
    complete["cohorts"] = [_complete_cohort(cohort, complete) for cohort in complete["cohorts"]]
    return complete


def schema_problems(config: dict[str, Any], schema: dict[str, Any]) -> list[Problem]:
    """List what breaks the schema, each with the path of its key."""
    from jsonschema import Draft202012Validator

    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda e: [str(p) for p in e.path])
    return [problem for error in errors for problem in _problems_of(error)]


def _problems_of(error: Any) -> Iterator[Problem]:
    where = _key_path(error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        for key in sorted(set(error.instance) - set(known), key=str):
            near = difflib.get_close_matches(str(key), known, n=1)
            mend = f"Did you mean `{near[0]}`?" if near else "Remove it."
            at = f"{where}.{key}" if where else str(key)
            yield Problem("config", at, "an unknown key", f"one of {', '.join(known)}", mend)
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield Problem("config", where or "top level", "no " + ", ".join(missing), "it to be set", "Add it.")
    else:
        expected = error.schema.get("description", error.message)
        yield Problem("config", where, repr(error.instance), _constraint(error), f"This key is: {expected}")


def _constraint(error: Any) -> str:
    value = error.validator_value
    words = {
        "enum": lambda: "one of " + ", ".join(map(str, value)),
        "type": lambda: " or ".join(value) if isinstance(value, list) else str(value),
        "pattern": lambda: f"text that matches {value}",
        "minimum": lambda: f"at least {value}",
        "maximum": lambda: f"at most {value}",
        "exclusiveMinimum": lambda: f"more than {value}",
        "exclusiveMaximum": lambda: f"less than {value}",
        "minItems": lambda: f"at least {value} items",
        "maxItems": lambda: f"at most {value} items",
        "uniqueItems": lambda: "no item twice",
    }
    return words.get(error.validator, lambda: error.message)()


def _key_path(parts: Any) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{part}"
    return path


def _with_defaults(value: Any, schema: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        for key, child in schema.get("properties", {}).items():
            if key not in value and "default" in child:
                value[key] = copy.deepcopy(child["default"])
            if key in value:
                value[key] = _with_defaults(value[key], child)
    if isinstance(value, list):
        return [_with_defaults(item, schema["items"]) for item in value]
    return value


def _cross_problems(config: dict[str, Any]) -> Iterator[Problem]:
    """List what no schema can say: keys that must agree with one another."""
    cohorts = config["cohorts"]
    yield from _repeated("cohorts", [cohort["name"] for cohort in cohorts], RESERVED_COHORTS)
    yield from _repeated("transfer", [item["name"] for item in config["transfer"]], frozenset())
    for number, item in enumerate(config["transfer"]):
        yield from _transfer_problems(f"transfer[{number}] ({item['name']}).views", item, cohorts)
    yield from _repeated("contrasts", [contrast["name"] for contrast in config["contrasts"]], RESERVED_CONTRASTS)
    low, high = config["stratification"]["clusters"]
    if low > high:
        yield Problem("config", "stratification.clusters", f"{low} to {high}", "smallest first", "Swap them.")
    for number, cohort in enumerate(cohorts):
        yield from _cohort_problems(f"cohorts[{number}] ({cohort['name']})", cohort, config)


def _cohort_problems(where: str, cohort: dict[str, Any], config: dict[str, Any]) -> Iterator[Problem]:
    simulated, read = cohort["simulate"] is not None, cohort["samples"] is not None
    if simulated == read:
        found = "both `simulate` and `samples`" if simulated else "neither `simulate` nor `samples`"
        yield Problem("config", where, found, "one of the two", "Remove or add one.")
    if read and not cohort["views"]:
        yield Problem("config", f"{where}.views", "no view", "at least one", "Name a matrix.")
    if simulated and cohort["views"]:
        yield Problem("config", f"{where}.views", "views of a simulated cohort", "none", "Remove them.")
    yield from _view_problems(f"{where}.views", cohort["views"])
    control, diseases = _control(cohort, config), cohort["diseases"] or config["diseases"]
    if control in diseases:
        yield Problem(
            "config",
            where,
            f"`{control}` as control and as disease",
            "one of the two",
            "Remove it from `diseases`.",
        )
    yield from _repeated(f"{where}.diseases", diseases, frozenset({"index"}))
    if simulated and (control is None) != (cohort["simulate"]["controls"] == 0):
        yield Problem(
            "config",
            f"{where}.simulate.controls",
            f"{cohort['simulate']['controls']} with control {control}",
            "controls if and only if `control` is set",
            "Set both or none.",
        )


def _view_problems(where: str, views: list[dict[str, Any]]) -> Iterator[Problem]:
    yield from _repeated(where, [view["name"] for view in views], frozenset())
    for view in views:
        at, kind = f"{where}.{view['name']}", view["kind"]
        if view["name"] == RNA and kind not in ("counts", "continuous"):
            yield Problem("config", at, f"kind {kind}", "counts or continuous", "Mend the kind.")
        if view["round"] and kind != "counts":
            yield Problem("config", at, f"round with kind {kind}", "kind counts", "Remove `round`.")


def _transfer_problems(where: str, item: dict[str, Any], cohorts: list[dict[str, Any]]) -> Iterator[Problem]:
    yield from _view_problems(where, item["views"])
    for cohort in cohorts:
        if cohort["name"] == item["reference"]:
            known = {view["name"]: view["kind"] for view in _views(cohort)}
            yield from view_mismatches(where, item["views"], known)


def view_mismatches(where: str, views: Iterable[Mapping[str, Any]], known: Mapping[str, str]) -> Iterator[Problem]:
    """List the views of new patients that their reference does not have, or has as another kind.

    Parameters
    ----------
    where
        The configuration's key of these views.
    views
        ``name`` and ``kind`` of each.
    known
        The reference's views: name to kind.
    """
    for view in views:
        at, name = f"{where}.{view['name']}", view["name"]
        if name not in known:
            found, expected = "a view that the reference does not have", f"one of {', '.join(known)}"
            yield Problem("config", at, found, expected, "Rename it, or leave it out.")
        elif view["kind"] != known[name]:
            found, expected = f"kind {view['kind']}", f"kind {known[name]}, as in the reference"
            yield Problem("config", at, found, expected, "Mend the kind, or leave the view out.")


def _repeated(where: str, names: list[str], reserved: frozenset[str]) -> Iterator[Problem]:
    """Names become files: two that differ only by case meet in one file on some file systems."""
    for name, count in sorted(Counter(name.lower() for name in names).items()):
        if count > 1:
            yield Problem("config", where, f"`{name}` {count} times (case does not count)", "each once", "Rename one.")
        if name in reserved:
            yield Problem("config", where, f"the reserved name `{name}`", "another name", "Rename it.")
        if ".." in name:
            yield Problem("config", where, f"`{name}`", "no two dots in a row", "Rename it.")


def _control(cohort: dict[str, Any], config: dict[str, Any]) -> str | None:
    return config["control"] if cohort["control"] == INHERIT else cohort["control"]


def _complete_cohort(cohort: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    own = {"diseases": cohort["diseases"] or config["diseases"], "control": _control(cohort, config)}
    return cohort | own | {"views": _views(cohort)}


def _views(cohort: dict[str, Any]) -> list[dict[str, Any]]:
    return cohort["views"] if cohort["simulate"] is None else [dict(view, round=False) for view in SIMULATED_VIEWS]


def main(arguments: list[str]) -> int:
    """Check one configuration file and say what is wrong with it."""
    schema_path, config_path = map(Path, arguments)
    schema = yaml.safe_load(schema_path.read_text(encoding="utf-8"))
    try:
        complete_config(read_config(config_path), schema)
    except InputError as error:
        print(f"{config_path}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
