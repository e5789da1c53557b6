"""Ranks under other choices: each alternative is the board that its options would make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.ratings.alternative_words import moved, stability, unconnected
from playground.ratings.alternatives import Alternative, Ranges, RankRange, alternatives, rank_ranges_over
from playground.ratings.board import LeaderboardOptions
from playground.ratings.chosen import Chosen
from playground.ratings.policy import EVERY_VOTE, CountingPolicy
from playground.records import JudgedPair
from tests.support.judged import GALPACA, MINOTAUR, ORCA, build_leaderboard, judged_votes, votes

BASE = LeaderboardOptions(policy=CountingPolicy(pairs="all", max_votes_per_rater_and_day=0))
MIXED = [
    *votes((GALPACA, ORCA, "model_a", 30), (ORCA, MINOTAUR, "model_a", 25), (MINOTAUR, GALPACA, "model_a", 20)),
    *votes((GALPACA, ORCA, "tie", 9), (MINOTAUR, ORCA, "both_bad", 12)),
    *votes((ORCA, GALPACA, "model_a", 40), raters=1),
    *votes((MINOTAUR, GALPACA, "model_a", 15), names_itself=True),
]


def numbered(pairs: list[JudgedPair]) -> list[JudgedPair]:
    """The same pairs, each of a vote of its own."""
    return [replace(pair, vote_id=f"v{n}", battle_id=f"b{n}") for n, pair in enumerate(pairs)]


def found(pairs: list[JudgedPair], options: LeaderboardOptions = BASE) -> dict[str, Alternative]:
    policy = options.policy
    judged = judged_votes(numbered(pairs), policy)
    chosen = Chosen.of(judged, {}, options=options)
    return {other.name: other for other in alternatives(chosen, chosen.board())}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("all-bad votes left out", replace(BASE, both_bad="omit")),
        ("every rater's votes in full", replace(BASE, policy=replace(BASE.policy, max_share_per_rater=1.0))),
        ("flagged votes counted", replace(BASE, policy=replace(BASE.policy, leave_out_flagged=False))),
        ("half the prior", replace(BASE, prior=0.5)),
        ("twice the prior", replace(BASE, prior=2.0)),
    ],
)
def test_an_alternative_is_the_board_with_that_option(name: str, options: LeaderboardOptions) -> None:
    other = found(MIXED)[name]
    board = build_leaderboard(numbered(MIXED), {}, options=options)
    rated = dict(zip(other.models, other.ratings.tolist(), strict=True))
    assert rated == pytest.approx({row.model: row.rating for row in board.rows})
    assert other.ranks([row.model for row in board.rows]) == [1, 2, 3]


def test_without_ties_their_votes_are_left_out() -> None:
    options = replace(BASE, policy=replace(BASE.policy, max_share_per_rater=1.0))  # weights depend on all votes
    other = found(MIXED, options)["ties left out"]
    board = build_leaderboard([pair for pair in numbered(MIXED) if pair.winner != "tie"], {}, options=options)
    rated = dict(zip(other.models, other.ratings.tolist(), strict=True))
    assert rated == pytest.approx({row.model: row.rating for row in board.rows})


def test_the_other_way_round_where_the_board_made_the_other_choice() -> None:
    options = replace(BASE, policy=replace(EVERY_VOTE, max_share_per_rater=1.0), both_bad="omit", prior=0.0)
    names = set(found(MIXED, options))
    assert names == {"ties left out", "all-bad votes as ties", "raters weigh at most 25 %", "flagged votes left out"}


def test_a_choice_that_changes_no_vote_is_no_alternative() -> None:
    plain = votes((GALPACA, ORCA, "model_a", 30), (ORCA, GALPACA, "model_a", 20), raters=50)
    assert set(found(plain)) == {"half the prior", "twice the prior"}


def alternative(name: str, **ratings: float) -> Alternative:
    return Alternative(name, tuple(ratings), np.array(list(ratings.values())), np.zeros(len(ratings), dtype=np.int64))


def test_ranges_hold_every_rank_and_name_the_choice_that_moves_it() -> None:
    board = alternative("", a=1100, b=1000, c=900)
    same = alternative("same", c=800, b=1000, a=1200)
    swapped = alternative("swapped", a=1000, b=1050, c=950, d=2000)
    equal = alternative("equal", a=1000, b=900, c=900)
    apart = Alternative("apart", ("a", "b", "c"), np.array([1.0, 2.0, 3.0]), np.array([0, 0, 1]))
    ranges = rank_ranges_over(["a", "b", "c"], board, [same, swapped, equal, apart])
    assert ranges.models == (
        RankRange("a", 1, 1, 2, ("swapped",)),
        RankRange("b", 2, 1, 2, ("swapped",)),
        RankRange("c", 3, 2, 3, ("equal",)),
    )
    assert (ranges.compared, ranges.unconnected) == (("same", "swapped", "equal"), ("apart",))


NAMES = {"a": "A", "b": "B", "c": "C"}


def test_the_sentences_name_what_moves() -> None:
    ranges = Ranges((RankRange("a", 1, 1, 2, ("x",)), RankRange("b", 2, 1, 2, ("x",))), ("x", "y"), ("z",))
    assert stability(ranges, NAMES) == (
        "Of 2 other choices (x, y), A and B have another rank under some; A is not first with x."
    )
    assert moved(ranges.models[1], "B") == "B: rank 1 to 2, moved by: x."
    assert unconnected(ranges) == "Not compared, because the models have no common scale then: z."
    below = Ranges((RankRange("a", 1, 1, 1, ()), RankRange("b", 2, 2, 3, ("y",))), ("x", "y"), ())
    assert stability(below, NAMES).endswith("B has another rank under some; A is first under all of them.")


def test_the_sentence_says_that_nothing_moves() -> None:
    ranges = Ranges((RankRange("a", 1, 1, 1, ()), RankRange("b", 2, 2, 2, ())), ("x", "y"), ())
    assert stability(ranges, NAMES) == "Every rank is the same under 2 other choices: x, y."
