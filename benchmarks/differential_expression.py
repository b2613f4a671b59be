"""CPU time, wall time, memory and agreement with R of one fit with four contrasts on simulated cohorts.

    python benchmarks/differential_expression.py --samples 100 400 1600

Every engine runs in a process of its own with one BLAS thread, start-up and reading included; the cohort is a raw
integer matrix, so that no engine waits for a text parser. Rows of R packages appear when ``Rscript`` has them. The
table is written to ``benchmarks/results/differential_expression.md``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import ONE_THREAD, RESULTS, Usage, machine, markdown, measure, versions

R_SCRIPT = Path(__file__).resolve().with_suffix(".R")
TABLE = RESULTS / "differential_expression.md"
CONDITIONS = ("HC", "SLE", "pSS", "SSc", "DM")
CONTRASTS = tuple((level, "HC") for level in CONDITIONS[1:])
ALPHA = 0.05


@dataclass(frozen=True)
class Engine:
    """One row of the table."""

    name: str
    label: str
    package: str | None = None
    most_samples: int | None = None
    design: str = "~ batch + sex + condition"


ENGINES = (
    Engine("stratifn", "stratifn (PyDESeq2 model, batched engine)"),
    Engine("stratifn_first", "the same, first run on a machine (compiles its kernels)"),
    Engine(
        "stratifn_age",
        "the same with age in the design (no two samples alike)",
        design="~ batch + sex + age + condition",
    ),
    Engine("pydeseq2", "PyDESeq2, default engine as it comes (all cores)", most_samples=400),
    Engine("pydeseq2_one", "PyDESeq2, default engine, one process", most_samples=400),
    Engine("DESeq2", "R DESeq2", package="DESeq2", most_samples=400),
    Engine("edgeR", "R edgeR quasi-likelihood", package="edgeR", most_samples=400),
    Engine("limma", "R limma-voom", package="limma"),
)
REFERENCE = "DESeq2"


def simulate(folder: Path, n_samples: int, n_genes: int, seed: int = 1) -> None:
    """Write a cohort of five groups, four batches and two sexes: ``counts.i32`` (genes x samples), ``samples.tsv``."""
    rng = np.random.default_rng(seed)
    samples = pd.DataFrame(
        {
            "sample": [f"S{i:04d}" for i in range(n_samples)],
            "batch": rng.choice(["b1", "b2", "b3", "b4"], n_samples),
            "sex": rng.choice(["F", "M"], n_samples),
            "age": rng.normal(0, 1, n_samples).round(3),
            "condition": np.resize(CONDITIONS, n_samples),
        }
    )
    base = np.exp(rng.normal(5.0, 1.8, n_genes))
    dispersions = (0.05 + 2.0 / base) * np.exp(rng.normal(0.0, 0.4, n_genes))
    effects = {level: np.where(rng.random(n_genes) < 0.1, rng.normal(0, 0.7, n_genes), 0) for level in CONDITIONS}
    effects["HC"] = np.zeros(n_genes)
    effects |= {level: rng.normal(0, 0.2, n_genes) for level in ("b1", "b2", "b3", "b4")}
    effects |= {level: rng.normal(0, 0.1, n_genes) for level in ("F", "M")}
    counts = np.empty((n_genes, n_samples), dtype=np.int32)
    for i, row in samples.iterrows():
        total = effects[row.condition] + effects[row.batch] + effects[row.sex]
        mean = base * np.exp(total + rng.normal(0, 0.3))
        counts[:, i] = rng.negative_binomial(1 / dispersions, 1 / (1 + mean * dispersions))
    counts[counts.sum(axis=1) == 0, 0] = 1
    counts.tofile(folder / "counts.i32")
    samples.to_csv(folder / "samples.tsv", sep="\t", index=False)


def fit_in_python(folder: Path, design: str, inference: object, fit: Callable[[object], None]) -> None:
    """Fit a cohort with PyDESeq2 on an engine and write ``results.parquet``."""
    from pydeseq2.dds import DeseqDataSet
    from pydeseq2.ds import DeseqStats

    samples = pd.read_csv(folder / "samples.tsv", sep="\t", index_col="sample")
    samples["condition"] = pd.Categorical(samples["condition"], CONDITIONS)
    matrix = np.fromfile(folder / "counts.i32", dtype=np.int32).reshape(-1, len(samples)).T
    genes = [f"g{i}" for i in range(1, matrix.shape[1] + 1)]
    counts = pd.DataFrame(matrix, index=samples.index, columns=genes)
    dataset = DeseqDataSet(counts=counts, metadata=samples, design=design, inference=inference, quiet=True)
    fit(dataset)
    tables = []
    for level, baseline in CONTRASTS:
        tests = DeseqStats(
            dataset, contrast=["condition", level, baseline], alpha=ALPHA, inference=inference, quiet=True
        )
        tests.summary()
        tables.append(tests.results_df.assign(contrast=f"{level}_vs_{baseline}", gene=genes))
    columns = ["contrast", "gene", "baseMean", "log2FoldChange", "stat", "padj"]
    pd.concat(tables)[columns].to_parquet(folder / "results.parquet", index=False)


def fit_as_the_pipeline(dataset: object) -> None:
    """Fit as differential expression does, after PyDESeq2's size factors."""
    from stratifn.differential_expression.counts_model import fit_negative_binomial

    dataset.fit_size_factors()
    fit_negative_binomial(dataset)
    dataset.cooks_outlier()


