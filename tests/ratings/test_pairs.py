"""Judged pairs become arrays without losing or inventing a vote."""

from __future__ import annotations

import numpy as np
import pytest

from playground.errors import InvalidValue
from playground.ratings.parts import rows_of
from tests.support.judged import GALPACA, MAMBA, MINOTAUR, ORCA, pair, table_from, table_of, votes


def test_models_are_sorted_and_wins_are_counted_with_half_ties() -> None:
    table = table_of((ORCA, GALPACA, "model_b", 2), (GALPACA, ORCA, "model_b", 1), (GALPACA, ORCA, "tie", 3))
    assert table.models == (GALPACA, ORCA)
    assert table.wins.tolist() == [[0, 3.5], [2.5, 0]]


@pytest.mark.parametrize(("rule", "wins"), [("half", [[0, 2], [1, 0]]), ("omit", [[0, 1], [0, 0]])])
def test_both_bad_counts_half_or_not_at_all(rule: str, wins: list[list[float]]) -> None:
    table = table_of((GALPACA, ORCA, "model_a", 1), (GALPACA, ORCA, "both_bad", 2), both_bad=rule)
    assert table.wins.tolist() == wins
    assert table.outcomes_by_model.tolist() == [[1, 0, 0, 2], [0, 1, 0, 2]]


def test_a_pair_of_the_same_model_is_counted_and_not_rated() -> None:
    table = table_from([pair(GALPACA, GALPACA), pair(GALPACA, ORCA, number=1)])
    assert (table.unrated, len(table.first), table.models) == (1, 1, (GALPACA, ORCA))


def test_weights_count_in_the_wins() -> None:
    assert table_from([pair(GALPACA, ORCA, weight=0.25)]).wins.tolist() == [[0, 0.25], [0, 0]]


def test_models_without_a_vote_can_be_part_of_the_table() -> None:
    table = table_from([pair(GALPACA, ORCA)], models=[MAMBA])
    assert table.models == (GALPACA, MAMBA, ORCA)
    assert table.wins.sum() == 1


def test_no_vote_at_all_is_an_empty_table() -> None:
    table = table_from([])
    assert (table.models, table.wins.shape, table.num_votes, table.num_raters) == ((), (0, 0), 0, 0)


def test_one_vote_on_three_answers_is_one_vote_and_one_battle() -> None:
    best = [pair(GALPACA, ORCA, "both_bad", vote_id="v"), pair(GALPACA, MINOTAUR, "both_bad", vote_id="v")]
    table = table_from([*best, pair(GALPACA, ORCA, number=1)])
    assert (table.num_votes, table.models) == (2, (GALPACA, MINOTAUR, ORCA))
    judged, bad = table.votes_by_model
    assert (judged.tolist(), bad.tolist()) == ([2, 1, 2], [1, 1, 1])


def test_raters_are_counted_by_votes() -> None:
    table = table_from(votes((GALPACA, ORCA, "tie", 5), raters=2))
    assert table.votes_by_rater.tolist() == [3, 2]


def test_vote_with_two_rows_is_one_vote_in_a_part_of_a_table() -> None:
    two = [pair(GALPACA, ORCA, rater_id="ada", vote_id="b"), pair(GALPACA, MINOTAUR, rater_id="ada", vote_id="b")]
    table = table_from([pair(GALPACA, ORCA, vote_id="a"), pair(GALPACA, ORCA, vote_id="c"), *two])
    part = rows_of(table, np.array([0, 2, 3]))
    assert sorted(part.votes_by_rater.tolist()) == [1, 1]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (pair(GALPACA, ORCA, "left"), "unknown winner 'left'; valid: model_a, model_b, tie, both_bad"),
        (pair(GALPACA, GALPACA, weight=1.0), "weight is 1.0; for a model and itself it is 0"),
        (pair(GALPACA, ORCA, weight=-1.0), "weight is -1.0; valid: 0 or more, finite"),
        (pair(GALPACA, ORCA, weight=float("nan")), "weight is nan; valid: 0 or more, finite"),
    ],
)
def test_invalid_pair_is_refused_naming_its_vote(broken, message: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        table_from([broken])
    assert str(refused.value) == f"vote vote-0, {broken.model_a} against {broken.model_b}: {message}"


def test_an_unknown_rule_for_both_bad_is_refused() -> None:
    with pytest.raises(InvalidValue, match="both_bad is 'drop'; valid are: half, omit"):
        table_from([], both_bad="drop")


def test_the_votes_of_some_raters_may_weigh_less() -> None:
    games = votes((GALPACA, ORCA, "model_a", 9), (ORCA, GALPACA, "tie", 1), raters=2)
    table = table_from(games, weights={"rater-0": 0.2})
    assert table.wins == pytest.approx(np.array([[0, 5 * 0.2 + 4 + 0.5], [0.5, 0]]))
    assert table.votes_by_rater.tolist() == [5, 5]
    assert table.weight_by_rater.tolist() == pytest.approx([1.0, 5.0])
