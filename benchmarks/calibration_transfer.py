"""Is one in a hundred people of the reference's own kind out of reference, and is a person who is not?

    python benchmarks/calibration_transfer.py out_of_reference --sets 100

Every set is a reference: people with five factors that hold 40 % of the variance of each feature, the rest being noise, both
Gaussian or both t with 3 degrees of freedom (variance 1). MOFA is trained on them, the limits are learnt, and 500 other
people of the same population are compared, as they are and with every feature raised by one SD.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import anndata as ad
import numpy as np
import pandas as pd
from measuring import RESULTS, default_settings, markdown, run_line, write_part

from stratifn.integration import prepare_views, train_mofa
from stratifn.integration.settings import Settings
from stratifn.running.entry_point import use_one_blas_thread
from stratifn.shared.factor_model import ViewModel
from stratifn.transfer.limits import LEVEL, fit_limits

PAGE = RESULTS / "calibration_transfer.md"
OPENING = "# Calibration of transfer"
FACTORS, SHARE, SPARSE, DEGREES = 5, 0.4, 0.5, 3
TRAINED_FACTORS = 8
NEW, RAISED = 500, 100
VIEWS = {1: (200,), 3: (200, 100, 50), 6: (200, 100, 100, 50, 50, 30)}


@dataclass(frozen=True)
class Situation:
    """Shape of factors and noise, people and views of the reference, share of people who lack a view."""

    shape: str
    people: int
    views: int
    lacking: float = 0.0

    @property
    def name(self) -> str:
        missing = f", {self.lacking:.0%} without one of them" if self.lacking else ""
        return f"{self.shape}, {self.people} people, {self.views} views{missing}"


SITUATIONS = (
    *(Situation(shape, n, views) for shape in ("Gaussian", "t") for n in (60, 120, 400) for views in (3, 6)),
    Situation("Gaussian", 24, 3),
    Situation("Gaussian", 120, 3, lacking=0.3),
)


def noise(shape: str, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    if shape == "Gaussian":
        return rng.standard_normal(size)
    return rng.standard_t(DEGREES, size) / np.sqrt(DEGREES / (DEGREES - 2))


def weights(features: int, rng: np.random.Generator) -> np.ndarray:
    """Return sparse weights (factors x features) that give every feature with a weight the same share of variance."""
    made = rng.standard_normal((FACTORS, features)) * (rng.random((FACTORS, features)) < SPARSE)
    return np.sqrt(SHARE) * made / np.maximum(np.linalg.norm(made, axis=0), 1e-9)


def people(
    situation: Situation, n: int, loadings: list[np.ndarray], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Draw people: view to people x features, the rows of those who lack it being empty."""
    factors, views = noise(situation.shape, (n, FACTORS), rng), {}
    lacks = np.where(rng.random(n) < situation.lacking, rng.integers(0, len(loadings), n), -1)
    for number, own in enumerate(loadings):
        rest = np.sqrt(1 - np.square(own).sum(axis=0)) * noise(situation.shape, (n, own.shape[1]), rng)
        values = factors @ own + rest
        values[lacks == number] = np.nan
        columns = [f"v{number}f{feature}" for feature in range(own.shape[1])]
        views[f"v{number}"] = pd.DataFrame(values, [f"P{row:04d}" for row in range(n)], columns)
    return views


def trained(views: dict[str, pd.DataFrame], seed: int) -> tuple[tuple[ViewModel, ...], int]:
    """Train MOFA; return the views of the model and how many factors are active."""
    settings = Settings.from_config(
        {**default_settings("integration"), "factors": TRAINED_FACTORS, "convergence": "fast"}
    )
    matrices = {name: ad.AnnData(frame.dropna(how="all")) for name, frame in views.items()}
    samples = pd.DataFrame({"sample": next(iter(views.values())).index})
    with TemporaryDirectory() as folder:
        model = train_mofa(prepare_views(matrices, samples, settings), settings, seed, Path(folder) / "model.hdf5")
    return model.views, int(model.active(settings.min_r2).sum())


def one_set(situation: Situation, seed: int) -> dict[str, float]:
    """Make one reference; return the shares of new people who are out of it."""
    rng = np.random.default_rng([seed, situation.people, situation.views, *situation.shape.encode()])
    loadings = [weights(features, rng) for features in VIEWS[situation.views]]
    views = people(situation, situation.people, loadings, rng)
    model, active = trained(views, seed + 1)
    limits = fit_limits(model, {name: frame.dropna(how="all") for name, frame in views.items()}, active)
    new = {name: frame.to_numpy() for name, frame in people(situation, NEW, loadings, rng).items()}

    def out(rows: int, shift: float) -> float:
        pvalues = [
            limits.judge({name: values[row] + shift for name, values in new.items()}).pvalue for row in range(rows)
        ]
        return float(np.mean(np.array(pvalues) <= LEVEL))

    return {"as they are": out(NEW, 0.0), "every feature raised by 1 SD": out(RAISED, 1.0)}


def results_of(situation: Situation, sets: int) -> pd.DataFrame:
    """Return one row per set."""
    return pd.DataFrame([one_set(situation, number) for number in range(sets)])


def out_of_reference_table(sets: int) -> pd.DataFrame:
    nominal = {"as they are": f"{100 * LEVEL:g} %", "every feature raised by 1 SD": "as many as possible"}
    rows = []
    for situation in SITUATIONS:
        found = results_of(situation, sets)
        for kind, shares in found.items():
            error = 100 * shares.std(ddof=1) / np.sqrt(sets)
            measured = f"{100 * shares.mean():.2f} ± {error:.2f} %"
            rows.append(
                {"situation": f"{situation.name}: {kind}", "nominal": nominal[kind], "measured": measured, "sets": sets}
            )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=["out_of_reference"])
    parser.add_argument("--sets", type=int, default=100, help="per situation")
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    use_one_blas_thread()
    logging.disable(logging.WARNING)
    opening = (
        "Share of new people who are out of reference, on average over references. Every set is a reference with a MOFA run of its "
        f"own, and {NEW} new people ({RAISED} of them raised). ± is the Monte Carlo error."
    )
    table = markdown(out_of_reference_table(arguments.sets))
    text = f"{opening}\n\n{table}\n\n{run_line('numpy', 'scipy', 'mofapy2')}"
    write_part(arguments.output, OPENING, "Out of reference", text)
    print(text)


if __name__ == "__main__":
    main()
