"""Where the user's files are, and which of them this run makes itself."""

from __future__ import annotations

from stratifn.configuration.user_files import (
    frozen_files,
    input_paths,
    reference_folder,
    reference_paths,
    user_paths,
    view_names,
)

VIEWS = [
    {"name": "rna", "kind": "counts", "path": "../my/counts.tsv"},
    {"name": "cells", "kind": "proportion", "path": "c"},
]
NEW = {"name": "later", "reference": "demo", "samples": "new.tsv", "views": VIEWS}


def test_paths_are_as_the_user_wrote_them():
    assert input_paths(NEW, "results") == {"samples": "new.tsv", "rna": "../my/counts.tsv", "cells": "c"}


def test_files_of_ids_are_files_of_the_users_each_listed_once():
    views = [view | {"ids": "../my/ids.tsv"} for view in VIEWS]
    assert user_paths(NEW | {"views": views}, "results") == ["new.tsv", "../my/counts.tsv", "c", "../my/ids.tsv"]
    assert user_paths(NEW, "results") == ["new.tsv", "../my/counts.tsv", "c"]


def test_the_files_of_a_simulated_cohort_are_among_its_results():
    views = [{"name": "rna", "kind": "counts", "path": "rna.tsv.gz"}]
    cohort = {"name": "demo", "simulate": {"seed": 1}, "samples": None, "views": views}
    assert input_paths(cohort, "out") == {
        "samples": "out/demo/simulated/samples.tsv",
        "rna": "out/demo/simulated/rna.tsv.gz",
    }


def test_a_cohort_of_this_run_goes_before_a_folder_of_its_name():
    assert reference_folder(NEW, ["demo"]) is None
    assert reference_paths(NEW, ["demo"], "out") == [
        "out/demo/reference/reference.json",
        "out/demo/reference/arrays.npz",
    ]
    assert reference_folder(NEW, ["other"]) == "demo"
    assert reference_paths(NEW, ["other"], "out") == ["demo/reference.json", "demo/arrays.npz"]


def test_without_a_reference_there_are_no_frozen_files():
    assert frozen_files(None) == []


def test_views_are_chosen_by_their_kind():
    assert view_names(NEW) == ["rna", "cells"]
    assert view_names(NEW, ["proportion"]) == ["cells"]
    assert view_names(NEW, ["beta"]) == []
