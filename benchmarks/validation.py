"""Memory of reading and validating a cohort, by format and size of its matrix.

``python benchmarks/validation.py [beta]`` prints a table and writes ``results/validation.md``, a part per kind of view. Counts are negative binomial with as many
zeros as RNA-seq of whole blood has; beta values have four digits as text and are floats elsewhere. Each matrix is read
in a process of its own, by the script of the rule.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from measuring import LIBRARY, RESULTS, markdown, measure, run_line, write_part
from scipy.sparse import csr_matrix

from stratifn.running.memory import validation_megabytes
from stratifn.shared.vocabulary import BETA, COUNTS

OPENING = """# Memory of the validation

Peak resident memory of the rule `inputs` for a cohort of one matrix, and what the rule asks for; about 200 MB of that are for
Snakemake itself on a cluster.
"""
NEARLY_EMPTY = "counts, nearly empty"
# kind, features, samples
SIZES = (
    (COUNTS, 20_000, 100),
    (COUNTS, 20_000, 400),
    (COUNTS, 60_000, 400),
    (NEARLY_EMPTY, 60_000, 1500),
    (BETA, 100_000, 200),
)
JOB = """
import json, sys
from types import SimpleNamespace
import inputs
parts = {key: SimpleNamespace(**value) for key, value in json.loads(sys.argv[1]).items()}
inputs.main(SimpleNamespace(**parts))
"""


def counts(features: int, samples: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    # half of the annotated genes are silent in blood
    means = np.exp(rng.normal(1.0, 3.5, features))
    values = rng.poisson(means[:, None] * rng.gamma(2, 0.5, (features, samples)))
    return pd.DataFrame(values, genes(features), names(samples))


def nearly_empty_counts(features: int, samples: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    # four of six genes are silent, one is seen in 2 % of the samples
    means = rng.choice([0, 0, 0, 0, 0.02, 2], features)
    values = rng.poisson(means[:, None], (features, samples))
    return pd.DataFrame(values, genes(features), names(samples))


def genes(features: int) -> list[str]:
    # a gene of the deciding signature, without which counts are refused
    return ["IFI27", *(f"ENSG{number:011d}" for number in range(1, features))]


def beta(features: int, samples: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    values = rng.beta(0.7, 0.7, (features, samples)).astype(np.float32)
    return pd.DataFrame(values, [f"cg{number:08d}" for number in range(features)], names(samples))


def names(samples: int) -> list[str]:
    return [f"S{number:04d}" for number in range(samples)]


def h5ad(values: Callable, **how) -> Callable[[pd.DataFrame, Path], None]:
    def write(frame: pd.DataFrame, path: Path) -> None:
        obs, var = pd.DataFrame(index=frame.columns), pd.DataFrame(index=frame.index)
        ad.AnnData(values(frame.to_numpy().T.astype(np.float32)), obs, var).write_h5ad(path, **how)

    return write


def text(frame: pd.DataFrame, path: Path) -> None:
    mark = "," if ".csv" in path.name else "\t"
    frame.to_csv(path, sep=mark, index_label="id", float_format="%.4f", chunksize=5000)


FORMATS: dict[str, tuple[str, Callable[[pd.DataFrame, Path], None]]] = {
    "tsv": ("m.tsv", text),
    "csv": ("m.csv", text),
    "tsv.gz": ("m.tsv.gz", text),
    "parquet": ("m.parquet", lambda frame, path: frame.to_parquet(path)),
    "h5ad": ("m.h5ad", h5ad(np.asarray)),
    "h5ad, gzip": ("m.h5ad", h5ad(np.asarray, compression="gzip")),
    "h5ad, sparse, gzip": ("m.h5ad", h5ad(csr_matrix, compression="gzip")),
}


def job(folder: Path, kind: str, file: str, samples: int) -> list[str]:
    sheet = pd.DataFrame({"sample": names(samples), "disease": np.resize(["SLE", "HC"], samples)})
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    view = {"name": "methylation" if kind == BETA else "rna", "kind": kind_of(kind), "path": file, "round": False}
    cohort = {
        "columns": {},
        "labels": {},
        "types": {},
        "diseases": ["SLE"],
        "control": "HC",
        "design": "disease",
        "views": [view],
    }
    (folder / "inputs").mkdir()
    parts = {
        "params": {
            "cohort": cohort, "contrasts": [], "known": ["SLE"], "joined": [], "signature_files": [],
            "signatures": ["RICE_CROW_6"], "gene_sets": [], "reference": None, "analyte": None, "contract": "",
            "first": True, "ratio": False, "integration": {"regress_out": "", "min_views": 1},
            "paths": {"samples": str(folder / "samples.tsv"), view["name"]: str(folder / file)},
        },
        "output": {
            "samples": str(folder / "inputs" / "samples.tsv"),
            "notes": str(folder / "inputs" / "notes.tsv"),
            "views": [str(folder / "inputs" / f"{view['name']}.h5ad")],
        },
    }  # fmt: skip
    return [sys.executable, "-c", JOB, json.dumps(parts)]


def write(kind: str, features: int, samples: int, name: str, path: Path) -> None:
    """Write a matrix in one format."""
    made = {COUNTS: counts, NEARLY_EMPTY: nearly_empty_counts, BETA: beta}[kind]
    FORMATS[name][1](made(features, samples), path)


def kind_of(kind: str) -> str:
    """Return the kind of view."""
    return BETA if kind == BETA else COUNTS


def is_measured(kind: str, name: str) -> bool:
    """Tell whether a format is measured: no sparse beta values, and no large text, which takes minutes to write."""
    binary = FORMATS[name][1] is not text
    return binary if kind == NEARLY_EMPTY else kind != BETA or "sparse" not in name


def main() -> None:
    wanted = sys.argv[1:] or [COUNTS, BETA]
    for kind in wanted:
        table = markdown(measured([size for size in SIZES if kind_of(size[0]) == kind]))
        heading = f"One matrix, few or many samples: {kind}"
        write_part(RESULTS / "validation.md", OPENING, heading, run_line("anndata", "pandas") + "\n\n" + table)


def measured(sizes: list[tuple[str, int, int]]) -> pd.DataFrame:
    """Validate a matrix of each size in each format."""
    scripts = {"PYTHONPATH": str(LIBRARY)}
    rows = []
    for kind, features, samples in sizes:
        for name, (file, _) in FORMATS.items():
            if not is_measured(kind, name):
                continue
            with tempfile.TemporaryDirectory() as given:
                folder = Path(given)
                # in a process of its own: the peak of a job that is started counts that of the process that starts it
                writer = get_context("spawn").Process(target=write, args=(kind, features, samples, name, folder / file))
                writer.start()
                writer.join()
                used = measure(job(folder, kind, file, samples), scripts)
                megabytes = (folder / file).stat().st_size / 1024**2
                limit = validation_megabytes({str(folder / file): kind_of(kind)})
            peak = round(used.peak / 1024)
            rows.append((kind, features, samples, name, round(megabytes, 1), peak, limit, f"{limit / peak:.2f}"))
            print(*rows[-1], flush=True)
    columns = ["kind", "features", "samples", "format", "file MB", "peak MiB", "asked MB", "asked / peak"]
    return pd.DataFrame(rows, columns=columns)


if __name__ == "__main__":
    main()
