"""One server over HTTP: small documents, and answers as streams of checked ids.

Boundary: the only file that sends; every error of the network leaves it as `Trouble`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx2

from playground.engines.protocol import Job
from playground.engines.remote.answer import Answer
from playground.engines.remote.frames import Frame, read_frame
from playground.engines.remote.patience import Patience
from playground.engines.remote.request import request_body
from playground.engines.remote.trouble import lost, of_network, of_status

BODY_BYTES = 100_000
DONE = "[DONE]"


def open_http(key: str, patience: Patience) -> httpx2.AsyncClient:
    """Connections to any number of servers; waiting for tokens is timed where they are read, not here."""
    return httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=httpx2.Timeout(connect=patience.connect_s, write=patience.connect_s, read=None, pool=None),
        limits=httpx2.Limits(max_connections=None),
    )


class Client:
    """What is asked of one server."""

    def __init__(self, url: str, model: str, http: httpx2.AsyncClient, patience: Patience) -> None:
        self._url, self._model, self._http, self._patience = url.rstrip("/"), model, http, patience

    @property
    def host(self) -> str:
        """For the log of whoever runs the playground, never for visitors."""
        return self._url.partition("//")[2].partition("/")[0] or self._url

    def masked(self, text: str) -> str:
        """What a server said without the key that it was sent: some repeat it, and the log is no place for it."""
        key = self._http.headers.get("Authorization", "").removeprefix("Bearer ")
        return text.replace(key, "***") if key else text

    async def models(self) -> Any:
        """The document of ``/v1/models``.

        Raises:
            Trouble: it cannot be had.
        """
        status, body = await self._get(f"{self._url}/models")
        if status != 200:
            raise of_status(status, body)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise lost("does not say which models it has", repr(body[:100])) from problem

    async def version(self) -> str:
        """What ``/version`` says, where there is one; it stands beside ``/v1``. Raises as `models`."""
        status, body = await self._get(f"{self._url.removesuffix('/v1')}/version")
        try:
            return str(json.loads(body)["version"]) if status == 200 else ""
        except (ValueError, RecursionError, KeyError, TypeError):
            return ""

    async def write(self, job: Job, answer: Answer) -> AsyncGenerator[tuple[int, ...], None]:
        """The ids of an answer in the pieces in which they come, until `answer` is complete.

        Closing the iterator closes the connection, by which the server knows that nobody reads on.

        Raises:
            Trouble: the server refuses, stalls, breaks off, or does not do exactly what it was asked.
        """
        now = asyncio.get_running_loop().time
        until = now() + self._patience.first_token_s
        async with aclosing(self._frames(request_body(job, self._model, answer.max_tokens))) as frames:
            while answer.finish_reason is None:
                frame = await _next(frames, until)
                token_ids = answer.take(frame)
                if token_ids:
                    yield token_ids
                    until = now() + self._patience.next_token_s

    async def _frames(self, body: dict[str, Any]) -> AsyncGenerator[Frame, None]:
        try:
            async with self._http.stream("POST", f"{self._url}/completions", json=body) as response:
                if response.status_code != 200:
                    raise of_status(
                        response.status_code, await _beginning(response), response.headers.get("retry-after")
                    )
                async for event in httpx2.EventSource(response):
                    if event.data == DONE:
                        return
                    frame = read_frame(event.data)
                    if frame is not None:
                        yield frame
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise of_network(error) from error

    async def _get(self, url: str) -> tuple[int, str]:
        try:
            async with self._http.stream("GET", url) as response:
                return response.status_code, await _beginning(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise of_network(error) from error


async def _next(frames: AsyncIterator[Frame], until: float) -> Frame:
    """The next frame; bytes that are none do not buy time."""
    try:
        async with asyncio.timeout_at(until):
            return await anext(frames)
    except TimeoutError as error:
        raise lost("has stopped answering") from error
    except StopAsyncIteration as error:
        raise lost("closed the connection") from error


async def _beginning(response: httpx2.Response) -> str:
    """At most so much of a body that its end is not needed."""
    body = b""
    async with aclosing(response.aiter_bytes()) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) >= BODY_BYTES:
                break
    return body[:BODY_BYTES].decode("utf-8", "replace")
