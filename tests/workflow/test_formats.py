"""A cohort whose files are those of six programs gets the results of its plain matrices. Long: `make test-full`."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from mistakes.formats import cibersortx, feature_counts, gct, genome_studio, olink, rsem
from stratifn.shared.tables import read_table

from .conftest import MICRO, breaches_of_all, write_config


@pytest.mark.full
def test_a_run_of_six_formats_has_the_scores_of_the_plain_matrices(micro_run, tmp_path):
    clone, _ = micro_run
    simulated = clone.folder / "results" / "micro" / "simulated"
    counts = pd.read_csv(simulated / "rna.tsv.gz", sep="\t", index_col=0)
    betas = pd.read_parquet(simulated / "methylation.parquet").set_index("cpg")
    cytokines = pd.read_csv(simulated / "cytokines.tsv", sep="\t", index_col=0).apply(pd.to_numeric, errors="coerce")
    cells = pd.read_csv(simulated / "cells.tsv", sep="\t", index_col=0)
    betas.index = [f"{name}_TC11" for name in betas.index]
    npx = np.log2(cytokines + 1).round(4)
    arrays = np.log2(counts.drop(columns=[name for name in counts if name == "gene_name"]) + 1).round(4)
    written = {
        "rna": ("counts", "counts.txt", feature_counts(counts)),
        "repeats": ("counts", "repeats.tsv", rsem(counts.iloc[:100])),
        "methylation": ("beta", "betas.txt", genome_studio(betas)),
        "proteins": ("continuous", "npx.csv", olink(npx)),
        "cells": ("proportion", "cibersortx.csv", cibersortx(cells)),
        "arrays": ("continuous", "arrays.gct", gct(arrays.iloc[:80])),
    }
    for _, path, content in written.values():
        (tmp_path / path).write_text(content)
    shutil.copy(simulated / "samples.tsv", tmp_path)
    views = [{"name": name, "kind": kind, "path": path} for name, (kind, path, _) in written.items()]
    views[1]["size_factors"] = "rna"
    config = MICRO | {"cohorts": [{"name": "six", "samples": "samples.tsv", "views": views}]}
    path = write_config(tmp_path / "six.yaml", config)
    run = clone.snakemake("--cores", "1", "--directory", str(tmp_path), "--configfile", str(path))
    assert run.code == 0, run.text
    assert breaches_of_all(tmp_path / "results", config) == []
    ours, plain = (
        read_table(folder / "interferon" / "scores.tsv")
        for folder in (tmp_path / "results" / "six", clone.folder / "results" / "micro")
    )
    pd.testing.assert_frame_equal(ours, plain)
    notes = read_table(tmp_path / "results" / "six" / "inputs" / "notes.tsv")
    assert sorted(notes.loc[notes["reason"].str.startswith("format: "), "view"]) == sorted(written)
