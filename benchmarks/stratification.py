"""How long do the strata take?

    python benchmarks/stratification.py time --sizes 120 400 1600

Whether they come back, and only where there are any: ``calibration_strata.py``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from calibration_strata import planted, shares
from measuring import RESULTS, default_settings, markdown, run_line, write_part

import stratifn.stratification.strata
from stratifn.running.entry_point import use_one_blas_thread
from stratifn.stratification import Settings, find_strata
from stratifn.stratification.null import null_test

PAGE = RESULTS / "stratification.md"
OPENING = """# Strata

Factors are simulated. One BLAS thread, one process."""
# percent of variance that the factors of the cohorts explain
TIMED_R2 = np.array([20.0, 15.0, 10.0, 8.0, 5.0, 4.0, 3.0, 2.0, 2.0, 1.0])


def times(sizes: list[int]) -> pd.DataFrame:
    """Seconds of `find_strata` with the pipeline's default settings, and the part that the null test takes."""
    settings = Settings.from_config(default_settings("stratification"))
    spent = {}

    def timed(*arguments):
        start = time.process_time()
        test = null_test(*arguments)
        spent["null"] = time.process_time() - start
        return test

    stratifn.stratification.strata.null_test = timed
    rows = []
    # the first is not counted: it compiles
    for n in [24, *sizes]:
        values, _ = planted(n, shares(4, equal=True), 4.0, np.random.default_rng(1), factors=len(TIMED_R2))
        names = [f"S{i:05d}" for i in range(n)]
        factors = pd.DataFrame(values, names, [f"Factor{k + 1}" for k in range(len(TIMED_R2))])
        explained = pd.DataFrame({"view": "rna", "factor": factors.columns, "r2": TIMED_R2})
        samples = pd.DataFrame({"sample": names, "disease": "SLE"})
        cpu, wall = time.process_time(), time.perf_counter()
        strata = find_strata(factors, explained, list(factors), samples, None, settings)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        rows.append(
            {
                "patients": n,
                "strata found": strata.number,
                "CPU s": f"{cpu:.1f}",
                "wall s": f"{wall:.1f}",
                "CPU s of the null test": f"{spent['null']:.1f}",
                "its share": f"{100 * spent['null'] / cpu:.0f} %",
            }
        )
    return pd.DataFrame(rows[1:])


def write_time(arguments: argparse.Namespace) -> str:
    settings = Settings.from_config(default_settings("stratification"))
    about = (
        f"The pipeline's default settings ({settings.resamples} resamples, {settings.draws} null draws, k "
        f"{settings.clusters[0]} to {settings.clusters[1]}), {len(TIMED_R2)} factors with four planted strata; compilation "
        "is not counted."
    )
    return f"{about}\n\n{markdown(times(arguments.sizes))}"


PARTS: dict[str, tuple[str, Callable[[argparse.Namespace], str]]] = {
    "time": ("Time, and the share of the null test", write_time),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[120, 400, 1600], help="patients, of time")
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    use_one_blas_thread()
    for part in arguments.parts:
        heading, write = PARTS[part]
        text = f"{write(arguments)}\n\n{run_line('numpy', 'numba', 'scikit-learn')}"
        write_part(arguments.output, OPENING, heading, text)
        print(text)


if __name__ == "__main__":
    main()
