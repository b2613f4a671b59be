"""The batched engine gives PyDESeq2's estimates, and the same bits however the genes are dealt out."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydeseq2 import utils
from pydeseq2.dds import DeseqDataSet
from pydeseq2.default_inference import DefaultInference
from pydeseq2.ds import DeseqStats

from stratifn.inference import BatchedInference, dispersions, engine
from stratifn.inference.design import DesignGroups
from stratifn.inference.wald import wald_statistics

PYDESEQ2 = DefaultInference(n_cpus=1)
MIN_DISP, MAX_DISP = 1e-8, 30.0
few_examples = settings(max_examples=10, deadline=None)


def cohort(n_genes=60, n_samples=24, seed=1, continuous=False):
    """Counts (samples x genes), size factors and a design of condition, batch and, if asked, age."""
    rng = np.random.default_rng(seed)
    sample = np.arange(n_samples)
    design = np.column_stack([np.ones(n_samples), sample % 3 == 1, sample % 3 == 2, sample % 2]).astype(float)
    if continuous:
        design = np.column_stack([design, rng.normal(size=n_samples)])
    size_factors = np.exp(rng.normal(0, 0.3, n_samples))
    coefficients = rng.normal(0, 0.4, (design.shape[1], n_genes))
    coefficients[0] = rng.uniform(0.5, 8, n_genes)
    mean = size_factors[:, None] * np.exp(design @ coefficients)
    alpha = rng.uniform(0.02, 1.0, n_genes)
    return rng.negative_binomial(1 / alpha, 1 / (1 + alpha * mean)), size_factors, design, alpha


def fit_coefficients(inference, counts, size_factors, design, alpha, **options):
    options = {"min_mu": 0.5, "beta_tol": 1e-8} | options
    return inference.irls(counts, size_factors, design, alpha, **options)


def fit_dispersions(inference, counts, size_factors, design, start, **options):
    mu = fit_coefficients(PYDESEQ2, counts, size_factors, design, start)[1]
    return inference.alpha_mle(counts, design, mu, start, MIN_DISP, MAX_DISP, **options)


def data_set(counts, labels, inference, levels=None):
    samples = [f"s{i}" for i in range(len(counts))]
    genes = [f"g{i}" for i in range(counts.shape[1])]
    levels = levels or sorted(set(labels))
    metadata = pd.DataFrame({"condition": pd.Categorical(labels, levels)}, index=samples)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = DeseqDataSet(
            counts=pd.DataFrame(counts, samples, genes),
            metadata=metadata,
            design="~condition",
            inference=inference,
            quiet=True,
        )
        dataset.deseq2()
    return dataset


def results_of(dataset, level, baseline):
    stats = DeseqStats(dataset, contrast=["condition", level, baseline], inference=dataset.inference, quiet=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats.summary()
    return stats.results_df


# --- the same numbers as PyDESeq2's own engine ----------------------------------------------------------------------


@pytest.mark.parametrize("continuous", [False, True])
def test_coefficients_equal_pydeseq2(continuous):
    """Same iterations and stopping rule: only rounding differs, amplified by a small ridge for rare genes."""
    data = cohort(continuous=continuous)
    ours, theirs = fit_coefficients(BatchedInference(), *data), fit_coefficients(PYDESEQ2, *data)
    for found, expected in zip(ours[:3], theirs[:3], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    assert ours[3].all()


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"cr_reg": False}, {"prior_reg": True, "prior_disp_var": 0.8}], ids=["cox_reid", "plain", "prior"]
)
def test_dispersions_equal_pydeseq2(continuous, options):
    """Within 0.5 % (it stops on a relative change of the objective, we at a root of the gradient)."""
    data = cohort(continuous=continuous)
    ours, converged = fit_dispersions(BatchedInference(follow_r=False), *data, **options)
    theirs, _ = fit_dispersions(PYDESEQ2, *data, **options)
    assert converged.all()
    inner = theirs > 1e-5  # towards 0 the likelihood is flat: any tiny value is as good
    assert inner.mean() > 0.8
    np.testing.assert_allclose(ours[inner], theirs[inner], rtol=5e-3)
    assert (ours[~inner] < 1e-4).all()


def test_dispersions_are_at_least_as_likely_as_pydeseq2s():
    counts, size_factors, design, start = cohort(n_genes=200)
    ours, _ = fit_dispersions(BatchedInference(follow_r=False), counts, size_factors, design, start)
    theirs, _ = fit_dispersions(PYDESEQ2, counts, size_factors, design, start)
    mu = fit_coefficients(PYDESEQ2, counts, size_factors, design, start)[1]

    def loss(gene, alpha):
        weights = mu[:, gene] / (1 + mu[:, gene] * alpha)
        adjustment = 0.5 * np.linalg.slogdet((design.T * weights) @ design)[1]
        return utils.nb_nll(counts[:, gene], mu[:, gene], alpha) + adjustment

    excess = [loss(gene, ours[gene]) - loss(gene, theirs[gene]) for gene in range(200)]
    assert max(excess) < 1e-5


def test_linear_means_and_starting_dispersions_equal_pydeseq2():
    """One least squares for all genes: the same to 1e-10."""
    counts, size_factors, _, _ = cohort()
    design = np.column_stack([np.ones(24), np.repeat([0.0, 1.0], 12)])
    normed = counts / size_factors[:, None]
    batched = BatchedInference()
    np.testing.assert_allclose(
        batched.lin_reg_mu(counts, size_factors, design, 0.5),
        PYDESEQ2.lin_reg_mu(counts, size_factors, design, 0.5),
        rtol=1e-10,
    )
    np.testing.assert_allclose(
        batched.fit_rough_dispersions(normed, design), PYDESEQ2.fit_rough_dispersions(normed, design), rtol=1e-10
    )
    np.testing.assert_allclose(
        batched.fit_moments_dispersions(normed, size_factors),
        PYDESEQ2.fit_moments_dispersions(normed, size_factors),
        rtol=1e-10,
    )


@pytest.mark.parametrize("alternative", [None, "greaterAbs", "lessAbs", "greater", "less"])
def test_wald_test_of_one_coefficient_equals_pydeseq2(alternative):
    counts, size_factors, design, alpha = cohort()
    beta, mu, _, _ = fit_coefficients(PYDESEQ2, counts, size_factors, design, alpha)
    null = 0.2 if alternative else 0.0
    arguments = (design, alpha, beta, mu, np.eye(4) * 1e-6, np.array([0.0, 1, 0, 0]), null, alternative)
    ours, theirs = BatchedInference(follow_r=False).wald_test(*arguments), PYDESEQ2.wald_test(*arguments)
    for found, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_threshold_test_does_not_depend_on_the_baseline():
    estimates, errors = np.array([0.5, -0.5, 2.0, -2.0]), np.full(4, 0.3)
    _, forward = wald_statistics(estimates, errors, 0.4, "greaterAbs")
    _, backward = wald_statistics(-estimates, errors, 0.4, "greaterAbs")
    np.testing.assert_array_equal(forward, backward)


def test_whole_fit_equals_pydeseq2():
    """Every statistic within 0.5 % of the default engine; the trend's optimizer is where they part."""
    rng = np.random.default_rng(2)
    base = np.exp(rng.uniform(2, 8, 250))
    alpha = 0.05 + 3 / base
    mean = base * np.exp(rng.normal(0, 0.3, (12, 1)))
    counts = rng.negative_binomial(1 / alpha, 1 / (1 + mean * alpha))
    labels = ["a"] * 6 + ["b"] * 6
    ours = results_of(data_set(counts, labels, BatchedInference(follow_r=False)), "b", "a")
    theirs = results_of(data_set(counts, labels, PYDESEQ2), "b", "a")
    np.testing.assert_array_equal(ours["pvalue"].isna(), theirs["pvalue"].isna())
    for column in ("log2FoldChange", "lfcSE", "stat"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=5e-3, atol=1e-3)


