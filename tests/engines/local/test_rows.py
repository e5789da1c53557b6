"""The rows of a model: when they are sent, what they are told, and how they end."""

from __future__ import annotations

import json

import pytest

from playground.engines.local.model_states import ModelEvent
from playground.engines.local.wire import messages
from playground.engines.protocol import Ended, Queued, Started, Tokens
from playground.records import FinishReason
from tests.support.supervised import FACTS, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_early_rows_are_sent_when_the_model_is_ready(scene: Scene) -> None:
    scene.ask("a")
    scene.ask("b")
    scene.up()
    scene.say(messages.started("a"))
    scene.say(messages.tokens("a", [4, 5]))
    scene.say(messages.ended("a", FinishReason.STOP))
    assert scene.of("a")[0] == Queued("a", 0, "loading")
    assert scene.of("a")[-3:] == [Started("a", FACTS), Tokens("a", (4, 5)), Ended("a", FinishReason.STOP)]
    assert scene.of("b") == [Queued("b", 1, "loading"), Queued("b", 1), Queued("b", 0)]
    kinds = [json.loads(line)["kind"] for line in scene.launcher.sent(3)]
    assert kinds == ["load", "start", "start"]


def test_before_counts_the_running_row_and_follows_the_queue(scene: Scene) -> None:
    scene.up()
    scene.begin("a")
    scene.ask("b")
    scene.ask("c")
    scene.say(messages.ended("b", FinishReason.CANCELLED))
    assert scene.of("c") == [Queued("c", 2), Queued("c", 1)]
    status = scene.model.status()
    assert (status.state, status.running, status.waiting, status.eta_s) == ("ready", 1, 1, None)


def test_rows_that_are_written_together_do_not_wait_for_each_other(scene: Scene) -> None:
    scene.up(max_rows=2)
    for row in "abcd":
        scene.ask(row)
    assert [scene.of(row) for row in "abcd"] == [[], [], [Queued("c", 1)], [Queued("d", 2)]]
    scene.say(messages.started("a"))
    scene.say(messages.started("b"))
    scene.say(messages.ended("a", FinishReason.STOP))
    assert scene.of("c")[-1] == Queued("c", 0)
    assert scene.of("d")[-1] == Queued("d", 1)


def test_cancel_while_loading_ends_the_row_at_once(scene: Scene) -> None:
    scene.ask("a")
    scene.model.rows.cancel("a")
    scene.model.rows.cancel("a")
    assert scene.of("a")[-1] == Ended("a", FinishReason.CANCELLED)


def test_cancel_that_a_dying_worker_did_not_read_still_ends_the_row(scene: Scene) -> None:
    scene.up()
    scene.begin("begun")
    scene.ask("waiting")
    scene.model.rows.cancel("begun")
    scene.model.rows.cancel("waiting")
    scene.die()
    ends = {event.row: event.finish_reason for event in scene.events if isinstance(event, Ended)}
    assert ends == {"begun": FinishReason.CANCELLED, "waiting": FinishReason.CANCELLED}


def test_resume_starts_the_rows_that_waited_while_draining(scene: Scene) -> None:
    scene.up(max_rows=4)
    scene.model.handle(ModelEvent.DRAIN)
    scene.ask("a")
    assert scene.model.rows.are_unsent
    assert scene.model.status().state == "ready"
    scene.model.handle(ModelEvent.RESUME)
    assert not scene.model.rows.are_unsent
    assert [json.loads(line)["kind"] for line in scene.launcher.sent(2)] == ["load", "start"]
