"""Errors of model servers, with a message for visitors and the effect on later requests.

Boundary: maps HTTP statuses and network errors; sends nothing. Messages hold no address, no key and nothing that the
server sent; that is in `ServerError.said`, for the operator's log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum

import httpx2

from playground.documents import keys_of
from playground.errors import EngineError
from playground.records import SamplingParams

DETAIL_CHARS = 200


class Effect(StrEnum):
    """Effect of an error on later requests."""

    REQUEST = "request"  # no server would accept this request
    FULL = "full"  # retry the same server a little later
    FAILED = "failed"  # the same; when the retries fail too, the server is down
    LOST = "lost"  # the server is down until it answers a probe


class ServerError(EngineError):
    """A server has not written an answer."""

    def __init__(
        self,
        message: str,
        effect: Effect,
        detail: str = "",
        wait_s: float | None = None,
        inexact: bool = False,
        status: int = 0,
        said: str = "",
    ) -> None:
        """Describe the error.

        Args:
            wait_s: the pause that the server asks for.
            inexact: the model was not given the exact prompt or parameters.
            status: of HTTP; 0 if there was none.
            said: the server's own words, whole: a key in them can be masked only before they are cut or escaped.
        """
        super().__init__(message)
        self.effect, self.detail, self.wait_s, self.inexact = effect, detail, wait_s, inexact
        self.status, self.said = status, said

    def log_words(self, mask: Callable[[str], str]) -> str:
        """Return detail and the server's first line, without control characters; empty if there is neither."""
        line = (mask(self.said).strip().splitlines() or [""])[0][:DETAIL_CHARS]
        return ": ".join(part for part in (mask(self.detail)[:DETAIL_CHARS], repr(line) if line else "") if part)

    @property
    def is_refusal(self) -> bool:
        """True if the server may know this kind of request not at all, while it answers others."""
        return self.effect is Effect.REQUEST or self.status in _UNKNOWN_KIND


PARAMETERS: Mapping[str, str] = {name: name for name in keys_of(SamplingParams)} | {
    "max_tokens": "max_new_tokens",
    "min_tokens": "min_new_tokens",
    "prompt": "prompt",
}
"""Parameter that a server may refuse -> its name in the playground."""
_STATUS: Mapping[int, tuple[Effect, str]] = {
    400: (Effect.REQUEST, "refuses this request; the log of the playground says why"),
    401: (Effect.LOST, "does not know this key; set {key} to one that it knows"),
    403: (Effect.LOST, "does not allow this key; set {key} to one that may use the model"),
    404: (Effect.LOST, "does not have this model; check 'servers' and 'served_name' in its card"),
    413: (Effect.REQUEST, "finds this request too large"),
    422: (Effect.REQUEST, "refuses this request; the log of the playground says why"),
    429: (Effect.FULL, "has too many requests; try again a little later"),
}
_UNKNOWN_KIND = (404, 405, 500, 501)
"""Statuses with which servers answer what they do not know at all; llama-cpp-python answers token ids with 500."""
KEY_VARIABLE = "PLAYGROUND_REMOTE_KEY"
TOO_LONG = ("context_length_exceeded", "exceed_context_size_error")
"""Codes and types of an error about a prompt that is too long."""
NO_STREAM = "sent a reply that is not a stream of tokens"
_NETWORK: tuple[tuple[type[Exception], str], ...] = (  # subclasses before their base classes
    (httpx2.InvalidURL, "has an invalid address; check 'servers' in its card"),
    (httpx2.UnsupportedProtocol, "has an invalid address; check 'servers' in its card"),
    (httpx2.ConnectError, "cannot be reached; the playground keeps trying"),
    (httpx2.ConnectTimeout, "cannot be reached; the playground keeps trying"),
    (httpx2.SSEError, NO_STREAM),
    (httpx2.DecodingError, NO_STREAM),
)


def status_error(
    status: int, body: str = "", retry_after: str | None = None, key_variable: str = KEY_VARIABLE
) -> ServerError:
    """Return the error for an HTTP status; `retry_after` counts only as a number of seconds."""
    failed = (Effect.FAILED if status >= 500 else Effect.LOST, f"failed with status {status}; try again a little later")
    effect, message = _STATUS.get(status, failed)
    parameter = _error_field(body, "param")
    if effect is Effect.REQUEST and parameter in PARAMETERS:
        message = f"does not take this {PARAMETERS[parameter]}; choose another"
    if effect is Effect.REQUEST and not {_error_field(body, "code"), _error_field(body, "type")}.isdisjoint(TOO_LONG):
        message = "cannot take a prompt of this length; shorten the text"
    message = message.format(key=key_variable)
    wait_s = float(retry_after) if retry_after is not None and retry_after.strip().isdecimal() else None
    said = _error_field(body, "message") or body
    return ServerError(f"the model's server {message}", effect, f"status {status}", wait_s, status=status, said=said)


def network_error(error: httpx2.HTTPError | httpx2.InvalidURL) -> ServerError:
    """Return the error for one of the HTTP library's."""
    message = next((message for kind, message in _NETWORK if isinstance(error, kind)), "closed the connection")
    return lost(message, f"{type(error).__name__}: {error}")


def lost(message: str, detail: str = "", *, inexact: bool = False, said: str = "") -> ServerError:
    """Return an error after which the server is down."""
    return ServerError(f"the model's server {message}", Effect.LOST, detail, inexact=inexact, said=said)


def _error_field(body: str, name: str) -> str:
    """Return a field of an error in OpenAI's format; empty if there is none."""
    try:
        value = json.loads(body)["error"][name]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""
