"""What several tests on real data read."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import pandas as pd
import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def breast():
    """Three views of TCGA's breast cancers on log scales, and the patients with their intrinsic subtype as disease."""
    folder = DATA / "breast-tcga"
    views = {}
    for name in ("mrna", "mirna", "protein"):
        views[name] = ad.AnnData(pd.read_csv(folder / f"train_{name}.tsv.gz", sep="\t", index_col=0))
        views[name].uns["kind"] = "continuous"
    samples = pd.read_csv(folder / "train_subtype.tsv", sep="\t", dtype=str).rename(columns={"subtype": "disease"})
    return views, samples.assign(patient=samples["sample"]).sort_values("sample", ignore_index=True)
