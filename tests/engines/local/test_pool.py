"""Real worker processes: start, stream, cancel, die, hang, come back, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from playground.engines.local.placement import MAX_ROWS
from playground.engines.local.pool import LocalEngine
from playground.engines.local.supervisor import Limits
from playground.engines.protocol import Ended, Event, Job, Queued, Started, Tokens
from playground.errors import EngineError, Unknown
from playground.records import FinishReason, ModelCard, SamplingParams
from playground.settings import Settings
from tests.support import columns
from tests.support.checkpoints import ARCHITECTURES, ROOMY, WITHOUT_END, write_checkpoint
from tests.support.paths import ROOT
from tests.support.patience import wait_until
from tests.support.processes import command_of, freeze, parent_of

LLAMA, MPT, OPT = "tiny-llama", "tiny-mpt", "tiny-opt"
LONG = SamplingParams(max_new_tokens=250)
ENDLESS = SamplingParams(max_new_tokens=WITHOUT_END)
"""Cancelled, or ended with its worker: nobody waits for the last token."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


class Column(columns.Column):
    """Starts jobs as these tests like them."""

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
    engine = LocalEngine(Settings(), limits=Limits(stall_s=4.0, backoff_s=(0.05, 0.05)))
    engine.open(cards)
    yield engine
    engine.close()
    assert workers_of(os.getpid()) == {}
    assert not [thread for thread in threading.enumerate() if thread.name == "engine-local"]


@pytest.fixture
def column(engine: LocalEngine, request: pytest.FixtureRequest) -> Callable[[], Column]:
    numbers = iter(range(100))
    return lambda: Column(engine, f"{request.node.name}-{next(numbers)}")


def children(pid: int) -> list[int]:
    """Living children of a process, of all its threads."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in path.read_text().split()]
    return found


def servers() -> list[int]:
    """Forking processes of ours; another test's app may be a child as well."""
    return [pid for pid in children(os.getpid()) if b"forkserver" in command_of(pid)]


def workers_of(pid: int, prefix: str = "tiny") -> dict[str, int]:
    """Processes that hold a model, by the name that they show; of models whose ids begin so."""
    names = {}
    for server in children(pid):
        for worker in children(server):
            with suppress(OSError):  # it has just ended
                names[Path(f"/proc/{worker}/comm").read_text().strip()] = worker
    return {name: worker for name, worker in names.items() if name.startswith(prefix)}


def states(engine: LocalEngine) -> dict[str, str]:
    return {model_id: status.state for model_id, status in engine.status().items()}


def test_a_job_waits_for_its_model_and_then_streams(column: Callable[[], Column], engine: LocalEngine) -> None:
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


def test_a_stop_id_is_streamed_and_is_the_reason(column: Callable[[], Column]) -> None:
    free = column().start(OPT)
    free.finish()
    stopped = column().start(OPT, stop_ids=(free.ids[9],))
    assert stopped.finish() == Ended(stopped.row, FinishReason.STOP)
    assert stopped.ids == free.ids[: free.ids.index(free.ids[9]) + 1]


def test_a_seeded_answer_is_the_same_alone_and_beside_others(column: Callable[[], Column]) -> None:
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


def test_cancel_keeps_what_is_written_and_frees_the_model(column: Callable[[], Column], engine: LocalEngine) -> None:
    row, following = column().start(LLAMA, ENDLESS), column().start(LLAMA, SamplingParams(max_new_tokens=3))
    row.wait_for(Tokens)
    engine.cancel(row.row)
    assert row.finish() == Ended(row.row, FinishReason.CANCELLED)
    assert 0 < len(row.ids) < WITHOUT_END
    assert following.finish().finish_reason is FinishReason.LENGTH
    engine.cancel(row.row)
    engine.cancel("never heard of")


def test_rows_that_find_no_place_hear_how_many_come_first(column: Callable[[], Column], engine: LocalEngine) -> None:
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


def test_a_late_row_ends_as_an_error_in_words(column: Callable[[], Column]) -> None:
    row = column().start(LLAMA, ENDLESS, deadline_s=0.03)
    assert row.finish() == Ended(row.row, FinishReason.ERROR, "the answer was not finished after 0.03 s")


