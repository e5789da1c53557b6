"""A GPU call without a GPU: whose request it is, its errors in words, the time it asks for, flags across a fork."""

from __future__ import annotations

import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar, copy_context
from pathlib import Path

import gradio as gr
import pytest

from playground.engines.protocol import Ended, Event, Job, Queued, Tokens
from playground.engines.zerogpu.call import WAITING, CallRow, GpuCall
from playground.engines.zerogpu.cancel_flags import CancelFlags
from playground.engines.zerogpu.durations import Durations
from playground.engines.zerogpu.errors import ABORTED, NO_THREAD, WORDS, words_of
from playground.engines.zerogpu.request import GpuEvent, GpuRequest, GpuRow, Measured
from playground.errors import EngineError
from playground.records import FinishReason, SamplingParams

GB = 10**9
VISITOR: ContextVar[str] = ContextVar("visitor")


def job(row: str, tokens: int = 100, deadline_s: float = 120.0, prompt: int = 20) -> Job:
    return Job(row, (5,) * prompt, SamplingParams(max_new_tokens=tokens), 0, (), deadline_s)


class Scene:
    """A call, the tasks that it posted, and what its rows were told."""

    def __init__(self, write: Callable[[GpuRequest], Iterator[tuple[GpuEvent, ...]]], rows: str = "ab") -> None:
        self.tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.told: list[Event] = []
        self.measured: list[Measured] = []
        self.over = False
        self.call = GpuCall(
            [CallRow("m", job(row), self.told.append, slot) for slot, row in enumerate(rows)],
            self.measured.append,
            self.end,
        )
        self.call.begin(write, copy_context(), self.tasks.put)

    def end(self, call: GpuCall) -> None:
        self.over = True

    def play(self) -> list[Event]:
        """Do the tasks until the call is over; return what the rows were told."""
        while not self.over:
            self.tasks.get(timeout=60)()
        return self.told


def test_call_runs_in_the_context_of_its_visitor() -> None:
    asked: list[str] = []

    def write(request: GpuRequest) -> Iterator[tuple[GpuEvent, ...]]:
        asked.append(VISITOR.get("nobody"))
        yield ()

    VISITOR.set("ada")
    Scene(write).play()
    assert asked == ["ada"]


def test_rows_get_their_own_events_and_one_end() -> None:
    def write(request: GpuRequest) -> Iterator[tuple[GpuEvent, ...]]:
        assert [row.job.row for row in request.rows] == ["a", "b"]
        yield Tokens("a", (1, 2)), Tokens("b", (3,))
        yield Ended("a", FinishReason.STOP), Measured("m", 0.02)
        yield (Ended("b", FinishReason.LENGTH),)

    scene = Scene(write)
    assert scene.play() == [
        Queued("a", 0, WAITING), Queued("b", 0, WAITING), Tokens("a", (1, 2)), Tokens("b", (3,)),
        Ended("a", FinishReason.STOP), Ended("b", FinishReason.LENGTH),
    ]  # fmt: skip
    assert scene.measured == [Measured("m", 0.02)]


def test_error_of_the_call_ends_the_rows_that_are_left() -> None:
    def write(request: GpuRequest) -> Iterator[tuple[GpuEvent, ...]]:
        yield (Ended("a", FinishReason.STOP),)
        raise gr.Error("GPU task aborted", title="ZeroGPU worker error")

    told = Scene(write).play()
    assert told[2:] == [Ended("a", FinishReason.STOP), Ended("b", FinishReason.ERROR, ABORTED)]


def test_call_that_ends_early_leaves_no_row_open() -> None:
    def write(request: GpuRequest) -> Iterator[tuple[GpuEvent, ...]]:
        yield from ()

    assert [event.error for event in Scene(write).play() if isinstance(event, Ended)] == [ABORTED, ABORTED]


def test_call_whose_thread_cannot_start_ends_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    scene = Scene(lambda request: iter(()))
    assert scene.over
    assert [event.error for event in scene.told if isinstance(event, Ended)] == [NO_THREAD, NO_THREAD]


def test_row_that_waits_for_a_gpu_is_cancelled_at_once() -> None:
    release: queue.SimpleQueue[None] = queue.SimpleQueue()

    def write(request: GpuRequest) -> Iterator[tuple[GpuEvent, ...]]:
        release.get(timeout=60)
        yield Tokens("a", (1,)), Ended("a", FinishReason.CANCELLED)

    scene = Scene(write, rows="a")
    assert scene.call.cancel("a") == 0
    assert scene.told[-1] == Ended("a", FinishReason.CANCELLED)
    assert scene.call.cancel("a") is None
    release.put(None)
    assert scene.play().count(Ended("a", FinishReason.CANCELLED)) == 1


