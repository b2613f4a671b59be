"""`cohort.h5mu` opens in muon and scanpy, and their plots find what they look for under its usual name."""

from __future__ import annotations

import anndata as ad
import matplotlib as mpl
import mudata as md
import numpy as np
import pandas as pd
import pytest

from stratifn import __version__
from stratifn.normalization.principal_components import add_principal_components
from stratifn.report.colours import category_colours
from stratifn.report.figures.style import CLASS_COLOURS, CONTROL_LOOK, DISEASE_LOOKS, STRATUM_LOOKS, UNCERTAIN_LOOK
from stratifn.running.export import TABLES, Exported, cohort_object, write_mudata

SAMPLES = [f"S{number:02d}" for number in range(16)]
DISEASE = ["pSS"] * 4 + ["SLE"] * 6 + ["HC"] * 6
GENES = ["CXCL10", *(f"G{number:02d}" for number in range(39))]
ANALYTES = ["CXCL10", "IL6", "TNF", "IL10", "CCL2"]
STRATA = ["1"] * 5 + ["2"] * 10 + ["uncertain"]
LABELS = ["interferon"] * 5 + ["healthy-like"] * 10 + ["uncertain"]
FACTORS = ["Factor1", "Factor2"]


def view(features: list[str], samples: list[str], kind: str, seed: int) -> ad.AnnData:
    values = np.random.default_rng(seed).normal(size=(len(samples), len(features)))
    data = ad.AnnData(values, pd.DataFrame(index=samples), pd.DataFrame({"gene_name": features}, index=features))
    add_principal_components(data)
    data.uns["kind"], data.uns["transform"] = kind, {"scale": np.ones(3)}
    return data


def contrast() -> pd.DataFrame:
    shuffled = GENES[::-1]
    numbers = np.arange(len(GENES), dtype=float)
    return pd.DataFrame(
        {"gene_id": shuffled, "gene_name": shuffled, "baseMean": numbers, "log2FoldChange": numbers / 10, "padj": np.nan,
         "status": ["tested"] * 39 + ["low_count"]}
    )  # fmt: skip


def tables() -> dict[str, pd.DataFrame]:
    score = np.arange(16.0)
    rng = np.random.default_rng(3)
    return {
        "classes": pd.DataFrame(
            {"sample": SAMPLES, "disease": DISEASE, "score": score, "probability_high": score / 16, "ifn_class": ["high"] * 8 + ["low"] * 8,
             "type_i": score, "type_ii": score / 2, "ifn_type": ["I"] * 15 + [None], "modules_active": pd.array([1] * 15 + [None], dtype="Int64"),
             "ifn_class_all_controls": "low", "reason": None}
        ),
        "scores": pd.DataFrame(
            {"sample": SAMPLES * 2, "signature": ["RICE_CROW_6"] * 16 + ["KIROU_3"] * 16, "method": "zscore", "score": [*score, *score[::-1]]}
        ),
        "methylation": pd.DataFrame({"sample": SAMPLES[:3], "score": [1.0, 2.0, 3.0]}),
        "axes": pd.DataFrame({"sample": SAMPLES[:2], "axis": ["ligand", "response"], "score": [1.0, 2.0]}),
        "reference": pd.DataFrame({"signature": ["RICE_CROW_6"], "method": ["zscore"], "cutoff": [2.5]}),
        "factors": pd.DataFrame({"sample": SAMPLES[:15], "Factor1": rng.normal(size=15), "Factor2": rng.normal(size=15)}),
        "variance_explained": pd.DataFrame(
            {"view": ["rna", "rna", "rna", "cytokines", "cytokines", "cytokines"], "factor": [*FACTORS, "total"] * 2,
             "r2": [20.0, 5.0, 25.0, 1.0, 30.0, 31.0]}
        ),
        "strata": pd.DataFrame(
            {"sample": SAMPLES, "stratum": STRATA, "confidence": 0.9, "stability": 0.8, "informed": True, "label": LABELS}
        ),
    }  # fmt: skip