def run_engine(name: str, folder: Path) -> None:
    """Run one Python engine in this process."""
    design = next(engine.design for engine in ENGINES if engine.name == name)
    if name.startswith("stratifn"):
        from stratifn.inference import BatchedInference

        fit_in_python(folder, design, BatchedInference(), fit_as_the_pipeline)
    else:
        from pydeseq2.default_inference import DefaultInference

        n_cpus = 1 if name == "pydeseq2_one" else None
        fit_in_python(folder, design, DefaultInference(n_cpus=n_cpus), lambda dataset: dataset.deseq2())


def measure_engine(engine: Engine, folder: Path) -> Usage:
    """Run an engine in a process of its own."""
    if engine.package:
        return measure(["Rscript", str(R_SCRIPT), engine.name, str(folder)])
    command = [sys.executable, str(Path(__file__).resolve()), "--run", engine.name, str(folder)]
    return measure(command, {"NUMBA_CACHE_DIR": str(folder / "numba")} if engine.name == "stratifn_first" else None)


def installed_r_packages() -> dict[str, str]:
    """Versions of R and of the packages that are there."""
    if shutil.which("Rscript") is None:
        return {}
    result = subprocess.run(
        ["Rscript", str(R_SCRIPT), "versions"], capture_output=True, text=True, check=True, env=os.environ | ONE_THREAD
    )
    return dict(line.split("\t") for line in result.stdout.split("\n") if line)


def read_results(folder: Path, engine: Engine) -> pd.DataFrame:
    """Contrast, gene, baseMean, log2FoldChange, stat and padj as an engine wrote them."""
    if engine.package:
        return pd.read_csv(folder / "results.tsv", sep="\t")
    return pd.read_parquet(folder / "results.parquet")


def agreement(found: pd.DataFrame, reference: pd.DataFrame) -> tuple[str, str]:
    """Share of log fold changes within 1 % (or 0.001) at baseMean >= 10, and Jaccard index of significant genes."""
    pair = found.merge(reference, on=["contrast", "gene"], suffixes=("", "_r"))
    expressed = pair[pair["baseMean_r"] >= 10]
    limit = np.maximum(1e-3, 0.01 * expressed["log2FoldChange_r"].abs())
    close = (expressed["log2FoldChange"] - expressed["log2FoldChange_r"]).abs() <= limit
    ours, theirs = pair["padj"] < ALPHA, pair["padj_r"] < ALPHA
    return f"{100 * close.mean():.2f} %", f"{(ours & theirs).sum() / max((ours | theirs).sum(), 1):.4f}"


def benchmark(engines: tuple[Engine, ...], n_samples: int, n_genes: int) -> list[dict[str, str]]:
    """Measure the engines on one simulated cohort; one row of the table each."""
    usages, results = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate(folder, n_samples, n_genes)
        for engine in engines:
            if engine.most_samples is not None and n_samples > engine.most_samples:
                continue
            usages[engine] = measure_engine(engine, folder)
            results[engine.name] = read_results(folder, engine)
            print(n_samples, engine.label, usages[engine], file=sys.stderr, flush=True)
    rows = []
    for engine, usage in usages.items():
        close, jaccard = "", ""
        if REFERENCE in results and engine.design == Engine.design:
            close, jaccard = agreement(results[engine.name], results[REFERENCE])
        rows.append(
            {
                "samples": str(n_samples),
                "engine": engine.label,
                "CPU s": f"{usage.cpu:.1f}",
                "wall s": f"{usage.wall:.1f}",
                "peak RSS GB": f"{usage.peak / 1e6:.2f}",
                "LFC within 1 % of R DESeq2": close,
                "Jaccard with R DESeq2": jaccard,
            }
        )
    return rows


def render(rows: list[dict[str, str]], n_genes: int, r_packages: dict[str, str]) -> str:
    """Return the Markdown page."""
    in_r = [f"{name} {number}" for name, number in r_packages.items()]
    lines = [
        "# Differential expression: one fit and four contrasts",
        "",
        f"Simulated cohorts of {n_genes} genes, design `batch + sex + condition` (4 batches, 5 groups), each engine in "
        "its own process with one thread; start-up and reading of the matrix are included. LFC: share of genes with "
        "mean of at least 10 whose log2 fold change is within 1 % (or 0.001) of R DESeq2; Jaccard: genes at 5 % FDR, "
        "all contrasts together. edgeR and limma fit other models: their columns show how far models differ.",
        "",
        markdown(pd.DataFrame(rows)),
        "",
        f"Machine: {machine()}. {date.today().isoformat()}.",
        "",
        "Versions: " + ", ".join([versions("numpy", "numba", "pandas", "pydeseq2"), *in_r]) + ".",
        "",
        "Repeat with `python benchmarks/differential_expression.py`.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[100, 400, 1600])
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--engines", nargs="+", choices=[engine.name for engine in ENGINES])
    parser.add_argument("--output", type=Path, default=TABLE)
    parser.add_argument("--run", nargs=2, metavar=("ENGINE", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run_engine(arguments.run[0], Path(arguments.run[1]))
        return
    r_packages = installed_r_packages()
    engines = tuple(
        engine
        for engine in ENGINES
        if (arguments.engines is None or engine.name in arguments.engines)
        and (engine.package is None or engine.package in r_packages)
    )
    arguments.output.parent.mkdir(exist_ok=True)
    rows = []
    for n_samples in arguments.samples:
        rows += benchmark(engines, n_samples, arguments.genes)
        # after each cohort: the large ones take long
        arguments.output.write_text(render(rows, arguments.genes, r_packages), encoding="utf-8")


if __name__ == "__main__":
    main()
