"""Whatever a file holds: a cohort or an `InputError` that names a problem, and never another exception."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stratifn.inputs import GeneNames, Groups, read_cohort
from stratifn.inputs.reading import read_matrix
from stratifn.shared.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "samples.schema.yaml").read_text())
SAMPLES = [f"S{number}" for number in range(6)]
KINDS = ("counts", "beta", "proportion", "concentration", "continuous")
# what exported cells contain, and what no cell contains
CELLS = st.sampled_from(
    ["", "NA", "0", "-1", "0.5", "1e400", "nan", "inf", "<0.7", "<LOD", "=1+1", "\u00e9", "a\tb", "'", '"']
)
BYTES = st.binary(min_size=1, max_size=4)


def sheet() -> bytes:
    frame = pd.DataFrame({"sample": SAMPLES, "disease": ["SLE"] * 3 + ["HC"] * 3, "sex": "F", "age": 40})
    return frame.to_csv(sep="\t", index=False).encode()


def matrix() -> bytes:
    frame = pd.DataFrame(np.arange(24).reshape(4, 6), index=list("ABCD"), columns=SAMPLES)
    return frame.to_csv(sep="\t", index_label="gene").encode()


def check_outcome(folder: Path, sheet_bytes: bytes, matrix_bytes: bytes, kind: str) -> None:
    (folder / "s.tsv").write_bytes(sheet_bytes)
    (folder / "m.tsv").write_bytes(matrix_bytes)
    settings_ = {"columns": {}, "labels": {}, "types": {}, "views": [{"name": "rna", "kind": kind, "round": False}]}
    paths = {"samples": str(folder / "s.tsv"), "rna": str(folder / "m.tsv")}
    try:
        cohort = read_cohort(settings_, paths, Groups(["SLE"], "HC"), GeneNames({}, {}), SCHEMA, ())
    except InputError as error:
        assert error.problems
        assert str(error)
    else:
        assert set(cohort.views["rna"].obs_names) <= set(cohort.samples["sample"])


def damaged(text: bytes, position: float, junk: bytes) -> bytes:
    at = int(position * len(text))
    return text[:at] + junk + text[at + len(junk) :]


def fuzz(examples: int):
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


DAMAGE = {"position": st.floats(0, 1), "junk": BYTES | CELLS.map(str.encode), "kind": st.sampled_from(KINDS)}


@fuzz(150)
@given(**DAMAGE, on_sheet=st.booleans())
def test_damaged_files_end_in_words(tmp_path, position, junk, kind, on_sheet):
    changed = damaged(sheet() if on_sheet else matrix(), position, junk)
    check_outcome(tmp_path, changed if on_sheet else sheet(), matrix() if on_sheet else changed, kind)


@pytest.mark.full
@fuzz(5000)
@given(**DAMAGE, on_sheet=st.booleans())
def test_many_damaged_files_end_in_words(tmp_path, position, junk, kind, on_sheet):
    changed = damaged(sheet() if on_sheet else matrix(), position, junk)
    check_outcome(tmp_path, changed if on_sheet else sheet(), matrix() if on_sheet else changed, kind)


# --- structure: what is lost or moved is refused, or named -----------------------------------------------------------

VALUES = np.array([[12, 7, 3.5, 40], [0, 15, 2, 8.25], [9, 1, 33, 6], [5, 5, 28, 17]])
ROWS = ["IFI27", "ISG15", "GENE1", "GENE2"]
COLUMNS = ["S0", "S1", "S2", "S3"]


def cells_of_rows() -> list[list[str]]:
    body = [[name, *(f"{value:g}" for value in row)] for name, row in zip(ROWS, VALUES, strict=True)]
    return [["id", *COLUMNS], *body]


def without_a_cell(rows, row, column):
    return [cells[:column] + cells[column + 1 :] if number == row else cells for number, cells in enumerate(rows)]


def with_another_cell(rows, row, column):
    return [cells[:column] + ["7"] + cells[column:] if number == row else cells for number, cells in enumerate(rows)]


def with_a_quote(rows, row, column):
    return [
        [f'"{cell}' if (number, place) == (row, column) else cell for place, cell in enumerate(cells)]
        for number, cells in enumerate(rows)
    ]


def with_two_quotes(rows, row, column):
    return with_a_quote(with_a_quote(rows, row, column), (row + 1) % len(rows), column)


def with_a_line_break(rows, row, column):
    # a row that is lost as a whole leaves a file that is as good as any other
    return [cells[: max(1, column)] if number == row else cells for number, cells in enumerate(rows)]


def with_blanks(rows, row, column):
    return [
        [f"  {cell} " if (number, place) == (row, column) else cell for place, cell in enumerate(cells)]
        for number, cells in enumerate(rows)
    ]


def with_decimal_commas(rows, row, column):
    return [[cell.replace(".", ",") if number == row else cell for cell in cells] for number, cells in enumerate(rows)]


def with_an_empty_row(rows, row, column):
    return [*rows[:row], [""] * column, *rows[row:]]


def with_a_comment(rows, row, column):
    return [*rows[:row], ["# exported"], *rows[row:]]


CHANGES = [
    without_a_cell,
    with_another_cell,
    with_a_quote,
    with_two_quotes,
    with_a_line_break,
    with_blanks,
    with_decimal_commas,
    with_an_empty_row,
    with_a_comment,
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"]
STRUCTURE = {
    "changes": st.lists(st.sampled_from(CHANGES), min_size=1, max_size=1),
    "row": st.integers(0, 4),
    "column": st.integers(0, 4),
    "delimiter": st.sampled_from("\t,;"),
    "end": st.sampled_from(["\n", "\r\n", "\r"]),
    "encoding": st.sampled_from(ENCODINGS),
    "blocks": st.sampled_from([9, 40, 2**20]),
}


def check_structure(folder, changes, row, column, delimiter, end, encoding, blocks):
    rows = cells_of_rows()
    for change in changes:
        rows = change(rows, row, column)
    path = folder / "m.tsv"
    path.write_bytes(end.join(delimiter.join(cells) for cells in [*rows, []]).encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stratifn.inputs.text.BYTES_PER_BLOCK", blocks)
        try:
            read = read_matrix(str(path))
        except InputError as error:
            assert all(problem.code for problem in error.problems)
            return
    same = (read.rows, read.columns) == (ROWS, COLUMNS) and np.array_equal(read.values, VALUES)
    # an id or a number that nobody could mistake for another is refused by what comes after the reader
    strange = read.texts or set(read.columns) != set(COLUMNS) or any(name not in ROWS for name in read.rows)
    assert same or strange or read.corrections, (read.values, read.rows, read.columns)


@fuzz(200)
@given(**STRUCTURE)
def test_a_changed_structure_gives_no_other_numbers_without_a_word(tmp_path, **structure):
    check_structure(tmp_path, **structure)


@pytest.mark.full
@fuzz(10_000)
@given(**STRUCTURE)
def test_many_changed_structures_give_no_other_numbers_without_a_word(tmp_path, **structure):
    check_structure(tmp_path, **structure)
