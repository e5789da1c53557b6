"""A launched worker: its end is reported whatever ended the conversation."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from playground.engines.local.process import Process

PATIENCE_S = 30.0


@pytest.mark.parametrize("error", [OSError("gone"), RecursionError("a bug")], ids=repr)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_failed_reader_reports_the_process_as_gone(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def receive() -> None:
        raise error

    channel = SimpleNamespace(receive=receive, close_read=lambda: None, close_write=lambda: None)
    launched: Any = SimpleNamespace(channel=channel, exit=Future(), kill=lambda: None)
    posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    gone: list[Process] = []
    process = Process(launched, None, 1.0, lambda: 0.0)
    process.connect(posted.put, lambda *_: None, gone.append, lambda *_: None)
    posted.get(timeout=PATIENCE_S)()
    assert gone == [process]
    process.end()
