"""Progress inside long jobs: counts in the log, not too often, and nothing of what is looped over changes."""

from __future__ import annotations

import logging

import pytest

from stratifn.running import progress as module
from stratifn.running.progress import LOGGER, Progress, progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger=LOGGER)
    return lambda: [record.getMessage() for record in caplog.records if record.name == LOGGER]


def test_what_is_looped_over_comes_unchanged_and_in_order():
    assert list(progress(range(5), "draws")) == [0, 1, 2, 3, 4]
    assert list(progress(iter("abc"), "letters")) == ["a", "b", "c"]
    assert list(progress([], "nothing")) == []


def test_a_long_loop_says_how_many_of_all_are_done(clock, lines):
    for _ in progress(range(2000), "permutations"):
        clock[0] += 0.01
    assert lines() == ["permutations: 500 of 2,000", "permutations: 1,000 of 2,000", "permutations: 1,500 of 2,000"]


def test_a_short_loop_says_nothing(clock, lines):
    for _ in progress(range(1000), "draws"):
        clock[0] += 0.001
    assert lines() == []


def test_without_a_length_the_count_alone_is_said(clock, lines):
    for _ in progress(iter(range(3)), "files"):
        clock[0] += 6
    assert lines() == ["files: 1", "files: 2"]


def test_a_loop_of_somebody_elses_reports_what_it_reached(clock, lines):
    iterations = Progress("MOFA iterations", 1000)
    for reached in (1, 6, 11):
        clock[0] += 3
        iterations.reached(reached)
    assert lines() == ["MOFA iterations: 6 of 1,000"]


def test_leaving_a_loop_early_is_no_error():
    for item in progress(range(10), "draws"):
        if item == 3:
            break
    assert item == 3
