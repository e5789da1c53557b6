"""The votes that carry first place: against every subset of small boards, and exactly refitted on larger ones."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.ratings.bradley_terry import connected_groups, fit
from playground.ratings.carrying import CarryingVotes, votes_that_carry
from playground.ratings.carrying_words import carrying
from playground.ratings.influence import CLEARLY
from playground.ratings.pairs import PairTable
from playground.ratings.parts import of_models, rows_of
from tests.support.judged import GALPACA, MINOTAUR, ORCA, pair, simulated, table_from, table_of


def first_without(table: PairTable, votes: tuple[int, ...]) -> int | None:
    """The first model without some votes, by a fit of the rest; None if they are not connected.

    The leader of the whole table is first until another one is clearly above.
    """
    wins = rows_of(table, ~np.isin(table.vote, votes)).wins
    if connected_groups(wins).any():
        return None
    ratings = fit(wins).ratings
    leader = int(np.argmax(np.round(fit(table.wins).ratings, 6)))
    return int(np.argmax(ratings)) if ratings.max() - ratings[leader] > CLEARLY else leader


def fewest(table: PairTable, most: int) -> int | None:
    """The fewest votes without which another model is first, of every set of up to `most`."""
    leader = first_without(table, ())
    for number in range(1, most + 1):
        for votes in combinations(range(table.num_votes), number):
            if first_without(table, votes) not in (leader, None):
                return number
    return None


def carried(table: PairTable) -> CarryingVotes | None:
    return votes_that_carry(table, candidates=range(len(table.models)))


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_no_smaller_set_changes_first_place(seed: int, models: int) -> None:
    rng = np.random.default_rng(seed)
    table = simulated(rng.normal(size=models) / 2, num_votes=12, num_raters=0, taste=0, ties=0.3, rng=rng)
    if connected_groups(table.wins).any():
        return
    found, best = carried(table), fewest(table, 3)
    assert (None if found is None or len(found.votes) > 3 else len(found.votes)) == best


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.sampled_from([0.0, 1.0]))
def test_without_the_votes_another_model_is_first_and_each_is_needed(seed: int, models: int, taste: float) -> None:
    rng = np.random.default_rng(seed)
    table = simulated(rng.normal(size=models) / 2, num_votes=90, num_raters=15, taste=taste, ties=0.3, rng=rng)
    found = carried(table)
    assert found is not None
    votes = tuple(found.votes.tolist())
    assert found.leader == first_without(table, ())
    assert found.first == first_without(table, votes) != found.leader
    for one in votes:
        assert first_without(table, tuple(vote for vote in votes if vote != one)) == found.leader


def test_known_answer_of_two_models() -> None:
    """7 to 4: without 4 of the 7 the other one has won more; ties carry nothing."""
    table = table_of((GALPACA, ORCA, "model_a", 7), (ORCA, GALPACA, "model_a", 4), (ORCA, GALPACA, "tie", 5))
    found = carried(table)
    assert found is not None
    assert (table.models[found.leader], table.models[found.first]) == (GALPACA, ORCA)
    assert len(found.votes) == 4
    assert set(table.outcome[found.votes]) == {0}
    assert set(table.first[found.votes]) == {found.leader}


def test_a_vote_on_three_answers_is_one_vote() -> None:
    """Three best-of-three votes put galpaca first; it takes two of them, whose pairs go together."""
    pairs = [pair(GALPACA, other, "model_a", n) for n in range(3) for other in (ORCA, MINOTAUR)]
    pairs += [pair(ORCA, GALPACA, "model_a", 3), pair(ORCA, MINOTAUR, "model_a", 4)]
    table = table_from(pairs)
    found = carried(table)
    assert found is not None
    assert len(found.votes) == fewest(table, 3)
    assert found.first == first_without(table, tuple(found.votes.tolist()))


def test_a_model_that_never_lost_is_not_unseated() -> None:
    assert carried(table_of((GALPACA, ORCA, "model_a", 9))) is None


def test_a_heavier_vote_carries_more() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 6), (ORCA, GALPACA, "model_a", 4))
    weight = np.where(np.arange(10) == 5, 3.0, 1.0)
    found = carried(replace(table, weight=weight))
    assert found is not None
    assert found.votes[-1] == 5
    assert len(found.votes) == 3


def test_only_candidates_come_first() -> None:
    table = table_of(
        (GALPACA, ORCA, "model_a", 5),
        (ORCA, GALPACA, "model_a", 1),
        (GALPACA, MINOTAUR, "model_a", 5),
        (MINOTAUR, GALPACA, "model_a", 4),
        (ORCA, MINOTAUR, "tie", 2),
    )
    names = table.models
    found = votes_that_carry(table, candidates=[names.index(GALPACA), names.index(ORCA)])
    assert found is not None
    assert names[found.first] == ORCA
    assert votes_that_carry(table, candidates=[names.index(GALPACA)]) is None


def test_a_table_of_some_models_knows_the_votes() -> None:
    table = table_of((ORCA, MINOTAUR, "model_a", 2), (GALPACA, ORCA, "model_a", 3), (GALPACA, MINOTAUR, "both_bad", 1))
    part, votes = of_models(table, [table.models.index(ORCA), table.models.index(GALPACA)])
    assert part.models == (ORCA, GALPACA)
    assert part.wins.tolist() == [[0, 0], [3, 0]]
    assert votes.tolist() == [2, 3, 4]
    assert part.vote.tolist() == [0, 1, 2]


def test_a_leader_with_an_equal_is_first() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 3), (ORCA, GALPACA, "model_a", 2))
    found = carried(table)
    assert found is not None
    assert len(found.votes) == 2  # without one they are equal, and the leader stays first


def test_the_sentence_counts_votes() -> None:
    assert carrying(2, 412, "A", "B") == ("2 of 412 votes decide first place: without them B would be first, not A.")
    assert carrying(1, 40, "A", "B") == "1 of 40 votes decides first place: without it B would be first, not A."
