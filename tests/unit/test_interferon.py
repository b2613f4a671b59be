"""Interferon scores: one person's result owes nothing to other patients, and equals independent formulas."""

import json
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import default_origin, of_kind, settings_of
from stratifn.interferon import METHODS, Cohort, analyse_cohort, from_parts, place_patients, to_parts
from stratifn.interferon.expression import locate_genes, size_factors
from stratifn.interferon.learning import sd_floor
from stratifn.interferon.methods import average_ranks, singscore, ssgsea
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import load_axis_sets, load_registry
from stratifn.shared.errors import InputError

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
REGISTRY = load_registry(RESOURCES / "signatures")
AXES = load_axis_sets(RESOURCES / "gene_sets" / "axes.tsv")
PANEL_GENES = REGISTRY.genes(REGISTRY.default_panel)
GENES = np.array([*PANEL_GENES, *(f"BACKGROUND{i}" for i in range(450))])
QUICK = settings_of("interferon", bootstraps=200)
BASE = 2 ** np.random.default_rng(0).uniform(4, 11, len(GENES))


def simulate(n_controls, n_patients, seed, rise=3.0):
    """Negative-binomial counts; half of the patients have their panel genes raised by 2^rise."""
    rng = np.random.default_rng(seed)
    n = n_controls + n_patients
    of_panel = np.isin(GENES, PANEL_GENES)
    log2 = np.log2(BASE) + rng.normal(0, 0.3, (n, len(GENES))) + of_panel * rng.normal(0, 0.4, (n, 1))
    log2[n_controls::2, of_panel] += rise
    mean = 2**log2 * np.exp(rng.normal(0, 0.25, (n, 1)))
    counts = rng.poisson(rng.gamma(20, mean / 20)).astype(float)
    names = [f"S{i:04d}" for i in range(n)]
    data = ad.AnnData(counts, obs=pd.DataFrame(index=names), var=pd.DataFrame({"gene_name": GENES}, index=GENES))
    samples = pd.DataFrame({"sample": names, "disease": ["HC"] * n_controls + ["SLE"] * n_patients})
    return data, samples


def analyse(data, samples, settings=QUICK, control="HC", extra_signatures=(), **more):
    knowledge = Knowledge(REGISTRY, AXES, tuple(extra_signatures))
    return analyse_cohort(
        of_kind(data, "counts"), Cohort(samples, control, default_origin()), knowledge, settings, **more
    )


@pytest.fixture(scope="module")
def cohort():
    return simulate(12, 24, seed=1)


@pytest.fixture(scope="module")
def result(cohort):
    return analyse(*cohort)


def _by_key(scores):
    return scores.set_index(["sample", "signature", "method"])["score"]


def _largest_difference(some, all_of_them):
    some = _by_key(some)
    return np.nanmax(np.abs(some - _by_key(all_of_them).reindex(some.index)))


def test_tables_have_exactly_the_contracts_columns(result):
    assert list(result.scores) == "sample signature method score genes_found genes_total status reason".split()
    assert list(result.reference_table) == (
        "signature method n_controls excluded mean sd cutoff cutoff_low cutoff_high "
        "prevalence_low prevalence_high flipped".split()
    )
    assert list(result.classes) == (
        "sample disease score probability_high ifn_class type_i type_ii ifn_type modules_active "
        "ifn_class_all_controls reason".split()
    )
    assert list(result.types) == (
        "sample disease ifn_type type_i type_i_low type_i_high type_i_cutoff type_ii type_ii_low type_ii_high "
        "type_ii_cutoff explained genes_found genes_total reason".split()
    )
    assert list(result.prevalence) == (
        "disease signature n high borderline low prevalence ci_low ci_high published published_source".split()
    )
    assert list(result.agreement) == "signature_a signature_b spearman kappa shared_genes".split()


def test_every_sample_has_a_row_per_signature_and_method(cohort, result):
    assert len(result.scores) == 36 * len(REGISTRY.default_panel) * len(METHODS)
    assert result.scores["status"].eq("ok").all()


@pytest.mark.parametrize("method", ["zscore", "median_fold_change", "singscore", "ssgsea", "module"])
def test_one_patient_alone_gets_the_same_scores_as_in_the_cohort(cohort, method):
    # 1e-12: the arithmetic is the same, person by person
    data, samples = cohort
    full = analyse(data, samples, replace(QUICK, method=method))
    frozen = full.reference
    for chosen in ([20], list(range(12, 22))):
        scores, classes = place_patients(data[chosen].copy(), "counts", samples.iloc[chosen], frozen)
        assert _largest_difference(scores, full.scores) <= 1e-12
        expected = full.classes.set_index("sample").loc[classes["sample"]]
        assert np.array_equal(classes["probability_high"], expected["probability_high"], equal_nan=True)
        assert list(classes["ifn_class"]) == list(expected["ifn_class"])
        assert list(classes["ifn_type"]) == list(expected["ifn_type"])
        for amount in ("type_i", "type_ii"):
            assert np.array_equal(classes[amount], expected[amount], equal_nan=True)


