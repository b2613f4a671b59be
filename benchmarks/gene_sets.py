"""How often is a set of genes called that does not differ between the groups?

    python benchmarks/gene_sets.py null --sets 1000

Genes outside the set are independent, genes of the set share a common part, as co-regulated genes do. Values are
normal; 30 samples a group. Without allowing for correlation a set of 20 genes with correlation 0.3 is called in half
of all data sets.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import RESULTS, markdown, run_line, write_part

from stratifn.differential_expression.camera import camera, gene_model
from stratifn.running.entry_point import use_one_blas_thread

PAGE = RESULTS / "gene_sets.md"
OPENING = "# Gene sets"
GENES, A_GROUP = 1000, 30
SIZES, CORRELATIONS = (6, 20), (0.0, 0.1, 0.3, 0.6)


def two_groups(rng: np.random.Generator) -> np.ndarray:
    return np.column_stack([np.ones(2 * A_GROUP), np.repeat([0.0, 1.0], A_GROUP)])


def with_covariates(rng: np.random.Generator) -> np.ndarray:
    samples = 2 * A_GROUP
    batch = np.resize([0, 1, 2], samples)
    columns = [np.ones(samples), batch == 1, batch == 2, rng.integers(0, 2, samples), np.repeat([0, 1], A_GROUP)]
    return np.column_stack([np.asarray(column, dtype=float) for column in columns])


DESIGNS = {"two groups": two_groups, "batch + sex + disease": with_covariates}


def null_pvalues(design: str, size: int, correlation: float, sets: int) -> dict[str, np.ndarray]:
    """P values of sets without an effect: allowing for correlation, and as if genes were independent."""
    rng = np.random.default_rng([list(DESIGNS).index(design), size, round(100 * correlation)])
    pvalues: dict[str, list[float]] = {"CAMERA": [], "as if independent": []}
    for _ in range(sets):
        matrix = DESIGNS[design](rng)
        values = rng.standard_normal((len(matrix), GENES))
        values[:, :size] *= np.sqrt(1 - correlation)
        values[:, :size] += np.sqrt(correlation) * rng.standard_normal((len(matrix), 1))
        model, weights = gene_model(values, matrix), np.eye(matrix.shape[1])[-1]
        for name, given in (("CAMERA", None), ("as if independent", 0.0)):
            (test,) = camera(model, weights, [np.arange(size)], correlation=given)
            pvalues[name].append(test.pvalue)
    return {name: np.array(values) for name, values in pvalues.items()}


def share(called: np.ndarray) -> str:
    error = np.sqrt(called.mean() * (1 - called.mean()) / len(called))
    return f"{100 * called.mean():.1f} ± {100 * error:.1f} %"


def null_table(sets: int) -> pd.DataFrame:
    rows = []
    for design, size, correlation in product(DESIGNS, SIZES, CORRELATIONS):
        pvalues = null_pvalues(design, size, correlation, sets)
        called = {f"{name}: p < 0.05": share(values < 0.05) for name, values in pvalues.items()}
        rows.append({"design": design, "genes": size, "correlation": correlation, **called})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=["null"])
    parser.add_argument("--sets", type=int, default=1000, help="per situation")
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    use_one_blas_thread()
    about = f"{arguments.sets} sets per row, {GENES} genes, {A_GROUP} samples a group; ± is the Monte Carlo error."
    text = f"{about}\n\n{markdown(null_table(arguments.sets))}\n\n{run_line('numpy', 'scipy')}"
    write_part(arguments.output, OPENING, "Sets that do not differ", text)
    print(text)


if __name__ == "__main__":
    main()