def parts(**changed) -> Exported:
    samples = pd.DataFrame(
        {"sample": SAMPLES, "patient": SAMPLES, "disease": DISEASE, "sex": ["F", "M"] * 8, "age": np.arange(16.0)}
    )
    views = {"rna": view(GENES, SAMPLES, "counts", 1), "cytokines": view(ANALYTES, SAMPLES[:12], "concentration", 2)}
    weights = {
        "rna": pd.DataFrame({"feature": GENES[:30], "Factor1": np.arange(30.0), "Factor2": -np.arange(30.0)}),
        "cytokines": pd.DataFrame({"feature": ANALYTES, "Factor1": 0.5, "Factor2": -0.5}),
    }
    stability = pd.DataFrame({"stratum": [1, 2], "label": ["interferon", "healthy-like"]})
    colours = category_colours(["SLE", "pSS"], "HC", stability)
    return Exported(samples, views, tables() | changed, weights, {"SLE_vs_HC": contrast()}, colours)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> md.MuData:
    """The object after a round through its file."""
    path = tmp_path_factory.mktemp("export") / "cohort.h5mu"
    write_mudata(cohort_object(parts()), path)
    with md.set_options(pull_on_update=False):
        return md.read_h5mu(path)


# --- plots of muon and scanpy -----------------------------------------------------------------------------------------


@pytest.fixture
def drawn():
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def words(plt) -> set[str]:
    return {text.get_text() for number in plt.get_fignums() for axes in plt.figure(number).axes for text in axes.texts}


@pytest.mark.filterwarnings("ignore")
def test_muon_ranks_the_weights_of_every_view(data, drawn):
    import muon as mu

    mu.pl.mofa_loadings(data, factors="1,2", n_points=3, show=False)
    assert len(drawn.get_fignums()) == 2
    # the largest weight of rna among the features of the model
    assert GENES[29] in words(drawn)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["rna", "cytokines"])
def test_scanpy_draws_components_in_the_colours_of_the_report(data, drawn, name):
    import scanpy as sc

    axes = sc.pl.pca(data[name], color="disease", show=False)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == [group for group in ("SLE", "pSS", "HC") if group in set(data[name].obs["disease"])]
    points = {mpl.colors.to_hex(colour) for collection in axes.collections for colour in collection.get_facecolors()}
    assert DISEASE_LOOKS["SLE"].colour in points
    sc.pl.pca(data[name], color=["stratum_label", "ifn_class", "ifn_score"], show=False)


@pytest.mark.filterwarnings("ignore")
def test_scanpy_ranks_the_loadings_of_components(data, drawn):
    import scanpy as sc

    sc.pl.pca_loadings(data["rna"], components="1,2", n_points=4, show=False)
    first = pd.Series(data["rna"].varm["PCs"][:, 0], index=data["rna"].var_names)
    assert first.idxmax() in words(drawn)
    sc.pl.pca_variance_ratio(data["rna"], show=False)


@pytest.mark.filterwarnings("ignore")
def test_scanpy_draws_a_heat_map_by_group(data, drawn):
    import scanpy as sc

    axes = sc.pl.heatmap(data["rna"], GENES[:4], groupby="disease", show=False)
    ticks = [label.get_text() for label in axes["heatmap_ax"].get_xticklabels()]
    assert ticks == GENES[:4]


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_every_score_class_type_and_stratum_is_in_obs(data):
    source, obs = tables(), data.obs
    np.testing.assert_array_equal(obs["ifn_score"], source["classes"]["score"])
    np.testing.assert_array_equal(obs["KIROU_3_zscore"], source["classes"]["score"][::-1])
    assert obs["ifn_class"].tolist() == source["classes"]["ifn_class"].tolist()
    assert obs["ifn_type"].tolist()[:15] == ["I"] * 15 and pd.isna(obs["ifn_type"].iloc[15])
    assert obs["stratum"].tolist() == STRATA and obs["stratum_label"].tolist() == LABELS
    assert obs["methylation_score"].tolist()[:3] == [1.0, 2.0, 3.0] and obs["methylation_score"].isna().sum() == 13
    assert obs.loc["S01", "axis_response"] == 2.0
    assert {
        "sex",
        "age",
        "ifn_probability_high",
        "stratum_confidence",
        "stratum_informed",
        "RICE_CROW_6_zscore",
    } <= set(obs)
    assert {"disease", "ifn_score", "stratum"} <= set(data["cytokines"].obs)


