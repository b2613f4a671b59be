"""The report on quality: who is in which view and analysis, what components follow, and flags with the score beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drawn_figures import drawn, no_figure_stays_open
from stratifn.report.figures import quality
from stratifn.report.figures.style import FAINT_COLOUR, PALETTE
from stratifn.report.sections.pages import build_sections
from unit.test_report import SAMPLES, example_tables, results, volcano

__all__ = ["no_figure_stays_open"]


def texts(figure) -> list[str]:
    return [text.get_text() for panel in figure.axes for text in panel.texts]


def test_people_flow_from_the_sheet_to_the_analyses():
    words = texts(drawn(quality.people_flow, results(example_tables(), {"SLE_vs_HC": volcano([0.1])}, min_cell=0)))
    assert words[:4] == ["12 samples", "of 12 people", "rna", "counts; samples: 12"]
    analyses = dict(zip(words[4::3], words[5::3], strict=False))
    assert analyses["differential expression"] == "samples: 12"


def test_an_analysis_that_was_not_made_says_why():
    views = [{"name": "cells", "kind": "proportion", "path": "c.tsv"}]
    without = results(example_tables(), cohort={"views": views})
    without.samples["in_cells"] = True
    words = texts(drawn(quality.people_flow, without))
    assert "there is no view rna" in words
    tables = example_tables()
    tables["classes"] = tables["classes"].assign(ifn_class="unscored", reason="3 controls are too few")
    words = texts(drawn(quality.people_flow, results(tables)))
    assert "none" in words and "others: <5 controls are too few" in words


def test_the_flow_hides_a_number_that_would_tell_of_few():
    tables = example_tables()
    tables["classes"] = tables["classes"].assign(ifn_class=["unscored"] * 2 + ["high"] * 10)
    words = texts(drawn(quality.people_flow, results(tables, min_cell=4)))
    assert "samples: hidden" in words and "samples: 10" not in words


def test_all_views_share_one_figure_of_covariates():
    associations = pd.DataFrame(
        {"view": ["rna", "rna", "cells", "cells"], "component": ["PC1", "PC6", "PC1", "PC2"], "variable": ["batch", "batch", "age", "batch"],
         "r2": [0.9, 0.9, 0.3, 0.001], "pvalue": 0.01, "padj": [1e-5, 1e-5, 0.4, 0.9]}
    )  # fmt: skip
    tables = example_tables() | {"covariate_associations": associations}
    views = [{"name": name, "kind": "counts", "path": "c.tsv"} for name in ("rna", "cells")]
    shown = results(tables, cohort={"views": views})
    figure = drawn(quality.covariates, shown)
    (panel,) = figure.axes
    faint, dark = panel.collections[:2]
    assert len(dark.get_offsets()) == 1 and len(faint.get_offsets()) == 1, (
        "the sixth component and a share of nothing are left out"
    )
    assert [label.get_text() for label in panel.get_yticklabels()] == ["batch", "age"], "what explains most comes first"
    np.testing.assert_allclose(dark.get_facecolor()[0][:3], [int(PALETTE[6][i : i + 2], 16) / 255 for i in (1, 3, 5)])
    np.testing.assert_allclose(
        faint.get_facecolor()[0][:3], [int(FAINT_COLOUR[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    )
    assert {"rna", "cells"} <= set(texts(figure))


def test_without_associations_there_is_no_figure_of_covariates():
    tables = example_tables()
    tables["covariate_associations"] = tables["covariate_associations"].assign(r2=np.nan)
    assert drawn(quality.covariates, results(tables)) is None


def test_a_flag_comes_with_the_score_and_the_class_of_its_sample():
    (table,) = [
        item.frame for part in build_sections(results(example_tables())) for item in part.content if getattr(item, "name", "") == "flagged"
    ]  # fmt: skip
    row = table.set_index("sample").loc[SAMPLES[0]]
    assert (row["disease"], row["score"], row["ifn_class"]) == ("SLE", "2", "high")
