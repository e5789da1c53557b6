"""The board of a database is that of its judged pairs, counted one by one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.ratings.board import LeaderboardOptions
from playground.ratings.chosen import Chosen
from playground.ratings.counting import count
from playground.ratings.leaderboard import rate
from playground.ratings.pairs import PairTable
from playground.ratings.policy import EVERY_VOTE, CountingPolicy
from playground.ratings.stored import read_votes
from playground.records import BattleSide, BattleState, Instruction, Origin, Vote
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from playground.storage.database.tables import judged
from tests.support.cast import MODELS, PARAMS, battle, card, generation
from tests.support.counting_oracle import count_pairs
from tests.support.judged import build_leaderboard, table_from
from tests.support.memory import memory_store

NOW = "2026-11-22T00:00:00.000+00:00"
RATERS = ["ada", "ben", "api", "ann", "program/nightly"]


@st.composite
def given_votes(draw: st.DrawFn) -> list[dict[str, Any]]:
    one = st.fixed_dictionaries(
        {
            "models": st.lists(st.sampled_from(MODELS), min_size=2, max_size=4),
            "good": st.lists(st.sampled_from([True, True, True, False]), min_size=4, max_size=4),
            "chars": st.lists(st.integers(1, 3), min_size=4, max_size=4),
            "choice": st.sampled_from(["a", "b", "c", "tie", "both_bad", "c>a=b", "b>a"]),
            "rater": st.sampled_from(RATERS),
            "origin": st.sampled_from([Origin.PERSON, Origin.PERSON, Origin.PROGRAM, Origin.SHARED]),
            "at": st.integers(0, 2 * 86400),
            "blind": st.sampled_from([True, True, False]),
            "drawn": st.booleans(),
            "changed": st.booleans(),
            "category": st.sampled_from(["", "coding"]),
            "decision_s": st.sampled_from([None, 0.5, 5.0]),
            "imported": st.sampled_from([None, None, "file"]),
            "flags": st.sets(st.sampled_from(["seen_before", "seen_elsewhere", "capped"]), max_size=2),
            "names": st.sampled_from([False, False, True]),
            "network": st.sampled_from(["", "0" * 64, "1" * 64]),
            "undone": st.sampled_from([False, False, True]),
            "open": st.sampled_from([False, False, False, True]),
            "study": st.sampled_from([None, None, "item", "repeat", "check"]),
        }
    )
    return draw(st.lists(one, max_size=25))


def insert(writing: Writing, number: int, vote: dict[str, Any]) -> None:
    at = f"2026-11-2{vote['at'] // 86400}T{vote['at'] % 86400 // 3600:02}:00:{vote['at'] % 60:02}.000+00:00"
    asked = Instruction("What is it?", category=vote["category"])
    answers = [
        generation(f"{number}-{side}", model, "x" * chars if good else "", instruction=asked)
        for side, model, good, chars in zip("abcd", vote["models"], vote["good"], vote["chars"], strict=False)
    ]
    for answer in answers:
        writing.insert_generation(answer)
    if vote["names"]:
        writing.flag_generation(answers[0].id, "names_itself", "I am")
    sides = zip("abcd", answers, strict=False)
    made = battle(
        f"battle-{number}",
        (),
        sides=tuple(BattleSide(side, answer.model_id, 5, PARAMS, answer) for side, answer in sides),
        owner=vote["rater"],
        state=BattleState.VOTED,
        instruction=asked,
        blind=vote["blind"],
        overrides={"top_p": 0.5} if vote["changed"] else {},
        draw_probability=0.5 if vote["drawn"] else None,
        study=vote.get("study") and "helpful",
        study_hash=vote.get("study") and "0" * 64,
        study_kind=vote.get("study"),
        created_at=at,
        opened_at=at,
        final_at="2026-11-23" if vote["open"] else at,
    )
    writing.insert_battle(made)
    row = Vote(f"vote-{number}", made.id, 1, vote["choice"], vote["rater"], at, vote["decision_s"])
    writing.insert_vote(replace(row, origin=vote["origin"], imported=vote["imported"]))
    for flag in vote["flags"]:
        writing.flag_vote(row.id, flag)
    if vote["network"]:
        writing.insert_network(row.id, at[:10], vote["network"])
    if vote["undone"]:
        writing.insert_vote(replace(row, id=f"undo-{number}", revision=2, choice="undo"))


def filled(votes: list[dict[str, Any]]) -> Store:
    store = memory_store()
    for model in MODELS:
        store.upsert_model(card(model))
    store.write(lambda writing: [insert(writing, number, vote) for number, vote in enumerate(votes)] and None)
    return store


def same(one: Any, other: Any) -> bool:
    """Compare documents; the order of a sum may change its last digits."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-7, abs_tol=1e-7)
    return bool(one == other)


