"""What can go wrong between the engine and a server, each with its words and what follows from it.

Boundary: maps statuses and network errors; sends nothing. The words are for visitors: they hold no address, no key and
nothing that the server said. That is the detail, for the log of whoever runs the playground.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

import httpx2

from playground.documents import keys_of
from playground.errors import EngineError
from playground.records import SamplingParams

DETAIL_CHARS = 200


class Effect(StrEnum):
    """What a trouble means for whoever comes next."""

    REQUEST = "request"  # this request is at fault: no server would take it
    FULL = "full"  # the same server may take it a little later
    FAILED = "failed"  # so it may, but when it goes on like this it is left out
    LOST = "lost"  # the server is left out until it has answered a probe


class Trouble(EngineError):
    """A server has not written an answer; `wait_s` is what it asked for, `inexact` that it did not feed what it got."""

    def __init__(
        self, words: str, effect: Effect, detail: str = "", wait_s: float | None = None, inexact: bool = False
    ) -> None:
        super().__init__(words)
        self.effect, self.detail, self.wait_s, self.inexact = effect, detail, wait_s, inexact


PARAMETERS: Mapping[str, str] = {name: name for name in keys_of(SamplingParams)} | {
    "max_tokens": "max_new_tokens",
    "min_tokens": "min_new_tokens",
    "prompt": "prompt",
}
"""What a server may find fault with, as visitors know it."""
_STATUS: Mapping[int, tuple[Effect, str]] = {
    400: (Effect.REQUEST, "refuses this request; the log of the playground says why"),
    401: (Effect.LOST, "wants a key that it knows; set PLAYGROUND_REMOTE_KEY to one"),
    403: (Effect.LOST, "does not let this key in; set PLAYGROUND_REMOTE_KEY to one that may"),
    404: (Effect.LOST, "does not have this model; check 'servers' and 'served_name' in its card"),
    413: (Effect.REQUEST, "finds this request too large"),
    422: (Effect.REQUEST, "refuses this request; the log of the playground says why"),
    429: (Effect.FULL, "has too many requests; try again a little later"),
}


def of_status(status: int, body: str = "", retry_after: str | None = None) -> Trouble:
    """The trouble that an HTTP status tells of; `retry_after` counts only as a number of seconds."""
    failed = (Effect.FAILED if status >= 500 else Effect.LOST, f"failed with status {status}; try again a little later")
    effect, words = _STATUS.get(status, failed)
    parameter = _field(body, "param")
    if effect is Effect.REQUEST and parameter in PARAMETERS:
        words = f"does not take this {PARAMETERS[parameter]}; choose another"
    wait_s = float(retry_after) if retry_after is not None and retry_after.strip().isdecimal() else None
    return Trouble(f"the model's server {words}", effect, f"status {status}: {_first_line(body)}", wait_s)


def of_network(error: httpx2.HTTPError | httpx2.InvalidURL) -> Trouble:
    """The trouble behind an error of the HTTP library; the narrower kinds stand before the wider ones."""
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (httpx2.InvalidURL, "has no address that can be used; check 'servers' in its card"),
        (httpx2.UnsupportedProtocol, "has no address that can be used; check 'servers' in its card"),
        (httpx2.ConnectError, "cannot be reached; it is asked again from time to time"),
        (httpx2.ConnectTimeout, "cannot be reached; it is asked again from time to time"),
        (httpx2.SSEError, "sent something that is no stream of tokens"),
        (httpx2.DecodingError, "sent something that is no stream of tokens"),
    )
    words = next((words for kind, words in kinds if isinstance(error, kind)), "closed the connection")
    return lost(words, f"{type(error).__name__}: {error}")


def lost(words: str, detail: str = "") -> Trouble:
    """The server cannot be relied on."""
    return Trouble(f"the model's server {words}", Effect.LOST, detail[:DETAIL_CHARS])


def inexact(words: str, detail: str = "") -> Trouble:
    """The server does not do exactly what it is asked: its answers could not be compared with anybody's."""
    return Trouble(f"the model's server {words}", Effect.LOST, detail[:DETAIL_CHARS], inexact=True)


def _field(body: str, name: str) -> str:
    """A field of an error as OpenAI's servers write it; empty where it is not one."""
    try:
        value = json.loads(body)["error"][name]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


def _first_line(body: str) -> str:
    """What an error's body says, in one short line without control characters."""
    lines = (_field(body, "message") or body).strip().splitlines() or [""]
    return repr(lines[0][:DETAIL_CHARS])
