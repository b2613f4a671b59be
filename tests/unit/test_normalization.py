import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defaults import settings_of
from stratifn.differential_expression import fit_model
from stratifn.differential_expression.contrasts import versus
from stratifn.inference import BatchedInference
from stratifn.normalization import (
    KINDS,
    covariate_associations,
    fit_size_factors,
    from_arrays,
    frozen_transform,
    normalize_cohort,
    normalize_view,
    quality_table,
    to_arrays,
)
from stratifn.shared.design import model_matrix
from stratifn.shared.errors import InputError
from stratifn.shared.vocabulary import VIEW_KINDS

DEFAULTS = settings_of("normalization")
N_GENES = 300


def sheet(n=12):
    half = n // 2
    return pd.DataFrame(
        {
            "sample": [f"S{i:02d}" for i in range(n)],
            "patient": [f"P{i:02d}" for i in range(n)],
            "disease": ["HC"] * half + ["SLE"] * (n - half),
            "sex": ["F", "M"] * half,
            "batch": (["a"] * 3 + ["b"] * 3) * (n // 6),
            "in_rna": True,
        }
    )


def counts_view(n=12, seed=1, zeros=False):
    rng = np.random.default_rng(seed)
    means = rng.lognormal(4, 1.2, N_GENES)
    depth = rng.lognormal(0, 0.3, (n, 1))
    size = 1 / (0.05 + 2 / means)
    counts = rng.negative_binomial(size, size / (size + means * depth))
    if zeros:
        counts[rng.integers(0, n, N_GENES), np.arange(N_GENES)] = 0
    names = [f"G{i:03d}" for i in range(N_GENES)]
    return ad.AnnData(pd.DataFrame(counts, index=sheet(n)["sample"].to_list(), columns=names))


def normalized_counts(view, samples=None, always_keep=frozenset(), **changes):
    samples = sheet(view.n_obs) if samples is None else samples
    settings = settings_of("normalization", **changes)
    return normalize_view(
        view, "rna", "counts", samples, settings, always_keep=always_keep, inference=BatchedInference()
    )


def view_of(kind, seed=3):
    """One small matrix per kind with everything awkward in it: zeros, ones, missing values, detection limits."""
    rng = np.random.default_rng(seed)
    names = sheet()["sample"].to_list()
    if kind == "counts":
        return counts_view()
    if kind == "beta":
        values = rng.beta(0.5, 0.5, (12, 40)).astype(np.float32)
        values[0, 0], values[1, 1], values[2, 2] = 0.0, 1.0, np.nan
    elif kind == "proportion":
        values = rng.dirichlet(np.ones(6), 12)
        values[0, :2] = 0.0
    elif kind == "concentration":
        values = rng.lognormal(1, 1, (12, 5))
        values[3, 0] = values[0, 1] = np.nan
    else:
        values = rng.normal(8, 2, (12, 40))
        values[4, 4] = np.nan
    view = ad.AnnData(pd.DataFrame(values, index=names, columns=[f"F{i}" for i in range(values.shape[1])]))
    if kind == "concentration":
        view.layers["below_lod"] = np.zeros(values.shape, dtype=bool)
        view.layers["below_lod"][3, 0] = True
        view.var["lod"] = [0.5, np.nan, 0.1, 0.1, 0.1]
    return view


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_training_samples_get_exactly_their_training_values(kind, tmp_path):
    view = view_of(kind)
    result = normalize_view(view, "v", kind, sheet(), DEFAULTS, inference=BatchedInference())
    np.testing.assert_array_equal(result.transform.transform(view).X, result.data.X)
    result.data.write_h5ad(tmp_path / "v.h5ad")
    thawed = frozen_transform(ad.read_h5ad(tmp_path / "v.h5ad"))
    np.testing.assert_array_equal(thawed.transform(view).X, result.data.X)
    np.savez(tmp_path / "v.npz", **to_arrays(result.transform))
    with np.load(tmp_path / "v.npz", allow_pickle=False) as arrays:
        again = from_arrays(KINDS[kind].frozen, dict(arrays))
    np.testing.assert_array_equal(again.transform(view).X, result.data.X)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_sample_alone_gets_what_it_gets_in_a_batch(kind):
    view = view_of(kind)
    frozen = normalize_view(view, "v", kind, sheet(), DEFAULTS, inference=BatchedInference()).transform
    together = frozen.transform(view).X
    for i in range(view.n_obs):
        np.testing.assert_array_equal(frozen.transform(view[[i]].copy()).X[0], together[i])


@pytest.mark.parametrize("method", ["ratio", "poscounts"])
def test_size_factors_of_training_samples_are_exactly_their_own(method):
    view = counts_view(zeros=method == "poscounts")
    result = normalized_counts(view, size_factors=method)
    again = result.transform.transform(view[::-1].copy())
    np.testing.assert_array_equal(again.obs["size_factor"][::-1], result.data.obs["size_factor"])
    np.testing.assert_array_equal(again.X[::-1], result.data.X)


def test_ratio_is_the_median_of_ratios_to_the_geometric_mean():
    counts = np.array([[10, 20, 30, 0], [20, 40, 60, 5], [40, 80, 120, 9]])
    reference = fit_size_factors(counts, list("abc"), "ratio")
    assert reference.carrying_genes == 3
    assert reference.size_factors(counts) == pytest.approx([0.5, 1.0, 2.0])


def test_poscounts_uses_every_counted_gene_and_has_geometric_mean_one():
    counts = np.array([[10, 0, 30, 0], [0, 40, 60, 0], [40, 80, 0, 0]])
    reference = fit_size_factors(counts, list("abc"), "poscounts")
    assert reference.carrying_genes == 3
    factors = reference.size_factors(counts)
    assert np.log(factors).mean() == pytest.approx(0)
    # n-th root of the product of the positive counts, as R's geoMeanNZ
    means = np.array([400 ** (1 / 3), 3200 ** (1 / 3), 1800 ** (1 / 3)])
    raw = np.exp([np.log([10 / means[0], 30 / means[2]]).mean(), np.log([40 / means[1], 60 / means[2]]).mean()])
    assert factors[0] / factors[1] == pytest.approx(raw[0] / raw[1])


def test_no_gene_without_zeros_asks_for_poscounts_and_never_iterates():
    with pytest.raises(InputError, match="size_factors: poscounts.*IN-211"):
        normalized_counts(counts_view(zeros=True))


def test_samples_without_a_count_are_all_named():
    view = counts_view()
    view.X[[2, 5]] = 0
    with pytest.raises(InputError, match="S02(.|\n)*S05"):
        normalized_counts(view)


def test_genes_are_kept_by_the_size_of_the_smallest_group_and_by_name():
    view = counts_view()
    view.X[:, 0] = [10] * 3 + [0] * 9
    view.X[:, 1] = [9] * 12
    view.X[:, 2] = 0
    view.var["gene_name"] = [f"N{i}" for i in range(N_GENES)]
    samples = sheet().assign(disease=["HC"] * 9 + ["SLE"] * 3)
    result = normalized_counts(view, samples, always_keep={"N1"})
    assert "G000" in result.data.var_names
    assert "G001" in result.data.var_names
    assert "G002" not in result.data.var_names
    dropped = result.notes[result.notes["what"] == "dropped"].iloc[0]
    assert dropped["item"] == f"{N_GENES - result.data.n_vars} genes"
    everything = normalized_counts(view, samples, min_count=0)
    assert everything.data.n_vars == N_GENES - 1


def test_size_factors_come_from_all_genes_and_not_from_the_kept_ones():
    view = counts_view()
    strict = normalized_counts(view, min_count=200)
    assert strict.data.n_vars < N_GENES / 2
    np.testing.assert_array_equal(
        strict.data.obs["size_factor"], normalized_counts(view, min_count=0).data.obs["size_factor"]
    )
    carried = strict.notes.loc[strict.notes["item"] == "size factors", "what"].item()
    assert carried.startswith(f"{int((view.X > 0).all(axis=0).sum())} of {N_GENES} genes")


def test_the_counts_view_holds_what_the_contract_says():
    view = counts_view()
    data = normalized_counts(view, min_count=0).data
    np.testing.assert_array_equal(data.layers["counts"], view[:, data.var_names].X)
    expected = data.layers["counts"] / data.obs["size_factor"].to_numpy()[:, None]
    np.testing.assert_allclose(data.layers["normalized"], expected, rtol=1e-6)
    assert list(data.var["gene_name"]) == list(data.var_names)
    assert data.obsm["X_pca"].shape == (12, 10)
    assert 0 < data.uns["pca_variance_ratio"].sum() <= 1
    np.testing.assert_array_equal(data.obs["library_size"], view.X.sum(axis=1))


def test_vst_grows_with_the_count_and_approaches_log2():
    transform = normalized_counts(counts_view()).transform
    from stratifn.normalization.variance_stabilization import VarianceStabilization

    vst = VarianceStabilization(transform.trend, transform.a0, transform.a1)
    values = vst.transform(np.array([0.0, 1.0, 10.0, 1e6, 2e6]))
    assert (np.diff(values) > 0).all()
    assert values[4] - values[3] == pytest.approx(1, abs=1e-3)


def test_beta_values_become_m_values_with_the_clipped_ones_counted():
    view = view_of("beta")
    expected = np.log2(view.X[5] / (1 - view.X[5]))
    result = normalize_view(view, "methylation", "beta", sheet(), DEFAULTS)
    inside = (view.X[5] > 0.001) & (view.X[5] < 0.999)
    np.testing.assert_allclose(result.data.X[5, inside], expected[inside], rtol=1e-4)
    assert result.data.X.dtype == np.float32
    assert np.isfinite(result.data.X[:, :2]).all() and np.isnan(result.data.X[2, 2])
    assert result.notes["what"].item() == "clipped"
    assert int(result.notes["item"].item().split()[0]) >= 2


def test_in_place_normalization_writes_into_the_given_matrix_and_else_leaves_it_alone():
    view = view_of("beta")
    before = view.X.copy()
    kept = normalize_view(view, "m", "beta", sheet(), DEFAULTS)
    np.testing.assert_array_equal(view.X, before)
    overwritten = normalize_view(view, "m", "beta", sheet(), DEFAULTS, in_place=True)
    assert np.shares_memory(overwritten.data.X, view.X)
    np.testing.assert_array_equal(kept.data.X, overwritten.data.X)


def test_log_ratios_sum_to_zero_and_zeros_are_replaced_and_counted():
    result = normalize_view(view_of("proportion"), "cells", "proportion", sheet(), DEFAULTS)
    np.testing.assert_allclose(result.data.X.sum(axis=1), 0, atol=1e-9)
    assert result.notes["item"].item() == "2 zeros"


def test_values_below_detection_become_the_limit_over_root_two_and_missing_ones_stay_missing():
    view = view_of("concentration")
    result = normalize_view(view, "cytokines", "concentration", sheet(), DEFAULTS)
    assert result.data.X[3, 0] == pytest.approx(np.log2(0.5 / np.sqrt(2)))
    assert np.isnan(result.data.X[0, 1])
    row = result.notes.iloc[0]
    assert (row["item"], row["what"]) == ("F0", "1 values imputed") and "0.5" in row["reason"]


def test_a_new_matrix_may_have_more_features_in_another_order_but_not_fewer():
    view = counts_view()
    frozen = normalized_counts(view).transform
    shuffled = ad.concat([view, ad.AnnData(np.ones((12, 1)), view.obs[[]], pd.DataFrame(index=["new"]))], axis=1)
    shuffled = shuffled[:, ::-1].copy()
    np.testing.assert_array_equal(frozen.transform(shuffled).X, frozen.transform(view).X)
    with pytest.raises(InputError, match="1 of the 300 features .* absent.*IN-212"):
        frozen.transform(view[:, 1:].copy())


def test_every_kind_says_what_it_does_and_who_says_so():
    for kind in KINDS.values():
        assert kind.values and kind.what and kind.reference and kind.unit
        assert not kind.described().endswith("."), "a sentence that others continue"


def test_kinds_are_those_of_the_vocabulary():
    assert set(KINDS) == set(VIEW_KINDS)


def test_components_do_not_depend_on_the_order_of_the_samples():
    view = view_of("continuous")
    order = np.random.default_rng(0).permutation(12)
    a = normalize_view(view, "v", "continuous", sheet(), DEFAULTS).data
    b = normalize_view(view[order].copy(), "v", "continuous", sheet(), DEFAULTS).data
    np.testing.assert_allclose(b.obsm["X_pca"], a.obsm["X_pca"][order], atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.2, 5))
