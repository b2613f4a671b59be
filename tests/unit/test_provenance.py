"""Provenance: what was used and what was made."""

from __future__ import annotations

import hashlib

from stratifn.running.provenance import file_digests, result_files, software_versions


def test_digests_are_those_of_the_bytes_under_the_users_name(tmp_path):
    (tmp_path / "x.tsv").write_bytes(b"abc")
    table = file_digests({"data/x.tsv": tmp_path / "x.tsv"})
    assert table.to_dict("records") == [
        {"path": "data/x.tsv", "bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}
    ]


def test_folders_are_listed_file_by_file_without_hidden_ones(tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("figures/a.png", "figures/.a.tmp.png", "t.tsv", "stale.tsv"):
        (tmp_path / name).write_text("x")
    found = result_files([tmp_path / "figures", tmp_path / "t.tsv"], tmp_path)
    assert sorted(found) == ["figures/a.png", "t.tsv"]


def test_the_versions_name_what_numbers_depend_on():
    versions = software_versions()
    assert {"stratifn", "python", "pydeseq2", "mofapy2", "numpy"} <= set(versions)
    assert all(versions.values())
