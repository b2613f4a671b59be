"""Whatever a configuration, a sheet or a file of a program holds: a result or words, and never another exception."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stratifn.configuration.config import complete_config, read_config
from stratifn.inputs import GeneNames, Groups, read_cohort
from stratifn.inputs.reading import read_matrix
from stratifn.shared.errors import InputError
from stratifn.shared.package_data import config_schema, output_contract, sheet_schema
from stratifn.shared.vocabulary import VIEW_KINDS

from .test_inputs_formats import EXAMPLES

SCHEMA, CONTRACT, SHEET_SCHEMA = config_schema(), output_contract(), sheet_schema()
# in `make test`, and at night
FEW, MANY = 200, 10_000


def fuzz(examples: int):
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def ends_in_words(read) -> Any:
    """Return what is read, or None where it is refused in words."""
    try:
        return read()
    except InputError as error:
        assert error.problems
        assert all(problem.code and problem.found and problem.fix for problem in error.problems)
        return None


# --- configurations -------------------------------------------------------------------------------------------------

CONFIG = {
    "control": "HC",
    "diseases": ["SLE", "pSS"],
    "cohorts": [
        {
            "name": "mine",
            "samples": "samples.tsv",
            "columns": {"sex": "gender"},
            "labels": {"HC": ["Control", "healthy"]},
            "design": "disease + sex",
            "types": {"centre": "factor"},
            "views": [
                {"name": "rna", "kind": "counts", "path": "rna.tsv", "round": False},
                {"name": "mirna", "kind": "counts", "path": "mirna.tsv", "size_factors": "rna"},
            ],
        },
        {"name": "demo", "simulate": {"patients": 8, "controls": 8}, "control": "HC"},
    ],
    "contrasts": [{"name": "sex", "factor": "sex", "level": "F", "baseline": "M"}],
    "interferon": {"signature": "RICE_CROW_6", "reference": None, "protein_analyte": None},
    "integration": {"seeds": [1, 2], "regress_out": "", "min_views": 1},
    "stratification": {"clusters": [2, 8], "alpha": 0.05},
    "transfer": [{"name": "new", "reference": "mine", "samples": "new.tsv", "views": [{"name": "rna", "kind": "counts", "path": "n.tsv"}]}],
    "report": {"sample_ids": True, "min_cell": 5},
}  # fmt: skip
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["SLE", "sle", "index", "..", "../x", "a:b", "disease + disease", "=1+1", "x" * 300, "\u0000", "rna"]
    ),
    st.lists(st.one_of(st.none(), st.integers(-2, 9), st.text(max_size=3)), max_size=3),
    st.dictionaries(st.one_of(st.text(max_size=4), st.integers(), st.none()), st.integers(), max_size=2),
)


def places(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """List the path to every value of nested settings."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*at, key)
        yield from places(child, (*at, key))


PLACES = list(places(CONFIG))


def changed(config: dict, place: tuple, how: str, value: Any) -> dict:
    config = copy.deepcopy(config)
    inside: Any = config
    for key in place[:-1]:
        inside = inside[key]
    if how == "set":
        inside[place[-1]] = value
    elif how == "delete":
        del inside[place[-1]]
    elif isinstance(inside, list):
        inside += [value, copy.deepcopy(inside[place[-1]])]
    else:
        inside[value if isinstance(value, str | int | None) else "odd"] = inside.pop(place[-1])
    return config


CHANGES = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "delete", "rename"]), ODD), min_size=1, max_size=2
)


