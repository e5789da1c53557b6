"""The life of a battle: creating, finishing, voting, notes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from playground.battles import MAX_COMMENT_CHARS, VOTE_REASONS, Viewer
from playground.errors import InvalidValue, Refused, StorageError
from playground.records import (
    BattleState,
    ColumnState,
    FinishReason,
    LiveColumn,
)
from playground.storage.database.statements import Writing
from tests.battles.seen import models_of, refusal_of
from tests.support.cast import (
    ADA,
    BEN,
    EMPTY,
    FAILED,
    GALPACA,
    MAMBA,
    MODELS,
    OPENALPACA,
    House,
    battle,
    generation,
    house,
)

GENERATING, OPEN, VOTED, REVEALED, VOID = BattleState


@pytest.mark.parametrize("models", [(), (OPENALPACA,)])
def test_a_battle_needs_two_sides(home: House, models: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValue, match="valid: the first 2 to 6 letters"):
        home.battles.create(battle(models=models))


def test_a_battle_begins_unfinished(home: House) -> None:
    with pytest.raises(InvalidValue, match="a new one is generating"):
        home.battles.create(battle(state=OPEN))


def test_a_battle_on_finished_generations_is_open_at_once(home: House) -> None:
    """Another rater judges the same answers the other way round: generations are stored once."""
    first = home.battle_is_open()
    swapped = tuple(replace(side, side=letter) for letter, side in zip("ab", reversed(first.sides), strict=True))
    home.battles.create(battle("battle-2", owner=BEN, sides=swapped, comparison_id=first.comparison_id))
    home.battles.vote("battle-2", "a", BEN, final=True)
    assert [(pair.model_a, pair.winner) for pair in home.store.judged_pairs()] == [(MAMBA, "model_a")]


def test_a_side_takes_only_its_own_models_generation(home: House) -> None:
    home.battles.create(battle())
    with pytest.raises(InvalidValue, match="side a is pocket-openalpaca, not pocket-galpaca"):
        home.battles.finish("battle-1", {"a": generation("g", GALPACA)})
    with pytest.raises(InvalidValue, match="no side 'c'; valid: a, b"):
        home.battles.finish("battle-1", {"c": generation("g")})


def test_a_side_ends_once(home: House) -> None:
    home.battles.create(battle())
    home.battles.finish("battle-1", {"a": generation("g", text="first")})
    for name in ("g", "h"):
        again = generation(name, text="second")
        assert refusal_of(lambda again=again: home.battles.finish("battle-1", {"a": again})) == "final"
    stored = home.store.battle("battle-1")
    assert stored is not None
    assert stored.sides[0].generation == generation("g", text="first")


def test_repeated_finish_returns_the_same_state(home: House) -> None:
    home.battles.create(battle())
    made = generation("g")
    assert [home.battles.finish("battle-1", {"a": made}) for _ in range(2)] == [GENERATING] * 2
    other = generation("h", MAMBA)
    assert [home.battles.finish("battle-1", {"b": other}) for _ in range(2)] == [OPEN] * 2


def test_finish_of_several_sides_is_atomic(home: House) -> None:
    home.battles.create(battle(models=MODELS))
    ended = {side: generation(f"g-{side}", model) for side, model in zip("abc", MODELS, strict=True)}
    with pytest.raises(InvalidValue, match="side c is"):
        home.battles.finish("battle-1", ended | {"c": generation("g-c", MODELS[0])})
    left = home.store.battle("battle-1")
    assert left is not None
    assert [side.generation for side in left.sides] == [None] * 3
    assert home.battles.finish("battle-1", {"a": ended["a"]}) is GENERATING
    assert [home.battles.finish("battle-1", ended) for _ in range(2)] == [OPEN] * 2, "one of them was there before"
    stored = home.store.battle("battle-1")
    assert stored is not None
    assert {side.side: side.generation for side in stored.sides} == ended


def test_concurrent_ends_open_the_battle_once(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.battles.create(battle(models=MODELS * 2))
    with ThreadPoolExecutor(6) as pool:
        ends = pool.map(
            lambda n: home.battles.finish("battle-1", {"abcdef"[n]: generation(f"g{n}", (MODELS * 2)[n])}), range(6)
        )
    assert sorted(ends) == [GENERATING] * 5 + [OPEN]
    home.store.close()


@pytest.mark.proves("an empty answer")
@pytest.mark.parametrize("bad", [FAILED, EMPTY])
def test_fewer_than_two_good_answers_are_no_battle(home: House, bad: dict[str, Any]) -> None:
    made = home.battle_is_open(models=MODELS, ends={"a": bad, "c": bad})
    assert (made.state, made.void_reason) == (VOID, "failed")


def test_a_stopped_answer_with_text_can_be_judged(home: House) -> None:
    home.battle_is_open(ends={"a": {"finish_reason": FinishReason.CANCELLED}})
    assert home.battles.vote("battle-1", "a", ADA).choice == "a"


# Voting


@pytest.mark.parametrize("choice", ["a", "c", "tie", "both_bad", "a>c", "c>a", "a=c", "c=a"])
def test_valid_choices_with_a_failed_side(home: House, choice: str) -> None:
    home.battle_is_open(models=MODELS, ends={"b": FAILED})
    assert home.battles.vote("battle-1", choice, ADA).choice == choice


@pytest.mark.proves("hidden and disabled fields overwritten", "an error after half an answer")
@pytest.mark.parametrize(
    "choice", ["", "d", "A", "undo", "b>a", "a>b>c", "a>a", "a>", ">", "a>c>c", "a c", "a>c\n", "left", "model_a",
               "tie ", "\ud800", "a" * 100_000, None, 1, ["a"], True])  # fmt: skip
def test_invalid_choices_with_a_failed_side(home: House, choice: Any) -> None:
    home.battle_is_open(models=MODELS, ends={"b": FAILED})
    with pytest.raises(InvalidValue, match="choice is"):
        home.battles.vote("battle-1", choice, ADA)
    assert home.battles.view("battle-1", ADA).may_vote


def test_a_failed_side_cannot_be_the_best(home: House) -> None:
    home.battle_is_open(models=MODELS, ends={"b": FAILED})
    with pytest.raises(InvalidValue, match="side b has no answer to vote for; valid: a, c, tie, both_bad"):
        home.battles.vote("battle-1", "b", ADA)


def test_repeated_vote_returns_the_stored_one(home: House) -> None:
    home.battle_is_open()
    first = home.battles.vote("battle-1", "a", ADA)
    for choice in ("a", "b", "nonsense"):
        assert home.battles.vote("battle-1", choice, ADA) == first
        assert home.battles.vote("battle-1", choice, ADA, final=True) == first
    final = home.battles.reveal("battle-1", ADA)
    assert models_of(final) == [OPENALPACA, MAMBA]
    assert home.battles.vote("battle-1", "b", ADA) == final
    assert home.battles.reveal("battle-1", ADA) == final


def test_api_vote_is_final_and_needs_only_the_id(home: House) -> None:
    home.battle_is_open(source="api", owner="api")
    given = home.battles.vote("battle-1", "b", "annotator-7", final=True, source="api")
    assert (given.state, models_of(given)) == (REVEALED, [OPENALPACA, MAMBA])
    assert [pair.rater_id for pair in home.store.judged_pairs()] == ["annotator-7"]
    assert home.battles.vote("battle-1", "a", "somebody-else", final=True, source="api") == given


def test_vote_is_stored_though_its_view_cannot_be_read(home: House) -> None:
    def unreadable(*_: object) -> NoReturn:
        raise StorageError("disk I/O error")

    home.battle_is_open()
    home.battles.rules = replace(home.battles.rules, standing_of=unreadable)
    with pytest.raises(StorageError):
        home.battles.vote("battle-1", "a", ADA, final=True)
    assert home.store.count_votes() == 1


def test_a_vote_can_be_undone_for_five_seconds(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    home.time.pass_s(4.999)
    assert home.battles.view("battle-1", ADA).final_in_s == pytest.approx(0.001)
    undone = home.battles.undo("battle-1", ADA)
    assert (undone.state, undone.choice, undone.revision, models_of(undone)) == (OPEN, None, 2, [])
    assert home.battles.undo("battle-1", ADA) == undone
    home.battles.vote("battle-1", "b", ADA)
    home.time.pass_s(5)
    assert refusal_of(lambda: home.battles.undo("battle-1", ADA)) == "final"
    seen = home.battles.view("battle-1", ADA)
    assert (seen.state, seen.choice, seen.revision, seen.final_in_s) == (REVEALED, "b", 3, None)


@pytest.mark.proves("replays")
def test_a_late_duplicate_cannot_become_a_second_vote(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, 0)
    undone = home.battles.undo("battle-1", ADA, 1)
    assert home.battles.vote("battle-1", "a", ADA, 0) == undone
    again = home.battles.vote("battle-1", "b", ADA, 2)
    assert (again.choice, again.revision) == ("b", 3)
    assert home.battles.undo("battle-1", ADA, 1) == again


def test_expiry_is_seen_and_stored_on_reading(home: House) -> None:
    home.battle_is_open("voted")
    home.battle_is_open("forgotten")
    home.battles.vote("voted", "a", ADA)
    home.time.pass_s(3600)
    assert home.battles.view("voted", ADA).state is REVEALED
    assert home.battles.view("forgotten", ADA).state is VOID
    stored = [home.store.battle(name) for name in ("voted", "forgotten")]
    assert [(made.state, made.void_reason) for made in stored if made] == [(REVEALED, None), (VOID, "expired")]
    assert refusal_of(lambda: home.battles.vote("forgotten", "a", ADA)) == "expired"


@pytest.mark.proves("an unknown, foreign, expired, voted or unfinished battle")
def test_expired_battle_refuses_votes_before_it_is_settled(home: House) -> None:
    home.battle_is_open()
    home.time.pass_s(3600)
    assert refusal_of(lambda: home.battles.vote("battle-1", "a", ADA)) == "expired"
    assert home.battles.expire() == 1
    assert home.battles.expire() == 0


@pytest.mark.proves("clock back an hour")
def test_clock_set_back_makes_a_vote_final(home: House) -> None:
    home.battle_is_open()
    home.time.pass_s(-3600)
    home.battles.vote("battle-1", "a", ADA)
    home.time.pass_s(-3600)
    assert refusal_of(lambda: home.battles.undo("battle-1", ADA)) == "final"
    assert [pair.decision_s for pair in home.store.judged_pairs()] == [None]


def test_decision_time_counts_from_open_to_vote(home: House) -> None:
    home.battle_is_open()
    home.time.pass_s(12.5)
    home.battles.vote("battle-1", "a", ADA)
    assert [pair.decision_s for pair in home.store.judged_pairs()] == [12.5]


@pytest.mark.slow
@pytest.mark.proves("replays")
@pytest.mark.parametrize("final", [False, True])
def test_concurrent_voters_leave_one_vote_per_battle(tmp_path: Path, final: bool) -> None:
    home = house(tmp_path)
    for number in range(50):
        home.battle_is_open(f"battle-{number}")
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda n: home.battles.vote(f"battle-{n % 50}", "ab"[n // 50 % 2], ADA, 0, final), range(50 * 20))
        )
    with home.store.reading() as reading:
        rows = reading._connection.execute("SELECT battle_id, choice FROM votes").fetchall()
    assert len(rows) == 50
    stored = {row["battle_id"]: row["choice"] for row in rows}
    assert {(answer.battle_id, answer.choice) for answer in answers} == set(stored.items())
    home.store.close()


def test_concurrent_votes_and_undos_have_consecutive_revisions(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.battle_is_open()
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(
                lambda n: home.battles.vote("battle-1", "a", ADA) if n % 2 else home.battles.undo("battle-1", ADA),
                range(400),
            )
        )
    with home.store.reading() as reading:
        rows = reading._connection.execute("SELECT revision, choice FROM votes ORDER BY revision").fetchall()
    assert [row["revision"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["choice"] for row in rows] == [("undo", "a")[n % 2] for n in range(1, len(rows) + 1)]
    home.store.close()


# Notes


def test_notes_belong_to_the_current_vote(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, reasons=["style", "correct"], comment="Salt in every line.")
    seen = home.battles.view("battle-1", ADA)
    assert (seen.reasons, seen.comment) == (("correct", "style"), "Salt in every line.")
    home.battles.undo("battle-1", ADA)
    seen = home.battles.view("battle-1", ADA)
    assert (seen.reasons, seen.comment) == ((), "")
    home.battles.vote("battle-1", "b", ADA, final=True)
    home.battles.note("battle-1", ADA, reasons=["clear"])
    home.battles.note("battle-1", ADA, comment="Later.")
    home.battles.note("battle-1", ADA, comment="Later still.")
    seen = home.battles.view("battle-1", ADA)
    assert (seen.reasons, seen.comment) == (("clear",), "Later still.")
    home.battles.note("battle-1", ADA, reasons=[], comment="")
    seen = home.battles.view("battle-1", ADA)
    assert (seen.reasons, seen.comment) == ((), "")


def test_vote_without_notes_writes_none(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    home.battle_is_open()
    touched: list[object] = []
    monkeypatch.setattr(Writing, "replace_notes", lambda *asked: touched.append(asked))
    home.battles.vote("battle-1", "a", ADA, reasons=[], comment="")
    assert touched == []


def test_view_of_a_begun_battle_equals_the_stored_one(home: House) -> None:
    begun = home.battles.create(battle("battle-1"))
    live = {"b": LiveColumn("b", ColumnState.LOADING, "", "loading"), "a": LiveColumn("a", ColumnState.WRITING, "the")}
    stored = home.battles.view("battle-1", ADA, live)
    home.store.close()
    assert home.battles.view_begun(begun, Viewer(ADA), live) == stored
    with pytest.raises(Refused) as refused:
        home.battles.view_begun(begun, Viewer(BEN), live)
    assert refused.value.reason == "foreign"


def test_a_repeated_vote_changes_no_note(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, comment="first")
    home.battles.vote("battle-1", "b", ADA, comment="second", reasons=["clear"])
    seen = home.battles.view("battle-1", ADA)
    assert (seen.reasons, seen.comment) == ((), "first")


def test_invalid_notes_are_refused(home: House) -> None:
    home.battle_is_open(ends={"b": {"text": "x"}})
    with pytest.raises(InvalidValue, match="unknown reason 'nice'; valid: correct, complete"):
        home.battles.vote("battle-1", "a", ADA, reasons=["nice"])
    with pytest.raises(InvalidValue, match="2001 characters"):
        home.battles.vote("battle-1", "a", ADA, comment="x" * (MAX_COMMENT_CHARS + 1))
    with pytest.raises(InvalidValue, match="no side 'c'; valid: a, b"):
        home.battles.note("battle-1", ADA, report_side="c")
    assert home.battles.view("battle-1", ADA).may_vote
    assert set(VOTE_REASONS) >= {"correct", "clear"}


def test_report_needs_no_vote_but_sight_of_the_battle(home: House) -> None:
    home.battle_is_open()
    home.battles.note("battle-1", ADA, report_side="a", report="unsafe")
    assert refusal_of(lambda: home.battles.note("battle-1", BEN, report_side="b", report="rude")) == "foreign"
    home.battles.vote("battle-1", "a", ADA, final=True)
    home.battles.note("battle-1", BEN, report_side="b", report="rude")
    with home.store.reading() as reading:
        assert list(reading.notes("battle-1", "report")) == ["unsafe", "rude"]