# --- what a gene gets depends on that gene alone ---------------------------------------------------------------------


def everything(inference, counts, size_factors, design, alpha, genes=slice(None)):
    """All results of all routines for some genes, as arrays with genes first."""
    counts, alpha = counts[:, genes], alpha[genes]
    beta, mu, leverage, converged = fit_coefficients(inference, counts, size_factors, design, alpha)
    fitted, _ = inference.alpha_mle(counts, design, mu, alpha, MIN_DISP, MAX_DISP)
    prior, _ = inference.alpha_mle(counts, design, mu, alpha, MIN_DISP, MAX_DISP, 0.5, True, True)
    contrast = np.array([0.0, 1, -1, 0])
    wald = inference.wald_test(design, prior, beta, mu, np.eye(4) * 1e-6, contrast, 0.0)
    shrunken = inference.lfc_shrink_nbinom_glm(
        design, counts, 1 / prior, np.log(size_factors), 15, 0.5, "L-BFGS-B", shrink_index=1
    )
    normed = counts / size_factors[:, None]
    rough = inference.fit_rough_dispersions(normed, design)
    moments = inference.fit_moments_dispersions(normed, size_factors)
    linear = inference.lin_reg_mu(counts, size_factors, design, 0.5).T
    return [beta, mu.T, leverage.T, converged, fitted, prior, *wald, *shrunken, rough, moments, linear]


