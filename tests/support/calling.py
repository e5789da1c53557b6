"""Call the page's own events, as a browser does and as it never would.

Boundary: HTTP and the served ``/config``; expects no particular answers.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from playground.rater_ids import COOKIE, new_secret
from playground.records import BattleState
from playground.storage.database.store import Store
from tests.conftest import LiveApp

Config = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Visitor:
    """One browser, with its cookie and session."""

    url: str
    secret: str = field(default_factory=new_secret)
    session: str = field(default_factory=new_secret)
    battle_id: str = ""  # shown in its tab
    headers: Mapping[str, str] = field(default_factory=dict)  # that a proxy adds

    def post(self, path: str, body: Any) -> Reply:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Cookie": f"{COOKIE}={self.secret}", **self.headers}
        return self._ask(urllib.request.Request(f"{self.url}/gradio_api/{path}", sent, headers))

    def get(self, path: str) -> Reply:
        return self._ask(urllib.request.Request(f"{self.url}/{path}"))

    def join(self, index: Any, data: Any, **more: Any) -> Reply:
        return self.post("queue/join", {"fn_index": index, "data": data, "session_hash": self.session, **more})

    def rest(self) -> str:
        """Return all messages that the queue still has for this session."""
        query = urlencode({"session_hash": self.session})
        return self._ask(urllib.request.Request(f"{self.url}/gradio_api/queue/data?{query}")).body.decode()

    @staticmethod
    def _ask(request: urllib.request.Request) -> Reply:
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return Reply(reply.status, reply.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.read())


def event(config: Config, name: str) -> Config:
    """Return an event of the page by its name in the API's list."""
    return next(dependency for dependency in config["dependencies"] if dependency["api_name"] == name)


def press(visitor: Visitor, config: Config, name: str, data: Any = None, **more: Any) -> Reply:
    """Send an event as the page does, past the queue; by default with the battle's id as its only input."""
    values = named(config, name, visitor.battle_id) if data is None else data
    body = {"fn_index": event(config, name)["id"], "data": values, "session_hash": visitor.session, **more}
    return visitor.post(f"run/{name}", body)


def named(config: Config, name: str, battle_id: str) -> list[Any]:
    """Return the inputs of an event in a tab that shows this battle and has no other values."""
    inputs = event(config, name)["inputs"]
    shown = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "shown")
    return [{"battle": battle_id} if number == shown else None for number in inputs]


def composed(config: Config, **typed: Any) -> list[Any]:
    """Return the composer's values, with the fields in `typed` (by their id on the page) filled in."""
    known = {component["id"]: component["props"] for component in config["components"]}
    fields = [known[number] for number in event(config, "compare_1")["inputs"]]
    return [typed.get(str(props.get("elem_id")).replace("-", "_"), props.get("value")) for props in fields]


def compare(visitor: Visitor, config: Config, instruction: str = "What is the capital of France?") -> str:
    """Make a battle as the page does; return its id."""
    reply = press(visitor, config, "compare_1", composed(config, instruction=instruction))
    visitor.battle_id = battle_in(reply)
    assert visitor.join(event(config, "follow")["id"], named(config, "follow", visitor.battle_id)).status == 200
    visitor.rest()  # an unread battle is cancelled
    return visitor.battle_id


def battle_in(reply: Reply) -> str:
    """Return the id of the battle that a reply draws."""
    found = re.search(r"data-battle='([0-9a-f]{32})'", reply.body.decode())
    assert found is not None, reply
    return found[1]


def ended(app: LiveApp, battle_id: str) -> None:
    """Wait until a battle has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with Store(app.db, read_only=True) as store:
            battle = store.battle(battle_id)
        if battle is not None and battle.state is not BattleState.GENERATING:
            return
        time.sleep(0.05)
    raise AssertionError(f"{battle_id} is still being written")
