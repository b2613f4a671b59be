"""The atlas and the figures of the score show the people and genes that they should, and nobody where they should not."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from stratifn.report.figures.atlas import atlas
from stratifn.report.figures.marks import linked_people
from stratifn.report.figures.response import types
from stratifn.report.figures.scores import interferon_scores, one_control, one_control_shares, prevalence
from stratifn.report.figures.style import MANY_PEOPLE, plotting
from stratifn.report.gene_values import SMALLEST_SD, GeneValues, gene_values
from stratifn.report.results import Results
from stratifn.shared.vocabulary import LEFT_OUT_OF_REFERENCE, SHARE_OF_OTHER_TYPE

from .test_report import DISEASE, SAMPLES, example_tables, figures_of, results, section

SETTINGS = {"signature": "RICE_CROW_6", "signature_files": []}
CONTROLS = [sample for sample, disease in zip(SAMPLES, DISEASE, strict=True) if disease == "HC"]


def with_genes(tables: dict[str, pd.DataFrame], **report) -> Results:
    """Results with three genes, of which two are of the signature."""
    score = tables["classes"]["score"].to_numpy()
    values = pd.DataFrame({"ISG15": score, "IFI27": 2 * score, "MX1": score / 2}, index=SAMPLES)
    return replace(results(tables, **report), genes=GeneValues(values, ("IFI27", "ISG15")))


def drawn(draw, shown: Results):
    """The only figure, laid out."""
    with plotting():
        ((_, figure),) = draw(shown)
        figure.canvas.draw()
    return figure


def rows_of(figure) -> list[list[str]]:
    return [[label.get_text() for label in panel.get_yticklabels()] for panel in figure.axes]


def test_each_person_with_a_score_is_a_bar_and_the_bars_rise_within_a_group():
    tables = example_tables()
    tables["classes"].loc[1, ["score", "ifn_class"]] = [np.nan, "unscored"]
    people = linked_people(drawn(atlas, with_genes(tables)))
    ((_, linked),) = people.items()
    order = ["HC", "SLE", "pSS"]
    expected = [
        sample
        for group in order
        for sample in tables["classes"][tables["classes"]["disease"] == group]
        .dropna(subset=["score"])
        .sort_values("score")["sample"]
    ]
    assert list(linked) == expected and "person-01" not in linked


def test_genes_of_the_signature_come_first_and_the_strongest_above():
    labels = rows_of(drawn(atlas, with_genes(example_tables())))
    assert ["IFI27", "ISG15", "MX1"] in [sorted(names[:2]) + names[2:] for names in labels]


def test_tracks_are_what_is_known_of_people():
    tables = example_tables()
    tables["confounding"] = pd.DataFrame(
        {
            "disease": "SLE",
            "variable": ["hydroxychloroquine", "sledai", "anti_ifn"],
            "kind": ["treatment", "activity", "anti-IFN therapy"],
        }
    )
    shown = with_genes(tables)
    shown.samples["hydroxychloroquine"] = ["yes", "no"] * 6
    shown.samples["sledai"] = np.r_[np.arange(8.0), [np.nan] * 4]
    shown.samples["anti_ifn"] = "no"
    shown.samples["in_rna"] = [False] + [True] * 11
    (tracks,) = [names for names in rows_of(drawn(atlas, shown)) if "stratum" in names]
    assert tracks == [
        "ISG signature", "probability of high", "type of response", "stratum", "hydroxychloroquine", "sledai", "views missing",
    ], "nobody differs in anti_ifn"  # fmt: skip


def test_no_column_is_one_person_where_people_are_not_listed():
    figure = drawn(atlas, with_genes(example_tables(), sample_ids=False))
    assert linked_people(figure) == {}
    assert len(figure.axes[0].collections[0].get_paths()) == 1, "only the five high patients with SLE are not few"


def test_the_bars_of_many_people_are_one_image():
    size = MANY_PEOPLE + 1
    names = [f"p{number}" for number in range(size)]
    tables = example_tables()
    score = np.linspace(-1, 6, size)
    people = pd.DataFrame({"sample": names, "disease": "SLE", "score": score})
    tables["classes"] = people.assign(ifn_class="low", probability_high=0.5, ifn_type="I", reason=None)
    tables["strata"] = people.drop(columns="score").assign(stratum=1, informed=True)
    shown = results(tables)
    object.__setattr__(shown, "samples", people.drop(columns="score").assign(patient=names, in_rna=True))
    figure = drawn(atlas, shown)
    assert linked_people(figure) == {}
    assert figure.axes[0].collections[0].get_rasterized()


@pytest.mark.parametrize("disease", [None, "SLE"])
def test_the_atlas_comes_without_genes_classes_strata_or_not_at_all(tmp_path, disease):
    tables = example_tables()
    tables["strata"] = tables["strata"].assign(stratum=1, label="1")
    tables["stability"] = pd.DataFrame({"stratum": [1], "n": [12], "label": ["1"], "jaccard": [np.nan]})
    tables["classes"] = tables["classes"].assign(ifn_class="unscored", ifn_type=None)
    shown = results(tables)
    shown = shown if disease is None else shown.of_disease(disease)
    assert set(figures_of(shown, tmp_path, "atlas")) == {"atlas"}
    tables["classes"]["score"] = np.nan
    assert figures_of(results(tables), tmp_path, "atlas") == {}, "no empty axes"


# --- values of genes --------------------------------------------------------------------------------------------------


def view(names: dict[str, str]) -> ad.AnnData:
    """A view of features (id to symbol)."""
    values = np.arange(3 * len(names), dtype=float).reshape(3, len(names))
    return ad.AnnData(
        values,
        pd.DataFrame(index=["a", "b", "c"]),
        pd.DataFrame({"gene_name": list(names.values())}, index=list(names)),
    )


def test_genes_are_found_by_id_symbol_and_old_symbol_and_not_where_two_rows_claim_one():
    data = view(
        {"ENSG00000187608.9": "odd", "IFI27": "IFI27", "x1": "MX1", "x2": "MX1", "r": "DDX58", "other": "OTHER"}
    )
    found = gene_values(data, SETTINGS)
    assert found.values["ISG15"].tolist() == data.X[:, 0].tolist()
    assert found.values["RIGI"].tolist() == data.X[:, 4].tolist()
    assert set(found.values) == {"ISG15", "IFI27", "RIGI"}
    assert set(found.signature) == {"ISG15", "IFI27"}


def test_z_is_against_the_controls_that_the_scores_rest_on():
    tables = example_tables()
    shown = with_genes(tables)
    assert shown.reference_controls == CONTROLS
    z = shown.genes.against(CONTROLS).loc[CONTROLS]
    assert z.mean().abs().max() < 1e-12 and z.std().tolist() == pytest.approx([1, 1, 1])
    left_out = pd.DataFrame(
        {
            "phase": ["interferon"],
            "view": ["rna"],
            "item": CONTROLS[:1],
            "what": [LEFT_OUT_OF_REFERENCE],
            "reason": ["far"],
        }
    )
    assert with_genes(tables | {"notes": left_out}).reference_controls == CONTROLS[1:]


def test_a_gene_that_hardly_varies_is_not_blown_up_and_few_controls_give_no_z():
    values = pd.DataFrame({"ISG15": [1.0, 1.0, 1.0, 1.0 + SMALLEST_SD]}, index=list("abcd"))
    genes = GeneValues(values, ("ISG15",))
    assert genes.against(["a", "b", "c"]).loc["d", "ISG15"] == pytest.approx(1)
    assert genes.against(["a", "b"]).empty


# --- score, share, one control ----------------------------------------------------------------------------------------


def test_borderline_people_are_rings_and_people_without_a_class_are_grey():
    tables = example_tables()
    tables["classes"].loc[0, "ifn_class"] = "unscored"
    (panel,) = drawn(interferon_scores, results(tables)).axes
    words = [text.get_text() for text in panel.get_legend().get_texts()]
    assert words == ["median", "borderline", "no class"]
    points = [each for each in panel.collections if isinstance(each, PathCollection)]
    assert sum(len(each.get_offsets()) for each in points if not len(each.get_facecolor())) == 1, "person-07"
    tables["classes"]["ifn_class"] = "low"
    (panel,) = drawn(interferon_scores, results(tables)).axes
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["median"]


def test_the_shares_are_written_beside_the_forest_and_no_axes_are_empty():
    (panel,) = drawn(prevalence, results(example_tables(), min_cell=0)).axes
    assert {"100 % (50 to 100)\npublished 73 %", "33 % (5 to 80)"} <= {text.get_text() for text in panel.texts}
    tables = example_tables()
    tables["prevalence"] = tables["prevalence"].assign(published=np.nan).iloc[1:]
    with plotting():
        assert list(prevalence(results(tables))) == [], "three people: no share is shown"


def test_the_range_without_one_control_is_that_of_the_table_and_hidden_where_few_change_sides():
    tables = example_tables()
    shown = one_control_shares(results(tables, min_cell=0))
    assert shown.loc[0].tolist() == ["RICE_CROW_6", pytest.approx((5 + 1) / 8), 0.5, 0.75]
    assert one_control_shares(results(tables)).empty, "the share of pSS is hidden"
    for flipped, told in ((6.0, True), (2.0, False)):
        tables["reference"]["flipped"] = flipped
        every = results(tables)
        every.heads.__dict__["every_share_shown"] = True
        assert len(one_control_shares(every)) == told
        with plotting():
            assert len(list(one_control(every))) == told


def test_the_boundaries_of_the_types_are_the_cut_offs_or_a_quarter_of_the_other_part():
    (panel,) = drawn(types, results(example_tables())).axes
    of_type_i, of_type_ii = (line for line in panel.lines if line.get_linestyle() == "--")
    for line, cutoff, across in ((of_type_i, 0.3, 0), (of_type_ii, 0.2, 1)):
        points = line.get_xydata()
        assert points[:2, across].tolist() == [cutoff, cutoff]
        last = points[-1]
        assert last[across] == pytest.approx(max(cutoff, SHARE_OF_OTHER_TYPE * last[1 - across]))
    assert {"type I", "type II", "type I and II"} == {text.get_text() for text in panel.texts}


def test_an_axis_that_nobody_has_is_named_with_its_reason():
    tables = example_tables()
    missing = pd.DataFrame(
        {"sample": SAMPLES, "axis": "sensing", "score": np.nan, "evidence": "rig_i_mda5 (1 of 50 genes, too few)"}
    )
    tables["axes"] = pd.concat([tables["axes"], missing])
    words = section(results(tables), "interferon")
    assert (
        "Not computed of the three axes of the pathway (ligand, sensing, response): sensing: rig_i_mda5 (1 of 50 genes, too few)."
        in words
    )
    tables["axes"]["score"] = 1.0
    assert "Not computed of the three axes" not in section(results(tables), "interferon")
