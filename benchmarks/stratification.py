"""Do the strata come back, and only where there are any? And how long do they take?

    python benchmarks/stratification.py time --sizes 120 400 1600
    python benchmarks/stratification.py structureless planted --repeats 20

Each part writes its own table into ``results/stratification.md`` and leaves the others as they are.

Planted: 2 to 5 strata of equal and of unequal size on three of eight factors, `separation` standard deviations
between the two nearest; our choice of k beside "the lowest PAC". Structureless: no strata at all; whatever reports
more than one is wrong.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import RESULTS, default_settings, markdown, run_line, write_part
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_rand_score

import stratifn.stratification.strata
from stratifn.running.entry_point import use_one_blas_thread
from stratifn.stratification import Settings, find_strata
from stratifn.stratification.null import null_test
from stratifn.stratification.selection import candidates, choose

PAGE = RESULTS / "stratification.md"
OPENING = """# Strata

Factors are simulated. One BLAS thread, one process."""
FACTORS = 8
R2 = np.array([20.0, 15.0, 10.0, 8.0, 5.0, 4.0, 3.0, 2.0])
CLUSTERS = np.arange(2, 9)
# of the factors of the cohorts that are timed
TIMED_R2 = np.append(R2, [2.0, 1.0])
Draw = Callable[[int, np.random.Generator], np.ndarray]


def noise(n: int, rng: np.random.Generator, factors: int = FACTORS) -> np.ndarray:
    return rng.standard_normal((n, factors))


def gradient(position: Callable, spread: float) -> Draw:
    def along_all_factors(n: int, rng: np.random.Generator) -> np.ndarray:
        return spread * np.outer(position(rng, n), rng.standard_normal(FACTORS)) + noise(n, rng)

    return along_all_factors


STRUCTURELESS: dict[str, Draw] = {
    "one Gaussian": noise,
    "t, 3 degrees of freedom": lambda n, rng: rng.standard_t(3, (n, FACTORS)),
    "multivariate t, 3 df": lambda n, rng: noise(n, rng) / np.sqrt(rng.chisquare(3, (n, 1)) / 3),
    "uniform gradient": gradient(lambda rng, n: rng.random(n), 4.0),
    "skewed gradient": gradient(lambda rng, n: rng.exponential(size=n), 1.5),
}


def centres(strata: int, axes: int, rng: np.random.Generator) -> np.ndarray:
    """Of many random sets the most evenly spaced one, scaled to a nearest distance of 1."""
    drawn = rng.standard_normal((200, strata, axes))
    evenness = [pdist(one).min() / pdist(one).mean() for one in drawn]
    best = drawn[int(np.argmax(evenness))]
    return best / pdist(best).min()


def planted(n: int, strata: int, separation: float, equal: bool, rng: np.random.Generator, factors: int = FACTORS):
    share = np.ones(strata) if equal else np.arange(strata, 0, -1)
    truth = rng.choice(strata, n, p=share / share.sum())
    values = noise(n, rng, factors)
    values[:, :3] += separation * centres(strata, 3, rng)[truth]
    return values, truth


def coordinates(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / values.std(axis=0) * np.sqrt(R2)


def recovery(n: int, repeats: int, settings: Settings) -> pd.DataFrame:
    rows = []
    for strata in (2, 3, 4, 5):
        for separation in (3.0, 4.0, 6.0):
            for repeat in range(repeats):
                rng = np.random.default_rng([strata, int(separation), repeat])
                values, truth = planted(n, strata, separation, repeat % 2 == 0, rng)
                points = coordinates(values)
                tried = candidates(points, CLUSTERS, settings)
                ours = choose(tried, null_test(points, CLUSTERS, settings.draws, rng), settings.alpha).candidate
                lowest = min(tried, key=lambda candidate: candidate.pac)
                rows.append(
                    {
                        "strata": strata,
                        "separation": separation,
                        "power": ours is not None,
                        "k_ours": ours.k if ours else 1,
                        "k_pac": lowest.k,
                        "ari_ours": adjusted_rand_score(truth, ours.labels) if ours else 0.0,
                        "ari_pac": adjusted_rand_score(truth, lowest.labels),
                        "ari_true_k": adjusted_rand_score(truth, tried[strata - 2].labels),
                    }
                )
    table = pd.DataFrame(rows)
    for choice in ("ours", "pac"):
        table[f"right_k_{choice}"] = table[f"k_{choice}"] == table["strata"]
    grouped = table.groupby(["strata", "separation"])
    medians = grouped[["k_ours", "k_pac"]].median().astype(int)
    return grouped.mean().drop(columns=["k_ours", "k_pac"]).join(medians).round(2)


def false_strata(n: int, repeats: int, settings: Settings) -> pd.DataFrame:
    rows = []
    for name, draw in STRUCTURELESS.items():
        rejected = 0
        for repeat in range(repeats):
            rng = np.random.default_rng(repeat)
            points = coordinates(draw(n, rng))
            rejected += null_test(points, CLUSTERS, settings.draws, rng).pvalue <= settings.alpha
        # the lowest PAC is over k from 2 upwards: it always divides
        rows.append({"data": name, "sets": repeats, "more_than_one_stratum_ours": rejected, "lowest_pac": repeats})
    return pd.DataFrame(rows)


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
        values, _ = planted(n, 4, 4.0, True, np.random.default_rng(1), len(TIMED_R2))
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


def write_structureless(arguments: argparse.Namespace) -> str:
    settings = replace(Settings.from_config(default_settings("stratification")), resamples=arguments.resamples)
    table = false_strata(arguments.patients, arguments.repeats, settings)
    about = (
        f"{arguments.patients} patients, {FACTORS} factors, no strata: sets in which more than one stratum is reported."
    )
    return f"{about}\n\n{markdown(table)}"


def write_planted(arguments: argparse.Namespace) -> str:
    settings = replace(Settings.from_config(default_settings("stratification")), resamples=arguments.resamples)
    table = recovery(arguments.patients, arguments.repeats, settings)
    about = f"{arguments.patients} patients, {FACTORS} factors, means over {arguments.repeats} sets (k: medians)."
    return f"{about}\n\n{markdown(table.reset_index())}"


PARTS: dict[str, tuple[str, Callable[[argparse.Namespace], str]]] = {
    "time": ("Time, and the share of the null test", write_time),
    "structureless": ("Structureless data", write_structureless),
    "planted": ("Planted strata", write_planted),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--patients", type=int, default=120, help="of structureless and planted")
    parser.add_argument("--resamples", type=int, default=100, help="of structureless and planted")
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
