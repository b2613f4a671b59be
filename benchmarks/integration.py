"""Time, memory and agreement of MOFA training.

    python benchmarks/integration.py updates --patients 200 1200
    python benchmarks/integration.py seeds --patients 1600

Each part writes its own table into ``results/integration.md`` and leaves the other as it is. The time of the strata,
with that of their null test, is in ``benchmarks/stratification.py``.
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import anndata as ad
import numpy as np
import pandas as pd
from measuring import ONE_THREAD, RESULTS, Usage, default_settings, markdown, measure, run_line, write_part

from stratifn.integration import Settings, prepare_views, read_model, train_mofa, training
from stratifn.integration.selection import match_factors
from stratifn.shared.samples import write_samples
from stratifn.shared.tables import write_anndata

FEATURES = {"rna": 5000, "methylation": 5000, "cytokines": 100, "cells": 60}
TRUE_FACTORS = 8
FOUND_R = 0.95
TARGET_SECONDS = 300
PAGE = RESULTS / "integration.md"
OPENING = f"""# Training MOFA

Cohorts are simulated: patients x (5,000 + 5,000 + 100 + 60) features, {TRUE_FACTORS} true factors, a tenth of the patients missing
per view, 5 % single missing values in the view of 100; K = 15, one BLAS thread. Every model is trained in a process of
its own; MiB are the peak of a process. A true factor is found when |r| with a factor of the model is at least {FOUND_R}.

The time of the strata and of their null test is measured by `benchmarks/stratification.py` and is in
[stratification.md](stratification.md)."""
UPDATES = "mofapy2's own updates against ours"
SEEDS = "Five seeds"


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


def true_factors_found(model, z: pd.DataFrame) -> int:
    matched = match_factors(z.loc[list(model.samples)].to_numpy(), model.factors)
    return int((matched >= FOUND_R).sum())


# ----------------------------------------------------------------------------------- mofapy2's updates against ours


def run_one(patients: int, stock: bool, single: bool, iterations: int, path: str) -> dict:
    """Train one model in this process and say what it cost."""
    import mofapy2.run.entry_point  # noqa: F401

    views, samples, z = simulate(patients)
    settings = Settings.from_config(default_settings("integration"))
    settings = replace(settings, float32=single, max_iterations=iterations)
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
        "found": true_factors_found(model, z),
    }


def in_process(patients: int, stock: bool, single: bool, iterations: int, path: Path) -> dict:
    arguments = json.dumps([patients, stock, single, iterations, str(path)])
    command = [sys.executable, __file__, "one", arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | ONE_THREAD)
    return json.loads(done.stdout.splitlines()[-1])


def compare_updates(patients: list[int], stock_iterations: int) -> Iterator[str]:
    """Run everything; after each size of cohort yield the text so far."""
    rows, agreement = [], []
    with tempfile.TemporaryDirectory() as folder:
        for count in patients:
            paths, results = {}, {}
            for single in (False, True):
                for stock in (True, False):
                    path = Path(folder) / f"{count}_{stock}_{single}.hdf5"
                    result = in_process(count, stock, single, stock_iterations + 1, path)
                    rows.append(_row(count, stock, single, result))
                    paths[stock, single], results[stock, single] = path, result
                if not single:
                    agreement.append(_agreement(count, paths, results))
                result = in_process(count, False, single, 3000, Path(folder) / "converged.hdf5")
                rows.append(_row(count, False, single, result))
            yield _updates_text(rows, agreement)


def _updates_text(rows: list[dict], agreement: list[dict]) -> str:
    lines = [
        "mofapy2's own updates run for some iterations only; ours run for as many (for the comparison) and to "
        "convergence.",
        markdown(pd.DataFrame(rows)),
        "Agreement in double precision:",
        markdown(pd.DataFrame(agreement)),
        run_line("numpy", "mofapy2"),
    ]
    return "\n\n".join(lines)


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


def _agreement(patients: int, paths: dict, results: dict) -> dict:
    stock, ours = read_model(paths[True, False]), read_model(paths[False, False])
    cpu = [results[updates, False]["cpu_iterations"] for updates in (True, False)]
    return {
        "patients": patients,
        "iterations": stock.iterations,
        "ELBO trace, largest relative difference": f"{np.abs(ours.elbo_trace / stock.elbo_trace - 1).max():.1e}",
        "factors, largest difference": f"{np.abs(ours.factors - stock.factors).max():.1e}",
        "times less CPU": f"{cpu[0] / cpu[1]:.0f}",
    }


# ------------------------------------------------------------------------------------------------------- five seeds


def train_as_the_job(seed: str, folder: Path) -> None:
    """Do in this process what the pipeline's job of one seed does, with its default settings."""
    from mofa import main as train

    job = SimpleNamespace(
        input=SimpleNamespace(views=[folder / f"{name}.h5ad" for name in FEATURES], samples=folder / "samples.tsv"),
        output=SimpleNamespace(model=folder / f"seed_{seed}.hdf5"),
        params=SimpleNamespace(settings=default_settings("integration")),
        wildcards=SimpleNamespace(seed=seed),
    )
    train(job)


