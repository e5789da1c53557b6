"""Two servers, and engines that are closed after each test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from playground.engines.remote.engine import RemoteEngine
from playground.engines.remote.timeouts import Timeouts
from playground.records import ModelCard
from playground.settings import Settings
from tests.support.remote_jobs import QUICK
from tests.support.remote_server import FakeServer, running_server

Open = Callable[..., RemoteEngine]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def second() -> Iterator[FakeServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def opened() -> Iterator[Open]:
    """Return a function that opens an engine; no thread of any is left afterwards."""
    with ExitStack() as stack:

        def open_engine(*cards: ModelCard, timeouts: Timeouts = QUICK, **settings: object) -> RemoteEngine:
            engine = RemoteEngine(Settings(**settings), timeouts=timeouts)
            stack.callback(engine.close)
            engine.open(cards)
            return engine

        yield open_engine
    assert not [thread for thread in threading.enumerate() if thread.name == "engine-remote"]
