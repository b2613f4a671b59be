"""Files are whole or not there; the same table gives the same bytes and comes back as it was."""

from __future__ import annotations

import os
import time

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from stratifn.shared.files import atomic_path, write_json, write_text
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_anndata, read_table, read_views, write_anndata, write_table


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path):
    path = tmp_path / "table.tsv"
    write_text("old", path)
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.tsv"]


def test_the_temporary_file_keeps_the_ending_that_tells_the_format(tmp_path):
    with atomic_path(tmp_path / "model.hdf5") as temporary:
        assert temporary.suffix == ".hdf5"
        temporary.write_text("x")


def test_what_a_killed_job_left_behind_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    path = tmp_path / "model.hdf5"
    with atomic_path(path) as temporary:
        temporary.write_text("x")
        own = temporary.name
    # no process has a number beyond the kernel's largest
    dead = tmp_path / own.replace(f"-{os.getpid()}.", "-4194305.")
    alive = tmp_path / own.replace(f"-{os.getpid()}.", f"-{os.getppid()}.")
    other_target = tmp_path / dead.name.replace(".model.", ".models.")
    for leftover in (dead, alive, other_target):
        leftover.write_text("half")
    write_text("whole", path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([path.name, alive.name, other_target.name])


def test_compressed_tables_have_the_same_bytes_at_any_time(tmp_path):
    frame = pd.DataFrame({"sample": ["a"], "score": [1.0]})
    write_table(frame, tmp_path / "one.tsv.gz")
    time.sleep(1.1)
    write_table(frame, tmp_path / "two.tsv.gz")
    assert (tmp_path / "one.tsv.gz").read_bytes() == (tmp_path / "two.tsv.gz").read_bytes()


def test_names_that_look_like_numbers_or_missing_values_come_back_as_they_were(tmp_path):
    frame = pd.DataFrame({"sample": ["007", "NA", "1e5"], "score": [1.5, np.nan, 0.1], "ifn_type": ["I", None, "II"]})
    write_table(frame, tmp_path / "t.tsv")
    back = read_table(tmp_path / "t.tsv")
    assert back["sample"].tolist() == ["007", "NA", "1e5"]
    assert back["score"].isna().tolist() == [False, True, False]
    assert back["ifn_type"].isna().tolist() == [False, True, False]


def test_text_that_a_spreadsheet_would_run_is_defused_and_numbers_are_not_touched(tmp_path):
    frame = pd.DataFrame({"label": ["=1+1", "@x", "-y", "plain"], "effect": [-1.0, 2, 3, 4]})
    write_table(frame, tmp_path / "t.tsv")
    lines = (tmp_path / "t.tsv").read_text().splitlines()
    assert lines[1:] == ["'=1+1\t-1", "'@x\t2", "'-y\t3", "plain\t4"]


def test_truth_values_are_written_in_small_letters_also_among_missing_ones(tmp_path):
    frame = pd.DataFrame({"robust": pd.array([True, False, None], dtype="boolean"), "chosen": [True, False, True]})
    write_table(frame, tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_text().splitlines()[1:] == ["true\ttrue", "false\tfalse", "NA\ttrue"]


def test_samples_come_back_with_their_types(tmp_path):
    (tmp_path / "samples.tsv").write_text(
        "sample\tpatient\tdisease\tage\tbatch\tactivity\tsite\tin_rna\n"
        "01\t1\tSLE\t40.5\t1\t3\tx\ttrue\n02\t2\tHC\tNA\t2\tNA\tNA\tfalse\n"
    )
    samples = read_samples(tmp_path / "samples.tsv")
    assert samples["sample"].tolist() == ["01", "02"]
    assert samples["batch"].tolist() == ["1", "2"]
    assert samples["age"].tolist()[0] == 40.5
    assert np.isnan(samples["age"].tolist()[1])
    assert samples["in_rna"].tolist() == [True, False]
    assert samples["site"].isna().tolist() == [False, True]


def test_matrices_come_back_under_the_name_of_their_file(tmp_path):
    data = ad.AnnData(np.arange(4.0).reshape(2, 2), pd.DataFrame(index=["a", "b"]), pd.DataFrame(index=["x", "y"]))
    write_anndata(data, tmp_path / "my.view.h5ad")
    assert np.array_equal(read_anndata(tmp_path / "my.view.h5ad").X, data.X)
    assert list(read_views([tmp_path / "my.view.h5ad"])) == ["my.view"]


def test_json_does_not_depend_on_the_order_of_keys(tmp_path):
    write_json({"b": 1, "a": 2}, tmp_path / "one.json")
    write_json({"a": 2, "b": 1}, tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
