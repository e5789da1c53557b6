"""A browser tab on a Gradio page: the requests that it makes when it is opened, and the stream that it holds.

Boundary: plain HTTP on one host; reads what to ask for from the page's own configuration, as Gradio's script does.
Files of the page (scripts, fonts, pictures) are left out: the server keeps nothing of those.
"""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

API = "/gradio_api"
CONFIG = "window.gradio_config = "
PATIENCE_S = 120.0


@dataclass(slots=True)
class Tab:
    """One tab of a new browser profile; not for several threads at once."""

    port: int
    host: str = "127.0.0.1"
    cookie: str = ""
    session: str = field(default_factory=lambda: secrets.token_hex(6))
    config: dict[str, Any] = field(default_factory=dict)
    _heartbeat: http.client.HTTPConnection | None = None

    @contextmanager
    def opened(self, path: str = "/") -> Iterator[Tab]:
        """Open the page; inside, the tab is open and its load events have been answered."""
        self.open(path)
        try:
            yield self
        finally:
            self.close()

    def open(self, path: str = "/") -> None:
        """Get the page, connect its heartbeat and run its load events, as a browser does."""
        page, self.cookie = self._page(path)
        self.config = read_config(page)
        if self.config["connect_heartbeat"]:
            self.beat()
        for dependency in self.config["dependencies"]:
            if any(event == "load" for _, event in dependency["targets"]):
                self.run(dependency["id"])

    def beat(self) -> None:
        """Connect the heartbeat: a stream that tells the server that the tab is open."""
        self._heartbeat = self._connection()
        self._heartbeat.request("GET", f"{API}/heartbeat/{self.session}", headers=self._headers)
        reply = self._heartbeat.getresponse()
        if reply.status != 200 or b"ALIVE" not in reply.readline():
            raise RuntimeError(f"no heartbeat: status {reply.status}")

    def close(self) -> None:
        """Close the heartbeat's connection; a tab has no other way to say that it is gone."""
        if self._heartbeat is not None:
            self._heartbeat.close()
            self._heartbeat = None

    def run(self, index: int, typed: Mapping[int, Any] | None = None) -> None:
        """Send an event, read its answer to the end, then send the events that follow it.

        `typed` holds values by component id; other components send the value that they were built with.
        """
        self.send(index, typed)
        for dependency in self.config["dependencies"]:
            if dependency.get("trigger_after") == index:
                self.run(dependency["id"])

    def send(self, index: int, typed: Mapping[int, Any] | None = None) -> str:
        """Send one event and return everything that it is answered with."""
        known = self._values() | dict(typed or {})
        dependency = next(each for each in self.config["dependencies"] if each["id"] == index)
        data = [known.get(component) for component in dependency["inputs"]]
        event = {"data": data, "event_data": None, "fn_index": index, "trigger_id": 0, "session_hash": self.session}
        if not dependency["queue"]:
            return self.ask("POST", f"{API}/run/predict", event)
        self.ask("POST", f"{API}/queue/join?", event)
        return self.ask("GET", f"{API}/queue/data?session_hash={self.session}")

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> str:
        """The answer to one request.

        Raises:
            RuntimeError: the status is not 200.
        """
        connection = self._connection()
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {**self._headers, "Content-Type": "application/json"})
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        if reply.status != 200:
            raise RuntimeError(f"{method} {path}: status {reply.status}: {text[:200]}")
        return text

    @property
    def _headers(self) -> dict[str, str]:
        return {"Cookie": self.cookie} if self.cookie else {}

    def _values(self) -> dict[int, Any]:
        return {each["id"]: each["props"].get("value") for each in self.config["components"] if each["type"] != "state"}

    def _page(self, path: str) -> tuple[str, str]:
        """The page, and the cookie that it came with; the earlier one without."""
        connection = self._connection()
        try:
            connection.request("GET", path, headers={**self._headers, "Accept": "text/html"})
            reply = connection.getresponse()
            page = reply.read().decode()
            if reply.status != 200:
                raise RuntimeError(f"GET {path}: status {reply.status}")
            given = reply.getheader("Set-Cookie", "")
        finally:
            connection.close()
        return page, given.split(";")[0] if given else self.cookie

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S)


def read_config(page: str) -> dict[str, Any]:
    """What the page says it is made of."""
    config, _ = json.JSONDecoder().raw_decode(page, page.index(CONFIG) + len(CONFIG))
    return dict(config)
