"""Five pocket models share memory for two: they take turns, and every job is written."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.catalog.catalog import Catalog
from playground.engines.local.placement import Device, need_of
from playground.engines.local.pool import LocalEngine
from playground.engines.local.supervisor import Limits
from playground.engines.local.worker.decoding.self_check import decode_together
from playground.engines.local.worker.loading.model import load
from playground.engines.protocol import Ended, Event, Job, Queued, Started, Tokens
from playground.records import FinishReason, ModelCard, SamplingParams
from playground.settings import Settings
from tests.support.checkpoints import write_checkpoint
from tests.support.patience import wait_until
from tests.support.processes import frozen_models

pytestmark = pytest.mark.usefixtures("models_of_one_process")

PATIENCE_S = 60.0
CARDS = Catalog.load().line_up()
IDS = [card.id for card in CARDS]
ROOM_FOR_TWO_GB = 2.2 * need_of(CARDS[0], on_cpu=True).least_bytes / 1e9


def job_of(row: str, max_new_tokens: int = 8) -> Job:
    return Job(row, (5, 6, 7), SamplingParams(max_new_tokens=max_new_tokens), 0, (), PATIENCE_S)


class Row:
    """One job and its events."""

    def __init__(self, engine: LocalEngine, model_id: str, row: str, max_new_tokens: int = 8) -> None:
        self.events: list[Event] = []
        self._came = threading.Condition()
        engine.start(model_id, job_of(row, max_new_tokens), self._listen)

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
    def token_ids(self) -> list[int]:
        return [token_id for event in self.events if isinstance(event, Tokens) for token_id in event.token_ids]

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


def test_models_that_fit_are_loaded_and_the_others_sleep(engine: LocalEngine) -> None:
    wait_until(lambda: states(engine).count("ready") == 2)
    assert states(engine) == ["ready", "ready", "asleep", "asleep", "asleep"]
    assert [engine.status()[model_id].takes_turns for model_id in IDS] == [False, False, True, True, True]


def test_comparison_larger_than_memory_runs_in_waves(engine: LocalEngine) -> None:
    most = 0
    rows = [Row(engine, model_id, f"row of {model_id}") for model_id in IDS]
    while not all(isinstance(row.events[-1] if row.events else None, Ended) for row in rows):
        most = max(most, sum(state in ("loading", "ready") for state in states(engine)))
        time.sleep(0.01)
    assert [row.end() for row in rows] == [FinishReason.LENGTH] * 5
    assert most <= 2
    assert states(engine).count("ready") == 2, "as many as fit"
    assert "waiting for memory" in rows[4].reasons
    assert "waiting for memory" not in rows[0].reasons


def test_least_recently_used_model_is_unloaded(engine: LocalEngine) -> None:
    first, second, third, fourth, _ = IDS
    for model_id in (second, first, third):
        Row(engine, model_id, f"1 {model_id}").end()
    assert engine.status()[second].state == "asleep"
    Row(engine, fourth, "2").end()
    assert [engine.status()[model_id].state for model_id in IDS] == ["asleep", "asleep", "ready", "ready", "asleep"]


def test_busy_models_do_not_block_another(engine: LocalEngine) -> None:
    busy, stop = IDS[:2], threading.Event()

    def keep_asking(model_id: str) -> None:
        number, running = 0, [Row(engine, model_id, f"{model_id} first", max_new_tokens=200)]
        while not stop.is_set():  # start a row before the last one ends
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


def test_busy_small_models_do_not_block_a_large_one() -> None:
    small = [replace(card, num_parameters=10) for card in CARDS[:2]]
    large = replace(CARDS[2], num_parameters=30_000_000)  # planned as 104, 104 and 224 MB
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


def test_jobs_of_a_drained_model_are_written_after_a_cancel(engine: LocalEngine) -> None:
    wait_until(lambda: states(engine).count("ready") == 2)
    busy = [Row(engine, model_id, f"long {model_id}", max_new_tokens=400) for model_id in IDS[:2]]
    for row in busy:
        row.wait_for(Tokens)
    with frozen_models(os.getpid()):  # they stay busy
        impatient = Row(engine, IDS[4], "impatient")
        wait_until(lambda: any(keeper._draining for keeper in engine._keepers.values()))
        late = [Row(engine, model_id, f"late {model_id}") for model_id in IDS[:2]]
        engine.cancel("impatient")
        impatient.wait_for(Ended)
    assert [row.end() for row in (*busy, *late)] == [FinishReason.LENGTH] * 4


def test_model_larger_than_memory_is_not_loaded() -> None:
    engine = LocalEngine(Settings(memory_gb=0.05))
    engine.open(CARDS[:1])
    try:
        wait_until(lambda: engine.status()[IDS[0]].state == "failed")
        assert "Pocket Galpaca needs 120.0 MB, and there are 50.0 MB for models" in engine.status()[IDS[0]].detail
    finally:
        engine.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_offloaded_model_takes_turns_and_writes_the_same_tokens(
    tmp_path: Path,
) -> None:
    whole = write_checkpoint(tmp_path / "whole", "llama", layers=2)
    large = replace(write_checkpoint(tmp_path / "large", "llama", layers=8), id="large", offload=True)
    # the CPU as a GPU beside itself: room for a process, rows, embeddings and some of the eight layers
    need = need_of(large, on_cpu=False)
    size = need.process_bytes + need.row_bytes + 3 * need.usual_row_bytes + need.layer_bytes + need.weights_bytes // 2
    devices = [Device("cpu:0", "GPU 0", size, size), Device("cpu", "this CPU", 2 * size, need.weights_bytes)]
    engine = LocalEngine(Settings(), devices=lambda: devices)
    engine.open([whole, large])
    try:
        first = [Row(engine, large.id, f"first {number}") for number in range(3)]
        assert [row.end() for row in first] == [FinishReason.LENGTH] * 3
        assert engine.status()[large.id].device.endswith("layers in the CPU's memory")
        assert engine.status()[large.id].placement.endswith("(slow) in turns: others make room when it is asked")
        assert engine.status()[whole.id].state == "asleep"
        Row(engine, whole.id, "whole").end()
        assert "large" not in names_of_workers()
        second = Row(engine, large.id, "second")
        second.end()
        engine.unload(large.id)
        wait_until(lambda: "large" not in names_of_workers())
    finally:
        engine.close()
    expected = decode_together(load(large, threads=1, room={"cpu": size}), [job_of("expected")])
    assert [row.token_ids for row in (*first, second)] == expected * 4
    assert len(expected[0]) == 8


def names_of_workers() -> set[str]:
    """Return the names of this process's descendants."""
    found, parents = set(), [os.getpid()]
    while parents:
        with contextlib.suppress(OSError):  # it has ended
            pid = Path(f"/proc/{parents.pop()}")
            found.add((pid / "comm").read_text().strip())
            for children in pid.glob("task/*/children"):
                parents += [int(child) for child in children.read_text().split()]
    return found
