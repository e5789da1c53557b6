"""Every cell of the table of a model's states and events, on a supervisor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.engines.local.model_states import ModelEvent, ModelState
from playground.engines.local.wire import messages
from playground.engines.protocol import Ended
from playground.records import FinishReason
from tests.support.supervised import CARD, FACTS, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


def reach(scene: Scene, state: ModelState) -> None:
    """Bring a new model into a state, by the shortest way."""
    if state in (ModelState.LOADING, ModelState.FAILED):
        scene.model.launch()
    if state in (ModelState.READY, ModelState.DRAINING, ModelState.LOST, ModelState.ASLEEP):
        scene.up()
    last: dict[ModelState, Callable[[], object]] = {
        ModelState.OFF: scene.unload,
        ModelState.ASLEEP: scene.model.sleep,
        ModelState.DRAINING: lambda: scene.model.handle(ModelEvent.DRAIN),
        ModelState.LOST: lambda: scene.model.on_gone(scene.process),
        ModelState.FAILED: lambda: scene.say(messages.failed("no such folder")),
    }
    last.get(state, lambda: None)()
    assert scene.state is state


CALLS: dict[ModelEvent, Callable[[Scene], object]] = {
    ModelEvent.JOB: lambda scene: scene.ask("new"),
    ModelEvent.OPEN: lambda scene: scene.model.open(CARD),
    ModelEvent.UNLOAD: Scene.unload,
    ModelEvent.LOADED: lambda scene: scene.model.process and scene.say(messages.ready(FACTS, 0.5)),
    ModelEvent.LOSE: lambda scene: scene.model.process and scene.model.on_gone(scene.process),
    ModelEvent.EXIT: lambda scene: scene.model.process and scene.exit(),
    ModelEvent.SLEEP: lambda scene: scene.model.sleep(),
}
"""Events with a method of their own; the others are handed to `handle`."""


EXPECTED = {
    # event      off     asleep  queued  loading  ready    draining  lost    failed
    "job":     "queued  queued  queued  loading  ready    draining  lost    -",
    "open":    "queued  queued  -       -        -        -         -       queued",
    "unload":  "off     off     off     off      off      off       off     off",
    "launch":  "-       -       loading -        -        -         loading -",
    "loaded":  "-       -       -       ready    -        -         -       -",
    "refuse":  "-       -       failed  failed   -        -         failed  -",
    "lose":    "-       -       -       lost     lost     lost      -       -",
    "exit":    "-       -       -       -        -        -         queued  -",
    "give_up": "-       -       -       -        -        -         failed  -",
    "sleep":   "-       -       asleep  -        asleep   asleep    asleep  -",
    "pause":   "-       -       -       -        queued   queued    -       -",
    "drain":   "-       -       -       -        draining -         -       -",
    "resume":  "-       -       -       -        -        ready     -       -",
}  # fmt: skip


@pytest.mark.parametrize("state", ModelState)
@pytest.mark.parametrize("event", ModelEvent)
def test_every_cell_of_the_table(scene: Scene, event: ModelEvent, state: ModelState) -> None:
    reach(scene, state)
    launched, killed = scene.model.process, len(scene.launcher.killed)
    to = EXPECTED[event].split()[list(ModelState).index(state)]
    CALLS.get(event, lambda scene: scene.model.handle(event, "words"))(scene)
    assert scene.state == (state if to == "-" else to)

    ends_worker = state.has_worker and not scene.state.has_worker
    assert len(scene.launcher.killed) == killed + ends_worker
    if launched is not None and (ends_worker or state is ModelState.LOST):
        assert launched.is_gone is (event is ModelEvent.EXIT), "its memory is free when its exit is reported"
    if event is ModelEvent.JOB:
        assert len(scene.model.rows) == (to != "-")
        scene.model.unload(FinishReason.CANCELLED)
        assert sum(isinstance(heard, Ended) for heard in scene.of("new")) == 1
