"""Arrays of pairs that stream by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidValue
from playground.ratings.counting import reasons_by_vote, reasons_of
from playground.ratings.gathered import gather
from playground.ratings.judged import WINNERS, rater_of
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
def test_streamed_arrays_are_the_pairs(votes: list[tuple[str, list[str], Origin, float | None]]) -> None:
    pairs = [
        pair(number, rater, model, origin=origin, decision_s=decision_s)
        for number, (rater, models, origin, decision_s) in enumerate(votes)
        for model in models
    ]
    found, ids = gather(iter(pairs), POLICY), list(dict.fromkeys(pair.vote_id for pair in pairs))
    assert dict(zip(ids, reasons_by_vote(found, POLICY), strict=True)) == dict.fromkeys(ids) | reasons_of(pairs, POLICY)
    assert [ids[number] for number in found.vote] == [pair.vote_id for pair in pairs]
    assert [found.models[number] for number in found.first] == [pair.model_a for pair in pairs]
    assert [found.models[number] for number in found.second] == [pair.model_b for pair in pairs]
    assert [WINNERS[number] for number in found.outcome] == [pair.winner for pair in pairs]
    assert found.weight.tolist() == [pair.weight for pair in pairs]
    raters = list(dict.fromkeys(map(rater_of, pairs)))
    assert [raters[number] for number in found.rater] == list(map(rater_of, pairs))


def test_winner_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidValue, match="unknown winner 'left'"):
        gather([replace(pair(1, decision_s=None), winner="left")], POLICY)