def check_config(folder: Path, changes: list, cut: float | None, junk: str) -> None:
    config = CONFIG
    for place, how, value in changes:
        # the second change may be of something that the first one took away
        if place in set(places(config)):
            config = changed(config, place, how, value)
    text = yaml.safe_dump(config, allow_unicode=True)
    if cut is not None:
        text = text[: int(cut * len(text))] + junk + text[int(cut * len(text)) :]
    (folder / "my.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    complete = ends_in_words(lambda: complete_config(read_config(folder / "my.yaml"), SCHEMA, CONTRACT))
    if complete is not None:
        assert all(cohort["views"] for cohort in complete["cohorts"])


CONFIGS = {
    "changes": CHANGES,
    "cut": st.none() | st.floats(0, 1),
    "junk": st.text(max_size=6) | st.sampled_from(["\t", ": [", "*a", "&a", "!!python/object:os.system", "---\n", '"']),
}


@fuzz(FEW)
@given(**CONFIGS)
def test_odd_configurations_end_in_words(tmp_path, changes, cut, junk):
    check_config(tmp_path, changes, cut, junk)


@pytest.mark.full
@fuzz(MANY)
@given(**CONFIGS)
def test_many_odd_configurations_end_in_words(tmp_path, changes, cut, junk):
    check_config(tmp_path, changes, cut, junk)


# --- sheets ---------------------------------------------------------------------------------------------------------

SAMPLES = [f"S{number}" for number in range(8)]
CELLS = st.sampled_from(
    ["", "NA", "n/a", "?", "F", "female", "M", "1", "2", "0", "45y", "45,5", "1,234", ">300", "<10", "1950", "2021-03-04"]
    + ["yes", "No", "TRUE", "SLE", "hc", "b1", "B1", "1.0", "nan", "inf", "1e999", "=1+1", "é", "\u00b5", "S1", "a b", "5 mg"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["sample", "disease", "patient", "sex", "age", "batch", "anti_ifn", "hydroxychloroquine", "glucocorticoid_mg"]
    + ["activity", "anti_ro", "", "crp (mg/l)", "in_rna", "score", "Factor1", "ID", "sample ", "x\ty", "visit"]
)
MAPPINGS = st.dictionaries(st.sampled_from(["sample", "disease", "sex", "crp"]), NAMES, max_size=2)
SHEETS = {
    "columns": st.lists(st.tuples(NAMES, st.lists(CELLS, min_size=8, max_size=8)), max_size=4),
    "diseases": st.lists(st.sampled_from(["SLE", "HC", "hc", "", "pSS"]), min_size=8, max_size=8),
    "mapping": MAPPINGS,
    "types": st.dictionaries(NAMES, st.sampled_from(["factor", "number"]), max_size=2),
    "labels": st.dictionaries(st.sampled_from(["SLE", "HC"]), st.sampled_from(["hc", "SLE", ["HC", "hc"]]), max_size=2),
    "design": st.sampled_from(["disease", "disease + age", "disease + batch + sex", "disease + crp"]),
    "delimiter": st.sampled_from("\t,;"),
}


def check_sheet(folder, columns, diseases, mapping, types, labels, design, delimiter) -> None:
    rows = zip(SAMPLES, diseases, *(cells for _, cells in columns), strict=True)
    table = pd.DataFrame(rows, columns=["sample", "disease", *(name for name, _ in columns)])
    table.to_csv(folder / "s.tsv", sep=delimiter, index=False)
    matrix = pd.DataFrame(np.arange(1, 25).reshape(3, 8), index=["IFI27", "G1", "G2"], columns=SAMPLES)
    matrix.to_csv(folder / "m.tsv", sep="\t", index_label="id")
    given_settings = {
        "columns": mapping,
        "labels": labels,
        "types": types,
        "design": design,
        "views": [{"name": "rna", "kind": "continuous", "round": False, "scale": "as_given"}],
    }
    paths = {"samples": str(folder / "s.tsv"), "rna": str(folder / "m.tsv")}
    groups = Groups(["SLE"], "HC", ["pSS"])
    cohort = ends_in_words(lambda: read_cohort(given_settings, paths, groups, GeneNames({}, {}), SHEET_SCHEMA, ()))
    if cohort is not None:
        assert set(cohort.samples["disease"]) <= {"SLE", "HC"}
        assert not cohort.samples["sample"].duplicated().any()


@fuzz(FEW)
@given(**SHEETS)
def test_odd_sheets_end_in_words(tmp_path, **sheet):
    check_sheet(tmp_path, **sheet)


@pytest.mark.full
@fuzz(MANY)
@given(**SHEETS)
def test_many_odd_sheets_end_in_words(tmp_path, **sheet):
    check_sheet(tmp_path, **sheet)


# --- files of every format ------------------------------------------------------------------------------------------

JUNK = st.one_of(
    st.sampled_from(["", "\t", ",", ";", "\n", "\r", '"', "NA", "-1", "<0.5", "1e999", "\x00", "#", "!", "__x", "S1", "\ufeff"]),
    st.text(max_size=4),
)  # fmt: skip
FORMAT_FILES = {
    "name": st.sampled_from(sorted(EXAMPLES)),
    "edits": st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), JUNK), min_size=1, max_size=3),
    "named": st.booleans(),
    "kind": st.sampled_from(VIEW_KINDS),
    "line_moves": st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=1),
}


def check_format(folder, name, edits, named, kind, line_moves) -> None:
    each = EXAMPLES[name]
    lines = each.content.splitlines(keepends=True)
    for start, end in line_moves:
        # a line is moved, or lost where the new place is the old one
        line = lines.pop(start % len(lines))
        if start != end:
            lines.insert(end % (len(lines) + 1), line)
    text = "".join(lines)
    for position, removed, junk in edits:
        at = int(position * len(text))
        text = text[:at] + junk + text[at + removed :]
    path = folder / each.path
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    (folder / "s.tsv").write_text("sample\tdisease\nS1\tSLE\nS2\tHC\n")
    ends_in_words(lambda: read_matrix(str(path), name=name if named else None))
    view = {"name": "v", "kind": kind, "round": False, "format": name if named else None}
    given_settings = {"columns": {}, "labels": {}, "types": {}, "views": [view]}
    paths = {"samples": str(folder / "s.tsv"), "v": str(path)}
    groups = Groups(["SLE"], "HC")
    ends_in_words(lambda: read_cohort(given_settings, paths, groups, GeneNames({}, {}), SHEET_SCHEMA, ()))


@fuzz(FEW)
@given(**FORMAT_FILES)
@example(name="plain", edits=[(0.0, 0, "\x00")], named=False, kind="counts", line_moves=[])
def test_odd_files_of_every_format_end_in_words(tmp_path, **file):
    check_format(tmp_path, **file)


@pytest.mark.full
@fuzz(MANY)
@given(**FORMAT_FILES)
def test_many_odd_files_of_every_format_end_in_words(tmp_path, **file):
    check_format(tmp_path, **file)
