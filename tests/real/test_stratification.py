"""Strata of real multi-omics data: breast cancer, whose intrinsic subtypes they should find."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from defaults import settings_of
from stratifn.integration import (
    factors_table,
    prepare_views,
    select_model,
    train_mofa,
    variance_table,
)
from stratifn.stratification import stratify_cohort

SHARED = Path(__file__).resolve().parents[3] / "shared"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared real data")


@pytest.fixture(scope="module")
def cohort(breast, tmp_path_factory):
    """Three views, the sample table, and the factors of the best of five seeds."""
    views, samples = breast
    settings = settings_of("integration")
    model_input = prepare_views(views, samples, settings)
    folder = tmp_path_factory.mktemp("models")
    models = [train_mofa(model_input, settings, seed, folder / f"{seed}.hdf5") for seed in (1, 2, 3, 4, 5)]
    integration = select_model(models, settings)
    robust = integration.robustness.query("robust")["factor"].tolist()
    return (
        views,
        samples,
        factors_table(integration).set_index("sample"),
        variance_table(integration, model_input),
        robust,
    )


@pytest.fixture(scope="module")
def stratified(cohort):
    views, samples, factors, variance_explained, robust = cohort
    return stratify_cohort(factors, variance_explained, robust, samples, views, None, settings_of("stratification"))


def test_breast_cancer_has_structure(stratified):
    assert stratified.selection.query("chosen")["k"].item() > 1
    assert stratified.selection["null_pvalue"].min() <= 0.01


def test_strata_recover_the_intrinsic_subtypes(stratified):
    assert adjusted_rand_score(stratified.strata["disease"], stratified.strata["stratum"]) >= 0.5


def test_without_controls_no_stratum_is_healthy_like(stratified):
    assert not stratified.strata["label"].eq("healthy-like").any()
    assert stratified.strata["ifn_class"].eq("unscored").all()


def test_subtype_is_the_strongest_association_and_has_no_test_within_itself(stratified):
    disease = stratified.associations.set_index("variable").loc["disease"]
    assert disease["padj"] < 1e-10
    assert disease["effect"] > 0.6
    assert pd.isna(disease["pvalue_within_disease"])
