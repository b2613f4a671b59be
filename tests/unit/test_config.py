"""The configuration: every mistake is named at once, by its key, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stratifn.configuration.config import complete_config, main, read_config
from stratifn.configuration.reference import config_reference, keys
from stratifn.configuration.schema import allowed_values, key_path, types_of
from stratifn.shared.errors import InputError
from stratifn.shared.views import lender_mismatches

ROOT = Path(__file__).resolve().parents[2]
SCHEMA_PATH = ROOT / "workflow" / "schemas" / "config.schema.yaml"
SCHEMA = yaml.safe_load(SCHEMA_PATH.read_text())
CONTRACT = yaml.safe_load((SCHEMA_PATH.parent / "outputs.yaml").read_text())
RNA = {"name": "rna", "kind": "counts", "path": "c.tsv"}
READ = {"name": "mine", "samples": "s.tsv", "views": [RNA]}
PLACED = {"name": "later", "reference": "mine", "samples": "n.tsv", "views": [RNA]}


def complete(**config):
    return complete_config({"cohorts": [READ]} | config, SCHEMA, CONTRACT)


def problems(**config):
    with pytest.raises(InputError) as error:
        complete(**config)
    return str(error.value)


def test_the_shipped_configuration_is_complete_and_gives_the_demo_its_views():
    config = complete_config(read_config(ROOT / "config" / "config.yaml"), SCHEMA, CONTRACT)
    (demo,) = config["cohorts"]
    assert [view["name"] for view in demo["views"]] == ["rna", "methylation", "cytokines", "cells"]
    assert demo["control"] == "HC"
    assert demo["diseases"] == ["SLE", "pSS", "SSc", "DM"]


@pytest.mark.parametrize("path", sorted((ROOT / "config" / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_a_valid_configuration(path):
    assert complete_config(read_config(path), SCHEMA, CONTRACT)["cohorts"]


def test_defaults_are_filled_in_at_every_depth():
    config = complete()
    assert config["interferon"]["signature"] == "RICE_CROW_6"
    assert config["cohorts"][0]["views"][0]["round"] is False


def test_a_cohorts_own_control_wins_and_null_means_none():
    assert complete(cohorts=[READ | {"control": "AMP"}])["cohorts"][0]["control"] == "AMP"
    assert complete(cohorts=[READ | {"control": None}])["cohorts"][0]["control"] is None
    assert complete()["cohorts"][0]["control"] == "HC"


def test_the_callers_configuration_is_left_as_it_was():
    config = {"cohorts": [dict(READ)]}
    complete_config(config, SCHEMA, CONTRACT)
    assert config == {"cohorts": [READ]}


def test_a_misspelt_key_is_named_with_what_was_probably_meant():
    message = problems(interferon={"cutof": "mean_2sd"})
    assert "interferon.cutof" in message
    assert "Did you mean `cutoff`?" in message


def test_all_problems_are_listed_at_once():
    message = problems(normalization={"min_count": -1}, report={"min_cel": 5}, integration={"seeds": [1, 1]})
    assert "3 problems" in message
    for key in ("normalization.min_count", "report.min_cel", "integration.seeds"):
        assert key in message


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"cohorts": [READ, READ | {"name": "MINE"}]}, "`mine` 2 times"),
        ({"cohorts": [READ | {"name": "transfer"}]}, "reserved name `transfer`"),
        ({"cohorts": [READ | {"name": "../x"}]}, "cohorts[0].name"),
        ({"cohorts": [READ | {"name": "a..b"}]}, "no two dots"),
        ({"cohorts": [READ | {"simulate": {}}]}, "both `simulate` and `samples`"),
        ({"cohorts": [{"name": "mine"}]}, "neither `simulate` nor `samples`"),
        ({"cohorts": [READ | {"views": []}]}, "at least one"),
        ({"cohorts": [READ | {"views": READ["views"] * 2}]}, "`rna` 2 times"),
        ({"cohorts": [READ | {"views": [READ["views"][0] | {"kind": "beta"}]}]}, "counts or continuous"),
        ({"cohorts": [READ], "control": "SLE"}, "as control and as disease"),
        (
            {"cohorts": [{"name": "d", "simulate": {"controls": 0}}]},
            "controls if `control` is set, and 0 if it is null",
        ),
        ({"contrasts": [{"name": "summary"}]}, "reserved name `summary`"),
        ({"stratification": {"clusters": [5, 2]}}, "smallest first"),
        ({"transfer": [PLACED | {"views": [RNA | {"name": "mrna"}]}]}, "[IN-185]"),
        ({"transfer": [PLACED | {"views": [RNA | {"kind": "continuous"}]}]}, "[IN-186]"),
        ({"transfer": [PLACED | {"views": [RNA | {"kind": "beta"}]}]}, "counts or continuous"),
        ({"transfer": [PLACED | {"views": [RNA, RNA]}]}, "`rna` 2 times"),
        ({"transfer": [PLACED | {"specimen": "blod"}]}, "transfer[0].specimen"),
        ({"transfer": [PLACED | {"platform": "chip"}]}, "transfer[0].platform"),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(config, expected):
    assert expected in problems(**config)


def number_keys(schema, at=()):
    """List the path of every key that holds a number."""
    if types_of(schema) & {"number", "integer"}:
        yield at
    for name, child in schema.get("properties", {}).items():
        yield from number_keys(child, (*at, name))
    if "items" in schema:
        yield from number_keys(schema["items"], (*at, 0))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from number_keys(schema["additionalProperties"], (*at, "anything"))


def with_value(at, value):
    """Write a configuration in which one key has a value."""
    config = {"cohorts": [{"name": "mine", "simulate": {}}]}
    place = config
    for part, following in zip(at, at[1:], strict=False):
        empty = [] if isinstance(following, int) else {}
        if isinstance(part, int):
            place += [empty] * (part + 1 - len(place))
        else:
            place.setdefault(part, empty)
        place = place[part]
    if isinstance(at[-1], int):
        place.append(value)
    else:
        place[at[-1]] = value
    return config


NUMBER_KEYS = list(number_keys(SCHEMA))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), ".nan", "-.inf", "NaN"])
@pytest.mark.parametrize("at", NUMBER_KEYS, ids=key_path)
def test_nan_and_infinity_are_refused_wherever_a_number_belongs(at, value):
    with pytest.raises(InputError) as error:
        complete_config(with_value(at, value), SCHEMA, CONTRACT)
    assert f"{key_path(at)}: found {value!r}; expected a finite number. This key is: " in str(error.value)
    assert [problem.where for problem in error.value.problems].count(key_path(at)) == 1


def test_every_number_of_the_schema_is_tried():
    paths = set(map(key_path, NUMBER_KEYS))
    assert len(paths) > 20
    assert {"differential_expression.alpha", "contrasts[0].coefficients.anything", "integration.seeds[0]"} <= paths


def test_a_word_that_looks_like_no_number_is_a_word_where_words_belong():
    config = complete(contrasts=[{"name": "odd", "factor": "activity", "level": "inf", "baseline": "nan"}])
    assert config["contrasts"][0]["level"] == "inf"


def test_a_whole_number_may_be_written_with_a_point():
    resamples = complete(stratification={"resamples": 50.0})["stratification"]["resamples"]
    assert (resamples, type(resamples)) == (50, int)


@pytest.mark.parametrize("name", ["mine\n", "a b", "_a", "x" * 65, "{x}"])
@pytest.mark.parametrize(
    "config",
    [
        lambda name: {"cohorts": [READ | {"name": name}]},
        lambda name: {"diseases": [name]},
        lambda name: {"control": name},
        lambda name: {"cohorts": [READ | {"control": name}]},
        lambda name: {"cohorts": [READ | {"views": [RNA | {"name": name}]}]},
        lambda name: {"contrasts": [{"name": name}]},
    ],
)
def test_what_becomes_the_name_of_a_file_is_plain(config, name):
    assert "expected letters, digits, `_`, `.` and `-`, at most 64" in problems(**config(name))


def test_views_of_new_patients_are_compared_with_a_cohort_of_this_run_and_not_with_a_folder():
    other = [RNA | {"name": "mrna"}]
    assert complete(transfer=[PLACED | {"reference": "results/mine/reference", "views": other}])["transfer"]
    cells = {"name": "cells", "kind": "proportion", "path": "cells.tsv"}
    config = complete(
        cohorts=[{"name": "demo", "simulate": {}}], transfer=[PLACED | {"reference": "demo", "views": [cells]}]
    )
    assert config["transfer"][0]["specimen"] is None


def test_a_duplicated_key_is_refused_with_its_line(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("control: HC\ncohorts: []\ncontrol: CTRL\n")
    with pytest.raises(InputError, match="`control` 2 times"):
        read_config(path)


def test_template_code_is_refused(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("__use_yte__: true\n?if True:\n  cohorts: []\n")
    with pytest.raises(InputError, match="template engine"):
        read_config(path)


def test_the_command_line_check_says_what_is_wrong_and_fails(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text("cohort: []\n")
    assert main([str(SCHEMA_PATH), str(path)]) == 1
    assert "Did you mean `cohorts`?" in capsys.readouterr().err
    assert main([str(SCHEMA_PATH), str(ROOT / "config" / "config.yaml")]) == 0


def test_every_key_has_a_description_and_a_default():
    without = [key for key, default, allowed, text in keys(SCHEMA) if not (text and default and allowed)]
    assert without == []


def entries(schema):
    """List everything that the schema says of a key or of an item."""
    yield schema
    inside = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    for child in filter(lambda child: isinstance(child, dict), inside):
        yield from entries(child)


def test_the_reference_page_prints_every_choice_and_every_bound():
    page = {key: allowed for key, _, allowed, _ in keys(SCHEMA)}
    assert page["interferon.min_coverage"] == "a number, at least 0.5, at most 1"
    assert page["differential_expression.alpha"] == "a number, more than 0, less than 1"
    assert page["differential_expression.permutations"] == "a whole number, at least 0, or null"
    assert page["normalization.size_factors"] == "`ratio`, `poscounts`"
    assert page["stratification.clusters"] == "a list, each item a whole number, at least 2; 2 items"
    assert page["cohorts[].views[].name"] == "a name"
    assert page["contrasts[].coefficients"] == "`name: value` pairs, each value a number, or null"
    said = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "enum"}
    for entry in entries(SCHEMA):
        values = [value for rule in said & set(entry) for value in (entry[rule] if rule == "enum" else [entry[rule]])]
        allowed = allowed_values(entry, SCHEMA["$defs"])
        assert [value for value in values if str("null" if value is None else value) not in allowed] == []


def test_every_pattern_has_words():
    assert not [entry for entry in entries(SCHEMA) if "pattern" in entry]
    assert all(definition["description"] for definition in SCHEMA["$defs"].values())
    known = {"type", "description", "default", "properties", "items", "additionalProperties", "required", "enum", "$ref",
             "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "minLength",
             "uniqueItems", "$schema", "$defs", "title"}  # fmt: skip
    assert set().union(*entries(SCHEMA)) <= known, "a rule that the page does not print"


def test_the_reference_page_is_what_the_schema_says():
    samples = yaml.safe_load((ROOT / "workflow" / "schemas" / "samples.schema.yaml").read_text())
    assert all("description" in column and "default" in column for column in samples["properties"].values())
    assert (ROOT / "config" / "README.md").read_text() == config_reference(SCHEMA, samples), "run `make docs`"


COUNTS_VIEWS = [
    {"name": "rna", "kind": "counts", "path": "rna.tsv"},
    {"name": "te", "kind": "counts", "path": "te.tsv", "size_factors": "rna"},
    {"name": "cells", "kind": "proportion", "path": "cells.tsv"},
]


def test_a_second_view_of_counts_may_take_the_size_factors_of_another():
    views = complete(cohorts=[READ | {"views": COUNTS_VIEWS}])["cohorts"][0]["views"]
    assert [view["size_factors"] for view in views] == ["own", "rna", "own"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"te": "mirna"}, "size_factors mirna"),
        ({"te": "te"}, "size_factors te"),
        ({"te": "cells"}, "size_factors cells"),
        ({"cells": "rna"}, "size_factors with kind proportion"),
        ({"rna": "te", "te": "own"}, "size_factors with the view rna"),
    ],
)
def test_size_factors_of_a_view_that_cannot_lend_them_are_refused(changed, message):
    views = [
        view | ({"size_factors": changed[view["name"]]} if view["name"] in changed else {}) for view in COUNTS_VIEWS
    ]
    with pytest.raises(InputError, match=message):
        complete(cohorts=[READ | {"views": views}])


def test_new_patients_bring_the_view_whose_size_factors_another_takes():
    cohort = READ | {"name": "made", "views": COUNTS_VIEWS}
    new = {"name": "new", "reference": "made", "samples": "new.tsv"}
    views = [{"name": "te", "kind": "counts", "path": "te.tsv"}, {"name": "rna", "kind": "counts", "path": "rna.tsv"}]
    complete(cohorts=[cohort], transfer=[new | {"views": views}])
    with pytest.raises(InputError, match="no view rna, whose size factors te takes"):
        complete(cohorts=[cohort], transfer=[new | {"views": views[:1]}])


def test_a_view_that_takes_size_factors_comes_with_the_view_that_has_them():
    lenders = {"rna": "own", "te": "rna"}
    assert list(lender_mismatches("transfer", [{"name": "rna"}, {"name": "te"}], lenders)) == []
    (problem,) = lender_mismatches("transfer", [{"name": "te"}], lenders)
    assert (problem.where, problem.code) == ("transfer.te", "IN-187")
