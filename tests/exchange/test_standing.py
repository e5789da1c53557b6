"""Reasons of votes that stream by equal those of a list of all pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.exchange.standing import Standings
from playground.rater_ids import keyed_id
from playground.ratings.counting import reasons_of
from playground.ratings.policy import EVERY_VOTE, CountingPolicy
from playground.records import Origin
from playground.storage.database.store import Store
from tests.support.cast import ADA, BEN, MAMBA, MODELS, OPENALPACA, House, house
from tests.support.exporting import add_vote

POLICIES = (
    CountingPolicy(),
    CountingPolicy(pairs="all", max_votes_per_rater_and_day=2),
    CountingPolicy(origins=tuple(Origin), pairs="all", sampling="all", blind_only=False, max_votes_per_rater_and_day=1),
    CountingPolicy(leave_out_flagged=False, leave_out_seen_elsewhere=True, pairs="all", max_votes_per_rater_and_day=0),
    CountingPolicy(pairs="chosen", min_decision_s=0.0),
    EVERY_VOTE,
)

VOTES = st.lists(
    st.fixed_dictionaries(
        {
            "models": st.sampled_from([(OPENALPACA, MAMBA), MODELS, (MAMBA, MAMBA), (MAMBA, MAMBA, OPENALPACA)]),
            "rater": st.sampled_from([ADA, BEN, keyed_id("k")]),
            "source": st.sampled_from(["page", "page", "api"]),
            "drawn": st.booleans(),
            "blind": st.sampled_from([True, True, False]),
            "overrides": st.sampled_from([{}, {}, {"top_k": 1}]),
            "wait_s": st.sampled_from([0.5, 4.0]),
            "pause_s": st.sampled_from([0.0, 50_000.0]),
            "choice": st.sampled_from(["a", "b", "tie"]),
            "text": st.sampled_from(["Waves.", "I am OpenAlpaca.", "Sea.", "Foam.", "Gulls."]),
            "imported": st.sampled_from(["", "", "file.csv"]),
        }
    ),
    max_size=12,
)


def fill(home: House, votes: list[dict[str, Any]]) -> None:
    for number, vote in enumerate(votes):
        battle_id = f"battle-{number}"
        home.battle_is_open(
            battle_id,
            vote["models"],
            {"a": {"text": vote["text"]}},
            owner=vote["rater"],
            source=vote["source"],
            blind=vote["blind"],
            overrides=vote["overrides"],
            draw_probability=0.1 if vote["drawn"] else None,
        )
        home.time.pass_s(vote["wait_s"])
        if vote["imported"]:
            add_vote(home, battle_id, vote["choice"], rater=vote["rater"], imported=vote["imported"])
        else:
            home.battles.vote(battle_id, vote["choice"], vote["rater"], final=True, source=vote["source"])
        home.time.pass_s(vote["pause_s"])


@pytest.mark.slow
@settings(max_examples=25)
@given(votes=VOTES, number=st.integers(0, len(POLICIES) - 1))
def test_streamed_reasons_equal_those_of_all_pairs(votes: list[dict[str, Any]], number: int) -> None:
    home, policy = house(), POLICIES[number]
    fill(home, votes)
    pairs = list(home.store.judged_pairs())
    expected = reasons_of(pairs, policy.with_fallback(pairs))
    with home.store.reading() as reading:
        standings = Standings(reading, policy)
        of_pairs = {pair.vote.vote_id: standings.reason(pair.vote) for pair in reading.exported_pairs()}
        of_votes = {vote.vote_id: standings.reason(vote) for vote in reading.exported_votes()}
    assert {vote: reason for vote, reason in of_pairs.items() if reason is not None} == expected
    assert of_votes == of_pairs
    assert set(of_pairs) == {pair.vote_id for pair in pairs}


def answers(number: int) -> dict[str, dict[str, str]]:
    """Return answers that no other battle has."""
    return {"a": {"text": f"Wave {number}."}, "b": {"text": f"Sea {number}."}}


def test_votes_beyond_the_daily_cap_do_not_count(tmp_path: Path) -> None:
    with Store(tmp_path / "playground.db") as store:
        home, policy = House(store), replace(CountingPolicy(), max_votes_per_rater_and_day=3)
        for number in range(5):
            home.battle_is_open(f"battle-{number}", ends=answers(number))
            home.time.pass_s(2)
            home.battles.vote(f"battle-{number}", "a", ADA, final=True)
        with store.reading() as reading:
            standings = Standings(reading, policy)
            reasons = [standings.reason(pair.vote) for pair in reading.exported_pairs()]
    assert reasons == [None, None, None, "daily_cap", "daily_cap"]


@pytest.mark.parametrize(("drawn", "reason"), [(True, "chosen_pair"), (False, None)])
def test_chosen_pairs_count_only_until_a_drawn_one_does(drawn: bool, reason: str | None) -> None:
    home = house()
    for number, probability in enumerate([None, 0.5 if drawn else None]):
        home.battle_is_open(f"battle-{number}", ends=answers(number), draw_probability=probability)
        home.time.pass_s(2)
        home.battles.vote(f"battle-{number}", "a", ADA, final=True)
    with home.store.reading() as reading:
        standings = Standings(reading, CountingPolicy())
        assert [standings.reason(pair.vote) for pair in reading.exported_pairs()] == [reason, None]