DATA = cohort(n_genes=45)
EXPECTED = everything(BatchedInference(), *DATA)


@few_examples
@given(block_size=st.integers(1, 60), n_threads=st.integers(1, 4))
def test_results_are_bitwise_the_same_for_any_block_size_and_threads(block_size, n_threads):
    found = everything(BatchedInference(n_threads, block_size), *DATA)
    for one, other in zip(found, EXPECTED, strict=True):
        np.testing.assert_array_equal(one, other)


@few_examples
@given(order=st.permutations(range(45)), kept=st.integers(1, 45))
def test_results_are_bitwise_the_same_whatever_the_other_genes_are(order, kept):
    genes = np.array(order[:kept])
    found = everything(BatchedInference(), *DATA, genes=genes)
    for one, other in zip(found, EXPECTED, strict=True):
        np.testing.assert_array_equal(one, other[genes])


@few_examples
@given(order=st.permutations(range(24)))
def test_order_of_samples_changes_rounding_only(order):
    counts, size_factors, design, alpha = DATA
    order = np.array(order)
    found = everything(BatchedInference(), counts[order], size_factors[order], design[order], alpha)
    by_sample = {1, 2, 14}
    for i, (one, other) in enumerate(zip(found, EXPECTED, strict=True)):
        expected = other[:, order] if i in by_sample else other
        np.testing.assert_allclose(one, expected, rtol=1e-6, atol=1e-8)


def test_memory_layout_of_the_counts_does_not_matter():
    counts, *rest = DATA
    found = everything(BatchedInference(), np.asfortranarray(counts.astype(np.int32)), *rest)
    for one, other in zip(found, EXPECTED, strict=True):
        np.testing.assert_array_equal(one, other)


def test_pvalues_do_not_depend_on_the_baseline_level():
    """The same model in other coordinates: equal up to the stopping rule of the iterations."""
    counts, *_ = cohort(n_genes=150)
    labels = np.array(["a", "b", "c"])[np.arange(24) % 3]
    first = results_of(data_set(counts, labels, BatchedInference(), ["a", "b", "c"]), "c", "b")
    second = results_of(data_set(counts, labels, BatchedInference(), ["b", "c", "a"]), "c", "b")
    np.testing.assert_allclose(first["pvalue"], second["pvalue"], rtol=1e-3, atol=1e-9)


SMALL = cohort(n_genes=120, seed=4)[0]
LABELS = np.array(["a", "b", "c"])[np.arange(24) % 3]
SMALL_RESULTS = results_of(data_set(SMALL, LABELS, BatchedInference()), "c", "b")


@settings(max_examples=5, deadline=None)
@given(order=st.permutations(range(24)))
def test_pvalues_do_not_depend_on_the_order_of_samples(order):
    order = np.array(order)
    found = results_of(data_set(SMALL[order], LABELS[order], BatchedInference()), "c", "b")
    np.testing.assert_allclose(found["pvalue"], SMALL_RESULTS["pvalue"], rtol=1e-5)


@settings(max_examples=5, deadline=None)
@given(order=st.permutations(range(120)))
def test_pvalues_do_not_depend_on_the_order_of_genes(order):
    order = np.array(order)
    found = results_of(data_set(SMALL[:, order], LABELS, BatchedInference()), "c", "b")
    np.testing.assert_allclose(found["pvalue"], SMALL_RESULTS["pvalue"].to_numpy()[order], rtol=1e-5)


