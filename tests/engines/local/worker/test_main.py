"""The worker's message loop: rows, cancel, deadlines, failures."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
import torch

from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Message
from playground.engines.local.worker.decoding.decoder import NewToken
from playground.engines.local.worker.main import Inbox, Worker
from playground.engines.protocol import Job
from playground.errors import EngineError
from playground.records import FinishReason, SamplingParams


class ScriptedDecoder:
    """A decoder that draws 100, 101, … and stops after `length`, or raises `error` at `fail_at`."""

    def __init__(self, length: int = 5, fail_at: int | None = None, error: Exception | None = None) -> None:
        self.running: dict[str, int] = {}
        self.length, self.fail_at, self.error = length, fail_at, error

    @property
    def can_admit(self) -> bool:
        return not self.running

    def admit(self, job: Job) -> None:
        if not job.token_ids:
            raise EngineError("the prompt is empty; a model needs at least one token")
        self.running[job.row] = 0

    def drop(self, row: str) -> None:
        self.running.pop(row, None)

    def step(self) -> list[NewToken]:
        ((row, n),) = self.running.items()
        if n == self.fail_at and self.error is not None:
            raise self.error
        self.running[row] = n + 1
        return [NewToken(row, 100 + n, FinishReason.STOP if n + 1 == self.length else None)]


class Scene:
    """A worker with its inbox, its sent messages, and a clock that the test sets."""

    def __init__(self, decoder: Any) -> None:
        self.now = 0.0
        self.sent: list[Message] = []
        self.pieces: list[int] = []  # messages per send
        self.inbox: Inbox = queue.SimpleQueue()
        self.worker = Worker(decoder, self.inbox, self.send, clock=lambda: self.now)

    def send(self, *sent: Message) -> None:
        self.sent += sent
        self.pieces.append(len(sent))

    def ask(self, row: str, ids: tuple[int, ...] = (1,), deadline_s: float = 60.0) -> None:
        self.inbox.put(messages.start(Job(row, ids, SamplingParams(), 0, (2,), deadline_s)))

    def turns(self, n: int, step_s: float = 0.001) -> None:
        for _ in range(n):
            self.now += step_s
            self.worker.turn()

    def ids(self, row: str) -> list[int]:
        return [i for m in self.sent if m["kind"] == "tokens" and m["row"] == row for i in m["token_ids"]]

    def end(self, row: str) -> tuple[str, str | None]:
        (ended,) = [m for m in self.sent if m["kind"] == "ended" and m["row"] == row]
        return ended["finish_reason"], ended["error"]


def test_rows_are_written_in_order() -> None:
    scene = Scene(ScriptedDecoder())
    scene.ask("first")
    scene.ask("second")
    scene.turns(10)
    order = [(m["kind"], m["row"]) for m in scene.sent if m["kind"] != "tokens"]
    assert order == [("started", "first"), ("ended", "first"), ("started", "second"), ("ended", "second")]
    assert scene.ids("second") == [100, 101, 102, 103, 104]
    assert scene.end("first") == ("stop", None)


def test_first_token_is_sent_at_once_and_fast_ones_together() -> None:
    scene = Scene(ScriptedDecoder(length=60))
    scene.now = 10.0
    scene.ask("r")
    scene.turns(60, step_s=0.001)
    sizes = [len(m["token_ids"]) for m in scene.sent if m["kind"] == "tokens"]
    assert sizes[0] == 1
    assert sum(sizes) == 60
    assert len(sizes) <= 5


def test_slow_tokens_are_sent_one_by_one() -> None:
    scene = Scene(ScriptedDecoder())
    scene.ask("r")
    scene.turns(5, step_s=0.5)
    assert [len(m["token_ids"]) for m in scene.sent if m["kind"] == "tokens"] == [1, 1, 1, 1, 1]


class RowsTogether(ScriptedDecoder):
    """A decoder that writes all rows together."""

    can_admit = True

    def step(self) -> list[NewToken]:
        self.running = {row: n + 1 for row, n in self.running.items()}
        return [NewToken(row, 100 + n, FinishReason.STOP if n == 2 else None) for row, n in self.running.items()]


def test_messages_of_all_rows_are_sent_together() -> None:
    scene = Scene(RowsTogether())
    for row in "abcde":
        scene.ask(row)
    scene.turns(2, step_s=0.5)
    assert scene.pieces == [5, 5, 10], "started; a token each; another token and the end"


def test_end_says_the_most_rows_of_a_step() -> None:
    decoder = RowsTogether()
    steps = iter([1, 4, 2])
    one_step = decoder.step
    decoder.step = lambda: [replace(token, num_rows=count) for count in [next(steps)] for token in one_step()]  # type: ignore[method-assign]
    scene = Scene(decoder)
    scene.ask("r")
    scene.turns(2)
    assert scene.sent[-1]["kind"] == "ended"
    assert scene.sent[-1]["written_together"] == 4


def test_row_that_never_began_was_written_with_nobody() -> None:
    scene = Scene(ScriptedDecoder())
    scene.ask("empty", ids=())
    scene.ask("r")
    scene.turns(1)
    assert [m["written_together"] for m in scene.sent if m["kind"] == "ended"] == [None]


def test_cancelled_waiting_row_ends_at_once() -> None:
    scene = Scene(ScriptedDecoder())
    scene.ask("r")
    scene.inbox.put(messages.cancel("r"))
    turn = threading.Thread(target=scene.worker.turn)  # blocks until there is a row
    turn.start()
    deadline = time.monotonic() + 10
    while not scene.sent and time.monotonic() < deadline:
        time.sleep(0.01)
    sent = list(scene.sent)
    scene.ask("next")
    turn.join()
    assert sent == [messages.ended("r", FinishReason.CANCELLED)]


def test_cancel_ends_a_running_row_within_one_step() -> None:
    scene = Scene(ScriptedDecoder(length=100))
    scene.ask("r")
    scene.ask("next")
    scene.turns(7)
    scene.inbox.put(messages.cancel("r"))
    scene.turns(1)
    assert scene.end("r") == ("cancelled", None)
    assert scene.ids("r") == list(range(100, 107))
    assert scene.sent[-1]["row"] == "next"


def test_cancel_ignores_unknown_rows() -> None:
    scene = Scene(ScriptedDecoder())
    scene.ask("running")
    scene.ask("waiting")
    scene.turns(1)
    scene.inbox.put(messages.cancel("waiting"))
    scene.inbox.put(messages.cancel("unknown"))
    scene.turns(1)
    assert scene.end("waiting") == ("cancelled", None)
    scene.turns(3)
    assert scene.end("running") == ("stop", None)


def test_row_past_its_deadline_ends_as_an_error() -> None:
    scene = Scene(ScriptedDecoder(length=100))
    scene.ask("r", deadline_s=2.0)
    scene.ask("next")
    scene.turns(4, step_s=0.6)
    scene.turns(1, step_s=0.6)
    assert scene.end("r") == ("error", "the answer was not finished after 2 s")
    assert len(scene.ids("r")) == 4


def test_invalid_prompt_ends_its_row_alone() -> None:
    scene = Scene(ScriptedDecoder())
    scene.ask("bad", ids=())
    scene.ask("good")
    scene.turns(5)
    assert scene.end("bad") == ("error", "the prompt is empty; a model needs at least one token")
    assert scene.end("good") == ("stop", None)


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
@pytest.mark.parametrize("fail_at", [0, 3])
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried"),
        torch.AcceleratorError("CUDA error: out of memory"),
    ],
    ids=["python", "gpu", "cpu", "driver"],
)
def test_out_of_memory_ends_the_row_and_the_worker_continues(fail_at: int, error: Exception) -> None:
    decoder = ScriptedDecoder(fail_at=fail_at, error=error)
    scene = Scene(decoder)
    scene.ask("r")
    scene.turns(fail_at + 1)
    assert scene.end("r") == ("error", "out of memory while writing the answer")
    assert len(scene.ids("r")) == fail_at
    decoder.error = None
    scene.ask("next")
    scene.turns(5)
    assert scene.end("next") == ("stop", None)


def test_row_without_a_token_ends_with_its_error() -> None:
    decoder = ScriptedDecoder(length=100)
    scene = Scene(decoder)
    scene.ask("r")
    scene.turns(3)
    decoder.step = lambda: [NewToken("r", None, FinishReason.ERROR, "no usable numbers")]  # type: ignore[method-assign]
    scene.turns(1)
    assert scene.end("r") == ("error", "no usable numbers")
    assert scene.ids("r") == [100, 101, 102]


@pytest.mark.proves("worker killed, crashed, hung")
def test_unexpected_error_ends_the_row_and_the_process() -> None:
    scene = Scene(ScriptedDecoder(fail_at=2, error=IndexError("index out of range in self")))
    scene.ask("r")
    with pytest.raises(IndexError):
        scene.turns(3)
    assert scene.end("r") == (
        "error",
        "the model failed while it wrote (IndexError: index out of range in self); ask once more",
    )
    assert scene.ids("r") == [100, 101]


def test_unknown_message_raises() -> None:
    scene = Scene(ScriptedDecoder())
    scene.inbox.put({"kind": "dance"})
    with pytest.raises(EngineError, match="'dance'; valid: start, cancel"):
        scene.turns(1)
