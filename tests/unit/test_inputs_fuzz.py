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
        cohort = read_cohort(settings_, paths, Groups(["SLE"], "HC"), GeneNames({}, {}), SCHEMA, lambda samples: [])
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
