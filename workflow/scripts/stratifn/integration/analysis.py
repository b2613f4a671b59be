"""Every table of the phase from the chosen model: factors, what they follow, and warnings about them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

import anndata as ad
import pandas as pd

from stratifn.integration.associations import collect_variables, factor_associations
from stratifn.integration.interpretation import interferon_factor, top_features, weight_enrichment
from stratifn.integration.model import read_model
from stratifn.integration.quality import quality_warnings
from stratifn.integration.selection import Integration, factors_table, select_model, variance_table, weights_table
from stratifn.integration.settings import Settings
from stratifn.integration.verdicts import factor_verdicts
from stratifn.integration.views import ModelInput
from stratifn.shared.vocabulary import CONCENTRATION, PROPORTION, RNA

# views whose single features are variables of interest, because they are few and have names that people know
MEASURED_KINDS = (PROPORTION, CONCENTRATION)


def choose_model(
    paths: Sequence[str | os.PathLike], settings: Settings, score: pd.Series
) -> tuple[Integration, str | os.PathLike]:
    """Read the seeds' models and choose one.

    Parameters
    ----------
    paths
        One model file per seed.
    settings, score
        As for `select_model`.

    Returns
    -------
    Integration
        The choice.
    path
        The file of the chosen seed.
    """
    models = {path: read_model(path) for path in paths}
    integration = select_model(list(models.values()), settings, score)
    return integration, next(path for path, model in models.items() if model.seed == integration.model.seed)


def integration_tables(
    integration: Integration,
    model_input: ModelInput,
    settings: Settings,
    samples: pd.DataFrame,
    views: Mapping[str, ad.AnnData],
    score: pd.Series,
    signature: tuple[str, Collection[str]],
    gene_sets: Mapping[str, Collection[str]],
) -> dict[str, pd.DataFrame]:
    """Describe the chosen model.

    Parameters
    ----------
    integration, model_input, settings
        The model, what it was trained on, and how.
    samples
        The cohort's samples.
    views
        Normalised views (``uns["kind"]`` tells their kind).
    score
        ISG expression score by sample; missing where there is none.
    signature
        Name and genes of the signature that the score comes from.
    gene_sets
        Name to gene symbols, looked up in the view ``rna``.

    Returns
    -------
    dict
        Table by the name of its file; `weights` by view under ``weights_{view}``.
    """
    variance = variance_table(integration, model_input)
    measured = {name: view for name, view in views.items() if view.uns["kind"] in MEASURED_KINDS}
    variables = collect_variables(samples, measured, {f"score:{signature[0]}": (score, RNA)})
    rna = views.get(RNA)
    symbols = rna.var["gene_name"].astype(str).to_dict() if rna is not None else {}
    library_size = rna.obs["library_size"] if rna is not None and "library_size" in rna.obs else None
    named = interferon_factor(integration, score, RNA, signature[1], symbols)
    tables = {
        "factors": factors_table(integration),
        "variance_explained": variance,
        "robustness": integration.robustness,
        "seeds": integration.seeds,
        "factor_associations": factor_associations(factors_table(integration), variables, variance, settings.min_r2),
        "warnings": quality_warnings(integration, model_input, library_size),
        "features": model_input.selection,
        "overlap": model_input.overlap,
        "top_features": top_features(integration),
        "gene_sets": weight_enrichment(integration, RNA, gene_sets, symbols),
        "interferon_factor": pd.DataFrame(list(asdict(named).items()), columns=["item", "value"]).astype(str),
        "verdicts": factor_verdicts(integration, named, samples),
        "notes": _notes(integration, model_input, settings),
    }
    return tables | {f"weights_{name}": weights_table(integration, name) for name in views}


def _notes(integration: Integration, model_input: ModelInput, settings: Settings) -> pd.DataFrame:
    notes = []
    started = integration.model.factors.shape[1]
    if started < settings.factors:
        reason = f"{started} instead of {settings.factors}: too few samples or features"
        notes.append(("all", "factors", "fewer at the start", reason))
    for seed in integration.seeds[~integration.seeds["converged"]].itertuples():
        role = "the chosen model" if seed.chosen else "not the chosen model"
        reason = f"stopped after {seed.iterations} iterations; its factors may still change ({role})"
        notes.append(("all", f"seed {seed.seed}", "not converged", reason))
    if integration.reason:
        notes.append(("all", "factors", "not found", integration.reason))
    if integration.robustness["robust"].isna().any():
        reason = "one seed cannot show robustness; strata use all factors"
        notes.append(("all", "factors", "not computed", reason))
    return pd.concat([model_input.notes, pd.DataFrame(notes, columns=model_input.notes.columns)], ignore_index=True)
