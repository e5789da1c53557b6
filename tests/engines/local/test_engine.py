"""The local engine with real worker processes: they stream, are cancelled, die, hang and leave nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.engines.local.engine import LocalEngine
from playground.engines.local.placement import MAX_ROWS
from playground.engines.local.supervisor import WorkerLimits
from playground.engines.protocol import Ended, Event, Job, Queued, Started, Tokens
from playground.errors import EngineError, Unknown
from playground.records import FinishReason, ModelCard, SamplingParams
from playground.settings import Settings
from tests.support import columns
from tests.support.checkpoints import ARCHITECTURES, ROOMY, WITHOUT_END, write_checkpoint
from tests.support.patience import wait_until
from tests.support.processes import freeze, is_alive, model_processes, parent_of, survivors, workers

LLAMA, MPT, OPT = "tiny-llama", "tiny-mpt", "tiny-opt"
LONG = SamplingParams(max_new_tokens=250)
ENDLESS = SamplingParams(max_new_tokens=WITHOUT_END)
"""For rows that are cancelled, or end with their worker."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


class Column(columns.Column):
    """A row with the defaults of these tests."""

    def start(
        self,
        model_id: str,
        params: SamplingParams = LONG,
        *,
        seed: int = 0,
        ids: tuple[int, ...] = (1, 5, 9),
        deadline_s: float = 60.0,
        stop_ids: tuple[int, ...] = (),
    ) -> Column:
        self.begin(model_id, Job(self.row, ids, params, seed, stop_ids, deadline_s))
        return self


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelCard, ...]:
    folder = tmp_path_factory.mktemp("roomy")
    return tuple(write_checkpoint(folder / kind, kind, context=ROOMY) for kind in ARCHITECTURES)


@pytest.fixture(scope="module")
def engine(cards: tuple[ModelCard, ...]) -> Iterator[LocalEngine]:
    engine = LocalEngine(Settings(), limits=WorkerLimits(stall_s=4.0, backoff_s=(0.05, 0.05)))
    engine.open(cards)
    yield engine
    engine.close()
    assert workers(os.getpid()) == {}
    assert not [thread for thread in threading.enumerate() if thread.name == "engine-local"]


@pytest.fixture
def column(engine: LocalEngine, request: pytest.FixtureRequest) -> Callable[[], Column]:
    numbers = iter(range(100))
    return lambda: Column(engine, f"{request.node.name}-{next(numbers)}")


def servers() -> list[int]:
    """Return our forking processes; another test's app may be a child as well."""
    return [pid for pid in model_processes(os.getpid()) if parent_of(pid) == os.getpid()]


def states(engine: LocalEngine) -> dict[str, str]:
    return {model_id: status.state for model_id, status in engine.status().items()}


def test_job_waits_for_its_model_and_then_streams(column: Callable[[], Column], engine: LocalEngine) -> None:
    answer = column().start(LLAMA, SamplingParams(max_new_tokens=30))
    assert answer.finish().finish_reason is FinishReason.LENGTH
    assert len(answer.ids) == 30
    kinds = [type(event) for event in answer.events]
    assert kinds.index(Started) < kinds.index(Tokens)
    started = next(event for event in answer.events if isinstance(event, Started))
    assert (started.facts.engine, started.facts.dtype, started.facts.revision) == ("local", "float32", "local")
    assert "torch" in started.facts.versions
    wait_until(lambda: set(states(engine).values()) == {"ready"})
    status = engine.status()[LLAMA]
    assert status.load_s is not None
    assert status.device == started.facts.device


def test_stop_id_is_streamed_and_ends_the_row(column: Callable[[], Column]) -> None:
    free = column().start(OPT)
    free.finish()
    stopped = column().start(OPT, stop_ids=(free.ids[9],))
    assert stopped.finish() == Ended(stopped.row, FinishReason.STOP, written_together=1)
    assert stopped.ids == free.ids[: free.ids.index(free.ids[9]) + 1]


def test_seeded_row_is_the_same_alone_and_beside_others(column: Callable[[], Column]) -> None:
    params = replace(LONG, do_sample=True, temperature=1.5, top_k=50, max_new_tokens=120)
    alone = column().start(MPT, params, seed=7)
    alone.finish()
    rows = [column().start(MPT, params, seed=seed) for seed in (1, 7, 2)]
    others = [column().start(model_id, params, seed=3) for model_id in (LLAMA, OPT)]
    for row in (*rows, *others):
        row.finish()
    assert rows[1].ids == alone.ids
    assert len({row.ids for row in rows}) == 3


