"""Each phase takes its part of the configuration in one way; defaults and bounds are the schema's and nobody else's."""

from __future__ import annotations

import ast
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path

import pytest

import stratifn
from defaults import SCHEMA, SECTIONS, settings_of
from stratifn.configuration.config import complete_config
from stratifn.configuration.schema import allowed_values, default_section
from stratifn.integration.settings import CONVERGENCE_PERCENT
from stratifn.interferon.cutoffs import RULES
from stratifn.interferon.methods import METHODS
from stratifn.interferon.settings import ProteinSettings
from stratifn.normalization import KINDS
from stratifn.shared.errors import InputError
from stratifn.shared.settings import Section

LIBRARY = Path(stratifn.__file__).parent
PHASES = (
    "simulation",
    "normalization",
    "differential_expression",
    "interferon",
    "integration",
    "stratification",
    "report",
)
# keys that are no setting of an analysis: they name files and jobs, or what is printed beside a cut-off
ELSEWHERE = {
    "interferon": {"signature_files", "extra_signatures", "reference", *ProteinSettings.keys()},
    "integration": {"seeds", "save_data"},
}


def section(phase):
    return default_section(SCHEMA, *SECTIONS.get(phase, (phase,)))


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_makes_its_settings_in_the_same_way(phase):
    settings = import_module(f"stratifn.{phase}.settings").Settings
    assert settings is import_module(f"stratifn.{phase}").Settings
    assert issubclass(settings, Section)
    assert not {"from_config", "keys", "__init__"} & set(ast_names(LIBRARY / phase / "settings.py"))
    assert settings.__dataclass_params__.frozen


def ast_names(path):
    return [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]


def test_no_phase_with_a_section_is_forgotten():
    assert {key for key in SCHEMA["properties"] if (LIBRARY / key).is_dir()} - {"transfer"} < set(PHASES)
    assert {path.parent.name for path in LIBRARY.glob("*/settings.py")} - {"shared"} == set(PHASES)


@pytest.mark.parametrize("phase", PHASES)
def test_keys_are_fields_without_a_default_and_everything_else_is_no_key(phase):
    settings = import_module(f"stratifn.{phase}.settings").Settings
    assert set(settings.keys()) | ELSEWHERE.get(phase, set()) == set(section(phase))
    fixed = {field.name for field in fields(settings) if field.default is not MISSING}
    assert not fixed & set(section(phase))


@pytest.mark.parametrize("phase", PHASES)
def test_settings_are_what_the_configuration_says(phase):
    written = section(phase)
    settings = settings_of(phase)
    for name in settings.keys():
        value = getattr(settings, name)
        assert (list(value) if isinstance(value, tuple) else value) == written[name]
    assert hash(settings) == hash(settings_of(phase))


def test_a_section_that_was_not_completed_is_no_settings():
    with pytest.raises(KeyError, match="size_factors"):
        import_module("stratifn.normalization").Settings.from_config({"min_count": 3})


@pytest.mark.parametrize("phase", PHASES)
def test_no_function_of_a_phase_repeats_a_default(phase):
    keys = set(import_module(f"stratifn.{phase}.settings").Settings.keys())
    repeated = []
    for path in (LIBRARY / phase).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                places = [*node.args.posonlyargs, *node.args.args]
                named = places[len(places) - len(node.args.defaults) :]
                named += [a for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d is not None]
                repeated += [f"{path.name}: {node.name}({a.arg}=...)" for a in named if a.arg in keys]
    assert repeated == []


def keys_of(schema, at=()):
    for name, entry in schema.get("properties", {}).items():
        yield (*at, name), entry
        yield from keys_of(entry, (*at, name))


STEPS = {"minimum": -1, "maximum": 1, "exclusiveMinimum": 0, "exclusiveMaximum": 0}


def beyond(entry):
    """List values that lie just outside of what a key allows."""
    return [entry[rule] + step for rule, step in STEPS.items() if rule in entry] + ["nobody"] * ("enum" in entry)


SECTIONS_OF_RUN = {"properties": {key: SCHEMA["properties"][key] for key in PHASES if key in SCHEMA["properties"]}}
BEYOND = [(at, value) for at, entry in keys_of(SECTIONS_OF_RUN) for value in beyond(entry)]


@pytest.mark.parametrize(("at", "value"), BEYOND, ids=[".".join(at) + f"={value}" for at, value in BEYOND])
def test_a_value_beyond_its_bound_is_refused_by_the_schema(at, value):
    config = {"cohorts": [{"name": "demo", "simulate": {}}], at[0]: {at[1]: value}}
    with pytest.raises(InputError) as error:
        complete_config(config, SCHEMA, {"tables": [], "files": [], "folders": []})
    assert [problem.where for problem in error.value.problems] == [".".join(at)]


def test_choices_of_the_schema_are_those_of_the_registries():
    interferon, integration = (SCHEMA["properties"][key]["properties"] for key in ("interferon", "integration"))
    assert set(interferon["method"]["enum"]) == set(METHODS)
    assert set(interferon["cutoff"]["enum"]) == set(RULES)
    assert set(integration["convergence"]["enum"]) == set(CONVERGENCE_PERCENT)
    of_views = [SCHEMA["properties"][key]["items"]["properties"]["views"]["items"] for key in ("cohorts", "transfer")]
    assert all(set(view["properties"]["kind"]["enum"]) == set(KINDS) for view in of_views)


def test_another_bound_of_the_schema_is_another_bound_everywhere():
    # the one place: what is refused, what the message says and what the page prints follow it
    entry = SCHEMA["properties"]["normalization"]["properties"]["min_count"]
    changed = entry | {"minimum": 7}
    assert allowed_values(changed, SCHEMA["$defs"]) == "a whole number, at least 7"
    inner = SCHEMA["properties"]["normalization"] | {"properties": {"min_count": changed}}
    schema = SCHEMA | {"properties": SCHEMA["properties"] | {"normalization": inner}}
    config = {"cohorts": [{"name": "demo", "simulate": {}}], "normalization": {"min_count": 6}}
    with pytest.raises(InputError, match="found 6; expected at least 7"):
        complete_config(config, schema, {"tables": [], "files": [], "folders": []})
