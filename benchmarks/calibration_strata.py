"""Are p values, numbers and probabilities of strata what they say?

    python benchmarks/calibration_strata.py structureless --sets 400
    python benchmarks/calibration_strata.py power confidence small interferon uninformed --sets 40

Each part writes its own table into ``results/calibration_strata.md`` and leaves the others as they are: the situation, the
nominal value or bound, what was measured with its Monte Carlo error, and the number of sets.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from measuring import RESULTS, default_settings, markdown, run_line, write_part
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import pdist

from stratifn.integration import Settings as IntegrationSettings
from stratifn.integration import posterior_of_cohort, prepare_views, select_model, train_mofa, variance_table
from stratifn.running.entry_point import use_one_blas_thread
from stratifn.stratification import Settings, Strata, find_strata
from stratifn.stratification.kmeans import RESTARTS
from stratifn.stratification.null import StructurelessModel, adjusted_pvalues, drawn_in, structure

PAGE = RESULTS / "calibration_strata.md"
OPENING = """# Calibration of strata

Factors are simulated, except where MOFA is named. ± is the Monte Carlo error."""
FACTORS = 8
R2 = np.array([20.0, 15.0, 10.0, 8.0, 5.0, 4.0, 3.0, 2.0])
NAMES = [f"Factor{k + 1}" for k in range(FACTORS)]
CLUSTERS = np.arange(2, 9)
WEAK_ALPHA, CLEAR_ALPHA = 0.05, 0.01
# draws after which a set whose p value is clearly above `WEAK_ALPHA` is left
ENOUGH = (20, 40, 80)
BINS = 10
Draw = Callable[[int, np.random.Generator], np.ndarray]


def noise(n: int, rng: np.random.Generator, factors: int = FACTORS) -> np.ndarray:
    return rng.standard_normal((n, factors))


def on_one_factor(position: Callable, spread: float) -> Draw:
    def draw(n: int, rng: np.random.Generator) -> np.ndarray:
        values = noise(n, rng)
        values[:, 0] = spread * position(rng, n) + 0.2 * values[:, 0]
        return values

    return draw


def across_factors(position: Callable, spread: float) -> Draw:
    def draw(n: int, rng: np.random.Generator) -> np.ndarray:
        return spread * np.outer(position(rng, n), rng.standard_normal(FACTORS)) + noise(n, rng)

    return draw


def uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.random(n)


def skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.exponential(size=n)


STRUCTURELESS: dict[str, Draw] = {
    "one Gaussian": noise,
    "one correlated Gaussian": lambda n, rng: noise(n, rng) @ rng.standard_normal((FACTORS, FACTORS)),
    "t with 3 degrees of freedom": lambda n, rng: rng.standard_t(3, (n, FACTORS)),
    "multivariate t with 3 degrees of freedom": lambda n, rng: noise(n, rng) / np.sqrt(rng.chisquare(3, (n, 1)) / 3),
    "uniform gradient": on_one_factor(uniform, 3.5),
    "skewed gradient": on_one_factor(skewed, 1.0),
    "uniform gradient across factors": across_factors(uniform, 4.0),
    "skewed gradient across factors": across_factors(skewed, 1.5),
}


def centres(strata: int, axes: int, rng: np.random.Generator) -> np.ndarray:
    """Of many random sets the most evenly spaced one, scaled to a nearest distance of 1."""
    drawn = rng.standard_normal((200, strata, axes))
    evenness = [pdist(one).min() / pdist(one).mean() for one in drawn]
    best = drawn[int(np.argmax(evenness))]
    return best / pdist(best).min()


def planted(
    n: int, share: np.ndarray, separation: float, rng: np.random.Generator, axes: int = 3, factors: int = FACTORS
) -> tuple[np.ndarray, np.ndarray]:
    """Strata of these shares on the first factors, `separation` standard deviations between the nearest."""
    truth = rng.choice(len(share), n, p=share / share.sum())
    values = noise(n, rng, factors)
    values[:, :axes] += separation * centres(len(share), axes, rng)[truth]
    return values, truth


def shares(strata: int, equal: bool) -> np.ndarray:
    return np.ones(strata) if equal else np.arange(strata, 0, -1.0)


def coordinates(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((values - values.mean(axis=0)) / values.std(axis=0) * np.sqrt(R2))


def stratified(values: np.ndarray, settings: Settings) -> Strata:
    """Strata of people whose factors are known."""
    samples = [f"S{i:05d}" for i in range(len(values))]
    explained = pd.DataFrame({"view": "rna", "factor": NAMES, "r2": R2})
    sheet = pd.DataFrame({"sample": samples, "disease": "SLE"})
    return find_strata(pd.DataFrame(values, samples, NAMES), explained, NAMES, sheet, None, settings)


def right(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Tell who is in the stratum that shares most people with the true one."""
    table = pd.crosstab(found, truth)
    rows, columns = linear_sum_assignment(table.to_numpy(), maximize=True)
    matched = dict(zip(table.index[rows], table.columns[columns], strict=True))
    return np.array([matched.get(number, -1) for number in found]) == truth


def calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error: mean distance of confidence and share of correct people over ten bins."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    inside = [bins == one for one in np.unique(bins)]
    return float(sum(abs(confidence[b].mean() - correct[b].mean()) * b.mean() for b in inside))


@dataclass(frozen=True)
class Row:
    """One line of a table: what comes out, with its Monte Carlo standard error."""

    situation: str
    nominal: str
    value: float
    error: float
    sets: int

    @classmethod
    def of(cls, situation: str, nominal: str, values: list[float]) -> Row:
        """Mean over sets."""
        each = np.asarray(values, dtype=float)
        error = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.nan
        return cls(situation, nominal, float(each.mean()), float(error), len(each))


def structureless(sets: int, settings: Settings) -> Iterator[Row]:
    for name, draw in STRUCTURELESS.items():
        pvalues = np.array([_pvalue(draw, 120, number, settings) for number in range(sets)])
        for alpha, bound in ((WEAK_ALPHA, "at most 8 %"), (CLEAR_ALPHA, "at most 2.5 %")):
            yield Row.of(f"{name}, 120 people: p at most {alpha}", bound, list(pvalues <= alpha))


def _pvalue(draw: Draw, n: int, number: int, settings: Settings) -> float:
    """P value of one set: that of `null_test`, of fewer draws where these leave no doubt that it is above 0.05."""
    rng = np.random.default_rng([11, number])
    points = drawn_in(coordinates(draw(n, rng)))
    model = StructurelessModel.fit(points)
    found = [structure(points, CLUSTERS, rng.random((RESTARTS, CLUSTERS[-1])))]
    pvalue = 0.0
    for draws in (*ENOUGH, settings.draws):
        while len(found) <= draws:
            found.append(structure(model.draw(n, rng), CLUSTERS, rng.random((RESTARTS, CLUSTERS[-1]))))
        pvalue = float(adjusted_pvalues(np.array(found)).min())
        # of a p value of 0.05, four standard errors are left once in ten thousand times
        if pvalue > WEAK_ALPHA + 4 * np.sqrt(WEAK_ALPHA * (1 - WEAK_ALPHA) / (draws + 1)):
            break
    return pvalue


def power(sets: int, settings: Settings) -> Iterator[Row]:
    rights = []
    for strata in (2, 3, 4, 5):
        for separation in (3.0, 4.0, 6.0):
            found = []
            for number in range(sets):
                rng = np.random.default_rng([strata, int(separation), number])
                values, _ = planted(120, shares(strata, number % 2 == 0), separation, rng)
                found.append(stratified(values, settings).number)
            situation = f"{strata} strata at {separation:g} SD, 120 people"
            rights += [number == strata for number in found]
            yield Row.of(f"{situation}: divided", "", [number > 1 for number in found])
            yield Row.of(f"{situation}: right number", "", [number == strata for number in found])
    yield Row.of("all of these: right number", "at least 58 %", rights)


def confidence(sets: int, settings: Settings, people: tuple[int, ...] = (120, 400)) -> Iterator[Row]:
    """Given the true number of strata: the test is passed whatever the data."""
    for n in people:
        for strata in (2, 3, 4):
            for separation in (3.0, 4.0):
                given = replace(settings, clusters=(strata, strata), alpha=1.0, draws=1)
                said, correct = [], []
                for number in range(sets):
                    rng = np.random.default_rng([7, n, strata, int(separation), number])
                    values, truth = planted(n, shares(strata, number % 2 == 0), separation, rng)
                    table = stratified(values, given).table
                    if table["confidence"].notna().all():
                        said.append(table["confidence"].to_numpy())
                        correct.append(right(truth, table["stratum"].to_numpy()))
                situation = f"{strata} strata at {separation:g} SD, {n} people"
                error = calibration_error(np.concatenate(said), np.concatenate(correct))
                gaps = [float(a.mean() - b.mean()) for a, b in zip(said, correct, strict=True)]
                yield Row(
                    f"{situation}: calibration error", "at most 5 %", error, Row.of("", "", gaps).error, len(said)
                )
                yield Row.of(f"{situation}: mean confidence minus share right", "-5 to 5 %", gaps)


def small(sets: int, settings: Settings) -> Iterator[Row]:
    for others in (1, 2):
        share = np.append(np.full(others, 0.9 / others), 0.1)
        for separation in (4.0, 5.0, 6.0):
            found = []
            for number in range(sets):
                rng = np.random.default_rng([3, others, int(separation), number])
                values, truth = planted(400, share, separation, rng)
                found.append(_holds(stratified(values, settings), truth == others))
            bound = "at least 30 %" if separation == 6 else "as many as possible"
            yield Row.of(f"a stratum of 10 % beside {others}, {separation:g} SD, 400 people: found", bound, found)


