"""Events of a live page, sent as a program would forge them."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.conftest import LiveApp


def event_of(app: LiveApp, component: str, event: str) -> int:
    """Return the number of a component's event, from the page's public configuration."""
    with urllib.request.urlopen(f"{app.url}/config", timeout=60) as reply:
        config = json.load(reply)
    ids = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
    found = [
        d["id"] for d in config["dependencies"] if [component, event] in [[ids.get(t[0]), t[1]] for t in d["targets"]]
    ]
    assert len(found) == 1
    return int(found[0])


def send(app: LiveApp, component: str, event: str, *data: Any, event_data: Any = None, **headers: str) -> str:
    """Send a forged event; return the reply as text."""
    sent = {
        "fn_index": event_of(app, component, event),
        "data": list(data),
        "session_hash": "forged",
        "event_data": event_data,
    }
    request = urllib.request.Request(
        f"{app.url}/gradio_api/run/predict",
        json.dumps(sent).encode(),
        {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return str(json.dumps(json.load(reply)["data"], ensure_ascii=False))


def states(app: LiveApp) -> dict[str, str]:
    request = urllib.request.Request(
        f"{app.url}/gradio_api/run/models", b'{"data": []}', {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return {row["id"]: row["state"] for row in json.load(reply)["data"][0]}