@pytest.mark.parametrize("method", ["zscore", "median_fold_change", "singscore", "ssgsea", "module"])
def test_deleting_half_of_the_other_patients_changes_nothing(cohort, method):
    data, samples = cohort
    settings = replace(QUICK, method=method)
    kept = [*range(12), *range(12, 36, 2)]
    full = analyse(data, samples, settings)
    half = analyse(data[kept].copy(), samples.iloc[kept], settings)
    assert _largest_difference(half.scores, full.scores) <= 1e-12
    # how many patients a single control turns is counted among the patients that there are
    of_controls = list(full.reference_table.columns[:-3])
    pd.testing.assert_frame_equal(half.reference_table[of_controls], full.reference_table[of_controls])
    expected = full.classes.set_index("sample").loc[half.classes["sample"]].reset_index()
    pd.testing.assert_frame_equal(half.classes, expected)


def test_order_of_samples_and_genes_changes_nothing(cohort, result):
    data, samples = cohort
    rng = np.random.default_rng(3)
    mixed = data[rng.permutation(data.n_obs), rng.permutation(data.n_vars)].copy()
    assert _largest_difference(analyse(mixed, samples).scores, result.scores) <= 1e-9


def test_a_signature_does_not_depend_on_the_other_signatures(cohort, result):
    more = analyse(*cohort, extra_signatures=["FENG_5", "HALLMARK_INTERFERON_ALPHA_RESPONSE"])
    shared = more.reference_table[more.reference_table["signature"].isin(REGISTRY.default_panel)]
    pd.testing.assert_frame_equal(shared.reset_index(drop=True), result.reference_table)
    pd.testing.assert_frame_equal(more.classes, result.classes)


def test_a_reference_survives_json_and_npz(tmp_path, cohort, result):
    values, arrays = to_parts(result.reference)
    np.savez(tmp_path / "arrays.npz", **arrays)
    text = json.dumps(values, allow_nan=False)
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as stored:
        back = from_parts(json.loads(text), dict(stored))
    scores, classes = place_patients(cohort[0], "counts", cohort[1], back)
    pd.testing.assert_frame_equal(scores, result.scores)
    pd.testing.assert_frame_equal(classes, result.classes)


def test_a_frozen_reference_holds_no_array_with_a_row_per_control(result):
    n_controls = result.reference.n_controls
    assert all(n_controls not in array.shape for array in result.reference.arrays.values())


def test_another_runs_reference_gives_its_scores(cohort, result):
    data, samples = cohort
    patients = samples["disease"].eq("SLE").to_numpy()
    other = analyse(data[patients].copy(), samples[patients], control=None, reference=result.reference)
    assert _largest_difference(other.scores, result.scores) <= 1e-12
    assert "another run" in " ".join(other.notes["reason"])


def test_a_reference_of_another_kind_of_matrix_is_refused(cohort, result):
    with pytest.raises(InputError, match="not on one scale"):
        place_patients(cohort[0], "continuous", cohort[1], result.reference)


def test_zscore_equals_the_direct_formula(cohort, result):
    data, samples = cohort
    controls = samples["disease"].eq("HC").to_numpy()
    counts = data.X
    everywhere = (counts[controls] > 0).all(axis=0)
    means = np.log(counts[controls][:, everywhere]).mean(axis=0)
    factors = np.exp(np.median(np.log(np.maximum(counts[:, everywhere], 1e-300)) - means, axis=1))
    log2 = pd.DataFrame(np.log2(counts / factors[:, None] + 1), index=data.obs_names, columns=data.var_names)
    everything = np.arange(data.n_vars)
    floor = pd.Series(sd_floor(log2[controls].to_numpy(), everything), index=data.var_names)
    sd = np.maximum(log2[controls].std(ddof=1), floor)
    direct = ((log2 - log2[controls].mean()) / sd)[list(REGISTRY.signature("RICE_CROW_6").symbols)].mean(axis=1)
    ours = result.scores.query("signature == 'RICE_CROW_6' and method == 'zscore'").set_index("sample")["score"]
    np.testing.assert_allclose(ours, direct.loc[ours.index], atol=1e-10)


