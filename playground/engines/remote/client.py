"""Send requests to one server: small documents, and answers as streams.

Boundary: the only file that sends; raises every network error as `ServerError`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx2

from playground.engines.protocol import Job
from playground.engines.remote.errors import KEY_VARIABLE, ServerError, lost, network_error, status_error
from playground.engines.remote.feeds import ROUTES, Piece, ServerAnswer
from playground.engines.remote.timeouts import Timeouts
from playground.records import ModelCard

MAX_BODY_BYTES = 100_000
DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a server, and the environment variable that holds it."""

    variable: str = KEY_VARIABLE
    value: str = field(default="", repr=False)
    is_needed: bool = False  # a card names the variable

    @property
    def headers(self) -> dict[str, str]:
        """Return the header with the key.

        Raises:
            ServerError: the card names a variable that is not set, or holds what no key can.
        """
        if not self.value:
            if self.is_needed:
                raise lost(f"needs a key: set {self.variable}, which its card names, and start the playground again")
            return {}
        if not all("!" <= char <= "~" for char in self.value):
            raise lost(f"needs a key, and {self.variable} holds a character that no key has; copy it again")
        return {"Authorization": f"Bearer {self.value}"}


def open_http(timeouts: Timeouts) -> httpx2.AsyncClient:
    """Open an HTTP client for any number of servers; `Client.write` times the tokens itself."""
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(connect=timeouts.connect_s, write=timeouts.connect_s, read=None, pool=None),
        limits=httpx2.Limits(max_connections=None),
    )


class Client:
    """Requests to one server."""

    def __init__(
        self,
        url: str,
        model: str,
        http: httpx2.AsyncClient,
        timeouts: Timeouts,
        key: Key = Key(),  # frozen
    ) -> None:
        self._url, self._model, self._http, self._timeouts = url.rstrip("/"), model, http, timeouts
        self._key = key

    @property
    def host(self) -> str:
        """Host and port, for the operator's log; never for visitors."""
        return self._url.partition("//")[2].partition("/")[0] or self._url

    def masked(self, text: str) -> str:
        """Return the text without the key, which some servers repeat in their errors, also as JSON spells it."""
        key = self._key.value
        return text.replace(json.dumps(key)[1:-1], "***").replace(key, "***") if key else text

    async def models(self) -> Any:
        """Return the document of ``/v1/models``.

        Raises:
            ServerError: there is none.
        """
        status, body = await self._get(f"{self._url}/models")
        if status != 200:
            raise status_error(status, body, key_variable=self._key.variable)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise lost("does not list its models", said=body) from error

    async def version(self) -> str:
        """Return the version from ``/version``, beside ``/v1``; empty if there is none. Raises as `models`."""
        return await self._version("/version")

    async def ollama_version(self) -> str:
        """Return the version of an Ollama; empty if it is another server. Raises as `models`."""
        return await self._version("/api/version")

    async def _version(self, path: str) -> str:
        status, body = await self._get(f"{self._url.removesuffix('/v1')}{path}")
        try:
            return str(json.loads(body)["version"]) if status == 200 else ""
        except (ValueError, RecursionError, KeyError, TypeError):
            return ""

    async def write(
        self, job: Job, card: ModelCard, answer: ServerAnswer, max_tokens: int
    ) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of an answer as they arrive, until it is complete; asks as the card's `feed` says.

        Closing the iterator closes the connection, which cancels the answer on the server.

        Raises:
            ServerError: the server refuses, stalls, breaks off, or does not do exactly what it was asked.
        """
        now = asyncio.get_running_loop().time
        route = ROUTES[card.feed]
        deadline = now() + self._timeouts.first_token_s
        async with aclosing(self._events(route.path, route.body(job, card, self._model, max_tokens))) as events:
            while not answer.complete:
                if answer.finish_reason is not None:
                    deadline = min(deadline, now() + self._timeouts.usage_s)
                data = await _next(events, deadline, may_end=answer.finish_reason is not None)
                if data is None:
                    return
                piece = answer.read(data)
                if piece:
                    yield piece
                    deadline = now() + self._timeouts.next_token_s

    async def _events(self, path: str, body: dict[str, Any]) -> AsyncGenerator[str, None]:
        """Yield the data of the events up to the end."""
        headers = self._key.headers
        try:
            async with self._http.stream("POST", f"{self._url}/{path}", json=body, headers=headers) as response:
                if response.status_code != 200:
                    retry_after = response.headers.get("retry-after")
                    body_text = await _read_body(response)
                    raise status_error(response.status_code, body_text, retry_after, self._key.variable)
                async for message in httpx2.EventSource(response):
                    if message.data == DONE:
                        return
                    yield message.data
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise network_error(error) from error

    async def _get(self, url: str) -> tuple[int, str]:
        headers = self._key.headers
        try:
            async with self._http.stream("GET", url, headers=headers) as response:
                return response.status_code, await _read_body(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise network_error(error) from error


async def _next(events: AsyncIterator[str], deadline: float, *, may_end: bool) -> str | None:
    """Return the next event's data; other bytes, such as keepalive comments, do not extend the deadline.

    Args:
        may_end: the answer has ended, so that None stands for no more events.
    """
    try:
        async with asyncio.timeout_at(deadline):
            return await anext(events)
    except (TimeoutError, StopAsyncIteration, ServerError) as error:
        if may_end:
            return None
        if isinstance(error, ServerError):
            raise
        stopped = isinstance(error, TimeoutError)
        raise lost("has stopped answering" if stopped else "closed the connection") from error


async def _read_body(response: httpx2.Response) -> str:
    """Read at most `MAX_BODY_BYTES` of a body."""
    body = b""
    async with aclosing(response.aiter_bytes()) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) >= MAX_BODY_BYTES:
                break
    return body[:MAX_BODY_BYTES].decode("utf-8", "replace")
