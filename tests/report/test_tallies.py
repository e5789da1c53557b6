"""The counted votes of a report: how many lines they are, and which of them say whose they are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from playground.ratings.board import LeaderboardOptions
from playground.ratings.chosen import Chosen
from playground.records import JudgedPair
from playground.report.tallies import Tallies, tallies_of
from tests.support.judged import GALPACA, MAMBA, ORCA, judged_votes, pair

OPTIONS = LeaderboardOptions()


def tallied(votes: Sequence[JudgedPair]) -> Tallies:
    chosen = Chosen.of(judged_votes(votes, OPTIONS.policy), {}, options=OPTIONS, models=(GALPACA, ORCA, MAMBA))
    return tallies_of(chosen, chosen.board(), {"", "maths"})


def given(raters: int, each: int, *, begin: int = 0, model: str = ORCA, category: str = "") -> list[JudgedPair]:
    """Return the votes of some raters on two models, two of three for the first one."""
    changes = {"category": category}
    return [
        pair(GALPACA, model, "model_b" if at % 3 else "model_a", begin + at, rater_id=f"rater-{at % raters}", **changes)
        for at in range(raters * each)
    ]


def numbers(tallies: Tallies) -> set[int]:
    return {line[0] for line in tallies.lines}


@pytest.mark.parametrize("raters", [12, 400])
def test_votes_of_many_raters_are_a_line_for_each_outcome(raters: int) -> None:
    votes = [*given(raters, 3), *given(raters, 3, begin=10_000, model=MAMBA, category="maths")]
    tallies = tallied(votes)
    assert (len(tallies.lines), sum(line[2] for line in tallies.lines), numbers(tallies)) == (4, 6 * raters, {0})


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"model": ORCA, "category": "maths"}, "a quarter of a category"),
        ({"model": MAMBA, "category": ""}, "a quarter of the votes on two models"),
    ],
)
def test_raters_are_told_apart_where_one_may_have_too_large_a_share_of_a_choice(more: dict[str, str], why: str) -> None:
    votes = [*given(40, 3), *given(8, 1, begin=10_000, **more), *given(1, 3, begin=20_000, **more)]
    assert len(numbers(tallied(votes))) == 40, why
    assert numbers(tallied([*given(40, 3), *given(8, 1, begin=10_000, **more)])) == {0}


def test_rankings_count_for_each_of_their_pairs() -> None:
    def ranked(number: int, rater: int) -> list[JudgedPair]:
        models = ((GALPACA, ORCA), (GALPACA, MAMBA))
        return [pair(a, b, "model_a", number, rater_id=f"rater-{rater}", weight=0.5) for a, b in models]

    votes = [one for number in range(80) for one in ranked(number, number % 10)]
    assert numbers(tallied(votes)) == {0}
    more = [one for number in range(80, 88) for one in ranked(number, 0)]  # 16 of 88: more than an eighth
    assert len(numbers(tallied([*votes, *more]))) == 10
