"""Votes that no ratings explain."""

from __future__ import annotations

import numpy as np
import pytest

from playground.ratings.bradley_terry import fit
from playground.ratings.misfit import ALARM, find_misfit, shortest_cycle
from playground.ratings.pairs import PairTable
from tests.support.judged import simulated, table_of

CIRCLE = (("a", "b", 45, 15), ("b", "c", 45, 15), ("c", "a", 45, 15))


def battles(*games: tuple[str, str, int, int], raters: int = 20) -> PairTable:
    """A table from (winner, loser, won, lost)."""
    rows = [row for a, b, won, lost in games for row in ((a, b, "model_a", won), (a, b, "model_b", lost))]
    return table_of(*rows, raters=raters)


@pytest.mark.parametrize("unit", ["rater", "vote"])
def test_a_circle_is_found_and_named(unit: str) -> None:
    table = battles(*CIRCLE)
    found = find_misfit(table, fit(table.wins), unit)
    assert found is not None
    assert found.p_value < ALARM
    assert found.cycle == (0, 1, 2)
    assert (found.share, found.expected) == (pytest.approx(0.75), pytest.approx(0.5))


def test_a_pair_that_differs_is_named_if_there_is_no_circle() -> None:
    table = battles(("a", "b", 80, 10), ("b", "c", 80, 10), ("a", "c", 48, 42))
    found = find_misfit(table, fit(table.wins), "vote")
    assert found is not None
    assert found.cycle == ()
    assert found.share != pytest.approx(found.expected, abs=0.1)


@pytest.mark.parametrize(
    "games",
    [
        (("a", "b", 40, 0),),
        (("a", "b", 40, 0), ("b", "c", 40, 0), ("c", "d", 40, 1)),
        (("a", "b", 40, 0), ("b", "c", 30, 30), ("a", "c", 40, 0)),
        (("a", "b", 30, 30), ("c", "d", 50, 10)),
    ],
    ids=["two models", "a chain", "undefeated", "two groups"],
)
def test_votes_that_ratings_explain_raise_no_alarm(games: tuple[tuple[str, str, int, int], ...]) -> None:
    table = battles(*games)
    assert find_misfit(table, fit(table.wins), "vote") is None


@pytest.mark.parametrize("raters", [10, 40])
def test_false_alarms_are_rare(raters: int) -> None:
    rng, alarms, runs = np.random.default_rng(20250131), 0, 120
    for _ in range(runs):
        table = simulated(
            np.array([0.6, 0.2, -0.2, -0.6]), num_votes=400, num_raters=raters, taste=0.5, ties=0.2, rng=rng
        )
        alarms += find_misfit(table, fit(table.wins), "rater") is not None
    assert alarms <= 0.05 * runs


def test_the_shortest_cycle_is_found() -> None:
    beats = np.zeros((5, 5), dtype=bool)
    assert shortest_cycle(beats) == ()
    for i, j in [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]:
        beats[i, j] = True
    assert shortest_cycle(beats) == (0, 1, 2, 3, 4)
    beats[3, 1] = True
    assert shortest_cycle(beats) == (1, 2, 3)
