"""Provenance: what was used and what was made."""

from __future__ import annotations

from stratifn.running.provenance import software_versions


def test_the_versions_name_what_numbers_depend_on():
    versions = software_versions()
    assert {"stratifn", "python", "pydeseq2", "mofapy2", "numpy"} <= set(versions)
    assert all(versions.values())
