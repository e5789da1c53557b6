"""Examine a model's weights in a process of its own.

Boundary: web process side, and never imports torch; the checks are in `worker.check`.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping

from playground.engines.local.launch import exit_words, worker_environment
from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Channel
from playground.engines.protocol import FilePoint
from playground.records import ModelCard

PROCESS = "process"
LAST_BEFORE_WRITING = "vocabulary"
"""The point after which the model writes for the first time."""


def check(card: ModelCard, threads: int, weights: Mapping[str, int], environ: Mapping[str, str]) -> Iterator[FilePoint]:
    """Yield the points in order, up to the first failure.

    A process that dies where steps may be recorded is followed by one that records none, as when a model is loaded.

    Args:
        weights: bytes of weights by device, as planned; if empty, the worker chooses a device.
    """
    reached: list[str] = []
    for point in _inspect(card, threads, weights, environ, recorded=True):
        if point.name == PROCESS and reached and reached[-1] == LAST_BEFORE_WRITING:
            again = _inspect(card, threads, weights, environ, recorded=False)
            yield from (other for other in again if not other.ok or other.name not in reached)
            return
        reached.append(point.name)
        yield point


def _inspect(
    card: ModelCard, threads: int, weights: Mapping[str, int], environ: Mapping[str, str], *, recorded: bool
) -> Iterator[FilePoint]:
    process = subprocess.Popen(
        [sys.executable, "-m", "playground.engines.local.worker.check"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=worker_environment(environ, threads),
    )
    with process:
        if process.stdin is None or process.stdout is None:  # for the type checker: both were asked for
            return
        channel = Channel(process.stdout.fileno(), process.stdin.fileno())
        with contextlib.suppress(OSError):  # the process has ended already; reported below
            channel.send(messages.load(card, threads, weights, recorded=recorded))
        kind = ""
        while (received := channel.receive()) is not None:
            for message in received:
                kind = message["kind"]
                if kind == "point":
                    yield FilePoint(message["point"], True, message["words"])
                elif kind == "failed":
                    yield FilePoint(message["point"], False, message["error"])
    if kind not in ("checked", "failed"):
        yield FilePoint(PROCESS, False, f"the process that checked the model {exit_words(process.returncode)}")
