"""The route ``POST /vote``: a vote of the page that waited for the server, sent by the page's own script.

The body is ``{"battle": id, "choice": …, "revision": …}``, the rater's cookie says who votes. A vote that is sent twice
is one vote: the answer is what the database has. It says nothing about the models, whatever the battle's state.

Boundary: pure ASGI, behind `PageMiddleware` (foreign origins, size) and `OperatorGate`; the database decides.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from playground.arena.arena import Arena
from playground.battles import Ballot, Viewer
from playground.errors import Busy, InvalidValue, PlaygroundError, Refused, StorageError
from playground.records import BattleView
from playground.ui.http.asgi import ASGIApp, Receive, Scope, Send, host_of, read_body
from playground.ui.http.gate import refusal_of
from playground.ui.http.limits import Kind, Limits, network
from playground.ui.http.middleware import rater_of
from playground.ui.http.responses import refuse, respond_json, retry_after
from playground.ui.texts import NO_RATER
from playground.ui.texts import refusals as texts
from playground.ui.texts.compare import CHANGED_ELSEWHERE
from playground.validation import clean_battle_id

PATH = "/vote"
MAX_BYTES = 1000
MAX_CHOICE_CHARS = 100
MAX_REVISION = 2**31


class VoteRoute:
    """Answer POST of `PATH`; pass everything else on."""

    def __init__(self, app: ASGIApp, arena: Arena, limits: Limits) -> None:
        self._app = app
        self._arena = arena
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"].rstrip("/") != PATH:
            await self._app(scope, receive, send)
            return
        with self._limits.open.counting((network(host_of(scope)), True)) as is_allowed:
            if is_allowed:
                await self._post(scope, receive, send)
            else:
                await refuse(scope, send, 429, texts.TOO_MANY_OPEN.format(count=self._limits.open.most))

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        try:
            answer = await self._vote(scope, body)
        except Busy as error:
            await refuse(scope, send, 429, error.message, retry_after(error.wait_s))
        except StorageError as error:
            await refuse(scope, send, 503, error.public)
        except PlaygroundError as error:
            await refuse(scope, send, 400, error.public)
        else:
            await respond_json(scope, send, 200, answer)

    async def _vote(self, scope: Scope, body: bytes) -> dict[str, Any]:
        """Save the vote, or say why not.

        Raises:
            Busy: above the limits, which every request counts for.
            PlaygroundError: the request is malformed, or nothing can be stored.
        """
        rater = rater_of(Request(scope))
        refusal = refusal_of(self._limits, scope, Kind.VOTE, rater or "")
        if refusal is not None:
            raise refusal
        battle_id, ballot = read_vote(body)
        try:
            if rater is None:
                raise Refused("foreign", NO_RATER)
            viewer = Viewer(rater, address=host_of(scope))
            view = await self._arena.battles.vote_soon(clean_battle_id(battle_id), viewer, ballot)
        except Refused as refused:
            return {"accepted": False, "reason": refused.reason, "error": refused.public}
        return vote_document(view)


def read_vote(body: bytes) -> tuple[str, Ballot]:
    """Return the battle's id and the ballot in a request.

    Raises:
        InvalidValue: another form.
    """
    try:
        sent: Any = json.loads(body) if len(body) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        sent = None
    if isinstance(sent, dict) and sent.keys() == {"battle", "choice", "revision"}:
        battle_id, choice, revision = sent["battle"], sent["choice"], sent["revision"]
        is_text = isinstance(battle_id, str) and isinstance(choice, str) and len(choice) <= MAX_CHOICE_CHARS
        if is_text and type(revision) is int and 0 <= revision < MAX_REVISION:
            return battle_id, Ballot(choice, revision)
    raise InvalidValue(texts.VOTE_MALFORMED)


def vote_document(view: BattleView) -> dict[str, Any]:
    """Return the stored vote; none if the battle has changed since it was shown, as by an undo in another tab."""
    if view.choice is None:
        return {"accepted": False, "reason": "changed", "error": CHANGED_ELSEWHERE}
    return {"accepted": True, "choice": view.choice, "revision": view.revision, "state": str(view.state)}
