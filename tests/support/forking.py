"""One process that has torch imported and forks the models of every engine, where a test is not about that process.

Importing torch and the model code takes seconds, forking a model a tenth of one. Workers, pipes and messages are the
real ones; how the forking process starts, dies and is replaced is in test_engine_local.py and test_processes.py.

Boundary: what an engine knows as its launcher; knows nothing of models.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from playground.engines.local.launch import ForkLauncher, OnExit, worker_environment
from playground.engines.local.wire.channel import Channel

PATIENCE_S = 60.0


class SharedForks:
    """Makes launchers, one per engine, that all fork from one process."""

    def __init__(self) -> None:
        self._forks = ForkLauncher(worker_environment(os.environ, threads=1), self._exited)
        self._listeners: dict[int, OnExit] = {}
        self._changed = threading.Condition()

    def launcher(
        self, environ: Mapping[str, str], threads: int, on_exit: OnExit, fork: bool | None = None
    ) -> SharedLauncher:
        """In place of `playground.engines.local.launch.launcher`."""
        assert (environ, threads, fork) == (os.environ, 1, None), "this engine needs a forking process of its own"
        return SharedLauncher(self, on_exit)

    def launch(self, on_exit: OnExit) -> tuple[int, Channel]:
        with self._changed:  # its exit is not reported before it is known whose it is
            number, channel = self._forks.launch()
            self._listeners[number] = on_exit
        return number, channel

    def end(self, number: int) -> None:
        self._forks.end(number)

    def await_exit(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: number not in self._listeners, PATIENCE_S)

    def close(self) -> None:
        self._forks.close()

    def _exited(self, number: int, words: str) -> None:
        with self._changed:
            on_exit = self._listeners.pop(number)
            self._changed.notify_all()
        on_exit(number, words)


class SharedLauncher:
    """One engine's part of it: a `Launcher`."""

    def __init__(self, shared: SharedForks, on_exit: OnExit) -> None:
        self._shared, self._on_exit = shared, on_exit
        self._numbers: list[int] = []

    def launch(self) -> tuple[int, Channel]:
        number, channel = self._shared.launch(self._on_exit)
        self._numbers.append(number)
        return number, channel

    def end(self, number: int) -> None:
        self._shared.end(number)

    def close(self) -> None:
        for number in self._numbers:
            self._shared.end(number)
        for number in self._numbers:
            self._shared.await_exit(number)
