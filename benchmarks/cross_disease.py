"""How often is the class of a gene across diseases wrong?

    python benchmarks/cross_disease.py --sets 400

A class is wrong when an effect of a disease that it names is zero or has the other sign, or when the effect of one that it does not
name is as large as the smallest of the named ones. Values are normal with a variance of their own per gene; the whole
path from the moderated fit to the class is run. A tenth of the genes each have one pattern of effects of 0.5, 1 or 1.5
(one disease alone, all alike, all unlike, all but one, two opposed), the other half none. In the last design one disease alone has most of
the effects.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from measuring import RESULTS, default_settings, markdown, run_line, write_part

from stratifn.differential_expression import (
    Settings,
    contrast_table,
    control_contrasts,
    cross_disease_table,
    fit_model,
)
from stratifn.differential_expression.disease_classes import NONE, UNTESTED
from stratifn.running.entry_point import use_one_blas_thread
from stratifn.shared.design import model_matrix
from stratifn.shared.vocabulary import OPPOSED, SHARED, UNDETERMINED

PAGE = RESULTS / "cross_disease.md"
OPENING = "# Classes across diseases"
GENES, CONTROL = 1000, "HC"
SHOWN = 100


@dataclass(frozen=True)
class Design:
    """Patients per disease, controls, and the share of patterns (`PATTERNS`' order) among the genes with an effect."""

    patients: tuple[int, ...]
    controls: int
    shares: tuple[float, ...] = (0.2, 0.2, 0.2, 0.2, 0.2)


DESIGNS = {
    "two, equal": Design((40, 40), 40),
    "two, unequal": Design((40, 10), 24),
    "three, equal": Design((40, 40, 40), 40),
    "three, unequal": Design((80, 20, 12), 24),
    "four, graded": Design((40, 40, 40, 40), 40, (0.0, 0.0, 1.0, 0.0, 0.0)),
    "two, one has most": Design((60, 20), 12, (0.9, 0.1, 0.0, 0.0, 0.0)),
}


def planted(rng: np.random.Generator, design: Design) -> np.ndarray:
    """Effects, genes x diseases."""
    n = len(design.patients)
    effects = np.zeros((GENES, n))
    for gene in range(GENES // 2):
        size = rng.choice([0.5, 1.0, 1.5]) * rng.choice([-1, 1])
        pattern = rng.choice(5, p=design.shares)
        if pattern == 0:
            effects[gene, 0 if design.shares[0] > 0.5 else rng.integers(n)] = size
        elif pattern == 1:
            effects[gene] = size
        elif pattern == 2:
            effects[gene] = size * rng.permutation(np.linspace(0.25, 1.0, n))
        elif pattern == 3:
            effects[gene, rng.choice(n, max(1, n - 1), replace=False)] = size
        else:
            effects[gene, rng.choice(n, 2, replace=False)] = size, -size
    return effects


def classes_of(rng: np.random.Generator, design: Design, effects: np.ndarray, settings: Settings) -> pd.Series:
    """Simulate a cohort and return the class of each gene."""
    names = disease_names(design)
    disease = np.repeat([CONTROL, *names], [design.controls, *design.patients])
    spread = np.sqrt(0.5 * 4 / rng.chisquare(4, GENES))
    values = rng.standard_normal((len(disease), GENES)) * spread
    for name, effect in zip(names, effects.T, strict=True):
        values[disease == name] += effect
    samples = pd.DataFrame({"sample": [f"S{i:03d}" for i in range(len(disease))], "disease": disease})
    genes = [f"G{i:04d}" for i in range(GENES)]
    var = pd.DataFrame({"gene_name": genes}, index=genes)
    view = ad.AnnData(values, pd.DataFrame(index=samples["sample"].to_list()), var, uns={"kind": "continuous"})
    fit = fit_model(view, model_matrix(samples, "disease", CONTROL))
    tables = {each.name: contrast_table(fit, each, settings) for each in control_contrasts(names, CONTROL)}
    return cross_disease_table(fit, names, CONTROL, tables, settings).set_index("gene_id")["class"].loc[genes]


def disease_names(design: Design) -> list[str]:
    return list("ABCD"[: len(design.patients)])


def is_wrong(name: str, effects: np.ndarray, diseases: list[str]) -> bool:
    if name == OPPOSED:
        return not ((effects > 0).any() and (effects < 0).any())
    named = diseases if name == SHARED else name.split(":")[1].split("+")
    inside = np.isin(diseases, named)
    if (effects[inside] == 0).any() or len(set(np.sign(effects[inside]))) > 1:
        return True
    return bool((~inside).any() and np.abs(effects[~inside]).max() >= np.abs(effects[inside]).min())


def classes_table(sets: int) -> pd.DataFrame:
    settings = Settings.from_config(default_settings("differential_expression") | {"shrink": False})
    rows = []
    for number, (label, design) in enumerate(DESIGNS.items()):
        calls: Counter[str] = Counter()
        mistakes: Counter[str] = Counter()
        for seed in range(sets):
            rng = np.random.default_rng([number, seed])
            effects = planted(rng, design)
            for name, own in zip(classes_of(rng, design, effects, settings), effects, strict=True):
                calls[name] += 1
                if name not in (NONE, UNDETERMINED, UNTESTED):
                    mistakes[name] += is_wrong(name, own, disease_names(design))
        classified = sum(calls[name] for name in calls if name not in (NONE, UNDETERMINED, UNTESTED))
        undetermined = calls[UNDETERMINED] / (classified + calls[UNDETERMINED])
        for name in sorted(name for name in calls if name not in (NONE, UNDETERMINED, UNTESTED)):
            if calls[name] >= SHOWN:
                rows.append(row(label, design, name, calls[name], mistakes[name], undetermined))
    return pd.DataFrame(rows)


def row(label: str, design: Design, name: str, calls: int, mistakes: int, undetermined: float) -> dict[str, object]:
    rate = mistakes / calls
    error = np.sqrt(rate * (1 - rate) / calls)
    return {
        "design": f"{label} ({' + '.join(map(str, design.patients))} patients, {design.controls} controls)",
        "class": name,
        "calls": calls,
        "wrong": f"{100 * rate:.1f} ± {100 * error:.1f} %",
        "undetermined, of genes with an effect found": f"{100 * undetermined:.0f} %",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=400, help="per design")
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    use_one_blas_thread()
    about = f"{arguments.sets} sets of {GENES} genes per design, false discovery rate 0.05; ± is the Monte Carlo error."
    text = f"{about}\n\n{markdown(classes_table(arguments.sets))}\n\n{run_line('numpy', 'scipy')}"
    write_part(arguments.output, OPENING, "Wrong classes", text)
    print(text)


if __name__ == "__main__":
    main()
