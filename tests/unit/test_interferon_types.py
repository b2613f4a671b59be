"""Types of the response: two profiles fitted together, and what is said where they do not decide."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from defaults import default_origin, of_kind, settings_of
from stratifn.interferon import Cohort, analyse_cohort, from_parts, place_patients, to_parts
from stratifn.interferon.learning import FEWEST_PROFILE_GENES, profiles_of
from stratifn.interferon.response import Response, fit_response, gene_resamples, non_negative, response_type
from stratifn.registry.knowledge import Knowledge

QUICK = settings_of("interferon", bootstraps=200)
CUTOFFS = np.array([0.3, 0.2])


@pytest.fixture(scope="module")
def genes(registry):
    return sorted({*(gene.symbol for gene in registry.profiles), *registry.genes(registry.default_panel)})


def cohort(registry, genes, rises, n_controls=24, seed=1):
    """Return log2 values and a sheet: controls, then a patient per row of `rises` (patients x genes)."""
    rng = np.random.default_rng(seed)
    values = 8 + rng.normal(0, 0.4, (n_controls + len(rises), len(genes)))
    values[n_controls:] += rises
    names = [f"S{i:03d}" for i in range(len(values))]
    data = ad.AnnData(values, obs=pd.DataFrame(index=names), var=pd.DataFrame({"gene_name": genes}, index=genes))
    samples = pd.DataFrame({"sample": names, "disease": ["HC"] * n_controls + ["SLE"] * len(rises)})
    return of_kind(data, "continuous"), samples


def rises(registry, genes, one, two):
    """Return the rises of patients with amounts `one` of type I and `two` of type II (patients x genes)."""
    symbols = [gene.symbol for gene in registry.profiles]
    profiles = np.zeros((2, len(genes)))
    profiles[:, [genes.index(symbol) for symbol in symbols]] = profiles_of(registry, symbols)
    return np.outer(one, profiles[0]) + np.outer(two, profiles[1])


def analyse(data, samples, registry):
    return analyse_cohort(data, Cohort(samples, "HC", default_origin()), Knowledge(registry, ()), QUICK)


def test_every_profile_gene_is_of_a_verified_signature_and_rises_under_one_type(registry):
    verified = {symbol for symbols in registry.verified_sets().values() for symbol in symbols}
    symbols = [gene.symbol for gene in registry.profiles]
    assert symbols == sorted(set(symbols)) and set(symbols) <= verified
    assert all(max(gene.type_i, gene.type_ii) >= 1 and "GSE161664" in gene.source for gene in registry.profiles)


def test_two_unknowns_are_solved_as_scipy_solves_them():
    rng = np.random.default_rng(2)
    for _ in range(200):
        matrix, values = rng.normal(0.3, 1, (30, 2)), rng.normal(0, 1, 30)
        products = np.array([*(matrix.T @ matrix)[np.triu_indices(2)], *(matrix.T @ values)])
        assert non_negative(products[None])[0] == pytest.approx(nnls(matrix, values)[0], abs=1e-9)


def test_equal_profiles_give_one_part_and_no_division_by_zero():
    assert non_negative(np.array([[2.0, 2.0, 2.0, 3.0, 3.0]])).sum() == pytest.approx(1.5)
    assert (non_negative(np.zeros((1, 5))) == 0).all()


def test_amounts_are_the_mean_log2_rises_over_the_profiles_genes(registry):
    symbols = [gene.symbol for gene in registry.profiles]
    profiles = profiles_of(registry, symbols)
    assert profiles.mean(axis=1) == pytest.approx([1, 1])
    found = fit_response(
        profiles, np.full(len(symbols), 0.4), 1.5 * profiles[0] + 0.5 * profiles[1], 24,
        gene_resamples(len(symbols), 100, 1),
    )  # fmt: skip
    assert found.amounts == pytest.approx([1.5, 0.5]) and found.explained == pytest.approx(1, abs=0.05)
    assert found.low == pytest.approx(found.high)


def response(one, two, explained=(0.9, 0.95)):
    pairs = np.array([one, two])
    return Response(pairs[:, 1], pairs[:, 0], pairs[:, 2], *explained)


@pytest.mark.parametrize(
    ("fitted", "expected"),
    [
        # low, amount, high of type I and of type II
        (response((0, 0.2, 0.5), (0, 0.1, 0.3)), (False, False)),
        (response((1.8, 2, 2.2), (0, 0.1, 0.19)), (True, False)),
        (response((0, 0, 0.1), (0.8, 1, 1.2)), (False, True)),
        (response((1.8, 2, 2.2), (0.8, 1, 1.2)), (True, True)),
        # above its cut-off, but less than a quarter of the other
        (response((1.8, 2, 2.2), (0.25, 0.3, 0.4)), (True, False)),
        (response((1.8, 2, 2.2), (0.1, 0.5, 0.9)), (True, None)),
        (response((0.2, 0.4, 0.6), (0, 0, 0.1)), (None, False)),
        (response((1.8, 2, 2.2), (0, 0.1, 0.19), (0.2, 0.35)), None),
        (response((1.8, 2, 2.2), (0, 0.1, 0.19), (0.2, 0.45)), (None, None)),
        (response((0.31, 0.4, 0.6), (0, 0, 0.1), (float("nan"), float("nan"))), (None, None)),
    ],
)
def test_a_part_is_there_or_not_only_where_its_whole_interval_says_so(fitted, expected):
    assert response_type(fitted, CUTOFFS) == expected


def test_patients_of_each_kind_are_typed_in_a_tissue_that_answers_differently(registry, genes):
    one, two = np.repeat([1.5, 0.0, 1.5], 10), np.repeat([0.0, 1.5, 1.0], 10)
    tissue = np.exp(np.random.default_rng(3).normal(0, 0.4, len(genes)))
    classes = analyse(*cohort(registry, genes, rises(registry, genes, one, two) * tissue), registry).classes
    found = classes[classes["disease"] == "SLE"]["ifn_type"].to_numpy()
    assert (found == np.repeat(["I", "II", "I+II"], 10)).mean() >= 0.9
    assert classes[classes["disease"] == "HC"]["ifn_type"].isin(["none", "uncertain"]).mean() >= 0.9


def test_genes_that_other_cytokines_raise_too_make_no_type(registry, genes):
    # NF-kB targets, which IL-1 and TNF raise, and IFN-gamma as well
    raised = np.isin(genes, ["ICAM1", "SOD2", "TNFAIP3", "NFKBIA", "IL6", "CCL7", "CD40", "IRF1", "IL15RA"]) * 3.0
    types = analyse(*cohort(registry, genes, np.repeat(raised[None], 20, axis=0)), registry).types
    patients = types[types["disease"] == "SLE"]
    assert patients["ifn_type"].isin(["other", "none"]).mean() >= 0.9
    assert patients["explained"].median() < 0.3


def test_an_uncertain_type_says_what_is_known(registry, genes):
    kept = [gene for gene in genes if gene not in ("CXCL9", "IDO1", "CIITA", "GBP5", "GBP4", "GBP2", "IRF1", "ICAM1")]
    amounts = np.full(20, 1.0), np.full(20, 0.25)
    data, samples = cohort(registry, kept, rises(registry, genes, *amounts)[:, np.isin(genes, kept)])
    types = analyse(data, samples, registry).types
    undecided = types[types["ifn_type"] == "uncertain"]
    assert len(undecided) >= 5
    assert undecided["reason"].str.contains("type uncertain: I present, II undecided").mean() > 0.5


def test_a_type_from_some_of_the_genes_says_how_many_and_too_few_give_none(registry, genes):
    of_profiles = [gene.symbol for gene in registry.profiles]
    data, samples = cohort(registry, genes, rises(registry, genes, np.full(5, 2.0), np.zeros(5)))

    def found(n):
        kept = [gene for gene in genes if gene not in of_profiles or gene in of_profiles[:n]]
        return analyse(data[:, kept].copy(), samples, registry)

    some = found(60).types
    assert some["ifn_type"].notna().all() and (some["genes_found"] == 60).all()
    assert some["reason"].str.contains(f"type from 60 of {len(of_profiles)} genes").all()
    few = found(FEWEST_PROFILE_GENES - 1)
    assert few.types["ifn_type"].isna().all() and few.classes["ifn_type"].isna().all()
    assert few.classes["reason"].str.contains(f"no type: 19 of {len(of_profiles)} genes of the response profiles").all()


def test_a_new_patient_without_some_genes_is_typed_by_the_others_from_the_frozen_reference(registry, genes):
    data, samples = cohort(registry, genes, rises(registry, genes, np.full(6, 2.0), np.zeros(6)))
    full = analyse(data, samples, registry)
    frozen = from_parts(*to_parts(full.reference))
    missing = [gene.symbol for gene in registry.profiles][:50]
    patient = data[[-1], [gene for gene in genes if gene not in missing]].copy()
    _, classes = place_patients(patient, "continuous", samples.iloc[[-1]], frozen)
    assert classes["ifn_type"].tolist() == ["I"]
    assert f"type from {len(registry.profiles) - 50} of {len(registry.profiles)} genes" in classes["reason"].iloc[0]


def test_types_have_a_row_for_a_sample_without_expression_and_no_type_without_a_reference(registry, genes):
    data, samples = cohort(registry, genes, np.zeros((2, len(genes))))
    absent = pd.concat([samples, pd.DataFrame({"sample": ["S999"], "disease": ["SLE"]})], ignore_index=True)
    row = analyse(data, absent, registry).types.set_index("sample").loc["S999"]
    assert pd.isna(row["ifn_type"]) and row["reason"] == "not in the expression matrix"
    few = analyse_cohort(
        data, Cohort(samples, "HC", default_origin()), Knowledge(registry, ()), replace(QUICK, min_controls=30)
    )
    assert few.types["ifn_type"].isna().all() and few.types["reason"].str.contains("24 controls").all()