def test_deeper_sequencing_scales_the_size_factor_and_nothing_else(seed, depth):
    rng = np.random.default_rng(seed)
    counts = rng.integers(50, 5000, (6, 40)).astype(float)
    reference = fit_size_factors(counts, list("abcdef"), "ratio")
    assert reference.size_factors(depth * counts[:1])[0] == pytest.approx(depth * reference.size_factors(counts[:1])[0])


def quality_cohort(n=24):
    view = counts_view(n, seed=5)
    rng = np.random.default_rng(9)
    view.var["gene_name"] = ["XIST", "DDX3Y", "KDM5D", *view.var_names[3:]]
    female = np.arange(n) % 2 == 0
    view.X[:, 0] = np.where(female, rng.poisson(500, n), 1)
    view.X[:, 1:3] = np.where(female, 1, rng.poisson(300, n))[:, None]
    return view


def test_planted_faults_are_found_and_the_others_are_not_blamed():
    view = quality_cohort()
    view.X[7] //= 60  # a failed library
    view.X[4, 0], view.X[4, 1:3] = 1, 400  # the sheet says F
    view.X[11] = view.X[10]  # the same sample twice
    samples = sheet(24)
    data = normalized_counts(view, samples, min_count=0).data
    quality = quality_table({"rna": data}, samples).set_index("sample")
    assert list(quality.index[quality["outlier"]]) == ["S07"]
    assert "log library size" in quality.loc["S07", "reason"]
    assert "the sheet says sex F, expression says M" in quality.loc["S04", "reason"]
    assert quality.loc["S11", "near_duplicate"] == "S10" and quality.loc["S10", "near_duplicate"] == "S11"
    assert quality["near_duplicate"].notna().sum() == 2
    wrong_sex = quality["reason"].fillna("").str.contains("the sheet says")
    assert set(quality.index[wrong_sex]) == {"S04", "S11"}
    assert (quality.loc[~wrong_sex, "predicted_sex"] == samples.set_index("sample").loc[~wrong_sex, "sex"]).all()


