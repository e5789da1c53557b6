"""Arrays of pairs that stream by are those of a list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidValue
from playground.ratings.counting import reasons_by_vote
from playground.ratings.gathered import gather
from playground.ratings.judged import JudgedVotes
from playground.ratings.policy import CountingPolicy
from playground.records import JudgedPair, Origin

POLICY = replace(CountingPolicy(), max_votes_per_rater_and_day=2)


def pair(number: int, rater: str = "ada", model_b: str = "beta", **changes: object) -> JudgedPair:
    return JudgedPair(
        vote_id=f"vote-{number:03}",
        battle_id=f"battle-{number}",
        rater_id=rater,
        model_a="alpha",
        model_b=model_b,
        winner="model_a",
        weight=float(model_b != "alpha"),
        blind=True,
        category="",
        chars_a=3,
        chars_b=2,
        created_at=f"2026-11-{10 + number // 4}T12:00:{number:02}.000+00:00",
        **changes,  # type: ignore[arg-type]
    )


VOTES = st.lists(
    st.tuples(
        st.sampled_from(["ada", "ben"]),
        st.lists(st.sampled_from(["alpha", "beta", "gamma"]), min_size=1, max_size=2),
        st.sampled_from([Origin.PERSON, Origin.PROGRAM]),
        st.sampled_from([None, 0.1, 9.0]),
    ),
    max_size=20,
)


@given(votes=VOTES)
def test_streamed_arrays_are_those_of_a_list(votes: list[tuple[str, list[str], Origin, float | None]]) -> None:
    pairs = [
        pair(number, rater, model, origin=origin, decision_s=decision_s)
        for number, (rater, models, origin, decision_s) in enumerate(votes)
        for model in models
    ]
    streamed, listed = gather(iter(pairs), POLICY), JudgedVotes.of(pairs, daily_cap=2)
    assert list(reasons_by_vote(streamed, POLICY)) == list(reasons_by_vote(listed, POLICY))
    for name in ("vote", "rater", "outcome", "longer", "weight", "category"):
        assert np.array_equal(getattr(streamed, name), getattr(listed, name)), name
    assert [streamed.models[n] for n in streamed.second] == [listed.models[n] for n in listed.second]


def test_winner_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidValue, match="unknown winner 'left'"):
        gather([replace(pair(1, decision_s=None), winner="left")], POLICY)
