"""The report on strata and factors: the signature beside the strata, the rule for their number, and what they rest on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from drawn_figures import drawn, no_figure_stays_open
from stratifn.report.figures import factors, strata
from stratifn.report.figures.flow import Flow, Node, draw_flow
from stratifn.report.figures.style import plotting
from stratifn.report.results import _marker_levels
from stratifn.report.sections.strata import labels_table, signature_sentence
from unit.test_report import example_tables, example_verdicts, figures_of, results, section

__all__ = ["no_figure_stays_open"]


def texts(figure) -> list[str]:
    figure.draw_without_rendering()
    axes = [text.get_text() for panel in figure.axes for text in panel.texts]
    labels = [
        label.get_text() for panel in figure.axes for label in (*panel.get_xticklabels(), *panel.get_yticklabels())
    ]
    return [*axes, *labels]


def with_two_high_elsewhere() -> dict[str, pd.DataFrame]:
    """Five of seven high people are in the stratum called interferon."""
    tables = example_tables()
    tables["classes"] = tables["classes"].assign(ifn_class=["high"] * 5 + ["low", "high", "high"] + ["low"] * 4)
    return tables


def test_high_people_outside_the_interferon_stratum_are_counted_as_the_table_counts_them():
    shown = results(with_two_high_elsewhere(), min_cell=0)
    assert signature_sentence(shown).startswith(
        "Of 7 people with a high signature 2 (29 %) are outside the strata called interferon"
    )
    crossed = shown.signature_by_stratum
    assert crossed.divided.words.loc["high"].to_dict() == {"1": "5", "2": "2"}
    assert crossed.totals["high"] == "7"
    assert signature_sentence(shown) in section(shown, "strata")


def test_few_high_people_outside_the_interferon_stratum_are_not_told():
    shown = results(with_two_high_elsewhere(), min_cell=3)
    assert shown.signature_by_stratum is None or shown.signature_by_stratum.high_outside is None
    words = section(shown, "strata")
    assert "it would tell of few people" in words
    assert "Of 7 people" not in words


def test_nobody_outside_and_no_such_stratum_are_said_as_such():
    tables = with_two_high_elsewhere()
    tables["classes"] = tables["classes"].assign(ifn_class=["high"] * 5 + ["low"] * 7)
    assert (
        signature_sentence(results(tables, min_cell=0))
        == "All 5 people with a high signature are in a stratum called interferon."
    )
    tables["stability"] = tables["stability"].assign(label=["lymphoid", "healthy-like"])
    assert signature_sentence(results(tables, min_cell=0)) == "No stratum is called interferon."


def test_the_flow_draws_no_more_people_than_are_shown():
    shown = results(example_tables(), min_cell=5)
    figure = drawn(strata.strata_flow, shown)
    words = texts(figure)
    assert "SLE (5)" in words
    assert "1 interferon" in words, "the size of a stratum counts the groups that are left out too"
    assert not any(word.startswith(("pSS", "HC")) for word in words), "groups of few people are left out"
    heights = sorted(round(patch.get_height()) for patch in figure.axes[0].patches)
    # no stratum holds more than what is told of it
    assert max(heights) <= 5


def test_bands_start_and_end_within_their_nodes():
    columns = [
        [Node("a", "a", 6, "#000000"), Node("b", "b", 4, "#111111")],
        [Node("x", "x", 10, "#222222"), Node("no", "no", 0, "#333333")],
    ]
    flows = [Flow(0, "a", "x", 6, "6"), Flow(0, "b", "x", 4, "4"), Flow(0, "b", "no", 0, "")]
    with plotting():
        figure = draw_flow(columns, ["first", "second"], flows)
    (axes,) = figure.axes
    assert len(axes.collections) == 2, "nobody has no band"
    nodes = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in axes.patches]
    assert len(nodes) == 3
    for band in axes.collections:
        vertices = band.get_paths()[0].vertices
        for end in (vertices[:, 0].min(), vertices[:, 0].max()):
            at_end = vertices[np.isclose(vertices[:, 0], end), 1]
            assert any(low - 1e-9 <= at_end.min() and at_end.max() <= high + 1e-9 for low, high in nodes)


def test_a_flow_without_classes_ends_at_the_strata():
    tables = example_tables()
    tables["classes"] = tables["classes"].assign(ifn_class="unscored", reason="no controls")
    figure = drawn(strata.strata_flow, results(tables, min_cell=0))
    assert "ISG signature" not in texts(figure)


def test_the_chosen_number_is_ringed_and_unstable_ones_are_hollow():
    figure = drawn(strata.selection, results(example_tables()))
    _, stable, bic, _ = figure.axes
    assert [line.get_ydata()[0] for line in stable.lines if line.get_linestyle() == "--"] == [0.85]
    full, hollow, ring = bic.collections
    assert full.get_offsets().tolist() == [[2, 1.25]] and ring.get_offsets().tolist() == [[2, 1.25]]
    assert hollow.get_offsets().tolist() == [[3, 0]], "it has the lowest BIC and is not stable"
    assert {"0.05", "0.85"} <= set(texts(figure))


def test_the_table_of_the_choice_keeps_the_digits_that_decide():
    words = section(results(example_tables()), "strata")
    assert "1234.5" in words and "1233.2" in words


def test_one_stratum_has_a_choice_and_no_other_figure(tmp_path):
    tables = example_tables()
    tables["strata"] = tables["strata"].assign(stratum=1, label="1")
    tables["stability"] = pd.DataFrame({"stratum": [1], "n": [12], "label": ["1"], "jaccard": [np.nan]})
    tables["selection"] = tables["selection"].assign(chosen=[True, False, False])
    tables["verdicts"] = example_verdicts().query("claim != 'strata' or criterion == 'null_pvalue'")
    drawings = figures_of(results(tables), tmp_path, "strata_flow", "selection", "consensus", "markers")
    assert set(drawings) == {"selection"}
    figure = drawn(strata.selection, results(tables))
    assert all(len(panel.collections) == 2 for panel in figure.axes[1:3]), "no number is ringed"


def test_a_number_that_was_never_tried_gives_no_empty_axes():
    tables = example_tables()
    tables["selection"] = tables["selection"].iloc[:1]
    assert drawn(strata.selection, results(tables)) is None


def test_people_are_ordered_by_stratum_in_the_consensus_and_drawn_as_one_picture():
    figure = drawn(strata.consensus, results(example_tables()))
    (image,) = figure.axes[0].images
    assert image.get_array().shape == (2, 12)
    np.testing.assert_allclose(image.get_array()[0], [0.95] * 5 + [0.05] * 7)


def test_where_nobody_is_listed_the_consensus_is_a_mean_of_enough_people():
    few = drawn(strata.consensus, results(example_tables(), sample_ids=False, min_cell=6))
    assert few.axes[0].images[0].get_array().shape == (2, 1), "five people are too few for a column"
    assert "0.95" in texts(few)


def test_markers_are_named_by_their_genes():
    figure = drawn(strata.markers, results(example_tables(), min_cell=0))
    assert {"IFI27", "B", "1 interferon", "2 healthy-like"} <= set(texts(figure))


def test_marker_levels_are_means_in_standard_deviations_of_who_shows_the_strata():
    import anndata as ad

    values = pd.DataFrame({"G": [1.0, 3.0, 5.0, 99.0], "flat": 1.0}, list("abcd"))
    placed = pd.DataFrame(
        {"sample": list("abcd"), "stratum": ["1", "1", "2", "2"], "informed": [True, True, True, False]}
    )
    markers = pd.DataFrame({"view": ["rna", "rna", "cells"], "feature": ["G", "flat", "x"]})
    levels = _marker_levels(ad.AnnData(values), markers, "rna", placed)
    assert levels.index.tolist() == ["G"], "what does not vary marks nothing"
    assert levels.loc["G"].tolist() == pytest.approx([-0.5, 1.0])


def test_what_a_label_rests_on_is_given_with_its_bounds():
    table = labels_table(results(example_tables(), min_cell=0))
    first = table[table["stratum"] == "1"].set_index("criterion")
    assert first.loc["AUC of the label's score in the stratum", ["value", "needed", "verdict"]].tolist() == [
        "1",
        "at least 0.75",
        "supported",
    ]
    assert "evidence" not in section(results(example_tables()), "strata")


def test_a_stratum_without_a_label_says_so():
    tables = example_tables()
    tables["verdicts"] = tables["verdicts"].query("claim != 'stratum_label' or subject != '2'")
    table = labels_table(results(tables))
    assert table.loc[table["stratum"] == "2", "criterion"].tolist() == ["no label fits"]


def test_hidden_values_of_people_are_empty_in_the_evidence():
    table = labels_table(results(example_tables(), min_cell=5))
    people = table["criterion"].str.contains("share of")
    assert people.any() and (table.loc[people, "value"] == "").all()


# --- factors ------------------------------------------------------------------------------------------------------------


def test_a_factor_is_called_interferon_only_as_far_as_its_verdict_goes():
    assert "interferon" in texts(drawn(factors.factor_overview, results(example_tables())))
    tables = example_tables() | {"verdicts": example_verdicts(interferon_factor__follows_score=0.1)}
    assert "interferon" not in texts(drawn(factors.factor_overview, results(tables)))


def test_with_one_seed_there_is_no_panel_of_other_seeds():
    tables = example_tables()
    assert len(drawn(factors.factor_overview, results(tables)).axes) == 3
    tables["robustness"] = tables["robustness"].assign(robust=pd.Series([None, None], dtype=object), mean_abs_r=np.nan)
    assert len(drawn(factors.factor_overview, results(tables)).axes) == 2


def test_a_factor_that_follows_nothing_says_nothing_else():
    words = texts(drawn(factors.factor_overview, results(example_tables())))
    assert "age, disease" in words and "nothing" in words


def test_weights_are_relative_to_the_largest_and_only_robust_factors_are_shown():
    figure = drawn(factors.top_weights, results(example_tables()))
    (panel,) = figure.axes
    assert panel.get_title(loc="left") == "Factor1: interferon"
    assert [bar.get_width() for bar in panel.patches] == [1.0]
    assert "IFI27" in texts(figure)


def test_without_weights_there_is_no_figure():
    tables = example_tables()
    tables["top_features"] = tables["top_features"].iloc[:0]
    assert drawn(factors.top_weights, results(tables)) is None


def test_a_page_without_the_view_of_expression_has_its_strata(tmp_path):
    views = [{"name": "cells", "kind": "proportion", "path": "c.tsv"}]
    tables = example_tables()
    tables["variance_explained"] = tables["variance_explained"].assign(view="cells")
    without = replace(results(tables, cohort={"views": views}), marker_levels={})
    without.samples["in_cells"] = True
    assert set(figures_of(without, tmp_path, "strata_flow", "markers", "factor_overview", "top_weights")) == {
        "strata_flow",
        "factor_overview",
    }
