"""Battles on a real database behave as the table says, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.battles import REFUSALS, TABLE, Event, Moderation, Sends, Who, cell
from playground.records import (
    BattleState,
)
from tests.battles.seen import refusal_of
from tests.support.cast import (
    ADA,
    BEN,
    FAILED,
    MODELS,
    House,
    battle,
    generation,
    house,
)

GENERATING, OPEN, VOTED, REVEALED, VOID = BattleState
CHANGE_ONLY_WORDS = (Event.SIDE_ENDED, Event.ERASE, Event.MODERATE)


def bring_to(home: House, state: BattleState, event: Event) -> None:
    """Bring battle-1, of three sides, to `state`, so that `event` can come next."""
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
    if event is Event.GUESS and state is VOTED:
        home.store.write(lambda writing: writing.ask("battle-1", "b", MODELS, 0))


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
        case Event.GUESS:
            return battles.guess("battle-1", MODELS[0], ADA)
        case Event.REVEAL:
            return battles.reveal("battle-1", ADA)
        case Event.SKIP:
            return battles.skip("battle-1", ADA)
        case Event.TIME_UP:
            home.time.pass_s(3601)
            return battles.expire()
        case Event.NOTE:
            return battles.note("battle-1", ADA, reasons=["clear"], comment="good")
        case Event.REPORT:
            return battles.note("battle-1", ADA, report_side="a", report="rude")
        case Event.ERASE:
            return battles.erase(ADA)
        case Event.MODERATE:
            return Moderation(battles).hide("battle-1")
        case Event.VIEW:
            return battles.view("battle-1", ADA)
        case Event.VISIT:
            return battles.view("battle-1", BEN)


@pytest.mark.proves("an unknown, foreign, expired, voted or unfinished battle")
@pytest.mark.parametrize("state", BattleState)
@pytest.mark.parametrize("event", Event)
def test_battles_behave_as_each_cell_of_the_table(home: House, event: Event, state: BattleState) -> None:
    bring_to(home, state, event)
    before = home.store.battle("battle-1")
    assert before is not None
    assert before.state is state
    expected = cell(event, state)

    assert refusal_of(lambda: happen(home, event)) == (expected.refuse or None)

    after = home.store.battle("battle-1")
    assert after is not None
    assert after.state is (expected.to or state)
    if expected.to is None or (expected.to is state and event not in CHANGE_ONLY_WORDS):
        assert after == before
    assert after.revision - before.revision == (
        expected.to not in (None, state) and event in (Event.VOTE, Event.VOTE_FINAL, Event.UNDO)
    )


def test_table_covers_every_event_and_state() -> None:
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
def test_owner_events_are_refused_to_others(
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
        Event.SKIP: lambda: home.battles.skip("battle-1", viewer, source=source),
        Event.GUESS: lambda: home.battles.guess("battle-1", MODELS[0], viewer, source=source),
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
def test_unknown_battle_is_refused_by_every_method(home: House, name: Any) -> None:
    home.battle_is_open()
    battles = home.battles
    for act in (
        lambda: battles.vote(name, "a", ADA),
        lambda: battles.undo(name, ADA),
        lambda: battles.skip(name, ADA),
        lambda: battles.guess(name, MODELS[0], ADA),
        lambda: battles.reveal(name, ADA),
        lambda: battles.note(name, ADA, comment="x"),
        lambda: battles.note(name, ADA, report_side="a"),
        lambda: battles.view(name, ADA),
        lambda: battles.owned(name, ADA),
        lambda: battles.finish(name, {"a": generation("g")}),
    ):
        assert refusal_of(act) == "unknown"
