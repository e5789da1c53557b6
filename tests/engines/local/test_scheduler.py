"""Five pocket models share memory for two: they take turns, and every row is written."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from playground.catalog.catalog import Catalog
from playground.engines.local.engine import LocalEngine
from playground.engines.local.model_states import ModelState
from playground.engines.local.placement import Device, need_of
from playground.engines.local.supervisor import WorkerLimits
from playground.engines.local.worker.decoding.self_check import decode_together
from playground.engines.local.worker.loading.model import load
from playground.engines.protocol import Ended, Job, Queued, Tokens
from playground.records import FinishReason, SamplingParams
from playground.settings import Settings
from tests.support.checkpoints import write_checkpoint
from tests.support.columns import Column
from tests.support.patience import wait_until
from tests.support.processes import frozen_models, workers

pytestmark = pytest.mark.usefixtures("models_of_one_process")

PATIENCE_S = 60.0
CARDS = Catalog.load().line_up()
IDS = [card.id for card in CARDS]
MEMORY_FOR_TWO_GB = 2.2 * need_of(CARDS[0], on_cpu=True).least_bytes / 1e9


def job_of(row: str, max_new_tokens: int = 8) -> Job:
    return Job(row, (5, 6, 7), SamplingParams(max_new_tokens=max_new_tokens), 0, (), PATIENCE_S)


class Row(Column):
    """One row, started at once."""

    def __init__(self, engine: LocalEngine, model_id: str, row: str, max_new_tokens: int = 8) -> None:
        super().__init__(engine, row)
        self.begin(model_id, job_of(row, max_new_tokens))

    def end(self) -> FinishReason:
        ended = self.finish()
        assert ended.error is None, ended.error
        return ended.finish_reason

    @property
    def reasons(self) -> set[str]:
        return {event.reason for event in self.events if isinstance(event, Queued)}


@contextmanager
def kept_busy(engine: LocalEngine, *model_ids: str, max_new_tokens: int) -> Iterator[None]:
    """Ask models all the time: each starts its next row before the last one ends."""
    stop = threading.Event()

    def keep_asking(model_id: str) -> None:
        row = Row(engine, model_id, f"{model_id} 0", max_new_tokens)
        for number in itertools.count(1):
            if stop.is_set():
                return
            row.wait_for(Tokens)
            row = Row(engine, model_id, f"{model_id} {number}", max_new_tokens)

    with ThreadPoolExecutor(len(model_ids)) as askers:
        asking = [askers.submit(keep_asking, model_id) for model_id in model_ids]
        try:
            yield
        finally:
            stop.set()
    for asker in asking:
        asker.result()


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine(Settings(memory_gb=MEMORY_FOR_TWO_GB), limits=WorkerLimits(drain_s=0.2))
    engine.open(CARDS)
    yield engine
    engine.close()


def states(engine: LocalEngine) -> list[str]:
    return [engine.status()[model_id].state for model_id in IDS]


def test_models_that_fit_are_loaded_and_the_others_sleep(engine: LocalEngine) -> None:
    wait_until(lambda: states(engine).count("ready") == 2)
    assert states(engine) == ["ready", "ready", "asleep", "asleep", "asleep"]
    assert [engine.status()[model_id].takes_turns for model_id in IDS] == [False, False, True, True, True]


def test_comparison_that_does_not_fit_runs_in_waves(engine: LocalEngine) -> None:
    most = 0
    rows = [Row(engine, model_id, f"row of {model_id}") for model_id in IDS]
    with ThreadPoolExecutor(1) as reader:
        ends = reader.submit(lambda: [row.end() for row in rows])
        while not ends.done():
            most = max(most, sum(state in ("loading", "ready") for state in states(engine)))
            time.sleep(0.01)
    assert ends.result() == [FinishReason.LENGTH] * 5
    assert most <= 2
    assert states(engine).count("ready") == 2
    assert "waiting for memory" in rows[4].reasons
    assert "waiting for memory" not in rows[0].reasons


def test_least_recently_used_model_gives_up_its_memory(engine: LocalEngine) -> None:
    first, second, third, fourth, _ = IDS
    for model_id in (second, first, third):
        Row(engine, model_id, f"1 {model_id}").end()
    assert engine.status()[second].state == "asleep"
    Row(engine, fourth, "2").end()
    assert [engine.status()[model_id].state for model_id in IDS] == ["asleep", "asleep", "ready", "ready", "asleep"]


def test_busy_models_do_not_keep_another_one_out(engine: LocalEngine) -> None:
    with kept_busy(engine, *IDS[:2], max_new_tokens=200):
        assert Row(engine, IDS[4], "patient").end() is FinishReason.LENGTH


def test_small_busy_models_do_not_keep_a_large_one_out() -> None:
    small = [replace(card, num_parameters=10) for card in CARDS[:2]]
    large = replace(CARDS[2], num_parameters=30_000_000)  # as the plan sees them: 104, 104 and 224 MB
    engine = LocalEngine(Settings(memory_gb=0.23), limits=WorkerLimits(drain_s=0.2))
    engine.open([*small, large])
    try:
        with kept_busy(engine, *(card.id for card in small), max_new_tokens=100):
            assert Row(engine, large.id, "large").end() is FinishReason.LENGTH
    finally:
        engine.close()


def test_draining_ends_when_the_waiting_row_is_cancelled(engine: LocalEngine) -> None:
    wait_until(lambda: states(engine).count("ready") == 2)
    busy = [Row(engine, model_id, f"long {model_id}", max_new_tokens=400) for model_id in IDS[:2]]
    for row in busy:
        row.wait_for(Tokens)
    with frozen_models(os.getpid()):  # they are busy for as long as it takes
        impatient = Row(engine, IDS[4], "impatient")
        wait_until(lambda: any(model.state is ModelState.DRAINING for model in engine._models.values()))
        late = [Row(engine, model_id, f"late {model_id}") for model_id in IDS[:2]]
        engine.cancel("impatient")
        impatient.wait_for(Ended)
    assert [row.end() for row in (*busy, *late)] == [FinishReason.LENGTH] * 4


def test_model_that_fits_nowhere_fails_without_a_try() -> None:
    engine = LocalEngine(Settings(memory_gb=0.05))
    engine.open(CARDS[:1])
    try:
        wait_until(lambda: engine.status()[IDS[0]].state == "failed")
        detail = engine.status()[IDS[0]].detail
        assert detail.startswith(
            "Pocket Galpaca needs 120.0 MB (weights 15.8 MB, cache 4.2 MB, reserve 100.0 MB), and "
        )
        assert detail.endswith("there are 50.0 MB for models; raise PLAYGROUND_MEMORY_GB to 0.12")
    finally:
        engine.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_offloaded_model_writes_the_same_and_takes_turns(
    tmp_path: Path,
) -> None:
    whole = write_checkpoint(tmp_path / "whole", "llama", layers=2)
    large = replace(write_checkpoint(tmp_path / "large", "llama", layers=8), id="large", offload=True)
    # the CPU stands in for a GPU: memory for a process, rows, embeddings and some of the eight layers
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
        assert not workers(os.getpid(), "large")
        second = Row(engine, large.id, "second")
        second.end()
        engine.unload(large.id)
        wait_until(lambda: not workers(os.getpid(), "large"))
    finally:
        engine.close()
    expected = decode_together(load(large, threads=1, room={"cpu": size}), [job_of("expected")])
    assert [list(row.ids) for row in (*first, second)] == expected * 4
    assert len(expected[0]) == 8
