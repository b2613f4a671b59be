"""Do the strata come back, and only where there are any? Our choice of k beside "the lowest PAC", and the time.

python benchmarks/stratification.py --repeats 20

Planted: 2 to 5 strata of equal and of unequal size on three of eight factors, `separation` standard deviations
between the two nearest. Structureless: no strata at all; whatever reports more than one is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_rand_score

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from stratifn.stratification import StratificationSettings, find_strata
from stratifn.stratification.null import null_test
from stratifn.stratification.selection import candidates, choose

FACTORS = 8
R2 = np.array([20.0, 15.0, 10.0, 8.0, 5.0, 4.0, 3.0, 2.0])
CLUSTERS = np.arange(2, 9)
Draw = Callable[[int, np.random.Generator], np.ndarray]


def noise(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((n, FACTORS))


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


def planted(n: int, strata: int, separation: float, equal: bool, rng: np.random.Generator):
    share = np.ones(strata) if equal else np.arange(strata, 0, -1)
    truth = rng.choice(strata, n, p=share / share.sum())
    values = noise(n, rng)
    values[:, :3] += separation * centres(strata, 3, rng)[truth]
    return values, truth


def coordinates(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / values.std(axis=0) * np.sqrt(R2)


def recovery(n: int, repeats: int, settings: StratificationSettings) -> pd.DataFrame:
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


def false_strata(n: int, repeats: int, settings: StratificationSettings) -> pd.DataFrame:
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
    rows = []
    for n in sizes:
        values, _ = planted(n, 4, 4.0, True, np.random.default_rng(1))
        names = [f"S{i:05d}" for i in range(n)]
        factors = pd.DataFrame(values, names, [f"Factor{k + 1}" for k in range(FACTORS)])
        explained = pd.DataFrame({"view": "rna", "factor": factors.columns, "r2": R2})
        samples = pd.DataFrame({"sample": names, "disease": "SLE"})
        start = time.process_time()
        find_strata(factors, explained, list(factors), samples, None, StratificationSettings())
        rows.append({"patients": n, "cpu_seconds": round(time.process_time() - start, 1)})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--patients", type=int, default=120)
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="*", default=[24, 120, 120, 1600])
    arguments = parser.parse_args()
    settings = StratificationSettings(resamples=arguments.resamples)
    pd.set_option("display.width", 200, "display.max_columns", 30)
    print("CPU seconds of the whole (200 resamples, k 2 to 8, 199 draws; the first includes compilation)")
    print(times(arguments.sizes).to_string(index=False))
    print(f"\nStructureless data, {arguments.patients} patients")
    print(false_strata(arguments.patients, arguments.repeats, settings).to_string(index=False))
    print(f"\nPlanted strata, {arguments.patients} patients, means over {arguments.repeats} sets (k: medians)")
    print(recovery(arguments.patients, arguments.repeats, settings).to_string())


if __name__ == "__main__":
    main()