def test_size_factors_of_a_sample_see_no_other_sample():
    rng = np.random.default_rng(1)
    counts, means = rng.poisson(50, (5, 40)).astype(float), np.full(40, np.log(50.0))
    assert size_factors(counts, means)[3] == size_factors(counts[3:4], means)[0]


def test_singscore_equals_the_hand_computed_example():
    # five genes, set of two with ranks 5 and 2: mean 3.5, bounds 1.5 and 4.5 -> 2/3, centred 1/6
    ranks = average_ranks(np.array([[9.0, 1.0, 4.0, 6.0, 3.0]]))
    assert ranks.tolist() == [[5, 1, 3, 4, 2]]
    assert singscore(ranks, np.array([0, 4]))[0] == pytest.approx(1 / 6, abs=1e-15)


def test_singscore_is_half_at_the_top_and_minus_half_at_the_bottom():
    ranks = average_ranks(np.arange(10.0)[None])
    assert singscore(ranks, np.array([8, 9]))[0] == pytest.approx(0.5)
    assert singscore(ranks, np.array([0, 1]))[0] == pytest.approx(-0.5)


def test_ssgsea_equals_gseapys_raw_enrichment_score():
    # what gseapy 1.3.1 gives for these data with ssgsea(sample_norm_method="rank", correl_norm_type="rank",
    # weight=0.25, min_size=1): 1e-9 relative to the number of genes, because the two sum in another order
    theirs = np.array([-4.588282987422502, 36.65541558382856, 98.5960124356223, -16.579316884505857])
    rng = np.random.default_rng(0)
    n_genes = 300
    values = rng.permutation(4 * n_genes).reshape(4, n_genes).astype(float)
    members = np.array([3, 7, 50, 120, 299])
    np.testing.assert_allclose(ssgsea(average_ranks(values), members), theirs / n_genes, rtol=0, atol=1e-9)


def test_ssgsea_does_not_depend_on_the_order_of_tied_genes():
    values = np.array([[0.0, 0, 0, 0, 5, 3, 3, 8]])
    order = np.array([3, 1, 0, 2, 4, 6, 5, 7])
    members = np.array([0, 5])
    moved = np.array([int(np.flatnonzero(order == member)[0]) for member in members])
    here, there = ssgsea(average_ranks(values), members), ssgsea(average_ranks(values[:, order]), moved)
    np.testing.assert_allclose(here, there, atol=1e-15)


def test_median_fold_change_is_the_median_of_log2_fold_changes(cohort, result):
    reference, people = result.reference, result.people
    genes = reference.positions(reference.panel["RICE_CROW_6"])
    controls = cohort[1]["disease"].eq("HC").to_numpy()
    held = np.maximum(people.genes[:, genes], reference.background)
    direct = np.median(held - np.median(held[controls], axis=0), axis=1)
    ours = result.scores.query("signature == 'RICE_CROW_6' and method == 'median_fold_change'")["score"]
    np.testing.assert_allclose(ours, direct, atol=1e-12)


def test_a_gene_near_zero_in_controls_does_not_explode_the_fold_change(cohort):
    data, samples = cohort[0].copy(), cohort[1]
    rice = list(REGISTRY.signature("RICE_CROW_6").symbols)
    silent = [data.var_names.get_loc(gene) for gene in rice]
    data.X[:, silent] = 0
    data.X[30, silent] = 8
    scores = analyse(data, samples).scores
    of_rice = scores.query("signature == 'RICE_CROW_6' and sample == 'S0030'").set_index("method")["score"]
    assert abs(of_rice["median_fold_change"]) < 0.5
    assert np.isfinite(of_rice).all()


def test_constant_genes_among_controls_are_floored_named_and_never_infinite(cohort):
    data, samples = cohort[0].copy(), cohort[1]
    gene = data.var_names.get_loc("SIGLEC1")
    data.X[:12, gene] = 0
    found = analyse(data, samples)
    assert np.isfinite(found.scores["score"]).all() and found.scores["score"].abs().max() < 50
    reasons = found.scores.query("signature == 'RICE_CROW_6' and method == 'zscore'")["reason"]
    assert reasons.str.contains("floor: .*SIGLEC1").all()


def test_sd_floor_is_the_20th_centile_of_the_neighbours_and_at_least_a_tenth():
    rng = np.random.default_rng(2)
    values = rng.normal(8, 1, (30, 500))
    values[:, 7] = 8.0
    assert 0.7 < sd_floor(values, np.array([7]))[0] < 1.0
    assert (sd_floor(np.full((5, 300), 4.0), np.arange(300)) == 0.1).all()


