"""How long `make check` takes on a large cohort until it names a mistake, and how much memory.

``python benchmarks/check.py [FOLDER]`` prints a table and adds it to ``results/validation.md``. The cohort has 1,600 samples with
20,000 genes (tsv.gz) and 450,000 CpGs (Parquet); its files (1.4 GB) are made in the folder if they are not there, else in a
temporary one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from measuring import LIBRARY, ONE_THREAD, RESULTS, ROOT, markdown, run_line, write_part
from validation import OPENING, names

SAMPLES, GENES, CPGS = 1_600, 20_000, 450_000
CONFIG = {
    "diseases": ["SLE", "pSS", "SSc"],
    "cohorts": [
        {
            "name": "large",
            "samples": "samples.tsv",
            "design": "disease + sex + age",
            "views": [
                {"name": "rna", "kind": "counts", "path": "rna.tsv.gz"},
                {"name": "methylation", "kind": "beta", "path": "methylation.parquet"},
            ],
        }
    ],
}


def sheet() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    disease, sex = np.resize(["SLE", "pSS", "SSc", "HC"], SAMPLES), np.resize(["F", "F", "M"], SAMPLES)
    age = rng.integers(20, 80, SAMPLES).astype(str)
    return pd.DataFrame({"sample": names(SAMPLES), "disease": disease, "sex": sex, "age": age})


def write_counts(path: Path) -> None:
    rng = np.random.default_rng(2)
    means = np.exp(rng.normal(3.5, 2.0, GENES))
    values = rng.poisson(means[:, None] * rng.gamma(2, 0.5, (GENES, SAMPLES)))
    values[:50] += 1
    genes = ["IFI27", "IFI44L", "IFIT1", "ISG15", "RSAD2", "SIGLEC1", *(f"GENE{number}" for number in range(GENES - 6))]
    compression = {"method": "gzip", "compresslevel": 4}
    pd.DataFrame(values, genes, names(SAMPLES)).to_csv(path, sep="\t", index_label="id", compression=compression)


def write_methylation(path: Path) -> None:
    rng = np.random.default_rng(3)
    level = rng.beta(0.7, 0.7, CPGS)
    columns = {"id": pa.array([f"cg{number:08d}" for number in range(CPGS)])}
    for name in names(SAMPLES):
        noisy = np.clip(level + rng.normal(0, 0.04, CPGS), 0.001, 0.999)
        columns[name] = pa.array(noisy.round(4).astype(np.float32))
    pq.write_table(pa.table(columns), path)


def age_of_240(table: pd.DataFrame, config: dict) -> None:
    table.loc[3, "age"] = "240"


def another_id(table: pd.DataFrame, config: dict) -> None:
    table.loc[4, "sample"] = "S4"


def unknown_term(table: pd.DataFrame, config: dict) -> None:
    config["cohorts"][0]["design"] = "disease + centre"


def nothing(table: pd.DataFrame, config: dict) -> None:
    pass


MISTAKES: dict[str, Callable[[pd.DataFrame, dict], None]] = {
    "an age of 240 in the sheet": age_of_240,
    "an id that the matrices call otherwise": another_id,
    "a column in the design that is not there": unknown_term,
    "none": nothing,
}


def check(folder: Path) -> tuple[float | None, float, int]:
    """Run the check; return the seconds until its message and until its end, and the peak memory in MiB."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--logger", "stratifn"]
    command += ["--workflow-profile", str(ROOT / "profiles" / "default"), "--directory", str(folder), "--keep-going"]
    command += ["--configfile", str(folder / "my.yaml"), "--cores", "1", "--", "check"]
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(LIBRARY)}
    started, told = time.perf_counter(), None
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Input:") and told is None:
            told = time.perf_counter() - started
    _, _, usage = os.wait4(process.pid, 0)
    return told, time.perf_counter() - started, round(usage.ru_maxrss / 1024)


def measured(folder: Path) -> pd.DataFrame:
    for name, write in (("rna.tsv.gz", write_counts), ("methylation.parquet", write_methylation)):
        if not (folder / name).exists():
            write(folder / name)
    rows = []
    for mistake, make in MISTAKES.items():
        table, config = sheet(), yaml.safe_load(yaml.safe_dump(CONFIG))
        make(table, config)
        table.to_csv(folder / "samples.tsv", sep="\t", index=False)
        (folder / "my.yaml").write_text(yaml.safe_dump(config))
        told, ended, peak = check(folder)
        rows.append((mistake, "" if told is None else f"{told:.1f}", f"{ended:.1f}", peak))
        print(*rows[-1], sep="\t", flush=True)
    return pd.DataFrame(rows, columns=["mistake", "s until it is told", "s until the end", "peak MiB"])


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        # taken away: the page does not name folders of a machine
        folder = Path(sys.argv.pop() if len(sys.argv) > 1 else temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        table = markdown(measured(folder))
    said = (
        f"The whole command on {SAMPLES:,} samples with {GENES:,} genes (tsv.gz) and {CPGS:,} CpGs (Parquet). After the message "
        "Snakemake digests the files of the job that failed once more. The peak is that of the largest process."
    )
    heading = "A large cohort: when a mistake is told"
    write_part(
        RESULTS / "validation.md", OPENING, heading, run_line("anndata", "pyarrow") + "\n\n" + said + "\n\n" + table
    )


if __name__ == "__main__":
    main()
