"""Time, memory and agreement of MOFA training: mofapy2's own updates against ours.

``python benchmarks/integration.py --patients 200 1200`` prints a table and writes ``results/integration.md``.
Cohorts are simulated: patients x (5,000 + 5,000 + 100 + 60) features, 8 true factors, a tenth of the patients missing
per view, 5 % single missing values in the view of 100; K = 15, one BLAS thread. Every run is a process of its own.
mofapy2's own updates run for `--stock-iterations` only; ours run for as many (for the comparison) and to convergence.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import anndata as ad  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "workflow" / "scripts"))

from stratifn.integration import IntegrationSettings, prepare_views, read_model, train_mofa, training  # noqa: E402
from stratifn.integration.selection import match_factors  # noqa: E402

FEATURES = {"rna": 5000, "methylation": 5000, "cytokines": 100, "cells": 60}
TRUE_FACTORS = 8


def simulate(patients: int, seed: int = 0):
    """Views, sheet and true factors."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(patients, TRUE_FACTORS))
    samples = [f"P{number:05d}" for number in range(patients)]
    views = {}
    for name, count in FEATURES.items():
        strength = rng.uniform(0.3, 1.0, size=(TRUE_FACTORS, 1)) * (rng.random((TRUE_FACTORS, 1)) < 0.8)
        weights = strength * rng.normal(size=(TRUE_FACTORS, count)) * (rng.random((TRUE_FACTORS, count)) < 0.3)
        values = z @ weights + rng.normal(size=(patients, count))
        if name == "cytokines":
            values[rng.random(values.shape) < 0.05] = np.nan
        frame = pd.DataFrame(values, samples, [f"{name}{number}" for number in range(count)])
        views[name] = ad.AnnData(frame[rng.random(patients) >= 0.1])
    return views, pd.DataFrame({"sample": samples}), pd.DataFrame(z, samples)


def run_one(patients: int, stock: bool, single: bool, iterations: int, path: str) -> dict:
    """Train one model in this process and say what it cost."""
    import mofapy2.run.entry_point  # noqa: F401

    views, samples, z = simulate(patients)
    settings = IntegrationSettings(float32=single, max_iterations=iterations)
    model_input = prepare_views(views, samples, settings)
    del views
    spent = {}
    iterate = training._run

    def timed(entry):
        start = time.process_time()
        trace = iterate(entry)
        spent["iterations"] = time.process_time() - start
        return trace

    training._run = timed
    cpu, wall = time.process_time(), time.perf_counter()
    model = train_mofa(model_input, settings, 1, path, stock_updates=stock)
    return {
        "iterations": model.iterations,
        "converged": model.converged,
        "cpu_iterations": spent["iterations"],
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "found": int((match_factors(z.loc[list(model.samples)].to_numpy(), model.factors) >= 0.95).sum()),
        "elbo": model.elbo,
    }


def in_process(patients: int, stock: bool, single: bool, iterations: int, path: Path) -> dict:
    arguments = json.dumps([patients, stock, single, iterations, str(path)])
    done = subprocess.run([sys.executable, __file__, "--one", arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def benchmark(patients: list[int], stock_iterations: int) -> Iterator[str]:
    """Run everything; after each size of cohort yield the report so far, as markdown."""
    rows, agreement = [], []
    with tempfile.TemporaryDirectory() as folder:
        for count in patients:
            paths = {}
            for single in (False, True):
                for stock in (True, False):
                    path = Path(folder) / f"{count}_{stock}_{single}.hdf5"
                    result = in_process(count, stock, single, stock_iterations + 1, path)
                    rows.append(_row(count, stock, single, result))
                    paths[stock, single] = path
                if not single:
                    agreement.append(_agreement(count, paths, rows))
                result = in_process(count, False, single, 3000, Path(folder) / "converged.hdf5")
                rows.append(_row(count, False, single, result))
            yield _report(rows, agreement)


def _report(rows: list[dict], agreement: list[dict]) -> str:
    lines = ["# Training MOFA", "", *__doc__.splitlines()[3:], "", _markdown(pd.DataFrame(rows)), ""]
    return "\n".join([*lines, "## Agreement (double precision)", "", _markdown(pd.DataFrame(agreement)), ""])


def _row(patients: int, stock: bool, single: bool, result: dict) -> dict:
    return {
        "patients": patients,
        "updates": "mofapy2" if stock else "ours",
        "precision": "float32" if single else "float64",
        "iterations": result["iterations"],
        "converged": result["converged"],
        "CPU s per iteration": f"{result['cpu_iterations'] / result['iterations']:.3f}",
        "CPU s of iterations": f"{result['cpu_iterations']:.1f}",
        "CPU s in all": f"{result['cpu']:.1f}",
        "wall s": f"{result['wall']:.1f}",
        "peak MiB": f"{result['memory']:.0f}",
        "true factors found": f"{result['found']} of {TRUE_FACTORS}",
    }


def _agreement(patients: int, paths: dict, rows: list[dict]) -> dict:
    stock, ours = read_model(paths[True, False]), read_model(paths[False, False])
    cpu = [float(row["CPU s of iterations"]) for row in rows[-2:]]
    return {
        "patients": patients,
        "iterations": stock.iterations,
        "ELBO trace, largest relative difference": f"{np.abs(ours.elbo_trace / stock.elbo_trace - 1).max():.1e}",
        "factors, largest difference": f"{np.abs(ours.factors - stock.factors).max():.1e}",
        "times less CPU": f"{cpu[0] / cpu[1]:.0f}",
    }


def _markdown(table: pd.DataFrame) -> str:
    lines = [table.columns.tolist(), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, nargs="+", default=[200, 1200])
    parser.add_argument("--stock-iterations", type=int, default=20)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(run_one(*json.loads(arguments.one))))
        return
    results = HERE / "results" / "integration.md"
    results.parent.mkdir(exist_ok=True)
    for report in benchmark(arguments.patients, arguments.stock_iterations):
        results.write_text(report, encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
