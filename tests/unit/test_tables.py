"""What is written is what is read: types, missing cells, names, the printed number; and writing again changes no byte."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stratifn.shared.columns import Column, Table, table_of
from stratifn.shared.tables import read_table, write_table

# a name begins with any of these as well as with anything else
STARTS = ["=", "+", "-", "@", "'", "\t", "\r", "\n", '"', " ", "NA", "''", "0", "1e5", "\u2028", "é", "𝛼", ""]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.builds(str.__add__, st.sampled_from(STARTS), st.text(CHARACTERS, max_size=4))
FLOATS = st.floats(allow_nan=False)
WHOLE = st.integers(-(2**53), 2**53)
CELLS = {"text": TEXT, "number": FLOATS, "integer": WHOLE, "boolean": st.booleans()}
DTYPES = {"text": object, "number": "float64", "integer": "Int64", "boolean": "boolean"}


@st.composite
def tables(draw) -> tuple[pd.DataFrame, Table]:
    """Draw a table with columns of every kind, with and without missing cells, in every number of digits."""
    rows = draw(st.integers(0, 5))
    columns, values = {}, {}
    for number in range(draw(st.integers(1, 4))):
        kind, missing = draw(st.sampled_from(sorted(CELLS))), draw(st.booleans())
        column = Column(kind, missing, draw(st.sampled_from([6, 10, None])))
        cell = st.none() | CELLS[kind] if missing or kind == "number" else CELLS[kind]
        cells = draw(st.lists(cell, min_size=rows, max_size=rows))
        columns[f"c{number}"] = column
        values[f"c{number}"] = pd.Series(cells, dtype=DTYPES[kind])
    return pd.DataFrame(values), Table("t.tsv", columns)


LARGEST = (
    pd.DataFrame({"c0": [np.finfo(float).max, -np.finfo(float).max, np.inf, 5e-324, -0.0]}),
    Table("t.tsv", {"c0": Column("number", digits=10)}),
)
BLANK = (pd.DataFrame({"c0": [" ", "", "x"]}), Table("t.tsv", {"c0": Column("text")}))


def expected(values: pd.Series, column: Column) -> list[object]:
    """Return the cells as they are to be read: numbers as printed, None where missing."""
    cells = [None if pd.isna(cell) else cell for cell in values]
    if column.kind == "number" and column.digits:
        rounded = [cell if cell is None else float(f"{cell:.{column.digits}g}") for cell in cells]
        # of the largest numbers there is nothing above to round to
        return [
            cell if cell is not None and 1e308 < abs(cell) < np.inf else to
            for cell, to in zip(cells, rounded, strict=True)
        ]
    return cells


@settings(max_examples=400, deadline=None)
@example(LARGEST, "t.tsv")
@example(BLANK, "t.tsv")
@given(tables(), st.sampled_from(["t.tsv", "t.tsv.gz"]))
def test_a_table_comes_back_as_it_was_and_is_written_again_as_the_same_bytes(drawn, name):
    frame, table = drawn
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / name, Path(folder) / f"again_{name}"
        write_table(frame, first, table)
        back = read_table(first, table)
        write_table(back, second, table)
        assert first.read_bytes() == second.read_bytes()
    assert list(back.columns) == list(frame.columns)
    for column, rule in table.columns.items():
        cells = [None if pd.isna(cell) else cell for cell in back[column]]
        assert cells == expected(frame[column], rule)
        assert [np.signbit(cell) for cell in cells if isinstance(cell, float)] == [
            np.signbit(cell) for cell in frame[column] if isinstance(cell, float) and not pd.isna(cell)
        ]


@pytest.mark.parametrize(
    ("rule", "dtype"),
    [
        ("text", object),
        ("text?", object),
        ("number", float),
        ("number?", float),
        ("integer", "int64"),
        ("integer?", "Int64"),
        ("boolean", bool),
        ("boolean?", "boolean"),
    ],
)
def test_the_type_of_a_column_does_not_depend_on_what_is_in_it(tmp_path, rule, dtype):
    table = Table("t.tsv", {"value": Column.of(rule, 6)})
    for cells in ([], ["true"] if "boolean" in rule else ["1"]):
        (tmp_path / "t.tsv").write_text("\n".join(["value", *cells]) + "\n")
        assert read_table(tmp_path / "t.tsv", table)["value"].dtype == dtype


def test_names_that_look_like_numbers_missing_values_or_formulas_come_back_as_they_were(tmp_path):
    path = tmp_path / "differential_expression" / "SLE_vs_HC.tsv.gz"
    names = ["007", "NA", "1e5", "-2+3", "'-2+3", "=1+1", "@x", "-", "\tx", 'a"b']
    frame = pd.DataFrame(
        {"gene_id": names, "gene_name": names, "stat": np.arange(len(names)) - 4.5, "status": "tested"}
    )
    write_table(frame, path)
    back = read_table(path)
    assert back["gene_id"].tolist() == back["gene_name"].tolist() == names
    assert back["stat"].tolist() == frame["stat"].tolist()


def test_features_that_look_like_formulas_keep_their_loadings(tmp_path):
    path = tmp_path / "integration" / "weights_rna.tsv.gz"
    names = ["-2+3", "=1+1", "NA", "MX1"]
    write_table(pd.DataFrame({"feature": names, "Factor1": [1.0, -2, 3, 4]}), path)
    # as they are put into the MuData object
    assert read_table(path).set_index("feature").reindex(names)["Factor1"].tolist() == [1, -2, 3, 4]


def test_text_that_a_spreadsheet_would_run_is_defused_and_numbers_and_single_signs_are_not_touched(tmp_path):
    frame = pd.DataFrame({"label": ["=1+1", "@x", "-y", "'z", "plain", "-"], "effect": [-1.0, 2, 3, -4e-7, 5, np.nan]})
    write_table(
        frame, tmp_path / "t.tsv", Table("t.tsv", {"label": Column.of("text"), "effect": Column.of("number", 6)})
    )
    lines = (tmp_path / "t.tsv").read_text().splitlines()
    assert lines[1:] == ["'=1+1\t-1", "'@x\t2", "'-y\t3", "''z\t-4e-07", "plain\t5", "-\tNA"]


def test_truth_values_survive_among_missing_ones(tmp_path):
    path = tmp_path / "integration" / "robustness.tsv"
    robust = pd.array([True, False, None], dtype="boolean")
    frame = pd.DataFrame({"factor": ["Factor1", "Factor2", "Factor3"], "seeds_matched": 3, "robust": robust})
    write_table(frame, path)
    assert [line.split("\t")[-1] for line in path.read_text().splitlines()[1:]] == ["true", "false", "NA"]
    assert read_table(path)["robust"].tolist() == [True, False, pd.NA]


def test_whole_numbers_are_printed_in_full_also_beside_missing_ones(tmp_path):
    table = Table("t.tsv", {"n": Column.of("integer?")})
    write_table(pd.DataFrame({"n": [12_345_678.0, np.nan]}), tmp_path / "t.tsv", table)
    assert (tmp_path / "t.tsv").read_text().splitlines()[1:] == ["12345678", "NA"]
    assert read_table(tmp_path / "t.tsv", table)["n"].tolist() == [12_345_678, pd.NA]


def test_digits_are_those_of_the_contract(tmp_path):
    path = tmp_path / "normalization" / "size_factors.tsv"
    write_table(pd.DataFrame({"sample": ["a"], "size_factor": [1 / 3]}), path)
    assert path.read_text().splitlines()[1] == "a\t0.3333333333"
    path = tmp_path / "interferon" / "axes.tsv"
    write_table(pd.DataFrame({"sample": ["a"], "axis": ["ligand"], "score": [1 / 3], "evidence": ["x"]}), path)
    assert path.read_text().splitlines()[1] == "a\tligand\t0.333333\tx"


def test_the_printed_number_is_read_exactly(tmp_path):
    table = Table("t.tsv", {"value": Column("number")})
    values = np.random.default_rng(1).normal(size=2000) * 10.0 ** np.random.default_rng(2).integers(-300, 300, 2000)
    write_table(pd.DataFrame({"value": values}), tmp_path / "t.tsv", table)
    assert read_table(tmp_path / "t.tsv", table)["value"].tolist() == values.tolist()


def test_a_table_is_known_by_the_end_of_its_path_and_new_patients_have_their_own():
    assert table_of("results/a/integration/factors.tsv").path == "integration/factors.tsv"
    assert table_of("/x/results/transfer/a/factors.tsv").path == "transfer/{name}/factors.tsv"
    assert table_of("results/a/differential_expression/cross_disease.tsv.gz").column("padj_SLE").kind == "number"
    assert table_of("results/a/differential_expression/SLE_vs_HC.tsv.gz").column("status").kind == "text"


def test_a_file_that_the_contract_does_not_have_is_neither_read_nor_written(tmp_path):
    with pytest.raises(LookupError, match=r"t\.tsv is no table of the contract"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.tsv")
    (tmp_path / "t.tsv").write_text("a\n1\n")
    with pytest.raises(LookupError, match=r"t\.tsv is no table of the contract"):
        read_table(tmp_path / "t.tsv")


def test_every_type_of_the_contract_is_one_that_can_be_read(root):
    contract = yaml.safe_load((root / "workflow" / "schemas" / "outputs.yaml").read_text())
    entries = [entry for part in (contract, contract["transfer"], contract["simulated"]) for entry in part["tables"]]
    rules = {rule for entry in entries for rule in entry["columns"].values()}
    assert {rule.removesuffix("?") for rule in rules} <= set(CELLS)
    assert all(set(entry.get("digits", {})) <= set(entry["columns"]) for entry in entries)
