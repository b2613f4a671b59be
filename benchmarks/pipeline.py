"""Time and memory of every job of a whole run, beside what the job asks a cluster for.

``python benchmarks/pipeline.py`` prints a table and writes ``results/resources.md``. The cohort is simulated: by default
400 patients of each of four diseases, 200 controls, 20,000 genes and 450,000 CpGs, which takes 8 GB of disk in the
temporary folder (``--folder`` names another).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml
from measuring import RESULTS, ROOT, markdown, run_line, write_part

OPENING = """# Resources

Every job of a whole run, from Snakemake's own benchmarks: wall time, peak resident memory, and the memory and time that the
job asks a cluster for at its first attempt (a retry asks for a multiple).
"""


def run_pipeline(folder: Path, simulate: dict[str, int], seeds: list[int]) -> None:
    config = folder / "config.yaml"
    settings = {"cohorts": [{"name": "cohort", "simulate": simulate}], "integration": {"seeds": seeds}}
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--cores", "1", "--benchmark-extended", "--quiet", "all", "--configfile", str(config)]
    subprocess.run(command, check=True)


def jobs(folder: Path) -> pd.DataFrame:
    paths = sorted(folder.glob("benchmarks/**/*.tsv"), key=lambda path: path.stat().st_mtime)
    read = pd.concat([pd.read_csv(path, sep="\t") for path in paths], ignore_index=True)
    asked = read["resources"].map(yaml.safe_load)
    return pd.DataFrame(
        {
            "job": read["rule_name"].str.removesuffix("_cohort"),
            "inputs MB": read["input_size_mb"].map(lambda sizes: round(sum(yaml.safe_load(str(sizes)).values()))),
            "wall s": read["s"].round().astype(int),
            "peak MiB": read["max_rss"].round().astype(int),
            "asked MB": asked.str["mem_mb"],
            "asked minutes": asked.str["runtime"],
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=400)
    parser.add_argument("--controls", type=int, default=200)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--cpgs", type=int, default=450_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    size = {key: getattr(given, key) for key in ("patients", "controls", "genes", "cpgs")} | {"seed": 1}
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        run_pipeline(Path(folder), size, given.seeds)
        table = jobs(Path(folder))
    print(table.to_string(index=False))
    part = f"{4 * given.patients} patients, {given.controls} controls, {given.genes} genes, {given.cpgs} CpGs"
    written = f"{run_line('snakemake', 'anndata', 'mofapy2')}\n\n{markdown(table)}"
    write_part(RESULTS / "resources.md", OPENING, part, written)


if __name__ == "__main__":
    main()
