"""Sums of units hold every vote once, in far fewer rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.ratings.unit_sums import UnitSums
from tests.support.judged import simulated

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("unit", ["rater", "vote"])
@pytest.mark.parametrize("raters", [0, 1, 4, 70])
@pytest.mark.parametrize("models", [2, 5, 30])
def test_wins_of_the_sums_are_those_of_the_table(unit: str, raters: int, models: int) -> None:
    table = simulated(np.zeros(models), num_votes=150, num_raters=raters, taste=0.0, ties=0.4, rng=RNG)
    table = replace(table, weight=RNG.choice([0.0, 0.25, 1.0], size=150))
    sums, wins = UnitSums.of(table, unit), np.zeros((models, models))
    times = sums.times[sums.unit]
    np.add.at(wins, (sums.first, sums.second), times * sums.won)
    np.add.at(wins, (sums.second, sums.first), times * (sums.weight - sums.won))
    assert wins == pytest.approx(table.wins)
    assert sums.number == sums.times.sum() == (table.num_raters if unit == "rater" else 150)
    assert np.all(np.diff(sums.unit) >= 0)


def test_single_votes_that_say_the_same_are_one_unit() -> None:
    table = simulated(np.zeros(3), num_votes=500, num_raters=0, taste=0.0, ties=0.4, rng=RNG)
    sums = UnitSums.of(table, "rater")
    kinds = {*zip(table.first.tolist(), table.second.tolist(), table.outcome.tolist(), strict=True)}
    assert sums.singles == len(sums.times) == len(kinds)


def test_votes_of_a_rater_on_two_models_are_one_sum() -> None:
    table = simulated(np.zeros(3), num_votes=400, num_raters=5, taste=0.0, ties=0.4, rng=RNG)
    sums = UnitSums.of(table, "rater")
    rows = zip(table.rater.tolist(), table.first.tolist(), table.second.tolist(), strict=True)
    pairs = sorted({(rater, *sorted((first, second))) for rater, first, second in rows})
    assert [*zip(sums.unit.tolist(), sums.first.tolist(), sums.second.tolist(), strict=True)] == pairs
