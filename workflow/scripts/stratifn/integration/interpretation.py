"""What factors are made of, and which one is the interferon factor."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from stratifn.integration.selection import Integration
from stratifn.shared.columns import columns_of
from stratifn.shared.statistics import auc_of_ranks


def top_features(integration: Integration, count: int = 20) -> pd.DataFrame:
    """List the features with the largest weights, per view and factor.

    Returns
    -------
    pandas.DataFrame
        view, factor, rank, feature, weight; ordered by |weight|.
    """
    rows = []
    for view in integration.model.views:
        for k, factor in enumerate(integration.factor_names):
            weights = view.weights[:, k]
            order = np.argsort(-np.abs(weights), kind="stable")[:count]
            rows += [
                (view.name, factor, rank, view.features[position], weights[position])
                for rank, position in enumerate(order, start=1)
            ]
    return pd.DataFrame(rows, columns=list(columns_of("integration/top_features.tsv")))


def weight_enrichment(
    integration: Integration,
    view: str,
    gene_sets: Mapping[str, Collection[str]],
    symbols: Mapping[str, str] | None = None,
    min_genes: int = 3,
) -> pd.DataFrame:
    """Say how far up the weights of each factor the genes of a set lie.

    Descriptive: genes of a set are correlated by construction, so a p value over genes would be far too small.

    Parameters
    ----------
    integration
        From `stratifn.integration.select_model`.
    view
        The view with genes.
    gene_sets
        Name to gene symbols.
    symbols
        Feature id to symbol, where they differ.
    min_genes
        Sets with fewer genes among the view's features get a missing ``auc``.

    Returns
    -------
    pandas.DataFrame
        factor, gene_set, n_genes, auc: the probability that a gene of the set has a larger weight than another gene
        (0.5 = no tendency, 1 = all on top, 0 = all at the bottom).
    """
    part = integration.model.view(view)
    features = part.features if part else ()
    weights = part.weights if part else np.empty((0, integration.active))
    named = pd.Index([(symbols or {}).get(feature, feature) for feature in features], dtype=object)
    rows = []
    for k, factor in enumerate(integration.factor_names):
        ranks = stats.rankdata(weights[:, k])
        for gene_set in sorted(gene_sets):
            inside = named.isin(set(gene_sets[gene_set]))
            rows.append((factor, gene_set, int(inside.sum()), _auc(ranks, inside, min_genes)))
    return pd.DataFrame(rows, columns=list(columns_of("integration/gene_sets.tsv")))


def _auc(ranks: np.ndarray, inside: np.ndarray, min_genes: int) -> float:
    n = int(inside.sum())
    others = len(ranks) - n
    if n < min_genes or others == 0:
        return float("nan")
    return float(auc_of_ranks(ranks[inside].sum(), n, others))


@dataclass(frozen=True)
class InterferonFactor:
    """The factor that follows the interferon score most closely, with the evidence.

    Attributes
    ----------
    candidate
        Its name, whether or not it deserves to be called the interferon factor; empty without a factor or score.
    spearman, n
        Rank correlation of the candidate with the score, over how many samples.
    auc, genes
        How far up its weights the signature's genes lie, and how many there are.
    robust
        Whether the other seeds find it; None when there is one seed.
    """

    candidate: str
    spearman: float
    n: int
    auc: float
    genes: int
    robust: bool | None


def interferon_factor(
    integration: Integration,
    score: pd.Series,
    view: str,
    signature: Collection[str],
    symbols: Mapping[str, str] | None = None,
) -> InterferonFactor:
    """Find the factor that follows the score most closely, and what speaks for it.

    Whether it is the interferon factor is judged by the claim `interferon_factor`. The score comes from the same
    measurements as the factor, so this is a description, not a test.

    Parameters
    ----------
    integration
        From `select_model`, oriented by the same score.
    score
        Interferon score per sample.
    view
        The view that the score was computed from.
    signature
        Symbols of the signature's genes.
    symbols
        Feature id to symbol, where they differ.
    """
    values = score.reindex(integration.model.samples).to_numpy(dtype=float)
    known = np.isfinite(values)
    if integration.active == 0 or known.sum() < 3 or np.ptp(values[known]) == 0:
        return _nothing(int(known.sum()))
    factors = integration.model.factors[known, : integration.active]
    rho = np.array([_spearman(factors[:, k], values[known]) for k in range(factors.shape[1])])
    k = int(np.abs(rho).argmax())
    name = integration.factor_names[k]
    enrichment = weight_enrichment(integration, view, {"signature": signature}, symbols)
    row = enrichment[enrichment["factor"] == name].iloc[0]
    # weights turn with the factor: a factor that falls with the score has the genes at the bottom
    auc = float(row["auc"]) if rho[k] >= 0 else 1.0 - float(row["auc"])
    robust = integration.robustness["robust"].iloc[k]
    return InterferonFactor(
        candidate=name,
        spearman=float(rho[k]),
        n=int(known.sum()),
        auc=auc,
        genes=int(row["n_genes"]),
        robust=None if pd.isna(robust) else bool(robust),
    )


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    return 0.0 if np.ptp(a) == 0 else float(stats.spearmanr(a, b).statistic)


def _nothing(n: int) -> InterferonFactor:
    return InterferonFactor("", float("nan"), n, float("nan"), 0, None)
