"""Gene sets: read from GMT files, and tested by CAMERA."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from defaults import settings_of
from stratifn.differential_expression import Question, all_contrasts, analyse_cohort, enrichment_table
from stratifn.differential_expression.camera import camera, gene_correlation, gene_model, normal_deviates
from stratifn.differential_expression.contrasts import Contrast
from stratifn.registry.gene_sets import GeneSet, read_gmt
from stratifn.shared.design import model_matrix
from stratifn.shared.errors import InputError
from stratifn.shared.statistics import benjamini_hochberg

SETTINGS = settings_of("differential_expression", shrink=False, permutations=0)
IFN = [f"G{i:04d}" for i in range(6)]


def cohort(n_genes=600, effect=4.0, seed=1, noise=None):
    """Values on a log scale; six genes lead the ranking of SLE against HC, as interferon genes do."""
    rng = np.random.default_rng(seed)
    samples = pd.DataFrame({"sample": [f"S{i:02d}" for i in range(20)], "disease": ["HC"] * 10 + ["SLE"] * 10})
    values = rng.normal(8, 1, (20, n_genes)) if noise is None else noise.copy()
    values[10:, :6] += effect
    names = [f"G{i:04d}" for i in range(n_genes)]
    view = ad.AnnData(values, obs=pd.DataFrame(index=samples["sample"]), var=pd.DataFrame(index=names))
    view.var["gene_name"] = names
    view.uns["kind"] = "continuous"
    return view, samples, model_matrix(samples, "disease", "HC")


def sets(**genes):
    return [GeneSet(name, "paper", tuple(symbols)) for name, symbols in genes.items()]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 8])
def test_a_few_genes_that_lead_a_ranking_are_found(size):
    view, _, design = cohort()
    leading = [f"G{i:04d}" for i in range(min(size, 6))] + [f"G{i:04d}" for i in range(6, size)]
    table = enrichment_table(view, design, all_contrasts(["SLE"], "HC"), sets(ifn=leading))
    assert table.loc[0, "n_genes"] == size and table.loc[0, "score"] > 0
    assert table.loc[0, "pvalue"] < 0.05


def test_the_table_is_sorted_adjusted_by_contrast_and_signed():
    view, samples, design = cohort()
    up, down = Contrast("up", "disease", "SLE", "HC"), Contrast("down", "disease", "HC", "SLE")
    wanted = sets(null=[f"G{i:04d}" for i in range(300, 330)], ifn=IFN, absent=["NOPE"])
    table = enrichment_table(view, design, [up, down], wanted)
    assert list(table["contrast"]) == ["down"] * 3 + ["up"] * 3
    assert list(table["gene_set"]) == ["absent", "ifn", "null"] * 2
    by = table.set_index(["contrast", "gene_set"])
    assert by.loc[("up", "ifn"), "score"] == pytest.approx(-by.loc[("down", "ifn"), "score"])
    assert by.loc[("up", "ifn"), "pvalue"] == pytest.approx(by.loc[("down", "ifn"), "pvalue"])
    assert by.loc[("up", "null"), "pvalue"] > 0.05
    assert by.loc[("up", "absent"), "n_genes"] == 0 and by.loc[("up", "absent")].isna()["pvalue"]
    expected = benjamini_hochberg(by.loc["up", "pvalue"])
    np.testing.assert_allclose(by.loc["up", "padj"], expected)
    assert set(by.loc[("up", "ifn"), "leading_genes"].split(", ")) == set(IFN)
    shuffled = enrichment_table(view[:, ::-1].copy(), design, [up, down], wanted[::-1])
    pd.testing.assert_frame_equal(shuffled, table)


def test_of_several_rows_of_one_symbol_the_most_expressed_counts():
    view, _, design = cohort()
    view.var["gene_name"] = ["G0000" if name == "G0599" else name for name in view.var_names]
    view.X[:, 599] -= 5
    table = enrichment_table(view, design, all_contrasts(["SLE"], "HC"), sets(ifn=["G0000", "G0001"]))
    assert table.loc[0, "n_genes"] == 2
    assert table.loc[0, "leading_genes"].split(", ")[0] in ("G0000", "G0001")


def test_genes_that_do_not_vary_are_no_part_of_any_set():
    view, _, design = cohort()
    view.X[:, 2] = 3.0
    table = enrichment_table(view, design, all_contrasts(["SLE"], "HC"), sets(ifn=IFN))
    assert table.loc[0, "n_genes"] == 5


def test_a_set_of_all_genes_has_nothing_to_be_compared_with():
    view, _, design = cohort(n_genes=10)
    table = enrichment_table(view, design, all_contrasts(["SLE"], "HC"), sets(all=list(view.var_names)))
    assert pd.isna(table.loc[0, "pvalue"])


def test_missing_values_leave_the_other_samples_of_a_gene():
    view, _, design = cohort(seed=4)
    whole = enrichment_table(view, design, all_contrasts(["SLE"], "HC"), sets(ifn=IFN))
    view.X[0, 1] = view.X[13, 4] = np.nan
    table = enrichment_table(view, design, all_contrasts(["SLE"], "HC"), sets(ifn=IFN))
    assert table.loc[0, "n_genes"] == 6
    assert table.loc[0, "correlation"] == pytest.approx(whole.loc[0, "correlation"], abs=0.05)
    assert table.loc[0, "score"] == pytest.approx(whole.loc[0, "score"], rel=0.1)


def test_genes_that_move_together_are_seen_to_and_weigh_less():
    rng = np.random.default_rng(3)
    noise = rng.normal(8, 1, (20, 600))
    view, _, design = cohort(effect=0.8, noise=noise)
    alone = enrichment_table(view, design, all_contrasts(["SLE"], "HC"), sets(ifn=IFN)).loc[0]
    noise[:, :6] = 8 + 0.4 * (noise[:, :6] - 8) + rng.normal(0, 0.9, (20, 1))
    view, _, design = cohort(effect=0.8, noise=noise)
    together = enrichment_table(view, design, all_contrasts(["SLE"], "HC"), sets(ifn=IFN)).loc[0]
    assert abs(alone["correlation"]) < 0.2 < 0.6 < together["correlation"]
    assert together["pvalue"] > alone["pvalue"]


def test_the_correlation_is_that_of_the_residuals():
    rng = np.random.default_rng(5)
    values = rng.normal(0, 1, (30, 5)) + rng.normal(0, 1, (30, 1))
    matrix = np.column_stack([np.ones(30), np.repeat([0.0, 1.0], 15)])
    residuals = values - matrix @ np.linalg.lstsq(matrix, values, rcond=None)[0]
    expected = np.corrcoef(residuals.T)[np.triu_indices(5, 1)].mean()
    assert gene_correlation(gene_model(values, matrix), np.arange(5)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("df", "tolerance"), [(3, 1e-3), (10, 1e-6), (100, 1e-9)])
def test_normal_deviates_keep_the_tail_of_t(df, tolerance):
    # Hill's approximation, whose error these are
    t = np.array([-6.0, -0.3, 0.0, 0.1, 2.0, 9.0])
    exact = np.sign(t) * stats.norm.isf(stats.t.sf(np.abs(t), df))
    np.testing.assert_allclose(normal_deviates(t, np.full(6, float(df))), exact, atol=tolerance)
    np.testing.assert_allclose(normal_deviates(t, np.full(6, np.inf)), t, rtol=1e-12)


def test_equal_values_have_no_rank_by_their_rounding():
    view, _, design = cohort()
    values = np.asarray(view.X).copy()
    values[:, 100:300] = 1.902312
    model = gene_model(values, design.matrix.to_numpy())
    assert (model.statistic(np.array([0.0, 1.0]))[100:300] == 0).all()


def test_sets_are_ranked_against_zero_whatever_the_threshold_of_the_genes():
    view, samples, _ = cohort()
    question = Question(("SLE",), "HC", "disease", tuple(all_contrasts(["SLE"], "HC")))
    tables = [
        analyse_cohort(view, samples, question, replace(SETTINGS, lfc_threshold=t), sets(ifn=IFN)).enrichment
        for t in (0.0, 0.5, 5.0)
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    pd.testing.assert_frame_equal(tables[0], tables[2])


@pytest.mark.parametrize("correlation", [0.0, 0.3])
@pytest.mark.parametrize("use_ranks", [False, True])
def test_null_sets_of_correlated_genes_are_not_called(correlation, use_ranks):
    # 400 sets: 5 % has a standard error of 1.1 points
    rng = np.random.default_rng(11)
    matrix = np.column_stack([np.ones(40), np.repeat([0.0, 1.0], 20)])
    called = []
    for _ in range(400):
        values = rng.normal(size=(40, 200))
        values[:, :20] *= np.sqrt(1 - correlation)
        values[:, :20] += np.sqrt(correlation) * rng.normal(size=(40, 1))
        (test,) = camera(gene_model(values, matrix), np.array([0.0, 1.0]), [np.arange(20)], use_ranks=use_ranks)
        called.append(test.pvalue < 0.05)
    assert np.mean(called) <= 0.05 + 3 * 0.011


def test_a_users_gmt_is_read_and_its_faults_are_all_named(tmp_path):
    path = tmp_path / "mine.gmt"
    path.write_text("A\tsome paper\tISG15\tMX1\tISG15\n\nB\t\tG1P2\n")
    first, second = read_gmt(path, {"G1P2": "ISG15"})
    assert (first.symbols, first.source, first.repeated) == (("ISG15", "MX1"), "mine.gmt: some paper", ("ISG15",))
    assert (second.symbols, second.written, second.source) == (("ISG15",), ("G1P2",), "mine.gmt")
    path.write_text("A\tx\tISG15\nA\tx\tMX1\nempty\tx\n")
    with pytest.raises(InputError, match="line 2(.|\n)*line 3"):
        read_gmt(path, {})


@pytest.mark.parametrize(("content", "said"), [(b"\xff\xfe\x00A", "Save it as UTF-8"), (b"\n", "no gene set")])
def test_a_gmt_that_is_none_is_refused_in_words(tmp_path, content, said):
    path = tmp_path / "mine.gmt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_gmt(path, {})
    with pytest.raises(InputError, match="nothing there"):
        read_gmt(tmp_path / "none.gmt", {})


def test_repeated_genes_of_a_set_are_noted():
    view, samples, _ = cohort()
    question = Question(("SLE",), "HC", "disease", tuple(all_contrasts(["SLE"], "HC")))
    twice = [replace(sets(ifn=IFN)[0], repeated=("G0001",))]
    notes = analyse_cohort(view, samples, question, SETTINGS, twice).notes
    assert ["gene set ifn", "repeated genes", "counted once: G0001"] in notes[
        ["item", "what", "reason"]
    ].values.tolist()


class Panic(BaseException):
    """As pyo3's, no `Exception`."""


@pytest.mark.parametrize(
    ("function", "item", "table"),
    [
        ("enrichment_table", "gene sets", "enrichment"),
        ("permutation_null", "calls on permuted labels", "permutation"),
        ("cross_disease_table", "effects across diseases", "cross_disease"),
    ],
)
def test_a_by_product_that_panics_leaves_the_tables_of_differential_expression(monkeypatch, function, item, table):
    def panic(*arguments, **options):
        raise Panic("user-provided comparison function does not correctly implement a total order")

    view, samples, _ = cohort()
    question = Question(("SLE",), "HC", "disease", tuple(all_contrasts(["SLE"], "HC")))
    whole = analyse_cohort(view, samples, question, SETTINGS, sets(ifn=IFN))
    monkeypatch.setattr(f"stratifn.differential_expression.analysis.{function}", panic)
    result = analyse_cohort(view, samples, question, SETTINGS, sets(ifn=IFN))
    pd.testing.assert_frame_equal(result.tables["SLE_vs_HC"], whole.tables["SLE_vs_HC"])
    assert getattr(result, table).empty and list(getattr(result, table).columns)
    assert [item, "not computed"] in result.notes[["item", "what"]].values.tolist()
