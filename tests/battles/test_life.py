"""The life of a battle: the table, cell by cell, against what happens on a real database; and what is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from playground.battles import MAX_COMMENT_CHARS, REASONS, REFUSALS, TABLE, Event, Sends, Viewer, Who, cell
from playground.battles.self_naming import names_itself
from playground.errors import InvalidValue, Refused
from playground.records import (
    BattleSide,
    BattleState,
    BattleView,
    ColumnState,
    FinishReason,
    Instruction,
    LiveColumn,
)
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store
from tests.support.cast import (
    ADA,
    BEN,
    EMPTY,
    FAILED,
    GALPACA,
    LICENSES,
    MAMBA,
    MODELS,
    OPENALPACA,
    PARAMS,
    House,
    battle,
    card,
    generation,
    house,
)

GENERATING, OPEN, VOTED, REVEALED, VOID = BattleState


@pytest.fixture(params=["file", "memory"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path if request.param == "file" else None)
    yield made
    made.store.close()


def refusal_of(act: Callable[[], object]) -> str | None:
    """The reason, after a look at the words; None when it was not refused."""
    words = None
    try:
        act()
    except Refused as error:
        words, reason = str(error), error.reason
    if words is None:
        return None
    assert words == REFUSALS[reason]
    return reason


def models_of(view: BattleView) -> list[str]:
    """The models that a view names."""
    return [column.card.id for column in view.columns if column.card is not None]


# The table


def bring_to(home: House, state: BattleState, event: Event) -> None:
    """battle-1 of three sides in `state`, so that `event` can come next."""
    last = event in (Event.LAST_ENDED, Event.LAST_FAILED)
    if state is GENERATING:
        home.battles.create(battle(models=MODELS))
        if last:
            home.battles.finish("battle-1", {"a": generation("g-a", MODELS[0])})
            how = FAILED if event is Event.LAST_FAILED else {}
            home.battles.finish("battle-1", {"b": generation("g-b", MODELS[1], **how)})
        return
    home.battle_is_open(models=MODELS, ends={"b": FAILED, "c": FAILED} if state is VOID else {})
    if state in (VOTED, REVEALED):
        home.battles.vote("battle-1", "a", ADA, final=state is REVEALED)


def happen(home: House, event: Event) -> object:
    battles = home.battles
    match event:
        case Event.SIDE_ENDED:
            return battles.finish("battle-1", {"a": generation("new", MODELS[0])})
        case Event.LAST_ENDED:
            return battles.finish("battle-1", {"c": generation("new", MODELS[2])})
        case Event.LAST_FAILED:
            return battles.finish("battle-1", {"c": generation("new", MODELS[2], **FAILED)})
        case Event.VOTE:
            return battles.vote("battle-1", "b", ADA)
        case Event.VOTE_FINAL:
            return battles.vote("battle-1", "b", ADA, final=True)
        case Event.UNDO:
            return battles.undo("battle-1", ADA)
        case Event.REVEAL:
            return battles.reveal("battle-1", ADA)
        case Event.TIME_UP:
            home.time.pass_s(3601)
            return battles.expire()
        case Event.NOTE:
            return battles.note("battle-1", ADA, reasons=["clear"], comment="good")
        case Event.REPORT:
            return battles.note("battle-1", ADA, report_side="a", report="rude")
        case Event.ERASE:
            return battles.erase(ADA)
        case Event.VIEW:
            return battles.view("battle-1", ADA)
        case Event.VISIT:
            return battles.view("battle-1", BEN)


@pytest.mark.proves("an unknown, foreign, expired, voted or unfinished battle")
@pytest.mark.parametrize("state", BattleState)
@pytest.mark.parametrize("event", Event)
def test_every_cell_of_the_table_is_what_happens(home: House, event: Event, state: BattleState) -> None:
    bring_to(home, state, event)
    before = home.store.battle("battle-1")
    assert before is not None
    assert before.state is state
    expected = cell(event, state)

    assert refusal_of(lambda: happen(home, event)) == (expected.refuse or None)

    after = home.store.battle("battle-1")
    assert after is not None
    assert after.state is (expected.to or state)
    if expected.to is None or (expected.to is state and event not in (Event.SIDE_ENDED, Event.ERASE)):
        assert after == before
    assert after.revision - before.revision == (
        expected.to not in (None, state) and event in (Event.VOTE, Event.VOTE_FINAL, Event.UNDO)
    )


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(Event)
    for event in Event:
        for state in BattleState:
            found = cell(event, state)
            assert (found.to is None) == bool(found.refuse)
            assert found.refuse == "" or found.refuse in REFUSALS
            assert (found.sends is not Sends.NOTHING) == (event in (Event.VIEW, Event.VISIT) and found.to is not None)


@pytest.mark.parametrize("event", [event for event in Event if TABLE[event].who is Who.OWNER])
@pytest.mark.parametrize("state", BattleState)
@pytest.mark.parametrize(("owner_source", "viewer", "source"), [
    ("page", BEN, "page"), ("page", ADA, "api"), ("api", ADA, "page"),
])  # fmt: skip
def test_what_is_the_owners_is_foreign_to_everybody_else(
    event: Event, state: BattleState, owner_source: str, viewer: str, source: str
) -> None:
    home = house()
    if state is GENERATING:
        home.battles.create(battle(source=owner_source))
    else:
        home.battle_is_open(source=owner_source, ends={"a": FAILED} if state is VOID else {})
        if state in (VOTED, REVEALED):
            home.battles.vote("battle-1", "a", ADA, final=state is REVEALED, source=owner_source)
    acts: dict[Event, Callable[[], object]] = {
        Event.VOTE: lambda: home.battles.vote("battle-1", "b", viewer, source=source),
        Event.VOTE_FINAL: lambda: home.battles.vote("battle-1", "b", viewer, final=True, source=source),
        Event.UNDO: lambda: home.battles.undo("battle-1", viewer, source=source),
        Event.REVEAL: lambda: home.battles.reveal("battle-1", viewer, source=source),
        Event.NOTE: lambda: home.battles.note("battle-1", viewer, comment="x", source=source),
        Event.VIEW: lambda: home.battles.view("battle-1", viewer, source=source),
    }
    before = home.store.battle("battle-1")
    expected = None if event is Event.VIEW and state is REVEALED else "foreign"
    assert refusal_of(acts[event]) == expected
    assert home.store.battle("battle-1") == before
    assert refusal_of(lambda: home.battles.owned("battle-1", viewer, source)) == "foreign"


@pytest.mark.parametrize("name", ["", "battle-2", "x" * 1_000_000, "ß", "\ud800", "battle-1\x00", ["battle-1"], None])
def test_an_unknown_battle_is_unknown_to_every_question(home: House, name: Any) -> None:
    home.battle_is_open()
    battles = home.battles
    for act in (
        lambda: battles.vote(name, "a", ADA),
        lambda: battles.undo(name, ADA),
        lambda: battles.reveal(name, ADA),
        lambda: battles.note(name, ADA, comment="x"),
        lambda: battles.note(name, ADA, report_side="a"),
        lambda: battles.view(name, ADA),
        lambda: battles.owned(name, ADA),
        lambda: battles.finish(name, {"a": generation("g")}),
    ):
        assert refusal_of(act) == "unknown"


# Making and finishing


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


def test_a_side_that_is_saved_again_with_the_same_gets_the_same_answer(home: House) -> None:
    home.battles.create(battle())
    made = generation("g")
    assert [home.battles.finish("battle-1", {"a": made}) for _ in range(2)] == [GENERATING] * 2
    other = generation("h", MAMBA)
    assert [home.battles.finish("battle-1", {"b": other}) for _ in range(2)] == [OPEN] * 2


def test_sides_that_are_saved_together_are_saved_all_or_none(home: House) -> None:
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


def test_columns_that_end_at_the_same_moment_open_the_battle_once(tmp_path: Path) -> None:
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
def test_what_can_be_chosen_when_b_failed(home: House, choice: str) -> None:
    home.battle_is_open(models=MODELS, ends={"b": FAILED})
    assert home.battles.vote("battle-1", choice, ADA).choice == choice


@pytest.mark.proves("hidden and disabled fields overwritten", "an error after half an answer")
@pytest.mark.parametrize(
    "choice", ["", "d", "A", "undo", "b>a", "a>b>c", "a>a", "a>", ">", "a>c>c", "a c", "a>c\n", "left", "model_a",
               "tie ", "\ud800", "a" * 100_000, None, 1, ["a"], True])  # fmt: skip
def test_what_cannot_be_chosen_when_b_failed(home: House, choice: Any) -> None:
    home.battle_is_open(models=MODELS, ends={"b": FAILED})
    with pytest.raises(InvalidValue, match="choice is"):
        home.battles.vote("battle-1", choice, ADA)
    assert home.battles.view("battle-1", ADA).may_vote


def test_a_failed_side_cannot_be_the_best(home: House) -> None:
    home.battle_is_open(models=MODELS, ends={"b": FAILED})
    with pytest.raises(InvalidValue, match="side b has no answer to vote for; valid: a, c, tie, both_bad"):
        home.battles.vote("battle-1", "b", ADA)


def test_a_repeated_vote_gets_the_stored_answer_whatever_it_says(home: House) -> None:
    home.battle_is_open()
    first = home.battles.vote("battle-1", "a", ADA)
    for choice in ("a", "b", "nonsense"):
        assert home.battles.vote("battle-1", choice, ADA) == first
        assert home.battles.vote("battle-1", choice, ADA, final=True) == first
    final = home.battles.reveal("battle-1", ADA)
    assert models_of(final) == [OPENALPACA, MAMBA]
    assert home.battles.vote("battle-1", "b", ADA) == final
    assert home.battles.reveal("battle-1", ADA) == final


def test_a_vote_over_the_api_is_final_at_once_and_whoever_holds_the_id_casts_it(home: House) -> None:
    home.battle_is_open(source="api", owner="api")
    given = home.battles.vote("battle-1", "b", "annotator-7", final=True, source="api")
    assert (given.state, models_of(given)) == (REVEALED, [OPENALPACA, MAMBA])
    assert [pair.rater_id for pair in home.store.judged_pairs()] == ["annotator-7"]
    assert home.battles.vote("battle-1", "a", "somebody-else", final=True, source="api") == given


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


def test_time_passes_at_reading_and_is_written_down(home: House) -> None:
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
def test_an_expired_battle_takes_no_vote_though_nobody_looked(home: House) -> None:
    home.battle_is_open()
    home.time.pass_s(3600)
    assert refusal_of(lambda: home.battles.vote("battle-1", "a", ADA)) == "expired"
    assert home.battles.expire() == 1
    assert home.battles.expire() == 0


@pytest.mark.proves("clock back an hour")
def test_a_clock_that_is_set_back_reveals_and_never_lets_undo_for_an_hour(home: House) -> None:
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


@pytest.mark.proves("replays")
@pytest.mark.parametrize("final", [False, True])
def test_twenty_racers_on_each_of_fifty_battles_leave_fifty_votes(tmp_path: Path, final: bool) -> None:
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


def test_voters_and_undoers_at_once_leave_an_unbroken_row_of_revisions(tmp_path: Path) -> None:
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


def test_reasons_and_comment_belong_to_the_vote_that_stands(home: House) -> None:
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


def test_a_vote_that_brings_no_notes_looks_for_none(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    home.battle_is_open()
    touched: list[object] = []
    monkeypatch.setattr(Writing, "replace_notes", lambda *asked: touched.append(asked))
    home.battles.vote("battle-1", "a", ADA, reasons=[], comment="")
    assert touched == []


def test_a_blind_battle_that_is_written_is_shown_the_same_without_the_database(home: House) -> None:
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


def test_what_cannot_be_noted_is_said_and_nothing_is_saved(home: House) -> None:
    home.battle_is_open(ends={"b": {"text": "x"}})
    with pytest.raises(InvalidValue, match="unknown reason 'nice'; valid: correct, complete"):
        home.battles.vote("battle-1", "a", ADA, reasons=["nice"])
    with pytest.raises(InvalidValue, match="2001 characters"):
        home.battles.vote("battle-1", "a", ADA, comment="x" * (MAX_COMMENT_CHARS + 1))
    with pytest.raises(InvalidValue, match="no side 'c'; valid: a, b"):
        home.battles.note("battle-1", ADA, report_side="c")
    assert home.battles.view("battle-1", ADA).may_vote
    assert set(REASONS) >= {"correct", "clear"}


def test_an_answer_can_be_reported_before_the_vote_and_by_whoever_sees_it(home: House) -> None:
    home.battle_is_open()
    home.battles.note("battle-1", ADA, report_side="a", report="unsafe")
    assert refusal_of(lambda: home.battles.note("battle-1", BEN, report_side="b", report="rude")) == "foreign"
    home.battles.vote("battle-1", "a", ADA, final=True)
    home.battles.note("battle-1", BEN, report_side="b", report="rude")
    with home.store.reading() as reading:
        assert list(reading.notes("battle-1", "report")) == ["unsafe", "rude"]


# What is sent


def sent(view: BattleView) -> str:
    return json.dumps(asdict(view), default=str, sort_keys=True)


IDENTITY = ("pocket-", "org/", "0123abc", "apache", "cc-by", "torch", "ff" * 32)


def test_while_blind_nothing_but_text_and_failure_is_sent(home: House) -> None:
    home.battle_is_open(models=MODELS, ends={"b": FAILED, "c": {"finish_reason": FinishReason.CANCELLED}})
    for _ in range(2):
        view = home.battles.view("battle-1", ADA)
        assert [column.state for column in view.columns] == ["done", "failed", "done"]
        for column in view.columns:
            assert (column.error, column.finish_reason, column.card, column.generation) == (None,) * 4
            assert (column.num_tokens, column.tokens_per_s, column.first_token_s) == (None,) * 3
        assert not [word for word in IDENTITY if word in sent(view)]
        assert models_of(home.battles.vote("battle-1", "a", ADA)) == []
    revealed = (home.battles.reveal("battle-1", ADA), home.battles.view("battle-1", ADA))[1]
    assert [column.state for column in revealed.columns] == ["done", "failed", "stopped"]
    assert [column.card.license for column in revealed.columns if column.card] == [LICENSES[name] for name in MODELS]
    assert revealed.columns[1].error == "it broke"
    assert revealed.columns[0].tokens_per_s == pytest.approx(2.0)


@pytest.mark.parametrize("until", ["generating", "half", "open", "voted", "void"])
def test_what_is_sent_while_blind_is_the_same_whichever_model_stands_where(until: str) -> None:
    seen = set()
    for models in permutations(MODELS):
        home = house()
        ends = {"a": FAILED, "b": EMPTY} if until == "void" else {}
        if until in ("generating", "half"):
            home.battles.create(battle(models=models))
            if until == "half":
                slow = models.index(GALPACA)
                for side, model in zip("abc", models, strict=True):
                    if side != "abc"[slow]:
                        home.battles.finish("battle-1", {side: generation(side, model)})
        else:
            home.battle_is_open(models=models, ends=ends)
            if until == "voted":
                home.battles.vote("battle-1", "b", ADA)
        seen.add(sent(home.battles.view("battle-1", ADA)))
    assert len(seen) == 1


def test_while_blind_and_written_all_columns_have_one_state_and_status(home: House) -> None:
    home.battles.create(battle(models=MODELS))
    live = {
        "a": LiveColumn("a", ColumnState.DONE, "all", num_tokens=3, first_token_s=0.1, duration_s=1.0),
        "b": LiveColumn("b", ColumnState.LOADING, "", "loading, about 40 s"),
        "c": LiveColumn("c", ColumnState.WRITING, "so", num_tokens=1),
    }
    view = home.battles.view("battle-1", ADA, live)
    assert [(column.state, column.status, column.text) for column in view.columns] == [
        ("loading", "", "all"), ("loading", "", ""), ("loading", "", "so")
    ]  # fmt: skip
    assert {(column.num_tokens, column.first_token_s, column.error) for column in view.columns} == {(None, None, None)}
    ended = {side: replace(column, state=ColumnState.STOPPED) for side, column in live.items()}
    ended["c"] = LiveColumn("c", ColumnState.FAILED, error="out of memory")
    view = home.battles.view("battle-1", ADA, ended)
    assert [(column.state, column.error) for column in view.columns] == [
        ("done", None), ("done", None), ("failed", None)
    ]  # fmt: skip


def test_a_blind_battle_does_not_show_which_column_was_first_to_end(home: House) -> None:
    home.battles.create(battle())
    home.battles.finish("battle-1", {"a": generation("g", text="the whole answer")})
    live = {"b": LiveColumn("b", ColumnState.WRITING, "the"), "a": LiveColumn("a", ColumnState.WRITING, "the")}
    view = home.battles.view("battle-1", ADA, live)
    assert [(column.state, column.text) for column in view.columns] == [("writing", "the")] * 2
    assert "whole" not in sent(home.battles.view("battle-1", ADA))


def test_in_open_mode_everything_is_sent_as_it_comes(home: House) -> None:
    home.battles.create(battle(blind=False))
    home.battles.finish("battle-1", {"a": generation("g")})
    live = {"b": LiveColumn("b", ColumnState.LOADING, "", "loading, about 4 s")}
    first, second = home.battles.view("battle-1", ADA, live).columns
    assert first.generation == generation("g")
    assert (second.state, second.status, second.card and second.card.id) == ("loading", "loading, about 4 s", MAMBA)
    assert refusal_of(lambda: home.battles.view("battle-1", BEN)) == "foreign"


def test_a_revealed_battle_can_be_visited_without_its_comment(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "b", ADA, final=True, comment="my own words", reasons=["clear"])
    view = home.battles.view("battle-1", BEN)
    assert (view.mine, view.may_vote, view.choice, view.comment, view.reasons) == (False, False, "b", "", ())
    assert view.columns[0].card is not None


def test_a_view_says_whether_it_is_stored(tmp_path: Path) -> None:
    for made in (house(tmp_path), house()):
        made.battle_is_open()
        assert made.battles.view("battle-1", ADA).stored is made.store.stored
        made.store.close()


def test_a_reader_beside_the_writer_sees_time_pass_too(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    assert home.store.path is not None
    beside = House(Store(home.store.path, read_only=True), home.time)
    home.time.pass_s(6)
    assert beside.battles.view("battle-1", BEN).state is REVEALED
    stored = home.store.battle("battle-1")
    assert stored is not None
    assert stored.state is VOTED
    beside.store.close()
    home.store.close()


def test_a_void_blind_battle_says_why_it_failed_and_still_not_who(home: House) -> None:
    home.battle_is_open(ends={"a": FAILED})
    view = home.battles.view("battle-1", ADA)
    assert view.state is VOID
    assert [c.error for c in view.columns] == ["it broke", None]
    assert {(c.card, c.generation) for c in view.columns} == {(None, None)}


# What speaks against a vote is kept beside it


def flags(home: House) -> list[tuple[str, bool, bool]]:
    """Per pair: battle, whether an answer names its model, whether its rater had seen it in open mode."""
    return [(pair.battle_id, pair.names_itself, pair.seen_before) for pair in home.store.judged_pairs()]


def judged(home: House, battle_id: str, rater: str = ADA, source: str = "page", **changes: Any) -> None:
    home.battle_is_open(battle_id, owner=rater, source=source, **changes)
    home.time.pass_s(5)
    home.battles.vote(battle_id, "a", rater, source=source)
    home.time.pass_s(10)


def test_an_answer_that_names_its_model_is_stored_and_flagged(home: House) -> None:
    judged(home, "told", ends={"b": {"text": "I am Mamba."}})
    judged(home, "silent", ends={"b": {"text": "I am a mamba."}})
    judged(home, "asked", ends={"a": {"text": "OpenAlpaca."}}, instruction=Instruction("Spell OpenAlpaca."))
    named = [(battle_id, is_named) for battle_id, is_named, _ in flags(home)]
    assert named == [("told", True), ("silent", False), ("asked", False)]
    stored = home.store.battle("told")
    assert stored is not None
    assert stored.good_sides == ("a", "b")


def test_an_answer_with_a_name_of_its_models_system_text_is_flagged(home: House) -> None:
    home.store.upsert_model(card(MAMBA, self_names=("Zorblax", "Acme Labs")))
    judged(home, "told", ends={"b": {"text": "I am Zorblax."}})
    judged(home, "maker", ends={"b": {"text": "I was trained by Acme Labs."}})
    judged(home, "anothers", ends={"a": {"text": "I am Zorblax."}})
    assert [(battle_id, named) for battle_id, named, _ in flags(home)] == [
        ("told", True), ("maker", True), ("anothers", False)
    ]  # fmt: skip


def test_an_answer_is_looked_at_before_the_transaction_that_votes_wait_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking: list[str] = []

    def watched(*asked: str) -> str:
        looking.append(threading.current_thread().name)
        return names_itself(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr("playground.battles.generations.names_itself", watched)
    with Store(tmp_path / "playground.db") as store:
        judged(House(store), "told", ends={"b": {"text": "I am Mamba."}})
        assert [pair.names_itself for pair in store.judged_pairs()] == [True]
    assert looking == [threading.current_thread().name] * 2


def test_a_battle_on_finished_answers_is_looked_at_as_well(home: House) -> None:
    sides = [
        BattleSide(side, model, 5, PARAMS, generation(f"g-{side}", model, text))
        for side, model, text in (("a", OPENALPACA, "OpenAlpaca, at your service."), ("b", MAMBA, "A gull."))
    ]
    for battle_id in ("first", "again"):  # the second time the answers are known
        home.battles.create(battle(battle_id, sides=tuple(sides)))
        home.battles.vote(battle_id, "b", ADA)
    assert [named for _, named, _ in flags(home)] == [True, True]


def test_a_vote_after_an_open_run_of_the_same_instruction_is_flagged(home: House) -> None:
    judged(home, "before")
    judged(home, "open", blind=False)
    judged(home, "after")
    judged(home, "another", instruction=Instruction("Write a haiku about the moon."))
    judged(home, "anothers", BEN)
    seen = {battle_id for battle_id, _, seen_before in flags(home) if seen_before}
    assert seen == {"after"}


@pytest.mark.parametrize(
    ("again", "wait_s", "is_flagged"),
    [
        ({}, 5, True),
        ({}, 4, False),  # the first one's models are not shown yet
        ({"ends": {"a": {"text": "Other words."}, "b": {"text": "And others."}}}, 5, False),
        ({"ends": {"a": {"text": "Other words."}}}, 5, True),
        ({"models": (MAMBA, OPENALPACA)}, 5, True),
        ({"models": (GALPACA, GALPACA)}, 5, False),  # the same words of another model
        ({"owner": BEN}, 5, False),
        ({"instruction": Instruction("Write a haiku about the moon.")}, 5, False),
    ],
)
def test_a_vote_on_an_answer_that_was_shown_with_its_name_before_is_flagged(
    home: House, again: dict[str, Any], wait_s: float, is_flagged: bool
) -> None:
    home.battle_is_open("first")
    home.battles.vote("first", "a", ADA)
    home.time.pass_s(wait_s)
    made = home.battle_is_open("again", **again)
    home.battles.vote("again", "a", made.owner)
    assert [seen for battle_id, _, seen in flags(home) if battle_id == "again"] == [is_flagged]


def test_a_void_battle_shows_names_and_a_vote_on_its_answers_is_flagged(home: House) -> None:
    home.battle_is_open("void", ends={"b": FAILED})
    home.battle_is_open("again")
    home.battles.vote("again", "b", ADA)
    assert flags(home) == [("again", False, True)]


def test_over_the_api_only_an_open_run_speaks_against_a_vote(home: House) -> None:
    for battle_id in ("first", "again"):
        judged(home, battle_id, source="api")
    assert [seen for _, _, seen in flags(home)] == [False, False]


def test_an_open_run_after_the_first_vote_speaks_against_the_second_one(home: House) -> None:
    home.battle_is_open("blind")
    home.battles.vote("blind", "a", ADA)
    home.battles.undo("blind", ADA)
    home.time.pass_s(1)
    home.battle_is_open("open", blind=False, created_at=home.time.now())
    home.time.pass_s(1)
    home.battles.vote("blind", "b", ADA)
    assert flags(home) == [("blind", False, True)]


def test_whoever_comes_over_the_api_without_a_name_is_one_rater(home: House) -> None:
    judged(home, "open", "api", "api", blind=False)
    judged(home, "after", "api", "api")
    judged(home, "named", "annotator-7", "api")
    assert [(battle_id, seen) for battle_id, _, seen in flags(home)] == [
        ("open", False),
        ("after", True),
        ("named", False),
    ]