def test_two_models_write_at_the_same_time(column: Callable[[], Column], engine: LocalEngine) -> None:
    rows = [column().start(model_id, ENDLESS) for model_id in (LLAMA, OPT)]
    for row in rows:
        row.wait_for(Started)
    assert engine.status()[LLAMA].running == engine.status()[OPT].running == 1
    for row in rows:
        engine.cancel(row.row)
        row.finish()


def test_cancel_keeps_the_tokens_and_frees_the_model(column: Callable[[], Column], engine: LocalEngine) -> None:
    row, following = column().start(LLAMA, ENDLESS), column().start(LLAMA, SamplingParams(max_new_tokens=3))
    row.wait_for(Tokens)
    engine.cancel(row.row)
    ended = row.finish()
    assert ended == Ended(row.row, FinishReason.CANCELLED, written_together=ended.written_together)
    assert ended.written_together in (1, 2), "the other row may have joined"
    assert 0 < len(row.ids) < WITHOUT_END
    assert following.finish().finish_reason is FinishReason.LENGTH
    engine.cancel(row.row)
    engine.cancel("never heard of")


def test_rows_beyond_the_limit_are_told_how_many_come_first(column: Callable[[], Column], engine: LocalEngine) -> None:
    rows = [column().start(MPT, ENDLESS) for _ in range(MAX_ROWS + 2)]
    rows[MAX_ROWS - 1].wait_for(Started)
    engine.cancel(rows[0].row)
    engine.cancel(rows[1].row)
    rows[-1].wait_for(Started)
    for row in rows:
        engine.cancel(row.row)
        row.finish()
    assert [event for row in rows[:MAX_ROWS] for event in row.events if isinstance(event, Queued)] == []
    last = [event.before for event in rows[-1].events if isinstance(event, Queued)]
    assert last[0] == 2
    assert last == sorted(last, reverse=True)


def test_deadline_ends_a_row_as_an_error(column: Callable[[], Column]) -> None:
    row = column().start(LLAMA, ENDLESS, deadline_s=0.03)
    ended = row.finish()
    assert (ended.finish_reason, ended.error) == (FinishReason.ERROR, "the answer was not finished after 0.03 s")


