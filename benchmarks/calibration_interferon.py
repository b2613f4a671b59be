"""Do interferon classes and prevalence intervals hold when the controls are not all healthy, or their scores skewed?

    python benchmarks/calibration_interferon.py controls --sets 400

Values of one signature of six genes on a log2 scale: healthy people share a part with SD 0.5, each gene has its own with SD
0.3; an infection adds 4. The truth is the mean + 2 SD of uninfected healthy people. The cohort's own code learns from 24
controls and classes 50 other healthy people and 50 raised by 2; the prevalence is that of 60 patients raised by anything from 0
to 3, so that many lie near the cut-off.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from measuring import RESULTS, default_settings, markdown, run_line, write_part

from stratifn.interferon.classes import call, standing, with_everybody
from stratifn.interferon.controls import Controls
from stratifn.interferon.learning import fit_reference
from stratifn.interferon.prevalence import prevalence_table
from stratifn.interferon.scoring import measure
from stratifn.interferon.settings import Settings
from stratifn.registry.knowledge import Knowledge, load_knowledge
from stratifn.running.entry_point import use_one_blas_thread
from stratifn.shared.vocabulary import CONTINUOUS

PAGE = RESULTS / "calibration_interferon.md"
OPENING = "# Calibration of interferon classes"
SIGNATURE, CONTROLS, OTHERS, PATIENTS = "RICE_CROW_6", 24, 50, 60
BACKGROUND_GENES, BOOTSTRAPS = 200, 500
SHARED_SD, OWN_SD, INFECTION, RAISED, MOST_RAISED = 0.5, 0.3, 4.0, 2.0, 3.0
POPULATION = 200_000
LOGNORMAL_SIGMA = 0.75

Shape = Callable[[np.random.Generator, int], np.ndarray]


def gaussian(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.standard_normal(n)


def exponential(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.exponential(size=n) - 1


def lognormal(rng: np.random.Generator, n: int) -> np.ndarray:
    square = LOGNORMAL_SIGMA**2
    mean, sd = np.exp(square / 2), np.sqrt((np.exp(square) - 1) * np.exp(square))
    return (rng.lognormal(0, LOGNORMAL_SIGMA, n) - mean) / sd


@dataclass(frozen=True)
class Situation:
    """Shape of healthy people's shared part, and how many controls are infected: a number, or a share."""

    name: str
    shape: Shape
    infected: int = 0
    share_infected: float = 0.0
    controls: int = CONTROLS


SITUATIONS = (
    Situation("Gaussian", gaussian),
    Situation("one infected control", gaussian, infected=1),
    Situation("5 % of the controls infected", gaussian, share_infected=0.05),
    Situation("exponential", exponential),
    Situation("lognormal", lognormal),
    Situation("Gaussian, 10 controls", gaussian, controls=10),
    Situation("Gaussian, 100 controls", gaussian, controls=100),
)


def knowledge_of_one_signature() -> Knowledge:
    registry = load_knowledge().registry
    return Knowledge(replace(registry, signatures={SIGNATURE: registry.signature(SIGNATURE)}))


def people(shape: Shape, n: int, rng: np.random.Generator, genes: int) -> np.ndarray:
    return SHARED_SD * shape(rng, n)[:, None] + OWN_SD * rng.standard_normal((n, genes))


def true_values(shape: Shape, genes: int) -> tuple[float, float]:
    """Return the share of healthy people and of patients above the true cut-off."""
    rng = np.random.default_rng(7)
    values = people(shape, POPULATION, rng, genes)
    mean, sd = values.mean(axis=0), values.std(axis=0)
    score = ((values - mean) / sd).mean(axis=1)
    cutoff = 2 * score.std()
    return float((score > cutoff).mean()), float(
        (score + rng.uniform(0, MOST_RAISED, len(score)) * (1 / sd).mean() > cutoff).mean()
    )


