"""Are people of a known kind of interferon response typed right, and are shallow libraries left unscored?

    python benchmarks/calibration_types.py types shallow --sets 400

**types**: log2 values of the genes of the response profiles. Healthy people differ by a shared type I response (SD 0.2 of the mean
rise over the profile's genes), a shared type II response (0.1) and each gene's own SD (around 0.4). Each cohort is a tissue of its own:
it raises every gene by the profile's amount times a factor with a log SD of 0.4, independently for both types. Patients have a
response of 0.8 to 2.5 of either type, or both with a ratio between 1/2 and 2. *IL-1-like* people have a random third of the genes
that type II raises more than type I raised, by 1 to 4 log2 times a factor with a log SD of 0.6; *IL-22-like* ones a random fifth of all genes.

**shallow**: counts of 1,500 other genes and those of the profiles and the signature, with log2 means between 3 and 10. Healthy people and
people with a type I response of 1 are sequenced at 1 to 100 % of the controls' depth.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from calibration_interferon import SIGNATURE, knowledge_of_one_signature
from measuring import RESULTS, default_settings, markdown, run_line, write_part

from stratifn.interferon.classes import call, standing
from stratifn.interferon.controls import Controls
from stratifn.interferon.learning import fit_reference, profiles_of
from stratifn.interferon.scoring import measure, set_scores
from stratifn.interferon.settings import Settings
from stratifn.interferon.types import type_table
from stratifn.registry.knowledge import Knowledge
from stratifn.running.entry_point import use_one_blas_thread
from stratifn.shared.vocabulary import (
    CONTINUOUS,
    COUNTS,
    HIGH,
    LOW,
    NO_RESPONSE,
    OTHER_RESPONSE,
    RESPONSE_TYPES,
    TYPE_I,
    TYPE_I_II,
    TYPE_II,
    UNCERTAIN,
    UNSCORED,
)

PAGE = RESULTS / "calibration_types.md"
OPENING = "# Calibration of interferon types and of shallow libraries"
BOOTSTRAPS, PEOPLE = 200, 6
MISFIT, OWN_SD, SHARED_I, SHARED_II, WEAKEST, STRONGEST = 0.4, 0.4, 0.2, 0.1, 0.8, 2.5
TYPED = {TYPE_I, TYPE_II, TYPE_I_II}


@dataclass(frozen=True)
class Design:
    """Controls, and how many genes of the profiles were measured (None: all)."""

    controls: int
    genes: int | None = None
    misfit: float = MISFIT
    # of the sets that are asked for
    share_of_sets: float = 1.0

    @property
    def name(self) -> str:
        words = [f"{self.controls} controls"]
        words += [f"{self.genes} genes"] if self.genes else []
        words += [f"misfit {self.misfit:g}"] if self.misfit != MISFIT else []
        return ", ".join(words)


DESIGNS = (
    Design(24),
    Design(10),
    Design(24, genes=60, share_of_sets=0.25),
    Design(24, genes=25, share_of_sets=0.25),
    Design(24, misfit=0.65, share_of_sets=0.25),
)


@dataclass(frozen=True)
class Kind:
    """People of one kind: their differences from healthy people, what is right, and what is wrong.

    ``amounts`` draws the log2 rises (people x genes) from the tissue's profiles (2 x genes) and those of the registry.
    """

    name: str
    right: frozenset[str]
    wrong: frozenset[str]
    nominal: Callable[[Design], float]
    amounts: Callable[[np.random.Generator, int, np.ndarray, np.ndarray], np.ndarray]


def strength(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.uniform(WEAKEST, STRONGEST, (n, 1))


def both(rng: np.random.Generator, n: int, tissue: np.ndarray, profiles: np.ndarray) -> np.ndarray:
    one = strength(rng, n)
    return one * tissue[0] + one * 2 ** rng.uniform(-1, 1, (n, 1)) * tissue[1]


def raised_part(share: float, type_ii_alone: bool) -> Callable[..., np.ndarray]:
    """Return what raises a random share of the genes (of those that type II raises more), the same in a whole cohort."""

    def draw(rng: np.random.Generator, n: int, tissue: np.ndarray, profiles: np.ndarray) -> np.ndarray:
        genes = np.flatnonzero(profiles[1] > profiles[0]) if type_ii_alone else np.arange(profiles.shape[1])
        chosen = rng.choice(genes, max(3, int(len(genes) * share)), replace=False)
        rises = np.zeros(profiles.shape[1])
        rises[chosen] = np.exp(rng.normal(0, 0.6, len(chosen)))
        return rng.uniform(1, 4, (n, 1)) * rises

    return draw


def _other_than(*right: str) -> frozenset[str]:
    return frozenset(RESPONSE_TYPES) - {UNCERTAIN, *right}


KINDS = (
    Kind("healthy", frozenset({NO_RESPONSE}), frozenset(TYPED), lambda design: 0.05 if design.controls > 10 else 0.08,
         lambda rng, n, tissue, profiles: np.zeros((n, profiles.shape[1]))),
    Kind("type I", frozenset({TYPE_I}), _other_than(TYPE_I), lambda design: 0.05,
         lambda rng, n, tissue, profiles: strength(rng, n) * tissue[0]),
    Kind("type II", frozenset({TYPE_II}), _other_than(TYPE_II), lambda design: 0.05,
         lambda rng, n, tissue, profiles: strength(rng, n) * tissue[1]),
    Kind("type I and II", frozenset({TYPE_I_II}), _other_than(TYPE_I_II), lambda design: 0.05, both),
    Kind("IL-1-like", frozenset({OTHER_RESPONSE, NO_RESPONSE}), frozenset(TYPED), lambda design: 0.10, raised_part(1 / 3, True)),
    Kind("IL-22-like", frozenset({OTHER_RESPONSE, NO_RESPONSE}), frozenset(TYPED), lambda design: 0.10, raised_part(1 / 5, False)),
)  # fmt: skip


def settings_with(bootstraps: int = BOOTSTRAPS) -> Settings:
    return replace(Settings.from_config(default_settings("interferon")), bootstraps=bootstraps)


def view(values: np.ndarray, genes: list[str], group: np.ndarray) -> ad.AnnData:
    return ad.AnnData(
        values,
        obs=pd.DataFrame({"group": group}, index=[f"S{i:04d}" for i in range(len(values))]),
        var=pd.DataFrame({"gene_name": genes}, index=genes),
    )


def types_of_one_set(
    design: Design, rng: np.random.Generator, knowledge: Knowledge, settings: Settings
) -> pd.DataFrame:
    """Return how often each kind (rows) has each type (columns) in one cohort."""
    genes = [gene.symbol for gene in knowledge.registry.profiles]
    if design.genes:
        genes = sorted(rng.choice(genes, design.genes, replace=False))
    profiles = profiles_of(knowledge.registry, genes)
    tissue = profiles * np.exp(rng.normal(0, design.misfit, profiles.shape))
    own = OWN_SD * np.exp(rng.normal(0, 0.3, len(genes)))
    group = np.repeat(["HC", *(kind.name for kind in KINDS)], [design.controls, *[PEOPLE] * len(KINDS)])
    shared = rng.normal(size=(len(group), 2)) * (SHARED_I, SHARED_II)
    values = 8 + shared @ tissue + own * rng.standard_normal((len(group), len(genes)))
    for kind in KINDS:
        values[group == kind.name] += kind.amounts(rng, PEOPLE, tissue, profiles)
    # the signature has to be there for a cohort to be scored; nothing here looks at it
    others = [name for name in knowledge.registry.signature(SIGNATURE).symbols if name not in genes]
    values = np.hstack([values, rng.normal(8, OWN_SD, (len(group), len(others)))])
    data = view(values, [*genes, *others], group)
    wanted = replace(
        knowledge.registry, profiles=tuple(gene for gene in knowledge.registry.profiles if gene.symbol in genes)
    )
    reference, _ = fit_reference(
        data, CONTINUOUS, Controls(tuple(data.obs_names[: design.controls]), "", ()),
        replace(knowledge, registry=wanted), settings,
    )  # fmt: skip
    types = type_table(measure(data, reference), reference)["ifn_type"].to_numpy()
    table = pd.crosstab(group, types, normalize="index")
    return table.reindex(index=[kind.name for kind in KINDS], columns=list(RESPONSE_TYPES), fill_value=0.0)


def results_of_types(design: Design, sets: int, bootstraps: int = BOOTSTRAPS) -> np.ndarray:
    """Return the shares of types (sets x kinds x types)."""
    knowledge, settings = knowledge_of_one_signature(), settings_with(bootstraps)
    return np.array(
        [
            types_of_one_set(design, np.random.default_rng([number, *design.name.encode()]), knowledge, settings)
            for number in range(sets)
        ]
    )


def wrong(shares: np.ndarray, place: int) -> np.ndarray:
    """Return the share of people of one kind who are typed wrong, per set."""
    chosen = [name in KINDS[place].wrong for name in RESPONSE_TYPES]
    return shares[:, place, chosen].sum(axis=1)


def percent(values: np.ndarray) -> str:
    return f"{100 * values.mean():.1f} ± {100 * values.std(ddof=1) / np.sqrt(len(values)):.1f} %"


def types_table(sets: int) -> pd.DataFrame:
    rows = []
    for design in DESIGNS:
        shares = results_of_types(design, int(sets * design.share_of_sets))
        for place, kind in enumerate(KINDS):
            right = shares[:, place, [name in kind.right for name in RESPONSE_TYPES]].sum(axis=1)
            rows.append(
                {
                    "situation": f"{kind.name}; {design.name}",
                    "nominal": f"at most {100 * kind.nominal(design):.0f} %",
                    "wrong type": percent(wrong(shares, place)),
                    "right": percent(right),
                    "uncertain": percent(shares[:, place, RESPONSE_TYPES.index(UNCERTAIN)]),
                    "sets": len(shares),
                }
            )
    return pd.DataFrame(rows)


DEPTHS = (1.0, 0.5, 0.3, 0.1, 0.03, 0.01)
COUNTED_GENES, CONTROLS = 1500, 24
# a person's part of all genes of the signature, and what a healthy and a raised person have of the type I response (log2)
SHARED_SD, RAISED, GENE_SD = 0.15, 1.0, 0.3
# share of healthy people above the true cut-off
ABOVE = 0.023


def shallow_of_one_set(rng: np.random.Generator, knowledge: Knowledge, settings: Settings) -> pd.DataFrame:
    """Return each person's group, depth, class, and what its score would have been."""
    of_profiles = [gene.symbol for gene in knowledge.registry.profiles]
    symbols = [*of_profiles, *(name for name in knowledge.registry.genes() if name not in of_profiles)]
    genes = [*symbols, *(f"BACKGROUND{i}" for i in range(COUNTED_GENES))]
    response = np.zeros(len(genes))
    response[: len(of_profiles)] = profiles_of(knowledge.registry, of_profiles)[0]
    base = np.concatenate([rng.uniform(3, 10, len(symbols)), rng.normal(6, 3, COUNTED_GENES)])
    group = np.array(["HC"] * CONTROLS + ["healthy", "raised"] * PEOPLE * len(DEPTHS))
    depth = np.concatenate([np.ones(CONTROLS), np.repeat(DEPTHS, 2 * PEOPLE)])
    amount = rng.normal(0, SHARED_SD, len(group)) + RAISED * (group == "raised")
    log2 = base + rng.normal(0, GENE_SD, (len(group), len(genes))) + np.outer(amount, response)
    exposure = depth * np.exp(rng.normal(0, 0.15, len(group)))
    counts = rng.poisson(rng.gamma(20, 2**log2 / 20) * exposure[:, None]).astype(float)
    data = view(counts, genes, group)
    controls = Controls(tuple(data.obs_names[:CONTROLS]), "", ())
    reference, _ = fit_reference(data, COUNTS, controls, knowledge, settings)
    people, gene_set = measure(data, reference), reference.panel[SIGNATURE]
    cutoff = reference.cutoff(SIGNATURE, "zscore")
    unguarded = set_scores(replace(people, shallow={}), reference, gene_set, "zscore")
    classes = call(standing(people, reference, gene_set).probability_high, reference)
    types = type_table(people, reference)["ifn_type"].to_numpy()
    table = pd.DataFrame(
        {
            "group": group,
            "depth": depth,
            "class": classes,
            "type": types,
            "score": (unguarded - cutoff.mean) / cutoff.sd,
        }
    )
    return table[table["group"] != "HC"]