@pytest.mark.parametrize(("n_threads", "block_size"), [(1, 7), (3, 50)])
def test_whole_tables_are_bitwise_the_same_for_any_threads_and_block_size(n_threads, block_size):
    found = results_of(data_set(SMALL, LABELS, BatchedInference(n_threads, block_size)), "c", "b")
    pd.testing.assert_frame_equal(found, SMALL_RESULTS, check_exact=True)


def test_samples_of_equal_design_rows_are_grouped_and_put_back():
    design = np.array([[1.0, 0], [1, 1], [1, 0], [1, 1], [1, 2]])
    groups = DesignGroups.of(design)
    assert len(groups.rows) == 3
    matrix = np.arange(10.0).reshape(5, 2)
    block = groups.gather(matrix, slice(0, 2))
    back = np.empty((2, 5))
    groups.scatter(block, back, slice(0, 2))
    np.testing.assert_array_equal(back, matrix.T)
    response = design @ np.array([2.0, -1.0])
    means = [response[groups.order[a:b]].mean() for a, b in zip(groups.starts, groups.starts[1:], strict=False)]
    np.testing.assert_allclose(groups.projection @ means, [2.0, -1.0])


# --- genes that do not converge --------------------------------------------------------------------------------------


def test_coefficients_that_do_not_converge_are_the_maximum_of_the_same_function(caplog):
    data = cohort(n_genes=20)
    with caplog.at_level(logging.DEBUG, logger="stratifn.inference"):
        damped = fit_coefficients(BatchedInference(), *data, maxiter=2)
    assert "coefficients of 20 of 20 genes by damped steps" in caplog.text and damped[3].all()
    for found, expected in zip(damped[:3], fit_coefficients(BatchedInference(), *data, beta_tol=1e-14), strict=False):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def counts_that_do_not_converge():
    """Genes that few samples express, with less dispersion than their counts have: the iterations leave their bounds."""
    rng = np.random.default_rng(0)
    n_genes, n_samples = 60, 36
    design = np.column_stack([np.ones(n_samples), np.arange(n_samples) % 3 == 1, np.arange(n_samples) % 3 == 2])
    design = np.column_stack([design.astype(float), rng.normal(size=n_samples)])
    size_factors = rng.lognormal(0, 0.3, n_samples)
    expressed = rng.random((n_samples, n_genes)) < 0.1
    mean = np.outer(size_factors, np.exp2(rng.uniform(3, 12, n_genes))) * expressed
    counts = rng.negative_binomial(10, 10 / (10 + mean))
    counts = counts[:, counts.any(axis=0)]
    return counts, size_factors, design, np.full(counts.shape[1], 0.1)


OTHER_KERNEL = """
import sys
import numpy as np
from test_inference import BatchedInference, counts_that_do_not_converge, fit_coefficients
np.save(sys.argv[1], fit_coefficients(BatchedInference(), *counts_that_do_not_converge())[0])
"""


def test_coefficients_are_the_same_with_another_cpus_kernels(tmp_path, caplog):
    with caplog.at_level(logging.DEBUG, logger="stratifn.inference"):
        here = fit_coefficients(BatchedInference(), *counts_that_do_not_converge())[0]
    assert "coefficients of" in caplog.text, "every gene converged"
    code = Path(__file__).resolve().parents[2] / "workflow" / "scripts"
    paths = os.pathsep.join([str(code), str(Path(__file__).parent), str(Path(__file__).parents[1])])
    environment = os.environ | {"OPENBLAS_CORETYPE": "Prescott", "PYTHONPATH": paths}
    command = [sys.executable, "-c", OTHER_KERNEL, str(tmp_path / "there.npy")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "there.npy"), here, rtol=0, atol=1e-6)


def test_dispersions_that_do_not_converge_come_from_pydeseq2(monkeypatch, caplog):
    monkeypatch.setattr(engine, "MAX_DISPERSION_ITERATIONS", 1)
    data = cohort(n_genes=5)
    with caplog.at_level(logging.DEBUG, logger="stratifn.inference"):
        ours, _ = fit_dispersions(BatchedInference(follow_r=False), *data)
    theirs, _ = fit_dispersions(PYDESEQ2, *data)
    np.testing.assert_array_equal(ours, theirs)
    assert "dispersions of 5 of 5 genes" in caplog.text