def one_set(situation: Situation, rng: np.random.Generator, knowledge: Knowledge, settings: Settings) -> dict:
    """Make one cohort and class it; return the shares by group, and the prevalence with its interval."""
    symbols = knowledge.registry.signature(SIGNATURE).symbols
    n = situation.controls
    sizes = {"HC": n, "healthy": OTHERS, "raised": OTHERS, "patients": PATIENTS}
    group = np.repeat(list(sizes), list(sizes.values()))
    values = people(situation.shape, len(group), rng, len(symbols))
    infected = np.arange(n) < situation.infected
    infected |= rng.random(n) < situation.share_infected
    values[:n][infected] += INFECTION
    values[group == "raised"] += RAISED
    values[-PATIENTS:] += rng.uniform(0, MOST_RAISED, (PATIENTS, 1))
    background = rng.normal(0, 0.5, (len(group), BACKGROUND_GENES))
    genes = [*symbols, *(f"BACKGROUND{i}" for i in range(BACKGROUND_GENES))]
    names = [f"S{i:04d}" for i in range(len(group))]
    data = ad.AnnData(
        np.hstack([8 + values, 8 + background]),
        obs=pd.DataFrame(index=names),
        var=pd.DataFrame({"gene_name": genes}, index=genes),
    )
    reference, _ = fit_reference(data, CONTINUOUS, Controls(tuple(names[:n]), "", ()), knowledge, settings)
    measured, gene_set = measure(data, reference), reference.panel[SIGNATURE]
    stand, everybody = standing(measured, reference, gene_set), with_everybody(measured, reference, gene_set)
    classes = call(stand.probability_high, reference)
    table = prevalence_table(
        {SIGNATURE: stand}, {SIGNATURE: everybody}, reference, group, np.zeros(len(group), dtype=bool),
        knowledge.registry, "HC", "whole_blood", "healthy",
    ).set_index("disease")  # fmt: skip
    return {
        "healthy high": (classes[group == "healthy"] == "high").mean(),
        "healthy borderline": (classes[group == "healthy"] == "borderline").mean(),
        "raised high": (classes[group == "raised"] == "high").mean(),
        "ci_low": table.loc["patients", "ci_low"],
        "ci_high": table.loc["patients", "ci_high"],
        "left out": reference.excluded > 0,
    }


def results_of(situation: Situation, sets: int, bootstraps: int = BOOTSTRAPS) -> pd.DataFrame:
    """Return one row per set, with whether the interval holds the true prevalence (``covered``)."""
    knowledge = knowledge_of_one_signature()
    settings = replace(Settings.from_config(default_settings("interferon")), bootstraps=bootstraps)
    _, truth = true_values(situation.shape, len(knowledge.registry.signature(SIGNATURE).symbols))
    seed = [situation.controls, *situation.name.encode()]
    table = pd.DataFrame(
        [one_set(situation, np.random.default_rng([number, *seed]), knowledge, settings) for number in range(sets)]
    )
    return table.assign(covered=(table["ci_low"] <= truth) & (truth <= table["ci_high"]))


# what is printed, and the bound for each situation that has one
MEASURES = {
    "raised high": "patients at +2 high",
    "healthy high": "healthy high",
    "healthy borderline": "healthy borderline",
    "covered": "prevalence covered",
    "left out": "cohorts with controls left out",
}


def controls_table(sets: int) -> pd.DataFrame:
    rows, n_genes = [], len(load_knowledge().registry.signature(SIGNATURE).genes)
    for situation in SITUATIONS:
        nominal, _ = true_values(situation.shape, n_genes)
        found = results_of(situation, sets)
        values = {
            title: f"{100 * found[key].mean():.1f} ± {100 * found[key].std(ddof=1) / np.sqrt(sets):.1f} %"
            for key, title in MEASURES.items()
        }
        rows.append(
            {
                "controls": situation.name,
                "healthy above the true cut-off": f"{100 * nominal:.1f} %",
                **values,
                "sets": sets,
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=["controls"])
    parser.add_argument("--sets", type=int, default=400, help="per situation")
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    use_one_blas_thread()
    nominal = (
        "The nominal share of healthy people called high is at most that above the true cut-off, the nominal coverage "
        "95 %. ± is the Monte Carlo error."
    )
    text = f"{nominal}\n\n{markdown(controls_table(arguments.sets))}\n\n{run_line('numpy', 'scipy')}"
    write_part(arguments.output, OPENING, "Controls and prevalence", text)
    print(text)


if __name__ == "__main__":
    main()