def test_prompt_of_another_vocabulary_fails_alone(column: Callable[[], Column]) -> None:
    assert "id 5000 is outside" in (column().start(OPT, ids=(1, 5000)).finish().error or "")
    assert column().start(OPT, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH


@pytest.mark.proves("worker killed, crashed, hung")
def test_killed_worker_fails_its_rows_and_is_replaced(column: Callable[[], Column], engine: LocalEngine) -> None:
    rows = [column().start(LLAMA, ENDLESS) for _ in range(MAX_ROWS)]
    rows += [column().start(LLAMA, SamplingParams(max_new_tokens=3)) for _ in range(2)]
    for row in rows[:MAX_ROWS]:  # as many as are written together
        row.wait_for(Tokens)
    killed = workers(os.getpid())[LLAMA]
    os.kill(killed, signal.SIGKILL)
    for row in rows[:MAX_ROWS]:
        ended = row.finish()
        assert ended.finish_reason is FinishReason.ERROR
        assert ended.error == "the model's process ended while it was writing; it is being started again"
    for row in rows[MAX_ROWS:]:  # not started, so not lost
        assert row.finish().finish_reason is FinishReason.LENGTH
    assert workers(os.getpid())[LLAMA] != killed
    assert states(engine)[LLAMA] == "ready"


def test_worker_killed_twice_is_replaced_twice(column: Callable[[], Column]) -> None:
    for _ in range(2):
        row = column().start(MPT, ENDLESS)
        row.wait_for(Tokens)
        os.kill(workers(os.getpid())[MPT], signal.SIGKILL)
        assert row.finish().finish_reason is FinishReason.ERROR
    assert column().start(MPT, SamplingParams(max_new_tokens=3)).finish().finish_reason is FinishReason.LENGTH


@pytest.mark.proves("worker killed, crashed, hung")
def test_hung_worker_is_replaced(column: Callable[[], Column]) -> None:
    row = column().start(OPT, ENDLESS)
    row.wait_for(Tokens)
    freeze(workers(os.getpid())[OPT])
    following = column().start(OPT, SamplingParams(max_new_tokens=2))
    ended = row.finish()
    assert ended.finish_reason is FinishReason.ERROR
    assert "stopped answering" in (ended.error or "")
    assert following.finish().finish_reason is FinishReason.LENGTH


def test_killed_forking_process_is_replaced_with_its_workers(column: Callable[[], Column], engine: LocalEngine) -> None:
    row = column().start(MPT, ENDLESS)
    row.wait_for(Tokens)
    killed = workers(os.getpid())
    (server,) = {parent_of(pid) for pid in killed.values()}
    os.kill(server, signal.SIGKILL)
    assert row.finish().finish_reason is FinishReason.ERROR
    assert column().start(MPT, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH
    assert survivors(list(killed.values())) == []
    wait_until(lambda: set(states(engine).values()) == {"ready"})


def test_model_that_cannot_load_fails_alone_and_can_be_repaired(
    column: Callable[[], Column], engine: LocalEngine, cards: tuple[ModelCard, ...], tmp_path: Path
) -> None:
    missing = replace(cards[0], id="tiny-missing", name="Missing", repo=str(tmp_path / "nowhere"))
    engine.open([missing])
    ended = column().start("tiny-missing").finish()
    assert (ended.finish_reason, ended.error) == (FinishReason.ERROR, f"Missing: there is no folder {tmp_path}/nowhere")
    assert engine.status()["tiny-missing"].state == "failed"
    assert engine.status()["tiny-missing"].detail == ended.error
    assert column().start("tiny-missing").finish().error == ended.error
    assert column().start(LLAMA, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH

    (tmp_path / "nowhere").symlink_to(cards[0].repo)
    engine.open([missing])
    assert column().start("tiny-missing", SamplingParams(max_new_tokens=2)).finish().error is None


def test_unload_ends_the_process_and_the_next_job_loads_again(
    column: Callable[[], Column], engine: LocalEngine
) -> None:
    row = column().start(OPT, ENDLESS)
    row.wait_for(Tokens)
    process = workers(os.getpid())[OPT]
    engine.unload(OPT)
    assert row.finish() == Ended(row.row, FinishReason.ERROR, "Tiny opt was unloaded")
    wait_until(lambda: not is_alive(process))
    assert states(engine)[OPT] == "off"
    assert column().start(OPT, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH
    assert states(engine)[OPT] == "ready"


def test_listener_that_raises_does_not_stop_the_engine(
    column: Callable[[], Column], engine: LocalEngine, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ValueError("not my day")

    engine.start(LLAMA, Job("broken", (1,), SamplingParams(max_new_tokens=2), 0, (), 60.0), broken)
    assert column().start(LLAMA, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH
    assert "a listener failed" in caplog.text


def test_unknown_model_is_refused_with_the_valid_ones(engine: LocalEngine) -> None:
    with pytest.raises(Unknown, match=r"no model 'gpt-9'; it has: .*tiny-llama"):
        Column(engine, "x").start("gpt-9")


def test_close_ends_open_jobs_at_once_and_is_idempotent(cards: tuple[ModelCard, ...]) -> None:
    before = set(servers())
    engine = LocalEngine(Settings())
    engine.close()
    engine = LocalEngine(Settings())
    engine.open(cards)
    row = Column(engine, "r").start(LLAMA)
    row.wait_for(Queued)
    wait_until(lambda: len(set(servers()) - before) == 1)
    (server,) = set(servers()) - before
    engine.close()
    assert row.finish() == Ended("r", FinishReason.CANCELLED)
    assert not is_alive(server)
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        row.start(LLAMA)
    with pytest.raises(EngineError, match="closed"):
        engine.open(cards)


def test_spawned_worker_answers_as_a_forked_one(cards: tuple[ModelCard, ...], column: Callable[[], Column]) -> None:
    forked = column().start(LLAMA, SamplingParams(max_new_tokens=20))
    forked.finish()
    engine = LocalEngine(Settings(), fork=False)
    engine.open(cards[:1])
    try:
        spawned = Column(engine, "s").start(LLAMA, SamplingParams(max_new_tokens=20))
        spawned.finish()
        assert spawned.ids == forked.ids
    finally:
        engine.close()