def time_seeds(patients: int, jobs: int) -> str:
    """Train the default seeds, so many processes at a time; return the text."""
    seeds = [str(seed) for seed in default_settings("integration")["seeds"]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        views, samples, z = simulate(patients)
        for view, data in views.items():
            write_anndata(data, folder / f"{view}.h5ad")
        write_samples(samples, folder / "samples.tsv")
        commands = [[sys.executable, __file__, "job", seed, name] for seed in seeds]
        started = time.perf_counter()
        with ThreadPoolExecutor(jobs) as pool:
            usages = list(pool.map(measure, commands))
        wall = time.perf_counter() - started
        models = [read_model(folder / f"seed_{seed}.hdf5") for seed in seeds]
    rows = [
        {
            "seed": model.seed,
            "iterations": model.iterations,
            "converged": model.converged,
            "true factors found": f"{true_factors_found(model, z)} of {TRUE_FACTORS}",
            **_costs(usage),
        }
        for model, usage in zip(models, usages, strict=True)
    ]
    together = Usage(sum(usage.cpu for usage in usages), wall, max(usage.peak for usage in usages))
    blank = dict.fromkeys(("iterations", "converged", "true factors found"), "")
    rows.append({"seed": f"all, {jobs} at a time", **blank, **_costs(together)})
    lines = [
        f"{patients} patients, the pipeline's default settings, {len(seeds)} seeds, {jobs} processes at a time; each is "
        "the pipeline's job of one seed, its start-up and the reading of the matrices included.",
        markdown(pd.DataFrame(rows)),
        f"Target: at most {TARGET_SECONDS} s of wall time for 1,600 patients and two processes at a time.",
        run_line("numpy", "mofapy2"),
    ]
    return "\n\n".join(lines)


def _costs(usage: Usage) -> dict[str, str]:
    return {
        "CPU s": f"{usage.cpu:.1f}",
        "wall s": f"{usage.wall:.1f}",
        "peak MiB": f"{usage.peak / 1024:.0f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True, metavar="{updates,seeds}")
    updates = parts.add_parser("updates", help="mofapy2's own updates against ours")
    updates.add_argument("--patients", type=int, nargs="+", default=[200, 1200])
    updates.add_argument("--stock-iterations", type=int, default=20)
    seeds = parts.add_parser("seeds", help="the default seeds, as the pipeline trains them")
    seeds.add_argument("--patients", type=int, default=1600)
    seeds.add_argument("--jobs", type=int, default=2)
    for part in (updates, seeds):
        part.add_argument("--output", type=Path, default=PAGE)
    one = parts.add_parser("one")
    one.add_argument("arguments", type=json.loads)
    job = parts.add_parser("job")
    job.add_argument("seed")
    job.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.part == "one":
        print(json.dumps(run_one(*arguments.arguments)))
    elif arguments.part == "job":
        train_as_the_job(arguments.seed, arguments.folder)
    elif arguments.part == "updates":
        for text in compare_updates(arguments.patients, arguments.stock_iterations):
            write_part(arguments.output, OPENING, UPDATES, text)
        print(text)
    else:
        text = time_seeds(arguments.patients, arguments.jobs)
        write_part(arguments.output, OPENING, SEEDS, text)
        print(text)


if __name__ == "__main__":
    main()
