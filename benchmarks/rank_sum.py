"""How often are genes called that do not differ, when counts have heavy tails?

    python benchmarks/rank_sum.py --sets 40

Two groups of the same kind, 500 genes that do not differ. The negative binomial's calls are those of the phase, with its
default settings; beside them stand the calls of the rank-sum test, and the share of the negative binomial's calls that
have a rank-sum p value below the false discovery rate: the criterion of the claim ``calls``.
"""

from __future__ import annotations

import argparse

import anndata as ad
import numpy as np
import pandas as pd
from measuring import RESULTS, default_settings, markdown, run_line, write_part

from stratifn.differential_expression import Settings, contrast_table, control_contrasts, fit_model
from stratifn.differential_expression.rank_sum import rank_sum_of
from stratifn.inference import BatchedInference
from stratifn.normalization import Settings as NormalizationSettings
from stratifn.normalization import normalize_view
from stratifn.running.entry_point import use_one_blas_thread
from stratifn.shared.design import model_matrix
from stratifn.shared.vocabulary import COUNTS, RNA

PAGE = RESULTS / "rank_sum.md"
OPENING = "# Calls of heavy tails"
GENES, DISEASE, CONTROL = 500, "A", "HC"
DISPERSION = 0.2


def t_like(rng: np.random.Generator, means: np.ndarray, samples: int) -> np.ndarray:
    """Poisson counts around log-normal means whose noise has three degrees of freedom."""
    return rng.poisson(means * np.exp(0.4 * rng.standard_t(3, (samples, len(means))).clip(-12, 12)))


def with_outliers(rng: np.random.Generator, means: np.ndarray, samples: int) -> np.ndarray:
    """Negative binomial counts, of which 2 % are twentyfold."""
    counts = negative_binomial(rng, means, samples)
    return np.where(rng.random(counts.shape) < 0.02, 20 * counts, counts)


def negative_binomial(rng: np.random.Generator, means: np.ndarray, samples: int) -> np.ndarray:
    """Counts as the model assumes them."""
    return rng.poisson(means * rng.gamma(1 / DISPERSION, DISPERSION, (samples, len(means))))


KINDS = {"negative binomial": negative_binomial, "t-like": t_like, "2 % outliers": with_outliers}


def called(rng: np.random.Generator, kind: str, group: int, settings: Settings) -> tuple[int, int, int]:
    """Return the calls of the negative binomial, those of the rank-sum test, and how many of the first ranks support."""
    samples = pd.DataFrame({"sample": [f"S{i:03d}" for i in range(2 * group)], "disease": [DISEASE, CONTROL] * group})
    counts = KINDS[kind](rng, np.exp(rng.normal(5, 1.2, GENES)), 2 * group).astype(float)
    genes = [f"G{i:03d}" for i in range(GENES)]
    var = pd.DataFrame({"gene_name": genes}, index=genes)
    raw = ad.AnnData(counts, pd.DataFrame(index=samples["sample"].to_list()), var, uns={"kind": COUNTS})
    inference = BatchedInference()
    chosen = NormalizationSettings.from_config(default_settings("normalization"))
    view = normalize_view(raw, RNA, COUNTS, samples, chosen, always_keep=set(), inference=inference).data
    view.uns["kind"] = COUNTS
    fit = fit_model(view, model_matrix(samples, "disease", CONTROL), inference)
    (contrast,) = control_contrasts([DISEASE], CONTROL)
    table = contrast_table(fit, contrast, settings, rank_pvalues=rank_sum_of(view, samples, contrast))
    is_call = table["padj"] < settings.alpha
    by_ranks = table["rank_padj"] < settings.alpha
    return int(is_call.sum()), int(by_ranks.sum()), int((is_call & (table["rank_pvalue"] < settings.alpha)).sum())


def calls_table(sets: int) -> pd.DataFrame:
    settings = Settings.from_config(default_settings("differential_expression") | {"shrink": False})
    rows = []
    for number, kind in enumerate(KINDS):
        for group in (60, 150):
            found = np.array(
                [called(np.random.default_rng([number, group, s]), kind, group, settings) for s in range(sets)]
            )
            calls, by_ranks, supported = found.T
            rows.append(
                {
                    "counts": kind,
                    "samples a group": group,
                    "negative binomial, genes called": with_error(calls),
                    "rank-sum, genes called": with_error(by_ranks),
                    "share of the first with a rank-sum p below 0.05": (
                        f"{supported.sum() / calls.sum():.2f}" if calls.sum() else "no call"
                    ),
                }
            )
    return pd.DataFrame(rows)


def with_error(values: np.ndarray) -> str:
    return f"{values.mean():.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=40, help="per row")
    arguments = parser.parse_args()
    use_one_blas_thread()
    about = (
        f"{arguments.sets} sets of {GENES} genes that do not differ in each row; means with their Monte Carlo error."
    )
    text = f"{about}\n\n{markdown(calls_table(arguments.sets))}\n\n{run_line('numpy', 'scipy', 'pydeseq2')}"
    write_part(PAGE, OPENING, "Genes that do not differ", text)
    print(text)


if __name__ == "__main__":
    main()
