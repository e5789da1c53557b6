"""A playground that tests kill and restart."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LiveApp, free_port, start_app, stop_app
from tests.support.processes import family

LOADING_S = 120
MODELS = "--models=pocket-galpaca,pocket-minotaur"


class Server:
    """A playground with its own database and port, which can be killed and restarted."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.app: LiveApp = self.start()

    def start(self) -> LiveApp:
        self.app = start_app(self._folder, MODELS, port=self._port, PLAYGROUND_UNDO_S="60")
        return self.app

    def kill(self) -> None:
        """Kill the process and its workers at once."""
        models = family(self.app.process.pid)
        self.app.process.kill()
        self.app.process.wait()
        for pid in models:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.app.db.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def server_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    stop_app(server.app)


@pytest.fixture
def server(server_of_module: Server) -> Server:
    """Return the module's server, running: a start costs as much as a test."""
    if server_of_module.app.process.poll() is not None:  # a test failed while it was down
        server_of_module.start()
    return server_of_module
