"""Every cell of the table of a model's states and events, on a supervisor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.engines.local.table import TABLE, Event, State
from playground.engines.local.wire import messages
from playground.engines.protocol import Ended
from playground.records import FinishReason
from tests.support.supervised import CARD, FACTS, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


def reach(scene: Scene, state: State) -> None:
    """Bring a new model into a state, by the shortest way."""
    if state in (State.LOADING, State.FAILED):
        scene.model.launch()
    if state in (State.READY, State.DRAINING, State.LOST, State.ASLEEP):
        scene.up()
    last: dict[State, Callable[[], object]] = {
        State.OFF: scene.unload,
        State.ASLEEP: scene.model.sleep,
        State.DRAINING: lambda: scene.model.handle(Event.DRAIN),
        State.LOST: lambda: scene.model.on_gone(scene.process),
        State.FAILED: lambda: scene.say(messages.failed("no such folder")),
    }
    last.get(state, lambda: None)()
    assert scene.state is state


CALLS: dict[Event, Callable[[Scene], object]] = {
    Event.JOB: lambda scene: scene.ask("new"),
    Event.OPEN: lambda scene: scene.model.open(CARD),
    Event.UNLOAD: Scene.unload,
    Event.LOADED: lambda scene: scene.model.process and scene.say(messages.ready(FACTS, 0.5)),
    Event.LOSE: lambda scene: scene.model.process and scene.model.on_gone(scene.process),
    Event.EXIT: lambda scene: scene.model.process and scene.exit(),
    Event.SLEEP: lambda scene: scene.model.sleep(),
}
"""Events with a method of their own; the others are handed to `handle`."""


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_cell_of_the_table(scene: Scene, event: Event, state: State) -> None:
    reach(scene, state)
    launched, killed = scene.model.process, len(scene.launcher.killed)
    to = TABLE[event][state]
    CALLS.get(event, lambda scene: scene.model.handle(event, "words"))(scene)
    assert scene.state is (to or state)

    ends_worker = state.has_worker and not scene.state.has_worker
    assert len(scene.launcher.killed) == killed + ends_worker
    if launched is not None and (ends_worker or state is State.LOST):
        assert launched.is_gone is (event is Event.EXIT), "its memory is free when its exit is reported"
    if event is Event.JOB:
        assert len(scene.model.rows) == (to is not None)
        scene.model.unload(FinishReason.CANCELLED)
        assert sum(isinstance(heard, Ended) for heard in scene.of("new")) == 1