def test_a_prompt_for_another_vocabulary_is_an_error_and_hurts_nobody(column: Callable[[], Column]) -> None:
    assert "id 5000 is outside" in (column().start(OPT, ids=(1, 5000)).finish().error or "")
    assert column().start(OPT, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH


@pytest.mark.proves("worker killed, crashed, hung")
def test_a_killed_worker_fails_its_row_in_words_and_is_back_for_the_next(
    column: Callable[[], Column], engine: LocalEngine
) -> None:
    rows = [column().start(LLAMA, ENDLESS) for _ in range(MAX_ROWS)]
    rows += [column().start(LLAMA, SamplingParams(max_new_tokens=3)) for _ in range(2)]
    for row in rows[:MAX_ROWS]:  # as many as are written together
        row.wait_for(Tokens)
    killed = workers_of(os.getpid())[LLAMA]
    os.kill(killed, signal.SIGKILL)
    for row in rows[:MAX_ROWS]:
        ended = row.finish()
        assert ended.finish_reason is FinishReason.ERROR
        assert ended.error == "the model's process ended while it was writing; it is being started again"
    for row in rows[MAX_ROWS:]:  # they had not begun: nothing is lost
        assert row.finish().finish_reason is FinishReason.LENGTH
    assert workers_of(os.getpid())[LLAMA] != killed
    assert states(engine)[LLAMA] == "ready"


def test_a_worker_that_is_killed_twice_in_a_row_is_back_each_time(column: Callable[[], Column]) -> None:
    for _ in range(2):
        row = column().start(MPT, ENDLESS)
        row.wait_for(Tokens)
        os.kill(workers_of(os.getpid())[MPT], signal.SIGKILL)
        assert row.finish().finish_reason is FinishReason.ERROR
    assert column().start(MPT, SamplingParams(max_new_tokens=3)).finish().finish_reason is FinishReason.LENGTH


@pytest.mark.proves("worker killed, crashed, hung")
def test_a_hung_worker_is_replaced(column: Callable[[], Column]) -> None:
    row = column().start(OPT, ENDLESS)
    row.wait_for(Tokens)
    freeze(workers_of(os.getpid())[OPT])
    following = column().start(OPT, SamplingParams(max_new_tokens=2))
    ended = row.finish()
    assert ended.finish_reason is FinishReason.ERROR
    assert "stopped answering" in (ended.error or "")
    assert following.finish().finish_reason is FinishReason.LENGTH


def test_the_killed_forking_process_is_replaced_with_its_workers(
    column: Callable[[], Column], engine: LocalEngine
) -> None:
    row = column().start(MPT, ENDLESS)
    row.wait_for(Tokens)
    workers = workers_of(os.getpid())
    (server,) = {parent_of(pid) for pid in workers.values()}
    os.kill(server, signal.SIGKILL)
    assert row.finish().finish_reason is FinishReason.ERROR
    assert column().start(MPT, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH
    wait_until(lambda: not any(alive(pid) for pid in workers.values()))
    wait_until(lambda: set(states(engine).values()) == {"ready"})


def test_models_that_cannot_load_fail_in_words_and_hurt_nobody(
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


def test_an_unloaded_model_gives_its_process_back_and_is_there_again_when_it_is_asked(
    column: Callable[[], Column], engine: LocalEngine
) -> None:
    row = column().start(OPT, ENDLESS)
    row.wait_for(Tokens)
    process = workers_of(os.getpid())[OPT]
    engine.unload(OPT)
    assert row.finish() == Ended(row.row, FinishReason.ERROR, "Tiny opt was unloaded")
    wait_until(lambda: not alive(process))
    assert states(engine)[OPT] == "off"
    assert column().start(OPT, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH
    assert states(engine)[OPT] == "ready"


def test_a_listener_that_raises_does_not_stop_the_engine(
    column: Callable[[], Column], engine: LocalEngine, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ValueError("not my day")

    engine.start(LLAMA, Job("broken", (1,), SamplingParams(max_new_tokens=2), 0, (), 60.0), broken)
    assert column().start(LLAMA, SamplingParams(max_new_tokens=2)).finish().finish_reason is FinishReason.LENGTH
    assert "a listener failed" in caplog.text


def test_an_unknown_model_names_the_valid_ones(engine: LocalEngine) -> None:
    with pytest.raises(Unknown, match=r"no model 'gpt-9'; it has: .*tiny-llama"):
        Column(engine, "x").start("gpt-9")


def test_closing_ends_open_jobs_at_once_and_again_does_nothing(cards: tuple[ModelCard, ...]) -> None:
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
    assert not alive(server)
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        row.start(LLAMA)
    with pytest.raises(EngineError, match="closed"):
        engine.open(cards)


@pytest.mark.slow
def test_spawned_workers_answer_as_forked_ones(cards: tuple[ModelCard, ...], column: Callable[[], Column]) -> None:
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


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] not in "ZX"
    except OSError:
        return False


WEB = """
import json, os, sys, time
from pathlib import Path
from playground.engines.local.pool import LocalEngine
from playground.engines.protocol import Ended, Job
from playground.records import SamplingParams
from playground.settings import Settings
from tests.support.checkpoints import card_for

database = open(sys.argv[2], "a+b")
os.set_inheritable(database.fileno(), True)
engine = LocalEngine(Settings())
cards = [card_for(Path(sys.argv[1]) / kind, kind) for kind in ("llama", "mpt")]
engine.open(cards)
seen = []
engine.start(cards[0].id, Job("r", (1,), SamplingParams(max_new_tokens=5), 0, (), 60.0), seen.append)
while not (seen and isinstance(seen[-1], Ended)) or {s.state for s in engine.status().values()} != {"ready"}:
    time.sleep(0.01)
heavy = [name for name in ("torch", "transformers", "accelerate", "gradio") if name in sys.modules]
for row in range(3):  # leave it in the middle of writing
    engine.start(cards[0].id, Job(f"r{row}", (1,), SamplingParams(max_new_tokens=250), 0, (), 60.0), seen.append)
print(json.dumps({"heavy": heavy, "tokens": len(seen)}), flush=True)
time.sleep(60)
"""


def test_a_killed_web_process_leaves_nothing_and_its_workers_never_had_its_files_or_secrets(
    cards: tuple[ModelCard, ...], tmp_path: Path
) -> None:
    database = tmp_path / "playground.db"
    environ = os.environ | {"PYTHONPATH": str(ROOT), "HF_TOKEN": "hf_sesame", "PLAYGROUND_OWNER_TOKEN": "sesame"}
    command = [sys.executable, "-c", WEB, str(Path(cards[0].repo).parent), str(database)]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE) as web:
        try:
            assert web.stdout is not None
            said = web.stdout.readline().decode()
            family = [*children(web.pid), *workers_of(web.pid).values()]
            assert len(family) == 3
            held = {os.readlink(path) for pid in family for path in Path(f"/proc/{pid}/fd").iterdir()}
            secrets = [pid for pid in family if b"sesame" in Path(f"/proc/{pid}/environ").read_bytes()]
        finally:
            web.kill()
    assert '"heavy": []' in said
    assert str(database) not in held
    assert secrets == []
    wait_until(lambda: not any(alive(pid) for pid in family))
