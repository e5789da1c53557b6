"""One supervised model whose workers and clock are scripted by the test.

Boundary: a `Launcher` without processes; knows what supervisors and workers say to each other.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import Future
from itertools import count

from playground.engines.local.launch import Launched
from playground.engines.local.model_states import ModelState
from playground.engines.local.process import Process
from playground.engines.local.supervisor import Supervisor, WorkerLimits
from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import pipes
from playground.engines.protocol import EngineFacts, Event, Job
from playground.records import FinishReason, SamplingParams
from tests.support.cast import card

FACTS = EngineFacts("local", "cpu", "float32", "local", {"torch": "2"})
LIMITS = WorkerLimits(stall_s=10.0, load_s=100.0, exit_s=30.0, backoff_s=(1.0, 2.0, 4.0))
CARD = card("m", name="Model M", repo="/m")


class SilentLauncher:
    """Makes channels that nobody listens to; the test speaks for the workers."""

    def __init__(self) -> None:
        self.killed: list[int] = []  # numbers of workers, from 1
        self.error: OSError | None = None
        self._numbers = count(1)

    def launch(self) -> Launched:
        if self.error is not None:
            raise self.error
        number = next(self._numbers)
        channel, self.theirs = pipes()
        return Launched(channel, Future(), lambda: self.killed.append(number))

    def sent(self, count: int) -> list[bytes]:
        """Return the first `count` lines that the last worker was sent; another thread writes them."""
        data = b""
        while data.count(b"\n") < count:
            data += os.read(self.theirs[0], 1 << 16)
        return data.splitlines()

    def close(self) -> None: ...


class Scene:
    """One supervisor, its events and its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.launcher = SilentLauncher()
        self.events: list[Event] = []
        self.model = Supervisor(CARD, 1, self.launcher, lambda task: None, LIMITS, now_s=lambda: self.now)

    @property
    def state(self) -> ModelState:
        return self.model.state

    @property
    def process(self) -> Process:
        assert self.model.process is not None
        return self.model.process

    def ask(self, row: str) -> None:
        self.model.accept(Job(row, (1, 1, 1), SamplingParams(), 0, (), 60.0), self.events.append)

    def up(self, max_rows: int = 1) -> None:
        """Launch when it wants to, and become ready."""
        assert self.model.wants_launch
        self.model.launch()
        self.say(messages.ready(FACTS, 0.5, max_rows=max_rows))

    def begin(self, row: str) -> None:
        """Take a row and start it."""
        self.ask(row)
        self.say(messages.started(row))

    def say(self, message: messages.Message) -> None:
        self.model.on_messages(self.process, [message])

    def exit(self, words: str = "was killed by SIGKILL") -> None:
        self.model.on_exit(self.process, words)

    def die(self, words: str = "was killed by SIGKILL") -> None:
        self.model.on_gone(self.process)
        self.exit(words)

    def unload(self) -> None:
        self.model.unload(FinishReason.ERROR, "Model M was unloaded")

    def of(self, row: str) -> list[Event]:
        return [event for event in self.events if event.row == row]

    @property
    def records(self) -> bool:
        """The last worker was told that steps may be recorded."""
        return bool(json.loads(self.launcher.sent(1)[0])["recorded"])
