"""A look at a running Space from outside: points that are right or wrong, each with its cure.

A Space has no shell: these points, its page and its log on the hub are all that an operator has.

Boundary: HTTP requests that change nothing; no battle is made. One request to each thing, judged by `judging`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx

from playground.errors import InvalidValue
from playground.spaces import judging
from playground.spaces.judging import Expected, Response, SpacePoint

HUB = "https://huggingface.co"
TIMEOUT_S = 30.0
HERE = ("all://localhost", "all://127.0.0.1", "all://[::1]")
"""Addresses of this machine, to which no HTTP proxy leads."""
FOREIGN = "https://another-site.example"
INSTRUCTION = "What is an alpaca?"
_SPACE_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_SPACE_PAGE = re.compile(rf"{re.escape(HUB)}/spaces/(?P<id>[\w.-]+/[\w.-]+)/?", re.ASCII)
_UNSAFE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Access:
    """Secrets that open a Space: the hub's token for a private one, the playground's own password."""

    hub_token: str = ""
    password: str = ""


def space_url(given: str) -> str:
    """Return the Space's own address for an address, a page of the hub, or ``owner/name``.

    Raises:
        InvalidValue: it is none of these.
    """
    page = _SPACE_PAGE.fullmatch(given)
    space_id = page["id"] if page else given if _SPACE_ID.fullmatch(given) else ""
    if space_id:
        return f"https://{_UNSAFE.sub('-', space_id.lower()).strip('-')}.hf.space"
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InvalidValue(f"{given!r} is no Space; valid: owner/name, its page on the hub, or an address (https://…)")
    return given.rstrip("/")


def check_space(url: str, expected: Expected, access: Access, timeout_s: float = TIMEOUT_S) -> Iterator[SpacePoint]:
    """Yield each point as soon as it is known; nothing more after a Space that does not answer."""
    with _client(url, access, timeout_s) as client:
        asked = _Asking(client, url)
        health = asked.get("/health")
        yield judging.answers(health)
        if health.error or judging.document(health) is None:
            return
        yield from judging.health(health, expected)
        page = asked.get("/", {"Accept": "text/html"})
        yield judging.page(page)
        yield judging.cookie(page, url)
        yield judging.frame(page, expected.frame)
        yield judging.own_address(asked.post("/gradio_api/cancel", {}, {"Origin": _origin(url)}))
        yield judging.foreign_address(asked.post("/gradio_api/cancel", {}, {"Origin": FOREIGN}))
        yield judging.operator(asked.get("/operator", {"Accept": "text/html"}))
        yield judging.endpoints(asked.get("/gradio_api/info"))
        yield judging.dry_request(*_dry_request(asked))


@dataclass(frozen=True, slots=True)
class _Asking:
    """Requests to one Space; trouble of the connection is part of the answer."""

    client: httpx.Client
    url: str

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Response:
        return self._ask("GET", path, headers)

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Response:
        return self._ask("POST", path, headers, body)

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Response:
        try:
            reply = self.client.request(method, f"{self.url}{path}", headers=headers, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Response(error=f"{type(error).__name__}: {error}")
        pairs = tuple((name.lower(), value) for name, value in reply.headers.multi_items())
        return Response(reply.status_code, pairs, reply.text)


def _dry_request(asked: _Asking) -> tuple[str, Response]:
    """Ask for the prompt of the first model, which writes nothing; return its id and the stream's answer."""
    listed = asked.post("/gradio_api/run/models", {"data": []})
    model = judging.first_model(listed)
    if not model:
        return "", listed
    begun = asked.post("/gradio_api/call/v2/prompt", {"model": model, "instruction": INSTRUCTION})
    event = (judging.document(begun) or {}).get("event_id")
    return model, asked.get(f"/gradio_api/call/v2/prompt/{event}") if event else begun


def _client(url: str, access: Access, timeout_s: float) -> httpx.Client:
    """Return a client with the secrets in each request; the hub's token goes to the hub's own hosts only."""
    parts = urlsplit(url)
    headers = {"User-Agent": "playground space check"}
    if access.hub_token and not access.password and (parts.hostname or "").endswith(".hf.space"):
        headers["Authorization"] = f"Bearer {access.hub_token}"
    auth = httpx.BasicAuth("check", access.password) if access.password else None
    return httpx.Client(headers=headers, auth=auth, timeout=timeout_s, mounts=dict.fromkeys(HERE))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