def test_a_column_of_the_sheet_with_the_name_of_a_score_is_kept_beside_it():
    given = parts()
    samples = given.samples.assign(KIROU_3_zscore=1.0, ifn_score=2.0)
    obs = cohort_object(Exported(samples, given.views, given.tables, given.weights, {}, given.colours)).obs
    assert obs["KIROU_3_zscore_of_sheet"].eq(1.0).all() and obs["ifn_score_of_sheet"].eq(2.0).all()
    np.testing.assert_array_equal(obs["ifn_score"], given.tables["classes"]["score"])


def test_factors_weights_and_variance_are_where_muon_has_them(data):
    assert data.obsm["X_mofa"].shape == (16, 2) and np.isnan(data.obsm["X_mofa"][15]).all()
    np.testing.assert_array_equal(
        data.varm["LFs"], np.concatenate([data["rna"].varm["LFs"], data["cytokines"].varm["LFs"]])
    )
    assert data["rna"].varm["LFs"][29].tolist() == [29.0, -29.0]
    assert not data["rna"].varm["LFs"][30:].any() and data["rna"].var["in_model"].sum() == 30
    assert data.uns["mofa"]["variance"]["cytokines"].tolist() == [1.0, 30.0]
    assert list(data.uns["mofa"]["factors"]) == FACTORS


def test_components_are_the_projections_on_their_loadings(data):
    rna = data["rna"]
    centred = rna.X - rna.X.mean(axis=0)
    np.testing.assert_allclose(centred @ rna.varm["PCs"], rna.obsm["X_pca"], atol=1e-9)
    np.testing.assert_allclose(np.square(rna.varm["PCs"]).sum(axis=0), 1.0)


def test_contrasts_are_frames_in_the_order_of_the_features(data):
    assert "SLE_vs_HC" not in data["cytokines"].varm
    frame, source = data["rna"].varm["SLE_vs_HC"], contrast().set_index("gene_id")
    np.testing.assert_array_equal(frame["log2FoldChange"], source.loc[GENES, "log2FoldChange"])
    assert frame["status"].tolist() == source.loc[GENES, "status"].tolist() and frame["padj"].isna().all()


def test_colours_are_those_of_the_report_in_the_order_of_the_categories(data):
    for each in (data, data["rna"]):
        assert list(each.obs["disease"].cat.categories) == ["SLE", "pSS", "HC"]
        assert list(each.uns["disease_colors"]) == [
            DISEASE_LOOKS["SLE"].colour,
            DISEASE_LOOKS["pSS"].colour,
            CONTROL_LOOK.colour,
        ]
        strata = [STRATUM_LOOKS["interferon"].colour, STRATUM_LOOKS["healthy-like"].colour, UNCERTAIN_LOOK.colour]
        assert list(each.uns["stratum_colors"]) == list(each.uns["stratum_label_colors"]) == strata
        assert list(each.uns["ifn_class_colors"]) == [CLASS_COLOURS["high"], CLASS_COLOURS["low"]]


def test_cut_offs_and_versions_are_kept_and_frozen_transforms_are_not(data):
    assert data.uns["ifn_cutoffs"].set_index("signature").loc["RICE_CROW_6", "cutoff"] == 2.5
    assert data.uns["versions"]["stratifn"] == __version__
    assert "transform" not in data["rna"].uns


def test_the_same_cohort_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_mudata(cohort_object(parts()), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_cohort_without_scores_axes_and_contrasts_is_whole():
    empty = {
        "scores": tables()["scores"].iloc[:0],
        "methylation": tables()["methylation"].iloc[:0],
        "axes": tables()["axes"].iloc[:0],
        "classes": tables()["classes"].assign(score=np.nan, ifn_class="unscored", ifn_type=None),
        "reference": tables()["reference"].iloc[:0],
    }
    given = parts(**empty)
    obs = cohort_object(Exported(given.samples, given.views, given.tables, given.weights, {}, given.colours)).obs
    assert obs["ifn_class"].eq("unscored").all() and not [name for name in obs if name.startswith("axis_")]


def test_every_table_that_is_asked_for_is_joined():
    assert set(TABLES) == set(tables())
