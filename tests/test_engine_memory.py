"""Five pocket models where memory holds two: they take turns, nobody is left waiting, nobody is ended for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from playground.catalog import Catalog
from playground.engines.local.keeper import Limits
from playground.engines.local.placement import need_of
from playground.engines.local.pool import LocalEngine
from playground.engines.protocol import Ended, Event, Job, Queued, Started, Tokens
from playground.records import FinishReason, ModelCard, SamplingParams
from playground.settings import Settings

PATIENCE_S = 60.0
CARDS = Catalog.load().line_up()
IDS = [card.id for card in CARDS]
ROOM_FOR_TWO_GB = 2.2 * need_of(CARDS[0], on_cpu=True).least_bytes / 1e9


class Row:
    """One job and what came of it."""

    def __init__(self, engine: LocalEngine, model_id: str, row: str, max_new_tokens: int = 8) -> None:
        self.events: list[Event] = []
        self._came = threading.Condition()
        params = SamplingParams(max_new_tokens=max_new_tokens)
        engine.start(model_id, Job(row, (5, 6, 7), params, 0, (), PATIENCE_S), self._listen)

    def _listen(self, event: Event) -> None:
        with self._came:
            self.events.append(event)
            self._came.notify_all()

    def wait_for(self, kind: type) -> None:
        with self._came:
            assert self._came.wait_for(lambda: any(isinstance(event, kind) for event in self.events), PATIENCE_S)

    def end(self) -> FinishReason:
        self.wait_for(Ended)
        ended = self.events[-1]
        assert isinstance(ended, Ended)
        assert ended.error is None, ended.error
        return ended.finish_reason

    @property
    def reasons(self) -> set[str]:
        return {event.reason for event in self.events if isinstance(event, Queued)}


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine(Settings(memory_gb=ROOM_FOR_TWO_GB), limits=Limits(drain_s=0.2))
    engine.open(CARDS)
    yield engine
    engine.close()


def states(engine: LocalEngine) -> list[str]:
    return [engine.status()[model_id].state for model_id in IDS]


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def test_as_many_models_as_fit_come_up_and_the_others_sleep(engine: LocalEngine) -> None:
    wait_until(lambda: states(engine).count("ready") == 2)
    assert states(engine) == ["ready", "ready", "asleep", "asleep", "asleep"]
    assert [engine.status()[model_id].takes_turns for model_id in IDS] == [False, False, True, True, True]


def test_a_comparison_that_does_not_fit_at_once_runs_in_waves(engine: LocalEngine) -> None:
    most = 0
    rows = [Row(engine, model_id, f"row of {model_id}") for model_id in IDS]
    while not all(isinstance(row.events[-1] if row.events else None, Ended) for row in rows):
        most = max(most, sum(state in ("loading", "ready") for state in states(engine)))
        time.sleep(0.01)
    assert [row.end() for row in rows] == [FinishReason.LENGTH] * 5
    assert most == 2
    assert "waiting for memory" in rows[4].reasons
    assert "waiting for memory" not in rows[0].reasons


def test_the_model_that_was_used_the_longest_time_ago_makes_room(engine: LocalEngine) -> None:
    first, second, third, fourth, _ = IDS
    for model_id in (second, first, third):
        Row(engine, model_id, f"1 {model_id}").end()
    assert engine.status()[second].state == "asleep"
    Row(engine, fourth, "2").end()
    assert [engine.status()[model_id].state for model_id in IDS] == ["asleep", "asleep", "ready", "ready", "asleep"]


def test_a_model_that_is_always_asked_does_not_keep_the_others_out(engine: LocalEngine) -> None:
    busy, stop = IDS[:2], threading.Event()

    def keep_asking(model_id: str) -> None:
        number, running = 0, [Row(engine, model_id, f"{model_id} first", max_new_tokens=200)]
        while not stop.is_set():  # a new row begins before the last one ends: it is never idle
            running[-1].wait_for(Tokens)
            number += 1
            running.append(Row(engine, model_id, f"{model_id} {number}", max_new_tokens=200))

    askers = [threading.Thread(target=keep_asking, args=(model_id,)) for model_id in busy]
    for asker in askers:
        asker.start()
    try:
        patient = Row(engine, IDS[4], "patient")
        assert patient.end() is FinishReason.LENGTH
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert any(isinstance(event, Started) for event in patient.events)


def test_a_large_model_is_not_kept_out_by_small_ones_that_are_always_asked() -> None:
    small = [replace(card, num_parameters=10) for card in CARDS[:2]]
    large = replace(CARDS[2], num_parameters=30_000_000)  # as the plan sees them: 104, 104 and 224 MB
    engine, stop = LocalEngine(Settings(memory_gb=0.23), limits=Limits(drain_s=0.2)), threading.Event()
    engine.open([*small, large])

    def keep_asking(card: ModelCard) -> None:
        number, row = 0, Row(engine, card.id, f"{card.id} first", max_new_tokens=100)
        while not stop.is_set():
            row.wait_for(Tokens)
            number += 1
            row = Row(engine, card.id, f"{card.id} {number}", max_new_tokens=100)

    askers = [threading.Thread(target=keep_asking, args=(card,)) for card in small]
    for asker in askers:
        asker.start()
    try:
        assert Row(engine, large.id, "large").end() is FinishReason.LENGTH
    finally:
        stop.set()
        for asker in askers:
            asker.join()
        engine.close()


def test_rows_of_a_model_that_was_drained_for_somebody_who_left_are_written(engine: LocalEngine) -> None:
    wait_until(lambda: states(engine).count("ready") == 2)
    busy = [Row(engine, model_id, f"long {model_id}", max_new_tokens=400) for model_id in IDS[:2]]
    for row in busy:
        row.wait_for(Tokens)
    impatient = Row(engine, IDS[4], "impatient")
    time.sleep(0.5)  # longer than anybody waits here before a busy model is drained
    late = [Row(engine, model_id, f"late {model_id}") for model_id in IDS[:2]]
    engine.cancel("impatient")
    impatient.wait_for(Ended)
    assert [row.end() for row in (*busy, *late)] == [FinishReason.LENGTH] * 4


def test_a_model_that_fits_nowhere_says_so_and_is_not_tried() -> None:
    engine = LocalEngine(Settings(memory_gb=0.05))
    engine.open(CARDS[:1])
    try:
        wait_until(lambda: engine.status()[IDS[0]].state == "failed")
        assert "Pocket Galpaca needs 120.0 MB, and there are 50.0 MB for models" in engine.status()[IDS[0]].detail
    finally:
        engine.close()