def _holds(strata: Strata, inside: np.ndarray) -> bool:
    """Whether one stratum has at least half of these people, and they are at least half of it."""
    stratum = strata.table["stratum"].to_numpy()
    together = [(stratum == number) & inside for number in np.unique(stratum)]
    sizes = [(stratum == number).sum() for number in np.unique(stratum)]
    return any(
        both.sum() >= inside.sum() / 2 and both.sum() >= size / 2 for both, size in zip(together, sizes, strict=True)
    )


def interferon(sets: int, settings: Settings) -> Iterator[Row]:
    found = []
    for number in range(sets):
        rng = np.random.default_rng([5, number])
        values, _ = planted(120, np.ones(2), 4.0, rng, axes=1)
        found.append(stratified(values, settings).number == 2)
    yield Row.of("one factor bimodal (4 SD), 120 people: two strata", "at least 60 %", found)


def uninformed(sets: int, settings: Settings) -> Iterator[Row]:
    """Two strata in the proteins, which three of ten people lack; the factors come from MOFA."""
    rows = [_without_proteins(number, settings) for number in range(sets)]
    table = pd.DataFrame(rows)
    divided = table[table["strata"] > 1]
    situation = "two strata in proteins, 30 % without, MOFA"
    yield Row.of(f"{situation}: two strata", "", list(table["strata"] == 2))
    yield Row.of(f"{situation}: confidence of those without", "at most 65 %", list(divided["without"]))
    yield Row.of(f"{situation}: confidence of the others", "", list(divided["with"]))
    yield Row.of(f"{situation}: the others in the right stratum", "", list(divided["right"]))


def _without_proteins(number: int, settings: Settings) -> dict[str, float]:
    rng = np.random.default_rng([9, number])
    n = 120
    samples = [f"S{i:03d}" for i in range(n)]
    truth = rng.integers(0, 2, n)
    own = rng.standard_normal((n, 3))
    protein_factor = 4.0 * (truth - 0.5) + rng.standard_normal(n)
    rna = own @ rng.standard_normal((3, 600)) + 2.0 * rng.standard_normal((n, 600))
    protein = np.outer(protein_factor, rng.standard_normal(60)) + 2.0 * rng.standard_normal((n, 60))
    lacking = rng.permutation(n) < 0.3 * n
    views = {
        "rna": ad.AnnData(pd.DataFrame(rna, samples, [f"g{i}" for i in range(600)])),
        "protein": ad.AnnData(pd.DataFrame(protein, samples, [f"p{i}" for i in range(60)])[~lacking]),
    }
    sheet = pd.DataFrame({"sample": samples, "disease": "SLE"})
    chosen = replace(IntegrationSettings.from_config(default_settings("integration")), factors=6)
    with tempfile.TemporaryDirectory() as folder:
        data = prepare_views(views, sheet, chosen)
        integration = select_model([train_mofa(data, chosen, 1, Path(folder) / "model.hdf5")], chosen)
    factors = pd.DataFrame(
        integration.model.factors[:, : integration.active],
        list(integration.model.samples),
        [f"Factor{k + 1}" for k in range(integration.active)],
    )
    posterior = posterior_of_cohort(integration.model, views, factors, "")
    explained = variance_table(integration, data)
    found = find_strata(posterior.mean, explained, list(factors), sheet, None, settings, posterior)
    table = found.table
    return {
        "strata": found.number,
        "without": table["confidence"][lacking].mean(),
        "with": table["confidence"][~lacking].mean(),
        "right": right(truth[~lacking], table["stratum"].to_numpy()[~lacking]).mean(),
    }


PARTS: dict[str, tuple[str, Callable[[int, Settings], Iterator[Row]]]] = {
    "structureless": ("Data without structure", structureless),
    "power": ("Planted strata", power),
    "confidence": ("Confidence, given the number of strata", confidence),
    "small": ("Small strata", small),
    "interferon": ("A bimodal factor", interferon),
    "uninformed": ("People without the view that decides", uninformed),
}


def page_table(rows: list[Row]) -> str:
    shown = [(row.situation, row.nominal, f"{100 * row.value:.1f} ± {100 * row.error:.1f} %", row.sets) for row in rows]
    return markdown(pd.DataFrame(shown, columns=["situation", "nominal", "measured", "sets"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--sets", type=int, default=40)
    parser.add_argument("--resamples", type=int, default=60)
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    use_one_blas_thread()
    settings = replace(Settings.from_config(default_settings("stratification")), resamples=arguments.resamples)
    for part in arguments.parts:
        heading, rows = PARTS[part]
        done = []
        for row in rows(arguments.sets, settings):
            done.append(row)
            # a part takes long: what is done is written
            text = f"{page_table(done)}\n\n{run_line('numpy', 'numba', 'scipy')}"
            write_part(arguments.output, OPENING, heading, text)
            print(row, flush=True)


if __name__ == "__main__":
    main()
