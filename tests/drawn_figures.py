"""Figures as the tests of the report look at them."""

from __future__ import annotations

import pytest

from stratifn.report.figures.style import plotting


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def drawn(draw, all_results):
    """The one figure of a record; None where nothing is drawn."""
    with plotting():
        return next((figure for _, figure in draw(all_results)), None)
