"""The files of the Leaderboard page: ``/leaderboard/export``, the board of an address as JSON or CSV.

Boundary: pure ASGI, behind `CallGate`, which counts requests. JSON is the document of the API's `/leaderboard`
without its analyses; CSV is its rows.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import astuple, fields

from starlette.requests import Request

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError
from playground.exchange.containers import Csv
from playground.exchange.formats import Shape
from playground.ratings.board import LeaderboardRow
from playground.ratings.leaderboard import Leaderboard
from playground.ui.board_address import read_board_address
from playground.ui.http.asgi import ASGIApp, Receive, Scope, Send
from playground.ui.http.downloads import refusal
from playground.ui.http.rater_cookie import rater_of
from playground.ui.http.responses import refuse, respond
from playground.ui.query import read_query
from playground.ui.texts import leaderboard as texts

EXPORT = "/leaderboard/export"
CONTAINERS: Mapping[str, str] = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
"""Media types by the ending of a file."""


class BoardFiles:
    """Answer GET and HEAD of `EXPORT`; pass everything else on."""

    def __init__(self, app: ASGIApp, arena: Arena) -> None:
        self._app = app
        self._arena = arena

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != EXPORT or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            query = read_query(scope.get("query_string", b"").decode("latin-1"))
            container = query.pop("container", "json")
            if container not in CONTAINERS:
                raise InvalidValue(texts.NO_CONTAINER.format(container=container, valid=", ".join(CONTAINERS)))
            board = await asyncio.to_thread(self._board, query, rater_of(Request(scope)))
        except PlaygroundError as error:
            await refuse(scope, send, *refusal(error))
            return
        text = csv_of(board) if container == "csv" else json.dumps(board.as_document(), allow_nan=False, indent=1)
        name = f'attachment; filename="playground-leaderboard.{container}"'.encode()
        await respond(scope, send, 200, CONTAINERS[container], text, [(b"content-disposition", name)])

    def _board(self, query: Mapping[str, str], rater: str | None) -> Leaderboard:
        return self._arena.leaderboard(*read_board_address(query).selection(self._arena.policy, rater))


def csv_of(board: Leaderboard) -> str:
    """Return the rows of a board, ready for spreadsheets as exports are; a number that is not known is empty."""
    file = io.BytesIO()
    writer = Csv(file, _shapes(), for_spreadsheets=True)
    writer.write([astuple(row) for row in board.rows])
    return file.getvalue().decode()


def _shapes() -> Mapping[str, Shape]:
    """Return the shape of each column."""
    known: Mapping[str, Shape] = {"str": "text", "bool": "bool", "int": "int"}
    return {field.name: known.get(str(field.type), "float") for field in fields(LeaderboardRow)}