def results_of_depth(sets: int, bootstraps: int = BOOTSTRAPS) -> pd.DataFrame:
    """Return one row per set, group and depth."""
    knowledge, settings = knowledge_of_one_signature(), settings_with(bootstraps)
    frames = []
    for number in range(sets):
        found = shallow_of_one_set(np.random.default_rng([number, *b"depth"]), knowledge, settings)
        found = found.assign(
            unscored=found["class"] == UNSCORED, high=found["class"] == HIGH, low=found["class"] == LOW,
            typed=found["type"].isin(TYPED),
        )  # fmt: skip
        frames.append(
            found.groupby(["group", "depth"])[["score", "unscored", "high", "low", "typed"]].mean().reset_index()
        )
    return pd.concat(frames, ignore_index=True)


def shallow_table(sets: int) -> pd.DataFrame:
    found, rows = results_of_depth(sets), []
    for (group, depth), each in found.groupby(["group", "depth"], sort=False):
        nominal = f"high at most {100 * ABOVE:.1f} %" if group == "healthy" else "low: 0 %"
        rows.append(
            {
                "situation": f"{group}, {100 * depth:g} % of the controls' depth",
                "nominal": nominal,
                "unscored": percent(each["unscored"].to_numpy()),
                "high": percent(each["high"].to_numpy()),
                "low": percent(each["low"].to_numpy()),
                "score without the rule (SD)": f"{each['score'].mean():.2f}",
                "has a type": percent(each["typed"].to_numpy()),
                "sets": sets,
            }
        )
    return pd.DataFrame(rows)


PARTS = {"types": ("Types", types_table), "shallow": ("Shallow libraries", shallow_table)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=sorted(PARTS))
    parser.add_argument("--sets", type=int, default=400, help="per situation")
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    use_one_blas_thread()
    for part in arguments.parts:
        title, table = PARTS[part]
        text = f"± is the Monte Carlo error.\n\n{markdown(table(arguments.sets))}\n\n{run_line('numpy', 'scipy')}"
        write_part(arguments.output, OPENING, title, text)
        print(text)


if __name__ == "__main__":
    main()