def test_shrunken_coefficients_that_do_not_converge_come_from_pydeseq2(monkeypatch):
    monkeypatch.setattr(engine, "MAX_SHRINKAGE_ITERATIONS", 1)
    counts, size_factors, design, alpha = cohort(n_genes=4)
    arguments = (design, counts, 1 / alpha, np.log(size_factors), 15, 0.5, "L-BFGS-B", 1)
    for found, expected in zip(
        BatchedInference().lfc_shrink_nbinom_glm(*arguments), PYDESEQ2.lfc_shrink_nbinom_glm(*arguments), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


# --- odd genes and small studies -------------------------------------------------------------------------------------


def test_odd_genes_in_two_groups_of_three():
    """All zero: no result. A single non-zero sample, a huge count, a silent group: finite numbers."""
    counts, *_ = cohort(n_genes=40, n_samples=6)
    counts[:, 0] = 0
    counts[:, 1] = [0, 0, 7, 0, 0, 0]
    counts[:, 2] = [0, 0, 0, 900, 1100, 800]
    counts[:, 3] = [10_000_000, 12_000_000, 9_000_000, 11_000_000, 8_000_000, 13_000_000]
    counts[:, 4] = 5
    result = results_of(data_set(counts, ["a"] * 3 + ["b"] * 3, BatchedInference()), "b", "a")
    assert result.loc["g0", ["log2FoldChange", "lfcSE", "stat", "pvalue"]].isna().all()
    odd = result.loc[["g1", "g2", "g3", "g4"], ["log2FoldChange", "lfcSE", "stat"]]
    assert np.isfinite(odd.to_numpy()).all()
    assert result.loc["g2", "log2FoldChange"] > 5
    assert abs(result.loc["g4", "stat"]) < 1


def test_a_single_gene_can_be_fitted():
    counts, size_factors, design, alpha = cohort(n_genes=1)
    found = everything(BatchedInference(), counts, size_factors, design, alpha)
    assert all(np.isfinite(np.asarray(array, dtype=float)).all() for array in found)


def test_as_many_coefficients_as_samples_is_an_error():
    with pytest.raises(ValueError, match="no replicates"):
        BatchedInference().fit_rough_dispersions(np.ones((3, 2)), np.eye(3))


def test_dispersion_prior_without_variance_is_an_error():
    counts, size_factors, design, alpha = cohort(n_genes=2)
    with pytest.raises(ValueError, match="variance"):
        fit_dispersions(BatchedInference(), counts, size_factors, design, alpha, prior_reg=True)


# --- R's details -----------------------------------------------------------------------------------------------------


def test_following_r_a_dispersion_that_hardly_gains_stays_at_its_start():
    """R compares the gain with a millionth of the log posterior, which grows with the counts."""
    counts, size_factors, design, start = cohort(n_genes=100, seed=5)
    best, _ = fit_dispersions(BatchedInference(follow_r=False), counts, size_factors, design, start)
    near = best * 1.001
    kept, _ = fit_dispersions(BatchedInference(), counts, size_factors, design, near)
    abundant = counts.mean(axis=0) > 500
    assert abundant.any()
    np.testing.assert_allclose(kept[abundant], near[abundant], rtol=1e-12)


def test_following_r_small_means_count_as_half_a_read():
    counts, size_factors, design, alpha = cohort(n_genes=30)
    mu = np.full(counts.shape, 0.01)
    arguments = (design, alpha, np.zeros((30, 4)), mu, np.eye(4) * 1e-6, np.array([0.0, 1, 0, 0]), 0.0)
    raised = list(arguments)
    raised[3] = np.full(counts.shape, 0.5)
    np.testing.assert_array_equal(
        BatchedInference().wald_test(*arguments)[2], BatchedInference(follow_r=False).wald_test(*raised)[2]
    )


def test_a_place_that_cannot_be_written_only_costs_the_cache(monkeypatch):
    from stratifn.inference import compilation

    def refusing(**options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(compilation, "njit", refusing)
    assert compilation.compiled(lambda value: value + 1)(1) == 2


def test_compiled_loops_are_cached_by_the_sources_of_the_whole_package():
    from stratifn.inference.compilation import SOURCES

    assert dispersions.fit_dispersions.py_func.__qualname__.endswith(SOURCES)