POLICIES = st.builds(
    CountingPolicy,
    origins=st.sampled_from([(Origin.PERSON,), (Origin.PROGRAM,), tuple(Origin)]),
    pairs=st.sampled_from(["drawn", "chosen", "all"]),
    sampling=st.sampled_from(["card", "all"]),
    keep_capped=st.booleans(),
    keep_imported=st.booleans(),
    blind_only=st.booleans(),
    min_decision_s=st.sampled_from([0.0, 1.0]),
    max_votes_per_rater_and_day=st.integers(0, 4),
    max_share_per_rater=st.sampled_from([0.5, 1.0]),
    leave_out_flagged=st.booleans(),
)


def check(votes: list[dict[str, Any]], policy: CountingPolicy, category: str) -> None:
    options = LeaderboardOptions(policy=policy, min_battles=2)
    with filled(votes) as store, store.reading() as reading:
        assert reading.wrongly_judged() == []
        pairs, networks = list(reading.judged_pairs(final_by=NOW)), reading.networks()
        read = read_votes(reading, policy, NOW)
    listed = build_leaderboard(
        pairs, {}, options=options, category=category, categories=["coding"], networks=networks
    ).as_document()
    chosen = Chosen.of(read, {}, options=options, category=category, categories=["coding"])
    assert same(rate(chosen, category).as_document(), listed)
    rows = read.category == read.categories.index(category) if category in read.categories else read.category < 0
    found = count(read, policy, rows if category else None)
    expected = count_pairs(pairs, policy, category=category)
    for name in ("num_counted", "exclusions", "votes", "flagged", "kinds"):
        assert getattr(found, name) == getattr(expected, name), name
    assert sorted(found.weights.values()) == pytest.approx(sorted(expected.weights.values()))
    table = PairTable.of(read, found.rows, weights=found.weights)
    oracle = table_from(expected.pairs, weights=expected.weights)
    assert (table.models, table.unrated) == (oracle.models, oracle.unrated)
    assert np.allclose(table.wins, oracle.wins)
    assert table.outcomes_by_model.tolist() == oracle.outcomes_by_model.tolist()
    assert [n.tolist() for n in table.votes_by_model] == [n.tolist() for n in oracle.votes_by_model]
    assert sorted(table.votes_by_rater) == sorted(oracle.votes_by_rater)


@settings(max_examples=8, deadline=None)
@given(given_votes(), POLICIES, st.sampled_from(["", "coding"]))
def test_board_of_a_database_is_that_of_its_pairs(
    votes: list[dict[str, Any]], policy: CountingPolicy, category: str
) -> None:
    check(votes, policy, category)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(given_votes(), POLICIES, st.sampled_from(["", "coding"]))
def test_board_of_any_database_is_that_of_its_pairs(
    votes: list[dict[str, Any]], policy: CountingPolicy, category: str
) -> None:
    check(votes, policy, category)


VOTE: dict[str, Any] = {
    "models": MODELS,
    "good": [True] * 4,
    "chars": [1, 2, 3, 1],
    "choice": "c>a=b",
    "rater": "ada",
    "origin": Origin.PERSON,
    "at": 0,
    "blind": True,
    "drawn": True,
    "changed": False,
    "category": "",
    "decision_s": 5.0,
    "imported": None,
    "flags": set(),
    "names": False,
    "network": "",
    "undone": False,
    "open": False,
}


def test_numbers_that_do_not_fit_one_word_are_read_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged, "WORD_BITS", 16)
    check([VOTE, VOTE | {"choice": "a", "rater": "ben", "at": 5}], EVERY_VOTE, "")


def test_daily_cap_leaves_out_the_later_votes_of_a_stored_day() -> None:
    votes = [VOTE | {"at": 9 - number} for number in range(6)]
    check(votes, replace(EVERY_VOTE, max_votes_per_rater_and_day=2), "")


def test_free_programs_are_one_rater_where_numbers_end_at_a_power_of_two() -> None:
    insert_rater = "INSERT INTO raters (rowid, id, created_at) VALUES (:rowid, :id, :at)"
    raters = [{"rowid": rowid, "id": id, "at": NOW} for rowid, id in ((1, "ann"), (2**15 - 1, "ben"))]
    given = [VOTE | {"origin": Origin.PROGRAM, "rater": rater["id"]} for rater in raters]
    with filled([]) as store:
        store.write(lambda writing: writing.change(insert_rater, raters))
        store.write(lambda writing: [insert(writing, number, vote) for number, vote in enumerate(given)] and None)
        with store.reading() as reading:
            read = read_votes(reading, EVERY_VOTE, NOW)
    assert set(read.rater.tolist()) == {2**15}


def test_empty_database_has_an_empty_board() -> None:
    check([], CountingPolicy(), "")