def test_components_that_follow_the_batch_are_reported_with_it():
    rng = np.random.default_rng(4)
    samples = sheet()
    values = rng.normal(size=(12, 60)) + np.where(samples["batch"] == "a", 3.0, 0.0)[:, None]
    view = ad.AnnData(pd.DataFrame(values, index=samples["sample"].to_list(), columns=[f"F{i}" for i in range(60)]))
    data = normalize_view(view, "v", "continuous", samples, DEFAULTS).data
    table = covariate_associations({"v": data}, samples)
    assert list(table.columns) == ["view", "component", "variable", "r2", "pvalue", "padj"]
    first = table[table["component"] == "PC1"].set_index("variable")
    assert first.loc["batch", "r2"] > 0.9 and first.loc["batch", "padj"] < 1e-4
    assert first.loc["sex", "pvalue"] > 0.01
    assert not {"patient", "in_rna"} & set(table["variable"])


# --- a second view of counts ------------------------------------------------------------------------------------------


def genes_and_transposons(lender):
    """Genes without a difference, and transposons of which every patient has twice as many, at equal depths."""
    genes, transposons = counts_view(24, seed=4), counts_view(24, seed=5)
    rng = np.random.default_rng(6)
    depth = rng.lognormal(0, 0.4, (24, 1))
    mean = np.tile(rng.lognormal(4, 1, N_GENES), (24, 1)) * depth
    genes.X = rng.negative_binomial(20, 20 / (20 + mean))
    rise = np.where(sheet(24)["disease"] == "SLE", 2.0, 1.0)[:, None]
    transposons.X = rng.negative_binomial(20, 20 / (20 + mean[:, ::-1] * rise))
    transposons.var_names = [f"TE{i:03d}" for i in range(N_GENES)]
    for view in (genes, transposons):
        view.uns["kind"] = "counts"
    if lender:
        transposons.uns["size_factors"] = lender
    return {"transposons": transposons, "rna": genes}


