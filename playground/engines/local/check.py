"""A model's way through every gate, point by point, in a process of its own that ends with it.

Boundary: web process side, and never imports torch; what the points are is `inspection`'s.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from playground.engines.local import messages
from playground.engines.local.channel import Channel
from playground.engines.local.launch import exit_words, worker_environment
from playground.records import ModelCard


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was looked at; `words` say what was found."""

    name: str
    ok: bool
    words: str


def check(card: ModelCard, threads: int, room: Mapping[str, int], environ: Mapping[str, str]) -> Iterator[Point]:
    """The points in order, as they are reached; the first that is not ok is the last.

    Args:
        room: bytes for weights by device, as planned; of none, the first device is tried.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "playground.engines.local.inspection"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=worker_environment(environ, threads),
    )
    with process:
        if process.stdin is None or process.stdout is None:  # for the type checker: both were asked for
            return
        channel = Channel(process.stdout.fileno(), process.stdin.fileno())
        with contextlib.suppress(OSError):  # it is gone already; how it ended is said below
            channel.send(messages.load(card, threads, room))
        kind = ""
        while (received := channel.receive()) is not None:
            for message in received:
                kind = message["kind"]
                if kind == "point":
                    yield Point(message["point"], True, message["words"])
                elif kind == "failed":
                    yield Point(message["point"], False, message["error"])
    if kind not in ("checked", "failed"):
        yield Point("process", False, f"the process that looked at the model {exit_words(process.returncode)}")
