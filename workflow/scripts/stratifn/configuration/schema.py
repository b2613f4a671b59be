"""The configuration against its schema: what violates it, its defaults, and its allowed values in words."""

from __future__ import annotations

import copy
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stratifn.shared.errors import Problem

TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "`key: value` lines",
    "null": "null",
}
BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "{} or more items",
    "maxItems": "{} or fewer items",
}
NUMBERS = frozenset({"number", "integer"})
Path = tuple[str | int, ...]


def schema_problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Problem]:
    """List what violates the schema, and every NaN and infinity, each with the path of its key.

    JSON Schema compares NaN with a bound and finds nothing wrong, and takes infinity for a large number.
    """
    from jsonschema import Draft202012Validator

    endless = dict(_endless(config, schema))
    problems = [
        Problem("config", key_path(at), repr(found), "a finite number", _about(schema, at), code="IN-180")
        for at, found in endless.items()
    ]
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda e: [str(p) for p in e.path])
    of_schema = (error for error in errors if tuple(error.absolute_path) not in endless)
    return problems + [problem for error in of_schema for problem in _problems_of(error, schema)]


def _endless(config: Any, schema: Mapping[str, Any], at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """List NaN and infinity wherever they are, also as the text that `--config` makes of them where a number belongs."""
    if isinstance(config, Mapping):
        for key, child in config.items():
            yield from _endless(child, schema, (*at, key))
    elif isinstance(config, list):
        for number, child in enumerate(config):
            yield from _endless(child, schema, (*at, number))
    elif isinstance(config, float) and not math.isfinite(config):
        yield at, config
    elif isinstance(config, str) and NUMBERS & types_of(entry_at(schema, at)) and _reads_as_endless(config):
        yield at, config


def _reads_as_endless(text: str) -> bool:
    # YAML writes .nan and .inf, Python nan and inf
    return text.strip().lower().lstrip("+-").lstrip(".") in ("nan", "inf", "infinity")


def _problems_of(error: Any, schema: Mapping[str, Any]) -> Iterator[Problem]:
    where = key_path(error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        for key in sorted(set(error.instance) - set(known), key=str):
            near = difflib.get_close_matches(str(key), known, n=1)
            fix = f"Did you mean `{near[0]}`?" if near else "Remove it."
            at = f"{where}.{key}" if where else str(key)
            yield Problem("config", at, "an unknown key", f"one of {', '.join(known)}", fix, code="IN-181")
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield Problem("config", where or "top level", "no " + ", ".join(missing), "a value", "Add it.", code="IN-182")
    else:
        yield Problem(
            "config",
            where,
            repr(error.instance),
            _expected(error),
            _about(schema, tuple(error.absolute_path)),
            code="IN-183",
        )


def _expected(error: Any) -> str:
    rule, value = error.validator, error.validator_value
    if rule in BOUNDS:
        return BOUNDS[rule].format(value)
    words = {
        "enum": lambda: "one of " + ", ".join(map(word, value)),
        "type": lambda: _types(value),
        "pattern": lambda: error.schema["description"],
        "uniqueItems": lambda: "no item twice",
    }
    return words.get(rule, lambda: error.message)()


def _about(schema: Mapping[str, Any], at: Sequence[str | int]) -> str:
    """Return the description of a key; an item of a list has that of the list."""
    described = (entry_at(schema, at[:end]).get("description") for end in range(len(at), 0, -1))
    return f"This key is: {next(filter(None, described), schema['description'])}"


def key_path(parts: Sequence[str | int]) -> str:
    """Write the path of a key as `cohorts[0].name`."""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{part}"
    return path


def entry_at(schema: Mapping[str, Any], at: Sequence[str | int]) -> Mapping[str, Any]:
    """Return what the schema says of a key; empty where it knows none."""
    entry: Any = schema
    for part in at:
        if isinstance(part, int):
            entry = entry.get("items", {})
        else:
            entry = entry.get("properties", {}).get(part, entry.get("additionalProperties", {}))
        if not isinstance(entry, Mapping):
            return {}
    return entry


def types_of(entry: Mapping[str, Any]) -> set[str]:
    """Return the types that a key may have; empty where an enumeration says what it may be."""
    types = entry.get("type", [])
    return {types} if isinstance(types, str) else set(types)


def allowed_values(entry: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Say in words what a key may hold: choices, types, bounds, and patterns by the words of their definition.

    Parameters
    ----------
    entry
        The key in the schema.
    definitions
        The schema's ``$defs``; every pattern is one of them, with its words as ``description``, and a ``title`` where
        many keys share it.
    """
    or_null = ", or null" if "null" in types_of(entry) else ""
    if "enum" in entry:
        return ", ".join(f"`{word(value)}`" for value in entry["enum"])
    if "$ref" in entry:
        definition = definitions[entry["$ref"].rpartition("/")[2]]
        return definition.get("title", definition["description"]) + or_null
    inside = entry.get("items", entry.get("additionalProperties"))
    if "properties" in entry or (isinstance(inside, Mapping) and "properties" in inside):
        words = "the keys below" if "items" not in entry else "a list of the keys below"
    elif "items" in entry and "string" in types_of(entry):
        words = f"{TYPES['string']}, or a list, each item {allowed_values(inside, definitions)}"
    elif isinstance(inside, Mapping):
        each = allowed_values(inside, definitions)
        words = f"a list, each item {each}" if "items" in entry else f"`name: value` pairs, each value {each}"
    else:
        words = _types(sorted(types_of(entry) - {"null"}, key=list(TYPES).index))
    bounds = [*_bounds(entry), *["not empty"] * ("minLength" in entry), *["no item twice"] * ("uniqueItems" in entry)]
    return ("; " if "items" in entry else ", ").join([words, *bounds]) + or_null


def _bounds(entry: Mapping[str, Any]) -> list[str]:
    if "minItems" in entry and entry["minItems"] == entry.get("maxItems"):
        return [f"{entry['minItems']} items"]
    return [text.format(entry[rule]) for rule, text in BOUNDS.items() if rule in entry]


def _types(names: str | Sequence[str]) -> str:
    return " or ".join(TYPES[name] for name in ([names] if isinstance(names, str) else names))


def word(value: Any) -> str:
    """Write a value of the schema as YAML does."""
    return "null" if value is None else str(value)


def with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    """Fill in the schema's defaults at every depth, in place; 24.0 becomes 24 where a whole number belongs."""
    if isinstance(value, dict):
        for key, child in schema.get("properties", {}).items():
            if key not in value and "default" in child:
                value[key] = copy.deepcopy(child["default"])
            if key in value:
                value[key] = with_defaults(value[key], child)
    if isinstance(value, list):
        return [with_defaults(item, schema["items"]) for item in value]
    if isinstance(value, float) and "integer" in types_of(schema):
        return int(value)
    return value


def default_section(schema: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """Return a section with all its defaults.

    Parameters
    ----------
    schema
        The content of ``config.schema.yaml``.
    path
        Keys down to the section, for example ``"interferon"``, or ``"cohorts", "simulate"``; a list is entered.
    """
    entry: Any = schema
    for key in path:
        entry = entry.get("items", entry)["properties"][key]
    return with_defaults({}, entry.get("items", entry))