def test_low_coverage_gives_a_reason_partial_coverage_a_score_without_a_class(cohort):
    data, samples = cohort
    gone = ["IFI27", "IFI44L"]
    found = analyse(data[:, ~data.var_names.isin(gone)].copy(), samples)
    rice = found.scores.query("signature == 'RICE_CROW_6' and method == 'zscore'")
    assert rice["status"].eq("partial").all() and rice["score"].notna().all()
    assert rice["reason"].str.contains("4 of 6 genes found").all() and rice["reason"].str.contains("IFI27").all()
    assert found.classes["ifn_class"].eq("unscored").all() and found.classes["probability_high"].isna().all()
    less = analyse(data[:, ~data.var_names.isin([*gone, "RSAD2", "ISG15"])].copy(), samples)
    rice = less.scores.query("signature == 'RICE_CROW_6'")
    assert rice["status"].eq("NA").all() and rice["score"].isna().all()
    assert (rice["genes_found"] == 2).all()


def test_a_set_without_any_gene_in_the_matrix_is_a_named_na(cohort):
    data, samples = cohort
    kept = ~data.var_names.isin(REGISTRY.signature("KENNEDY_ISM_3").symbols)
    found = analyse(data[:, kept].copy(), samples).scores.query("signature == 'KENNEDY_ISM_3'")
    assert found["score"].isna().all() and found["reason"].str.contains("0 of 3 genes found").all()


def test_small_sets_are_scored_and_unverified_ones_are_marked(cohort):
    found = analyse(*cohort, extra_signatures=["QIAN_MDA5_IFN2", "FENG_5"]).scores
    assert found.query("signature == 'QIAN_MDA5_IFN2'")["status"].eq("ok").all()
    assert found.query("signature == 'FENG_5'")["reason"].str.contains("not verified").all()
    assert not found.query("signature == 'RICE_CROW_6'")["reason"].str.contains("not verified").any()


def test_old_symbols_ensembl_ids_and_ambiguous_rows():
    wanted = {"RIGI": "ENSG00000107201", "CMPK2": "ENSG00000134326", "MX1": "ENSG00000157601", "OAS1": ""}
    var = pd.DataFrame(
        {"gene_name": ["DDX58", "TYKI", "LOC129607", "MX1-like", "OAS1"]},
        index=["r1", "r2", "r3", "ENSG00000157601.12", "r5"],
    )
    located = locate_genes(var, wanted, REGISTRY.aliases)
    assert located.features == {"RIGI": "r1", "MX1": "ENSG00000157601.12", "OAS1": "r5"}
    assert "2 rows" in located.ambiguous["CMPK2"]


def test_an_unknown_method_or_rule_is_refused(cohort):
    with pytest.raises(InputError, match="zscore"):
        analyse(*cohort, settings=replace(QUICK, method="gsva"))
    with pytest.raises(InputError, match="RICE_CROW_6"):
        analyse(*cohort, settings=replace(QUICK, signature="RICE"))


def test_a_matrix_that_was_never_logged_gives_no_infinite_score(cohort):
    data, samples = cohort
    found = analyse_cohort(
        of_kind(data, "continuous"), Cohort(samples, "HC", default_origin()), Knowledge(REGISTRY, AXES), QUICK
    )
    assert data.X.max() > 2000 and np.isfinite(found.scores["score"]).all()


def test_a_new_patient_without_diagnosis_and_without_some_genes_is_scored_where_that_is_possible(cohort, result):
    data = cohort[0][[20]][:, ~cohort[0].var_names.isin(["IFI27"])].copy()
    scores, classes = place_patients(data, "counts", pd.DataFrame({"sample": data.obs_names}), result.reference)
    by_method = scores.query("signature == 'RICE_CROW_6'").set_index("method")
    assert by_method["score"].isna().all() and by_method["reason"].str.len().gt(0).all()
    assert "not measured here: 1 of the" in by_method.loc["singscore", "reason"]
    other = scores.query("signature == 'BODEWES_IFN1_5' and method == 'zscore'")
    assert other["status"].eq("ok").all()
    assert classes.loc[0, "ifn_class"] == "unscored" and classes.loc[0, "reason"]


def test_sparse_counts_score_as_dense_ones(cohort, result):
    from scipy.sparse import csr_matrix

    data = cohort[0].copy()
    data.X = csr_matrix(data.X.astype(np.int32))
    pd.testing.assert_frame_equal(analyse(data, cohort[1]).scores, result.scores)
