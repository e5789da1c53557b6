"""Run the real app in a process of its own and send votes to it over HTTP.

Boundary: starts ``app.py`` and sends a program's requests; measures nothing.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.ballots import Ballot

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120.0


@contextmanager
def served(db: Path, port: int, checkout: Path = ROOT, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python app.py`` of a checkout on this database; yield once its page is served; end it with SIGINT."""
    unlimited = [f"--{kind}-per-minute=0" for kind in ("compares", "votes", "views")]
    command = [sys.executable, "app.py", "--port", str(port), "--db", str(db), *unlimited]
    with running(command, port, db.parent / "app.log", checkout, **environ) as process:
        yield process


@contextmanager
def running(
    command: list[str], port: int, log: Path, folder: Path, **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a folder; yield once a page is served at the port."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"} | environ,
            stdout=out,
            stderr=out,
        )
        try:
            _until_served(process, port)
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _until_served(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@dataclass(slots=True)
class Program:
    """One connection that calls named endpoints; not thread-safe."""

    port: int
    session: str = field(default_factory=lambda: secrets.token_hex(8))
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def vote(self, ballot: Ballot) -> Mapping[str, Any]:
        """Send a vote as ``gradio_client`` does; return the answer."""
        headers = {"Content-Type": "application/json", "X-Playground-Rater": ballot.rater}
        call = {"data": [ballot.battle_id, ballot.choice, [], ""], "session_hash": self.session}
        self.connection.request("POST", "/gradio_api/run/vote", json.dumps(call), headers)
        reply = self.connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"status {reply.status}: {body[:200]!r}")
        return dict(json.loads(body)["data"][0])

    def start(self, endpoint: str, **fields: Any) -> str:
        """Start a call; return the URL of its result."""
        path = f"/gradio_api/call/v2/{endpoint}"
        self.connection.request("POST", path, json.dumps(fields), {"Content-Type": "application/json"})
        reply = self.connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"status {reply.status}: {body[:200]!r}")
        return f"{path}/{json.loads(body)['event_id']}"

    def read_to_end(self, path: str) -> str:
        """Return everything that is streamed from the URL."""
        self.connection.request("GET", path)
        return self.connection.getresponse().read().decode()
