"""Pairs of votes in the database."""

from __future__ import annotations

import pytest

from playground.records import Instruction
from tests.support.cast import ADA, EMPTY, FAILED, GALPACA, MAMBA, MODELS, OPENALPACA, House


def pairs_of(home: House) -> list[tuple[str, str, str, float]]:
    return [(pair.model_a, pair.model_b, pair.winner, pair.weight) for pair in home.store.judged_pairs()]


O, M, G = OPENALPACA, MAMBA, GALPACA  # noqa: E741


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("a", [(O, M, "model_a", 1), (O, G, "model_a", 1)]),
        ("b", [(O, M, "model_b", 1), (M, G, "model_a", 1)]),
        ("c", [(O, G, "model_b", 1), (M, G, "model_b", 1)]),
        ("tie", [(O, M, "tie", 1), (O, G, "tie", 1), (M, G, "tie", 1)]),
        ("both_bad", [(O, M, "both_bad", 1), (O, G, "both_bad", 1), (M, G, "both_bad", 1)]),
        ("b>a=c", [(O, M, "model_b", 1), (O, G, "tie", 1), (M, G, "model_a", 1)]),
        ("c>b>a", [(O, M, "model_b", 1), (O, G, "model_b", 1), (M, G, "model_b", 1)]),
        ("a=c>b", [(O, M, "model_a", 1), (O, G, "tie", 1), (M, G, "model_b", 1)]),
        ("c=b=a", [(O, M, "tie", 1), (O, G, "tie", 1), (M, G, "tie", 1)]),
    ],
)
def test_pairs_of_a_vote_on_three(home: House, choice: str, expected: list[tuple[str, str, str, float]]) -> None:
    home.battle_is_open(models=MODELS)
    home.battles.vote("battle-1", choice, ADA)
    assert pairs_of(home) == expected


@pytest.mark.parametrize("bad", [FAILED, EMPTY])
def test_bad_answer_is_in_no_pair(home: House, bad: dict[str, object]) -> None:
    home.battle_is_open(models=MODELS, ends={"b": bad})
    home.battles.vote("battle-1", "c>a", ADA)
    assert pairs_of(home) == [(O, G, "model_b", 1)]


def test_only_latest_revision_gives_pairs(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    home.battles.undo("battle-1", ADA)
    assert pairs_of(home) == []
    assert home.store.count_votes() == 0
    home.battles.vote("battle-1", "b", ADA)
    assert pairs_of(home) == [(O, M, "model_b", 1)]
    assert home.store.count_votes() == 1


def test_pair_of_same_model_has_no_weight(home: House) -> None:
    home.battle_is_open(models=(O, O, M))
    home.battles.vote("battle-1", "a", ADA)
    assert pairs_of(home) == [(O, O, "model_a", 0), (O, M, "model_a", 1)]


def test_pairs_can_be_filtered(home: House) -> None:
    home.battle_is_open("open-mode", blind=False)
    home.battle_is_open("blind")
    home.battle_is_open("other", instruction=Instruction("Add 2 and 2.", category="maths"))
    for name in ("open-mode", "blind", "other"):
        home.battles.vote(name, "a", ADA)
        home.time.pass_s(1)
    store = home.store
    assert [pair.battle_id for pair in store.judged_pairs()] == ["open-mode", "blind", "other"]
    assert [pair.battle_id for pair in store.judged_pairs(blind_only=True)] == ["blind", "other"]
    assert [pair.battle_id for pair in store.judged_pairs(category="maths")] == ["other"]
    home.time.pass_s(2.5)
    assert [pair.battle_id for pair in store.judged_pairs(final_by=home.time.now())] == ["open-mode"]


def test_head_to_head_counts_wins_and_votes_of_two_models(home: House) -> None:
    votes = {"one": ((O, M), "a"), "two": ((M, O), "b"), "three": ((O, M), "b"), "four": ((O, M, G), "tie")}
    for name, (models, choice) in votes.items():
        home.battle_is_open(name, models=models)
        home.battles.vote(name, choice, ADA)
    home.battle_is_open("named", models=(O, M), blind=False)
    home.battles.vote("named", "a", ADA)
    home.battle_is_open("itself", models=(O, O))
    home.battles.vote("itself", "a", ADA)
    with home.store.reading() as reading:
        assert reading.head_to_head(O, M, home.time.now()) == (0, 0), "they can still be undone"
    home.time.pass_s(10)
    with home.store.reading() as reading:
        assert reading.head_to_head(O, M, home.time.now()) == (2, 4)
        assert reading.head_to_head(M, O, home.time.now()) == (1, 4)
        assert reading.head_to_head(G, O, home.time.now()) == (0, 1)


def final_pairs(home: House) -> list[str]:
    return [pair.battle_id for pair in home.store.judged_pairs(final_by=home.time.now())]


@pytest.mark.parametrize("ahead_s", [1, 3000])
def test_vote_given_while_the_clock_was_ahead_counts_at_once(home: House, ahead_s: float) -> None:
    home.battle_is_open()
    home.time.pass_s(ahead_s)
    home.battles.vote("battle-1", "a", ADA)
    assert final_pairs(home) == []
    home.time.pass_s(-ahead_s)
    assert final_pairs(home) == ["battle-1"]


def test_vote_revealed_while_the_clock_was_ahead_counts_at_once(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    home.time.pass_s(3600)
    home.battles.view("battle-1", ADA)  # the clock says that its time is up
    home.time.pass_s(-3599)
    assert final_pairs(home) == ["battle-1"]
    home.battle_is_open("battle-2")
    home.battles.vote("battle-2", "a", ADA)
    home.time.pass_s(-2)
    home.time.pass_s(3)
    assert final_pairs(home) == ["battle-1"]
