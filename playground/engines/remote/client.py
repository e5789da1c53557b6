"""Send requests to one server: small documents, and answers as streams of checked ids.

Boundary: the only file that sends; raises every network error as `ServerError`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx2

from playground.engines.protocol import Job
from playground.engines.remote.errors import lost, network_error, status_error
from playground.engines.remote.request import request_body
from playground.engines.remote.stream_events import Completion, StreamEvent, read_event
from playground.engines.remote.timeouts import Timeouts

MAX_BODY_BYTES = 100_000
DONE = "[DONE]"


def open_http(key: str, timeouts: Timeouts) -> httpx2.AsyncClient:
    """Open an HTTP client for any number of servers; `Client.write` times the tokens itself."""
    return httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=httpx2.Timeout(connect=timeouts.connect_s, write=timeouts.connect_s, read=None, pool=None),
        limits=httpx2.Limits(max_connections=None),
    )


class Client:
    """Requests to one server."""

    def __init__(self, url: str, model: str, http: httpx2.AsyncClient, timeouts: Timeouts) -> None:
        self._url, self._model, self._http, self._timeouts = url.rstrip("/"), model, http, timeouts

    @property
    def host(self) -> str:
        """Host and port, for the operator's log; never for visitors."""
        return self._url.partition("//")[2].partition("/")[0] or self._url

    def masked(self, text: str) -> str:
        """Return the text without the key, which some servers repeat in their errors."""
        key = self._http.headers.get("Authorization", "").removeprefix("Bearer ")
        return text.replace(key, "***") if key else text

    async def models(self) -> Any:
        """Return the document of ``/v1/models``.

        Raises:
            ServerError: there is none.
        """
        status, body = await self._get(f"{self._url}/models")
        if status != 200:
            raise status_error(status, body)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise lost("does not list its models", repr(body[:100])) from error

    async def version(self) -> str:
        """Return the version from ``/version``, beside ``/v1``; empty if there is none. Raises as `models`."""
        status, body = await self._get(f"{self._url.removesuffix('/v1')}/version")
        try:
            return str(json.loads(body)["version"]) if status == 200 else ""
        except (ValueError, RecursionError, KeyError, TypeError):
            return ""

    async def write(self, job: Job, completion: Completion) -> AsyncGenerator[tuple[int, ...], None]:
        """Yield the ids of an answer as they arrive, until `completion` has a finish reason.

        Closing the iterator closes the connection, which cancels the answer on the server.

        Raises:
            ServerError: the server refuses, stalls, breaks off, or does not do exactly what it was asked.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + self._timeouts.first_token_s
        async with aclosing(self._events(request_body(job, self._model, completion.max_tokens))) as events:
            while completion.finish_reason is None:
                token_ids = completion.take(await _next(events, deadline))
                if token_ids:
                    yield token_ids
                    deadline = now() + self._timeouts.next_token_s

    async def _events(self, body: dict[str, Any]) -> AsyncGenerator[StreamEvent, None]:
        try:
            async with self._http.stream("POST", f"{self._url}/completions", json=body) as response:
                if response.status_code != 200:
                    retry_after = response.headers.get("retry-after")
                    raise status_error(response.status_code, await _read_body(response), retry_after)
                async for message in httpx2.EventSource(response):
                    if message.data == DONE:
                        return
                    event = read_event(message.data)
                    if event is not None:
                        yield event
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise network_error(error) from error

    async def _get(self, url: str) -> tuple[int, str]:
        try:
            async with self._http.stream("GET", url) as response:
                return response.status_code, await _read_body(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise network_error(error) from error


async def _next(events: AsyncIterator[StreamEvent], deadline: float) -> StreamEvent:
    """Return the next event; other bytes, such as keepalive comments, do not extend the deadline."""
    try:
        async with asyncio.timeout_at(deadline):
            return await anext(events)
    except TimeoutError as error:
        raise lost("has stopped answering") from error
    except StopAsyncIteration as error:
        raise lost("closed the connection") from error


async def _read_body(response: httpx2.Response) -> str:
    """Read at most `MAX_BODY_BYTES` of a body."""
    body = b""
    async with aclosing(response.aiter_bytes()) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) >= MAX_BODY_BYTES:
                break
    return body[:MAX_BODY_BYTES].decode("utf-8", "replace")
