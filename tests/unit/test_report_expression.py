"""The report on differential expression: the same axes for every contrast, names that do not collide, honest counts."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from drawn_figures import drawn, no_figure_stays_open
from stratifn.report.figures import across, expression
from stratifn.report.figures.across import interferon_genes
from stratifn.report.figures.labels import name_points
from stratifn.report.figures.marks import subplots
from stratifn.report.figures.style import plotting
from stratifn.report.sections.pages import build_sections
from unit.test_report import example_tables, results, volcano

__all__ = ["no_figure_stays_open"]


def texts(figure) -> list[str]:
    return [text.get_text() for panel in figure.axes for text in panel.texts]


def contrast(effects, padj) -> pd.DataFrame:
    table = volcano(list(padj))
    return table.assign(log2FoldChange=list(effects))


TWO = {"SLE_vs_HC": contrast([5, -1, 0.1], [1e-9, 0.01, 0.9]), "pSS_vs_HC": contrast([1, 2, 0.1], [1e-40, 0.2, 0.9])}


def test_every_volcano_of_a_cohort_has_the_same_axes_on_every_page():
    everybody = results(example_tables(), TWO)
    pages = [everybody, everybody.of_disease("SLE"), everybody.of_disease("pSS")]
    limits = {
        (panel.get_xlim(), panel.get_ylim()) for page in pages for panel in drawn(expression.volcanoes, page).axes
    }
    assert len(limits) == 1
    ((x, y),) = limits
    assert x[1] > 5 and y[1] > 38, "every called gene lies within"


def test_the_calls_and_the_permuted_calls_stand_above_each_volcano():
    tables = example_tables()
    summary = tables["differential_expression_summary"].assign(permuted_calls=78.5)
    figure = drawn(expression.volcanoes, results(tables | {"differential_expression_summary": summary}, TWO))
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert titles == ["SLE against HC\n1 up, 1 down\npermuted labels: 78.5", "pSS against HC\n1 up, 0 down"]


def test_an_effect_beyond_the_axes_is_drawn_on_their_edge():
    effects = np.r_[np.linspace(-1, 1, 5000), 40.0]
    table = contrast(effects, np.full(5001, 0.5))
    (panel,) = drawn(expression.volcanoes, results(example_tables(), {"SLE_vs_HC": table})).axes
    drawn_effects = np.concatenate([points.get_offsets()[:, 0] for points in panel.collections])
    assert len(drawn_effects) == 5001 and drawn_effects.max() <= panel.get_xlim()[1] < 2


def test_the_mass_of_the_genes_is_a_picture_and_the_leading_calls_are_marks():
    table = contrast(np.linspace(-2, 2, 900), np.r_[np.full(300, 1e-5), np.full(600, 0.8)])
    (panel,) = drawn(expression.volcanoes, results(example_tables(), {"SLE_vs_HC": table})).axes
    picture, marks = panel.collections
    assert picture.get_rasterized() and len(picture.get_offsets()) == 800
    assert not marks.get_rasterized() and len(marks.get_offsets()) == expression.VECTOR_GENES


@pytest.mark.parametrize("seed", range(4))
def test_names_lie_neither_on_one_another_nor_on_marks_nor_beyond_the_panel(seed):
    points = np.random.default_rng(seed).normal(size=(60, 2))
    with plotting():
        figure, (panel,) = subplots(3, 3)
        panel.scatter(points[:, 0], points[:, 1])
        figure.draw_without_rendering()
        written = name_points(panel, points, [f"GENE{number}" for number in range(60)], 12, points)
        renderer = figure.canvas.get_renderer()
        boxes = [text.get_window_extent(renderer) for text in panel.texts]
        frame, marks = panel.get_window_extent(renderer), panel.transData.transform(points)
    assert 3 <= written == len(boxes) <= 12
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    assert not any(box.contains(*mark) for box in boxes for mark in marks)


def test_genes_are_named_for_their_significance_and_for_their_effect():
    called = contrast([0.5, 0.6, 9.0, 0.7], [1e-30, 1e-20, 1e-3, 1e-4])
    assert expression._to_name(called)["log2FoldChange"].head(2).tolist() == [0.5, 9.0]


def test_calls_are_drawn_beside_their_permuted_calls():
    tables = example_tables()
    summary = tables["differential_expression_summary"].assign(up=167, down=54)
    permuted = tables["permutation"].assign(mean_calls=78.5, max_calls=444)
    figure = drawn(expression.calls, results(tables | {"differential_expression_summary": summary, "permutation": permuted},
                                             {"SLE_vs_HC": volcano([0.1])}))  # fmt: skip
    assert texts(figure) == ["221 called; permuted: mean 78.5, largest 444"]


def test_without_permutations_there_is_no_figure_of_them():
    tables = example_tables()
    tables["permutation"] = tables["permutation"].assign(mean_calls=np.nan, max_calls=np.nan)
    assert drawn(expression.calls, results(tables, {"SLE_vs_HC": volcano([0.1])})) is None


def test_gene_sets_show_a_set_that_one_contrast_finds_in_all():
    tables = example_tables()
    other = tables["enrichment"].assign(contrast="pSS_vs_HC", padj=0.6, score=-0.4)
    figure = drawn(
        expression.gene_sets, results(tables | {"enrichment": pd.concat([tables["enrichment"], other])}, TWO)
    )
    dots = figure.axes[0].collections[0]
    assert len(dots.get_offsets()) == 2
    assert list(dots.get_linewidths()) == [1.1, 0], "only the significant one is outlined"
    tables["enrichment"] = tables["enrichment"].assign(padj=0.9)
    assert drawn(expression.gene_sets, results(tables, TWO)) is None


# --- across diseases ----------------------------------------------------------------------------------------------------


def test_the_overlap_counts_each_gene_once_by_who_calls_it_and_which_way():
    contrasts = {
        "SLE_vs_HC": contrast([1, -1, 1, 1], [0.01, 0.01, 0.01, 0.9]),
        "pSS_vs_HC": contrast([1, -1, -1, 1], [0.01, 0.9, 0.01, 0.9]),
    }
    shown = results(example_tables(), contrasts)
    counts = across._combinations(across._called_signs(shown))
    assert counts.loc["SLE_vs_HC pSS_vs_HC"].to_dict() == {"up": 1, "down": 0, "both": 1}
    assert counts.loc["SLE_vs_HC"].to_dict() == {"up": 0, "down": 1, "both": 0}
    assert counts.to_numpy().sum() == 3, "the last gene is called nowhere"
    words = texts(drawn(across.overlap, shown))
    assert words.count("2") == 2 and "3" in words, "bars and the calls of each contrast"


@pytest.mark.parametrize(
    "contrasts", [{"SLE_vs_HC": volcano([0.01])}, {"SLE_vs_HC": volcano([0.9]), "pSS_vs_HC": volcano([0.8])}]
)
def test_no_overlap_is_drawn_of_one_contrast_or_of_no_call(contrasts):
    assert drawn(across.overlap, results(example_tables(), contrasts)) is None


def test_genes_of_signatures_are_ringed_and_classes_have_their_colours():
    assert {"IFI27", "IFI44L", "RSAD2"} <= interferon_genes()
    assert "GAPDH" not in interferon_genes()
    figure = drawn(across.effects, results(example_tables(), TWO))
    (panel,) = figure.axes
    sizes = {points.get_label(): len(points.get_offsets()) for points in panel.collections}
    assert sizes == {
        "undetermined or none": 1,
        "shared": 1,
        "larger in some diseases": 1,
        "opposed": 1,
        "type I signature gene": 1,
    }


def test_many_diseases_are_drawn_against_what_they_have_in_common():
    tables, names = example_tables(), ["SLE", "pSS", "A", "B", "C"]
    effects = {f"log2FoldChange_{name}": tables["cross_disease"]["log2FoldChange_SLE"] for name in names}
    tables["cross_disease"] = tables["cross_disease"].assign(**effects)
    figure = drawn(across.effects, results(tables, TWO, cohort={"diseases": names}))
    assert {panel.get_xlabel() for panel in figure.axes if panel.get_xlabel()} == {"all diseases (log2 fold change)"}
    assert len([panel for panel in figure.axes if panel.get_xlabel()]) == 5


def test_effects_of_one_disease_are_not_compared():
    assert drawn(across.effects, results(example_tables(), TWO, cohort={"diseases": ["SLE"]})) is None
    tables = example_tables()
    tables["cross_disease"] = tables["cross_disease"].assign(pooled_padj=np.nan)
    assert drawn(across.effects, results(tables, TWO)) is None


def test_the_page_places_figures_across_diseases_in_the_overview_alone():
    everybody = results(example_tables(), TWO)
    names = [{item.name for part in build_sections(page) for item in part.content if type(item).__name__ == "FigureSlot"}
             for page in (everybody, everybody.of_disease("SLE"))]  # fmt: skip
    assert {"overlap", "effects", "gene_sets", "calls"} <= names[0]
    assert names[1] & {"overlap", "effects", "gene_sets", "calls"} == set()
