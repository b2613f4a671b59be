"""Files are whole or not there; the same table gives the same bytes and comes back as it was."""

from __future__ import annotations

import os
import stat
import time

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from stratifn.shared.files import atomic_path, write_json, write_text
from stratifn.shared.tables import read_anndata, read_views, write_anndata, write_table


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path):
    path = tmp_path / "table.tsv"
    write_text("old", path)
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.tsv"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_only_its_owner_can_read_a_file_before_it_is_whole(tmp_path, umask, mode):
    old = os.umask(umask)
    try:
        with atomic_path(tmp_path / "table.tsv") as temporary:
            assert temporary.parent == tmp_path
            assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
            temporary.write_text("x")
            assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "table.tsv").stat().st_mode) == mode
        assert os.umask(umask) == umask, "the user's umask is left as it was"
    finally:
        os.umask(old)


def test_a_link_in_the_place_of_a_temporary_file_is_not_followed(tmp_path):
    with atomic_path(tmp_path / "table.tsv") as temporary:
        temporary.write_text("x")
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("theirs")
    temporary.symlink_to(theirs)
    write_text("ours", tmp_path / "table.tsv")
    assert theirs.read_text() == "theirs"
    assert (tmp_path / "table.tsv").read_text() == "ours"
    assert not (tmp_path / "table.tsv").is_symlink()


def test_a_block_that_writes_nothing_leaves_no_empty_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing was written"), atomic_path(tmp_path / "table.tsv"):
        pass
    assert list(tmp_path.iterdir()) == []
    write_text("", tmp_path / "empty.tsv")
    assert (tmp_path / "empty.tsv").read_bytes() == b"", "an empty file may be meant"


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
    frame = pd.DataFrame({"feature": ["a"], "Factor1": [1.0]})
    first, second = (tmp_path / "integration" / f"weights_{view}.tsv.gz" for view in ("one", "two"))
    write_table(frame, first)
    time.sleep(1.1)
    write_table(frame, second)
    assert first.read_bytes() == second.read_bytes()


def test_matrices_come_back_under_the_name_of_their_file(tmp_path):
    data = ad.AnnData(np.arange(4.0).reshape(2, 2), pd.DataFrame(index=["a", "b"]), pd.DataFrame(index=["x", "y"]))
    write_anndata(data, tmp_path / "my.view.h5ad")
    assert np.array_equal(read_anndata(tmp_path / "my.view.h5ad").X, data.X)
    assert list(read_views([tmp_path / "my.view.h5ad"])) == ["my.view"]


def test_json_does_not_depend_on_the_order_of_keys(tmp_path):
    write_json({"b": 1, "a": 2}, tmp_path / "one.json")
    write_json({"a": 2, "b": 1}, tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
