"""A page view: the requests of a browser that opens a page.

Boundary: plain HTTP on one host; reads the load events from the page's configuration, as Gradio's script does. Omits
static files (scripts, fonts, pictures), of which the server keeps nothing.
"""

from __future__ import annotations

import http.client
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

API = "/gradio_api"
CONFIG = "window.gradio_config = "
PATIENCE_S = 120.0
ADDRESS = "() => [location.search]"
"""The script of an event that sends the page's address."""
NO_BATTLE = {"battle": "", "revision": None, "step": 0, "said": "", "again": True, "look": False}
"""The value of the input `shown` in a tab that shows no battle; the page's script sends it."""


@dataclass(slots=True)
class Tab:
    """One tab of a new browser profile; not thread-safe."""

    port: int
    host: str = "127.0.0.1"
    cookie: str = ""
    session: str = field(default_factory=lambda: secrets.token_hex(6))

    def open(self, path: str = "/") -> None:
        """Get a page and run its load events. A browser sends nothing when the tab is closed.

        Raises:
            RuntimeError: the page needs something that this does not send, or a status is not 200.
        """
        config = read_config(self.ask("GET", path))
        if config["connect_heartbeat"]:
            raise RuntimeError("the page opens a heartbeat stream, which this does not")
        values = {each["id"]: _value(each) for each in config["components"]}
        search = "".join(path.partition("?")[1:])
        for event in config["dependencies"]:
            if any(kind == "load" for _, kind in event["targets"]):
                asks = event["js"] == ADDRESS
                self._run(event, [search] if asks else [values[component] for component in event["inputs"]])

    def ask(self, method: str, path: str, body: object = None) -> str:
        """Return the answer to one request; keep the cookie that comes with it.

        Raises:
            RuntimeError: the status is not 200.
        """
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        headers |= {"Accept": "text/html"} if body is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        if reply.status != 200:
            raise RuntimeError(f"{method} {path}: status {reply.status}: {text[:200]}")
        self.cookie = reply.getheader("Set-Cookie", self.cookie).split(";")[0]
        return text

    def _run(self, event: dict[str, Any], data: list[Any]) -> None:
        if event["queue"]:
            raise RuntimeError(f"the load event {event['api_name']} is queued, which this does not read")
        body = {"data": data, "event_data": None, "fn_index": event["id"], "trigger_id": 0}
        self.ask("POST", f"{API}/run/predict", {**body, "session_hash": self.session})


def read_config(page: str) -> dict[str, Any]:
    """Return the configuration that the page carries."""
    config, _ = json.JSONDecoder().raw_decode(page, page.index(CONFIG) + len(CONFIG))
    return dict(config)


def _value(component: dict[str, Any]) -> Any:
    props = component["props"]
    return NO_BATTLE if props.get("elem_id") == "shown" else props.get("value")
