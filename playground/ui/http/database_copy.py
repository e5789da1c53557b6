"""The route from which a command on this machine gets a copy of a database that this process holds alone.

A command sends the token of the file beside the database (see `storage.database.running_app`). That file is as private
as the database, so the token is no more than the right to read it; neither the operator nor a password is asked for.

Boundary: pure ASGI; without a right token the route does not exist.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from playground.arena.arena import Arena
from playground.errors import PlaygroundError
from playground.ui.http.asgi import ASGIApp, Message, Receive, Scope, Send, headers_of
from playground.ui.http.responses import refuse

log = logging.getLogger(__name__)

PATH = "/database-copy"
HEADER = "x-playground-app"
CHUNK_BYTES = 1 << 20


class DatabaseCopy:
    """Answer POST of `PATH` with the right token by a copy of the database; pass everything else on."""

    def __init__(self, app: ASGIApp, arena: Arena, token: str) -> None:
        self._app = app
        self._arena = arena
        self._token = token.encode()
        self._one = asyncio.Lock()  # a copy needs the space of the database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or not self._may_read(scope):
            await self._app(scope, receive, send)
            return
        begun: list[str] = []

        async def sending(message: Message) -> None:
            begun.append(message["type"])
            await send(message)

        try:
            async with self._one:
                await self._send(sending)
        except (PlaygroundError, OSError) as error:
            if not begun:
                await refuse(scope, send, 503, str(error))
                return
            # The response stays shorter than it said, so that the connection is closed and the command notices.
            log.warning("a copy of the database was not sent to its end: %s", error)

    def _may_read(self, scope: Scope) -> bool:
        sent = headers_of(scope).get(HEADER, "").encode("latin-1")
        return scope["method"] == "POST" and hmac.compare_digest(sent, self._token)

    async def _send(self, send: Send) -> None:
        """Copy the database, then send the copy; a vote waits for a few pages of the copying at most."""
        with TemporaryDirectory(prefix="playground-") as folder:
            copy = Path(folder, "copy.db")
            await asyncio.to_thread(self._copy, copy)
            size = str(copy.stat().st_size).encode()
            headers = [(b"content-type", b"application/vnd.sqlite3"), (b"content-length", size)]
            with copy.open("rb") as file:
                first = await asyncio.to_thread(file.read, CHUNK_BYTES)
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": first, "more_body": True})
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    def _copy(self, target: Path) -> None:
        with self._arena.store.reading() as reading:
            reading.copy_to(target)