@pytest.mark.parametrize(("lender", "expected"), [(None, 0.0), ("rna", 1.0)])
def test_a_rise_of_all_transposons_is_seen_with_the_size_factors_of_the_genes_alone(lender, expected):
    views, samples = genes_and_transposons(lender), sheet(24)
    done = normalize_cohort(views, samples, DEFAULTS, frozenset(), BatchedInference())
    assert list(done.views) == ["transposons", "rna"]
    fit = fit_model(done.views["transposons"], model_matrix(samples, "disease", "HC"), BatchedInference())
    effect = fit.estimate(versus("SLE", "HC")).log2_fold_change
    assert np.nanmedian(effect) == pytest.approx(expected, abs=0.1)
    notes = done.notes[(done.notes["view"] == "transposons") & (done.notes["item"] == "size factors")]
    assert ("those of the view rna" in notes["what"].iloc[0]) == (lender is not None)


def test_the_frozen_transform_takes_the_size_factors_that_a_new_sample_brings():
    views = genes_and_transposons("rna")
    done = normalize_cohort(views, sheet(24), DEFAULTS, frozenset(), BatchedInference()).views
    np.testing.assert_array_equal(done["transposons"].obs["size_factor"], done["rna"].obs["size_factor"])
    thawed = from_arrays(KINDS["counts"].frozen, to_arrays(frozen_transform(done["transposons"])))
    again = genes_and_transposons("rna")["transposons"][[3]].copy()
    with pytest.raises(InputError, match="size factor of the view rna"):
        thawed.transform(again)
    again.obs["size_factor"] = done["rna"].obs["size_factor"].iloc[3]
    np.testing.assert_array_equal(thawed.transform(again).X[0], done["transposons"].X[3])


def test_a_transform_that_was_frozen_before_size_factors_could_be_lent_is_read():
    result = normalized_counts(counts_view())
    arrays = to_arrays(result.transform)
    del arrays["lender"]
    np.testing.assert_array_equal(from_arrays(KINDS["counts"].frozen, arrays).transform(counts_view()).X, result.data.X)


def test_a_new_library_without_a_count_in_the_genes_of_the_size_factors_is_named():
    reference = fit_size_factors(np.array([[4, 5, 0], [8, 9, 0]]), list("ab"), "ratio")
    with pytest.raises(InputError, match="sample new: .*IN-210"):
        reference.size_factors(np.array([[0, 0, 7]]), ["new"])


def test_copies_of_one_library_have_no_dispersion():
    view = counts_view()
    view.X[:] = view.X[0]
    with pytest.raises(InputError, match="dispersion trend.*IN-213"):
        normalized_counts(view)