@pytest.mark.parametrize(
    ("title", "message", "words"),
    [
        (
            "ZeroGPU quota exceeded",
            "You have exceeded your free ZeroGPU quota (60s requested vs. 12s left). Try again in 3:04:05. ",
            "no GPU time is left: You have exceeded your free ZeroGPU quota (60s requested vs. 12s left). Try again in "
            "3:04:05",
        ),
        (
            "ZeroGPU quota exceeded",
            "Space app has reached its GPU limit. Try re-running outside of examples if it happened after clicking one",
            "no GPU time is left for visitors without a Hugging Face login; sign in there, or come back tomorrow",
        ),
        ("ZeroGPU queue timeout", "<a>", "no GPU was free within a minute; ask once more"),
        (
            "ZeroGPU quota exceeded",
            "No GPU was available after 60s. Try re-running outside of examples if it happened after clicking one",
            "no GPU was free within a minute; ask once more",
        ),
        ("ZeroGPU worker error", "GPU task aborted", ABORTED),
        ("A new one", "Boom.", "the GPU could not be used (Error: Boom); ask once more"),
    ],
)
def test_errors_of_spaces_are_said_in_words(title: str, message: str, words: str) -> None:
    assert words_of(gr.Error(message, title=title)) == words


def test_other_errors_are_said_with_their_kind() -> None:
    assert words_of(RuntimeError("Connection closed by visitor\nwhile queueing")) == (
        "the GPU could not be used (RuntimeError: Connection closed by visitor while queueing); ask once more"
    )
    assert words_of(ValueError()) == "the GPU could not be used (ValueError: no reason was given); ask once more"


def test_every_title_that_spaces_raises_has_words() -> None:
    spaces = pytest.importorskip("spaces", reason="the package spaces is not installed")
    zero = Path(spaces.__file__).parent / "zero"
    sources = "".join((zero / name).read_text() for name in ("client.py", "wrappers.py"))
    titles = {part.split('"')[0] for part in sources.split('error("')[1:]}
    assert titles
    assert titles <= WORDS.keys()


# The time that a call asks for


def request(*rows: tuple[str, Job]) -> GpuRequest:
    return GpuRequest(tuple(GpuRow(model_id, job, slot) for slot, (model_id, job) in enumerate(rows)))


def test_duration_grows_with_tokens_models_and_measured_speed() -> None:
    durations = Durations({"small": 6 * GB, "large": 26 * GB})
    short = durations.of(request(("small", job("a", 100))))
    assert short < durations.of(request(("small", job("a", 400))))
    both = durations.of(request(("small", job("a", 100)), ("large", job("b", 100))))
    assert short < both
    durations.add(Measured("large", 0.4))
    assert both < durations.of(request(("small", job("a", 100)), ("large", job("b", 100))))
    assert durations.of(request(("small", job("a", 100)))) == short, "another model's speed changes nothing"


def test_duration_counts_rows_of_one_model_once_and_stays_within_their_deadline() -> None:
    durations = Durations({"m": 6 * GB})
    one = durations.of(request(("m", job("a"))))
    assert durations.of(request(("m", job("a")), ("m", job("b", tokens=90)))) - one <= 1, "a batch costs a prompt more"
    start = durations.of(request(("m", job("a", tokens=1, prompt=1))))
    assert durations.of(request(("m", job("a", tokens=4096, deadline_s=30)))) <= start + 30


def test_measured_speed_replaces_the_estimate_and_is_smoothed() -> None:
    durations = Durations({"m": 6 * GB})
    durations.add(Measured("m", 0.1))
    assert durations.step_s("m") == pytest.approx(0.1)
    durations.add(Measured("m", 0.2))
    assert durations.step_s("m") == pytest.approx(0.15)


# Flags


def test_flag_that_is_raised_after_a_fork_is_seen_by_the_fork() -> None:
    flags = CancelFlags(2)
    slot = flags.take()
    context = multiprocessing.get_context("fork")
    begun, seen = context.Event(), context.Event()

    def look() -> None:
        begun.set()
        while not flags.is_set(slot):
            pass
        seen.set()

    process = context.Process(target=look, daemon=True)
    process.start()
    assert begun.wait(60)
    flags.set(slot)
    assert seen.wait(60)
    process.join(60)


def test_slots_are_lent_clean_and_run_out_in_words() -> None:
    flags = CancelFlags(1)
    slot = flags.take()
    flags.set(slot)
    with pytest.raises(EngineError, match="1 answers are being written; ask again"):
        flags.take()
    flags.free(slot)
    assert not flags.is_set(flags.take())
