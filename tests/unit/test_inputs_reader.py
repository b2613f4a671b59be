"""One reader for what strangers send: it counts cells, says what it put right, and no file can end it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import signal
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from stratifn.inputs import child
from stratifn.inputs.child import read_in_child
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.reading import read_matrix, read_sheet
from stratifn.shared.errors import InputError
from stratifn.shared.machine import MachineError

CLEAN = b"gene\tS1\tS2\tS3\nA\t1\t2\t3\nB\t4.5\t\t6\nC\t7\t8\t9e2\n"
VALUES = np.array([[1, 2, 3], [4.5, np.nan, 6], [7, 8, 900]])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def matrix(content: bytes, path: str = "m.tsv") -> RawMatrix:
    Path(path).write_bytes(content)
    return read_matrix(path)


def codes(content: bytes, path: str = "m.tsv") -> list[tuple[str, str]]:
    with pytest.raises(InputError) as error:
        matrix(content, path)
    return [(problem.where, problem.code) for problem in error.value.problems]


def assert_clean(read: RawMatrix) -> None:
    assert read.rows == ["A", "B", "C"]
    assert read.columns == ["S1", "S2", "S3"]
    np.testing.assert_array_equal(read.values, VALUES)


# --- what is read as it is, and said --------------------------------------------------------------------------------


def test_a_clean_matrix_is_read_without_a_word():
    read = matrix(CLEAN)
    assert_clean(read)
    assert (read.corrections, read.texts, read.gene_names) == ([], {}, None)
    assert read.lines.tolist() == [2, 3, 4]


CORRECTED = {
    "line endings": CLEAN.replace(b"\n", b"\r\n"),
    "line endings of an old Mac": CLEAN.replace(b"\n", b"\r"),
    "utf-16": CLEAN.decode().encode("utf-16"),
    "delimiter: commas": CLEAN.replace(b"\t", b","),
    "delimiter: semicolons": CLEAN.replace(b"\t", b";"),
    "decimal comma": CLEAN.replace(b".", b","),
    "whitespace": CLEAN.replace(b"\nB", b"\n B "),
    "blank rows: 2": CLEAN.replace(b"\nB", b"\n\t\t\t\n , \nB".replace(b" , ", b"\t\t\t")),
    "comment lines: 1": CLEAN.replace(b"\nC", b"\n# half of it\nC"),
    "delimiter: empty cells after the last column": CLEAN.replace(b"3\n", b"3\t\t\n"),
    "row names": CLEAN.replace(b"gene\t", b""),
}


@pytest.mark.parametrize("said", CORRECTED)
def test_what_is_put_right_is_said(said):
    read = matrix(CORRECTED[said])
    assert_clean(read)
    reasons = [what for _, what in read.corrections]
    assert any(reason.startswith(said.removesuffix(" of an old Mac")) for reason in reasons), reasons


@pytest.mark.parametrize(
    "content",
    [
        CLEAN.removesuffix(b"\n"),
        b"\xef\xbb\xbf" + CLEAN,
        CLEAN.replace(b"\nB", b"\n\n\nB"),
        b"# counts of March\n#\n" + CLEAN,
        b"#" + CLEAN,
        CLEAN.replace(b"gene\tS1", b'"gene"\t"S1"').replace(b"A\t1", b'"A"\t"1"'),
        CLEAN.replace(b"\t\t", b"\tNA\t"),
        CLEAN.replace(b"\n", b"\t\n"),
    ],
)
def test_harmless_differences_change_nothing(content):
    assert_clean(matrix(content))


@pytest.mark.parametrize(("compress", "ending"), [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")])
def test_compression_is_told_by_the_content(compress, ending):
    assert_clean(matrix(compress(CLEAN), f"m.tsv.{ending}"))
    assert_clean(matrix(compress(CLEAN), "m.tsv"))


def test_zst_is_read():
    with pa.CompressedOutputStream("m.tsv.zst", "zstd") as handle:
        handle.write(CLEAN)
    assert_clean(read_matrix("m.tsv.zst"))


def test_lines_of_messages_are_those_of_the_file_whatever_lies_between(monkeypatch):
    monkeypatch.setattr("stratifn.inputs.text.BYTES_PER_BLOCK", 10)
    read = matrix(b"# note\n\ngene\tS1\tS2\n\nA\t1\t2\nB\t3\t4\n\n\nC\t5\t6\n")
    assert read.lines.tolist() == [5, 6, 9]
    sheet = Path("s.tsv")
    sheet.write_bytes(b"# note\nsample\tdisease\n\nS1\tSLE\nS2\t\xc3\xa9\n")
    assert read_sheet("s.tsv")[0].index.tolist() == [4, 5]


@pytest.mark.parametrize("size", [7, 16, 33])
def test_the_size_of_the_blocks_changes_nothing(monkeypatch, size):
    monkeypatch.setattr("stratifn.inputs.text.BYTES_PER_BLOCK", size)
    assert_clean(matrix(CLEAN))
    assert_clean(matrix(CLEAN.replace(b"\n", b"\r\n")))
    assert_clean(matrix(CLEAN.decode().encode("utf-16")))


def test_numbers_are_the_nearest_that_there_are():
    texts = [
        "0.1",
        "1e-320",
        "123456789.123456789",
        "2.2250738585072011e-308",
        "9007199254740993",
        "-0.30000000000000004",
    ]
    read = matrix(("id\tS1\n" + "".join(f"g{n}\t{t}\n" for n, t in enumerate(texts))).encode())
    assert read.values[:, 0].tolist() == [float(text) for text in texts]


def test_cells_that_are_no_numbers_are_kept_as_they_are():
    read = matrix(b"id\tS1\tS2\tS3\tS4\nA\t<0.5\ttrue\t2024-01-05\t1\nB\t2\tfalse\t2024-01-06\tOOR <\nC\t3\tNA\t\t+4\n")
    assert read.texts == {
        (0, 0): "<0.5",
        (0, 1): "true",
        (1, 1): "false",
        (0, 2): "2024-01-05",
        (1, 2): "2024-01-06",
        (1, 3): "OOR <",
    }
    assert read.values[2, 3] == 4


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_cell_lost_in_the_middle_of_a_row_shifts_nobody():
    assert codes(CLEAN.replace(b"A\t1\t2", b"A\t2")) == [("line 2 (`A`)", "IN-011")]
    assert codes(CLEAN.replace(b"A\t1\t2", b"A\t1\t1\t2")) == [("line 2 (`A`)", "IN-011")]


def test_a_file_cut_in_the_middle_of_a_row_is_refused():
    assert codes(CLEAN[: CLEAN.index(b"\t8")]) == [("line 4 (`C`)", "IN-011")]


def test_every_row_that_is_wrong_is_listed_with_its_line(monkeypatch):
    monkeypatch.setattr("stratifn.inputs.text.BYTES_PER_BLOCK", 16)
    assert codes(b"id\tS1\tS2\nA\t1\t2\n\nB\t1\nC\t1\t2\nD\t1\t2\t3\n") == [
        ("line 4 (`B`)", "IN-011"),
        ("line 6 (`D`)", "IN-011"),
    ]


def test_an_open_quote_swallows_no_rows():
    rows = "".join(f"g{n}\t{n}\t{n}\n" for n in range(9))
    opened = ("id\tS1\tS2\n" + rows).replace("g3\t", '"g3\t').encode()
    assert codes(opened) == [("line 5", "IN-010")]
    twice = ("id\tS1\tS2\n" + rows).replace("g3\t3", 'g3\t"3').replace("g5\t5", 'g5\t5"').encode()
    assert {code for _, code in codes(twice)} <= {"IN-010", "IN-011"}


def test_sheets_are_counted_too():
    sheet = b"sample\tdisease\tage\nS1\tSLE\t40\nS2\tSLE\nS3\tHC\t41\n"
    Path("s.tsv").write_bytes(sheet)
    with pytest.raises(InputError) as error:
        read_sheet("s.tsv")
    assert [(problem.where, problem.code) for problem in error.value.problems] == [("line 3 (`S2`)", "IN-011")]
    Path("s.tsv").write_bytes(sheet.replace(b"S2\tSLE", b'S2\t"SLE\t40'))
    with pytest.raises(InputError, match="quote"):
        read_sheet("s.tsv")


def test_a_comment_of_several_lines_in_a_sheet_is_a_cell():
    Path("s.csv").write_bytes(b'sample,disease,comment\nS1,SLE,"came\ntwice"\nS2,HC,\n')
    sheet, _ = read_sheet("s.csv")
    assert sheet["comment"].tolist() == ["came\ntwice", ""]
    assert sheet.index.tolist() == [2, 4]


REFUSED = {
    "IN-004": [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-1.7", gzip.compress(b"X\n\x00\x00\x00\x03")],
    "IN-005": [b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b""), b"gene\tS1\n", b"# only words\n"],
    "IN-006": [gzip.compress(CLEAN * 99)[:60], gzip.compress(CLEAN)[:-9] + b"\0" * 9, bz2.compress(CLEAN)[:40]],
    "IN-007": [CLEAN.replace(b"B", b"B\xe9"), CLEAN.replace(b"S2", b"S\xff")],
    "IN-008": [CLEAN.replace(b"B", b"B\0B")],
    "IN-012": [CLEAN.replace(b"7", b"7,5")],
    "IN-013": [b"id\tS1\tS2\nA\t1,234\t5\nB\t2\t3\n"],
    "IN-017": [b"id\nA\nB\n", b"id S1 S2\nA 1 2\n"],
}


@pytest.mark.parametrize(("code", "content"), [(code, each) for code, many in REFUSED.items() for each in many])
def test_a_file_that_is_no_matrix_is_refused_in_words(code, content):
    assert [found for _, found in codes(content)] == [code]


def test_undecodable_bytes_are_named_by_their_line():
    assert codes(CLEAN.replace(b"C", b"C\xe9")) == [("line 4", "IN-007")]
    assert codes(CLEAN.replace(b"C", b"C\0")) == [("line 4", "IN-008")]


def test_a_missing_file_a_folder_and_one_without_permission(folder):
    (folder / "d.tsv").mkdir()
    for name, code in {"absent.tsv": "IN-001", "d.tsv": "IN-003"}.items():
        with pytest.raises(InputError) as error:
            read_matrix(name)
        assert [problem.code for problem in error.value.problems] == [code]


# --- Parquet and HDF5 -----------------------------------------------------------------------------------------------


def parquet_codes(table: pa.Table) -> list[str]:
    pq.write_table(table, "m.parquet")
    with pytest.raises(InputError) as error:
        read_matrix("m.parquet")
    return [problem.code for problem in error.value.problems]


def test_dates_and_truth_values_of_parquet_are_no_numbers():
    frame = pd.DataFrame(
        {
            "id": ["A", "B"],
            "S1": [1, 2],
            "S2": [True, None],
            "S3": pd.to_datetime(["2024-01-05", None]),
            "S4": ["3", "x"],
        }
    )
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), "m.parquet")
    read = read_matrix("m.parquet")
    assert read.texts == {(0, 1): "True", (0, 2): "2024-01-05 00:00:00", (1, 3): "x"}
    np.testing.assert_array_equal(read.values[0], [1, np.nan, np.nan, 3])


def test_missing_ids_of_parquet_are_no_genes():
    assert parquet_codes(pa.table({"id": ["A", None], "S1": [1.0, 2.0]})) == ["IN-018"]
    assert parquet_codes(pa.table({"id": [1.0, float("nan")], "S1": [1.0, 2.0]})) == ["IN-018"]


def test_parquet_without_numbers_or_with_a_column_twice_is_refused():
    assert parquet_codes(pa.table({"id": ["A"]})) == ["IN-017"]
    assert parquet_codes(pa.table([["A"], [1], [2]], names=["id", "S1", "S1"])) == ["IN-016"]


def h5ad_codes(change) -> list[str]:
    ad.AnnData(csr_matrix(np.eye(3))).write_h5ad("m.h5ad")
    with h5py.File("m.h5ad", "a") as handle:
        change(handle)
    with pytest.raises(InputError) as error:
        read_matrix("m.h5ad")
    return [problem.code for problem in error.value.problems]


def replaced(name: str, value):
    def change(handle):
        del handle[name]
        if value is not None:
            handle[name] = value

    return change


@pytest.mark.parametrize("name", ["indices", "indptr"])
@pytest.mark.parametrize("value", [[0, 1, 999_999_999], [0, 1, -1], [0, 9, 3, 3], [0, 1]])
def test_indices_out_of_a_sparse_matrix_are_refused_and_crash_nothing(name, value):
    assert h5ad_codes(replaced(f"X/{name}", np.array(value))) == ["IN-022"]


def test_hdf5_of_another_kind_is_named():
    assert h5ad_codes(replaced("X", None)) == ["IN-019"]
    assert h5ad_codes(replaced("X", np.ones((2, 2)))) == ["IN-021"]
    assert h5ad_codes(replaced("X", np.array([[b"a"] * 3] * 3))) == ["IN-020"]
    with h5py.File("tenx.h5", "w") as handle:
        handle["matrix/barcodes"] = [b"AAA"]
    with pytest.raises(InputError, match="10x"):
        read_matrix("tenx.h5")


@pytest.mark.parametrize("sparse", [np.asarray, csr_matrix, csc_matrix])
def test_every_kind_of_x_is_the_same_matrix(sparse):
    values = np.array([[1.0, 0, 2], [0, 0, 3]])
    obs, var = pd.DataFrame(index=["S1", "S2"]), pd.DataFrame({"gene_name": ["a", "b", "c"]}, index=list("ABC"))
    ad.AnnData(sparse(values), obs=obs, var=var).write_h5ad("m.h5ad")
    read = read_matrix("m.h5ad")
    np.testing.assert_array_equal(read.values, values.T)
    assert (read.rows, read.columns, read.gene_names) == (["A", "B", "C"], ["S1", "S2"], ["a", "b", "c"])


def test_a_group_that_holds_itself_ends():
    def loop(handle):
        handle["uns/again"] = handle["uns"]
        handle["uns/link"] = h5py.SoftLink("/X")

    assert h5ad_codes(loop) == ["IN-023"]


def test_a_file_that_claims_more_than_the_machine_holds_is_refused():
    def claim(handle):
        del handle["X"]
        handle.create_dataset("X", shape=(3, 2**40), dtype="f4", chunks=(1, 1024))
        del handle["var"]
        handle["var"] = handle["obs"]

    assert h5ad_codes(claim) == ["IN-021"]
    with pytest.raises(InputError) as error:
        read_in_child("m", "a matrix", lambda allocate: RawMatrix("m", allocate((2**20, 2**30), float), [], []))
    assert [problem.code for problem in error.value.problems] == ["IN-015"]


def test_what_ends_the_child_does_not_end_the_job():
    def crash(number: int):
        return lambda allocate: os.kill(os.getpid(), number)

    with pytest.raises(InputError, match="SIGSEGV") as error:
        read_in_child("m.h5ad", "an AnnData file", crash(signal.SIGSEGV))
    assert [problem.code for problem in error.value.problems] == ["IN-014"]
    with pytest.raises(MachineError, match="killed"):
        read_in_child("m.h5ad", "an AnnData file", crash(signal.SIGKILL))
    with pytest.raises(InputError, match="exit code 3"):
        read_in_child("m.h5ad", "an AnnData file", lambda allocate: os._exit(3))


def test_without_shared_memory_the_file_is_read_here(monkeypatch):
    monkeypatch.delattr(child.os, "memfd_create")
    ad.AnnData(np.eye(2), obs=pd.DataFrame(index=["S1", "S2"])).write_h5ad("m.h5ad")
    np.testing.assert_array_equal(read_matrix("m.h5ad").values, np.eye(2))


@pytest.mark.parametrize("size", [0.3, 0.6, 0.9])
def test_binary_files_cut_off_are_refused_in_words(size):
    ad.AnnData(np.random.default_rng(1).random((40, 50))).write_h5ad("m.h5ad")
    pd.DataFrame(np.ones((99, 9)), columns=[f"S{n}" for n in range(9)]).to_parquet("m.parquet")
    for name in ("m.h5ad", "m.parquet"):
        content = Path(name).read_bytes()
        Path(name).write_bytes(content[: int(size * len(content))])
        with pytest.raises(InputError, match=name):
            read_matrix(name)


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("stratifn.inputs.text.LONGEST_LINE", 1000)
    monkeypatch.setattr("stratifn.inputs.text.BYTES_PER_BLOCK", 400)
    assert codes(b"x" * 2000) == [("line 1", "IN-009")]


def test_no_cell_of_text_is_lost_when_there_are_many(monkeypatch):
    monkeypatch.setattr("stratifn.inputs.text_matrix.MOST_TEXTS", 4)
    read = matrix(b"id\tS1\tS2\nA\t<1\t<2\nB\t<3\t<4\nC\t1\t2\n")
    assert len(read.texts) == 4
    assert codes(b"id\tS1\tS2\nA\t<1\t<2\nB\t<3\t<4\nC\t<5\t2\n") == [("cells", "IN-089")]
