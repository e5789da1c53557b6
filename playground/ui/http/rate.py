"""The routes of the page Rate: ``POST /rate/next``, ``/write``, ``/undo``, ``/skip``, ``/differences``; votes go to
``POST /vote``.

Nothing that is sent depends on which model wrote an answer, or on anybody's vote, before and after the rater's own.

Boundary: pure ASGI, behind `PageMiddleware` (foreign origins, size) and `OperatorGate`; the database decides.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from playground.arena.arena import Arena
from playground.arena.rating import QUESTION, Assignment
from playground.arena.studies import StudyAssignment
from playground.battles import VOTE_REASONS, Viewer
from playground.errors import InvalidValue, Refused
from playground.records import BattleView
from playground.studies.assignment import MOST_AHEAD
from playground.studies.live import Live
from playground.ui.http.asgi import ASGIApp, Receive, Scope, Send, host_of
from playground.ui.http.criteria import criterion_document
from playground.ui.http.gate import refusal_of
from playground.ui.http.limits import RateLimits, RequestKind
from playground.ui.http.posted import answer_post, is_number, is_posted_to, is_text, is_texts, read_object
from playground.ui.http.rater_cookie import rater_of
from playground.ui.http.vote import MAX_REVISION
from playground.ui.rendering import answer_html, escape
from playground.ui.rendering.differences import marked_differences
from playground.ui.texts import NO_RATER
from playground.ui.texts import refusals as texts
from playground.ui.texts.language import said
from playground.validation.ids import clean_battle_id
from playground.validation.texts import clean_instruction

NEXT, UNDO, SKIP, DIFFERENCES = "/rate/next", "/rate/undo", "/rate/skip", "/rate/differences"
WRITE = "/rate/write"
MAX_BYTES = 1000
CHAR_BYTES = 6
"""The most bytes of a character in JSON; line ends are two characters."""


class RateRoutes:
    """Answer POST of the five routes; pass everything else on."""

    def __init__(self, app: ASGIApp, arena: Arena, limits: RateLimits) -> None:
        self._app = app
        self._arena = arena
        self._limits = limits
        self._replies = {
            NEXT: self._next,
            WRITE: self._write,
            UNDO: self._undo,
            SKIP: self._skip,
            DIFFERENCES: self._differences,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for path, reply in self._replies.items():
            if is_posted_to(scope, path):
                await answer_post(scope, receive, send, self._limits, reply)
                return
        await self._app(scope, receive, send)

    async def _next(self, scope: Scope, body: bytes) -> dict[str, Any]:
        """Return the rater's next battle, or why there is none.

        With a link it counts as reading: the page asks every few seconds while models answer. Without one any cookie
        opens battles: as many as votes, whose limit it does not use up.
        """
        sent = read_object(body, MAX_BYTES)
        viewer = self._viewer(scope, RequestKind.VIEW if sent and sent.get("key") else RequestKind.NOTE)
        if sent is None or not sent.keys() <= {"study", "key", "have"}:
            raise InvalidValue(texts.RATE_MALFORMED)
        study, key, have = sent.get("study"), sent.get("key"), sent.get("have") or []
        is_named = all(word is None or is_text(word) for word in (study, key))
        if not is_named or not is_texts(have) or len(have) > MOST_AHEAD:
            raise InvalidValue(texts.RATE_MALFORMED)
        if study is None and key is None:
            return next_document(await asyncio.to_thread(self._arena.rating.next, viewer, have))
        assigned = await asyncio.to_thread(self._arena.studies.next, viewer, have, study or "", key or "")
        return study_document(assigned) | {"gone": await asyncio.to_thread(self._arena.rating.gone, have)}

    async def _write(self, scope: Scope, body: bytes) -> dict[str, Any]:
        """Take an instruction of a rater whose study is live; two models answer it in the background."""
        viewer = self._viewer(scope, RequestKind.COMPARE)
        settings = self._arena.settings
        sent = read_object(body, MAX_BYTES + 2 * CHAR_BYTES * settings.instruction_chars)
        if sent is None or sent.keys() != {"study", "key", "instruction"}:
            raise InvalidValue(texts.WRITE_MALFORMED)
        study, key, written = sent["study"], sent["key"], sent["instruction"]
        if not is_texts([study, key]) or not isinstance(written, str):
            raise InvalidValue(texts.WRITE_MALFORMED)
        instruction, _ = clean_instruction(written, limits=settings)  # takes lone surrogates out
        await asyncio.to_thread(self._arena.studies.write, viewer, study, key, instruction)
        return {"accepted": True}

    async def _undo(self, scope: Scope, body: bytes) -> dict[str, Any]:
        """Take the vote on a battle back, or say why not."""
        viewer = self._viewer(scope, RequestKind.VOTE)
        sent = read_object(body, MAX_BYTES)
        if sent is None or sent.keys() != {"battle", "revision"} or not is_number(sent["revision"], MAX_REVISION):
            raise InvalidValue(texts.UNDO_MALFORMED)
        try:
            battle_id = clean_battle_id(sent["battle"])
            view = await asyncio.to_thread(self._arena.battles.undo, battle_id, viewer, sent["revision"])
        except Refused as refused:
            return _refusal(refused)
        return {"accepted": view.choice is None, "battle": view.battle_id, "revision": view.revision}

    async def _skip(self, scope: Scope, body: bytes) -> dict[str, Any]:
        """Give a battle back without a vote, or say why not."""
        viewer = self._viewer(scope, RequestKind.VOTE)
        sent = read_object(body, MAX_BYTES)
        if sent is None or sent.keys() != {"battle"}:
            raise InvalidValue(texts.SKIP_MALFORMED)
        try:
            battle_id = clean_battle_id(sent["battle"])
            await asyncio.to_thread(self._arena.rating.skip, battle_id, viewer)
        except Refused as refused:
            return _refusal(refused)
        return {"accepted": True, "battle": battle_id}

    async def _differences(self, scope: Scope, body: bytes) -> dict[str, Any]:
        """Return both answers of the rater's battle with their differences marked, or say why not."""
        viewer = self._viewer(scope, RequestKind.NOTE)
        sent = read_object(body, MAX_BYTES)
        if sent is None or sent.keys() != {"battle"}:
            raise InvalidValue(texts.DIFFERENCES_MALFORMED)
        try:
            battle_id = clean_battle_id(sent["battle"])
            marked = await asyncio.to_thread(self._marked, battle_id, viewer)
        except Refused as refused:
            return _refusal(refused)
        return {"battle": battle_id, "sides": marked}

    def _marked(self, battle_id: str, viewer: Viewer) -> dict[str, str]:
        view = self._arena.battles.stored.view(battle_id, viewer)
        if not view.mine:
            raise Refused("foreign", texts.DIFFERENCES_FOREIGN)
        sides = [(column.side, column.text) for column in view.columns][:2]
        html = marked_differences(*(text for _, text in sides))
        return {side: marked for (side, _), marked in zip(sides, html, strict=True)}

    def _viewer(self, scope: Scope, kind: RequestKind) -> Viewer:
        """Return the rater of a request, which is counted.

        Raises:
            Busy: above the limits.
            Refused: without a rater's cookie.
        """
        rater = rater_of(Request(scope))
        refusal = refusal_of(self._limits, scope, kind, rater or "")
        if refusal is not None:
            raise refusal
        if rater is None:
            raise Refused("foreign", NO_RATER)
        return Viewer(rater, address=host_of(scope))


def next_document(assigned: Assignment) -> dict[str, Any]:
    """Return an assignment as it is sent."""
    progress = {"done": assigned.done, "of": None, "left_s": None}
    document = _document(assigned.view, assigned.why_none, progress, said(QUESTION), strength=True)
    return document | {"gone": assigned.gone}


def study_document(assigned: StudyAssignment) -> dict[str, Any]:
    """Return an assignment in a study as it is sent."""
    document = _document(assigned.view, assigned.why_none, asdict(assigned.progress), said(QUESTION), strength=False)
    if (file := assigned.file) is not None:
        criteria = [criterion_document(criterion) for criterion in file.criterion]
        document["asks"] |= {"question": file.question, "strength": file.strength, "criteria": criteria}
    document["live"] = live_document(assigned.live)
    end = assigned.end
    return document | {"end": None if end is None else {"code": end.code, "address": end.address}}


def live_document(live: Live | None) -> dict[str, Any] | None:
    """Return the next step of a rater who writes instructions as it is sent: write | wait."""
    if live is None:
        return None
    return {"step": "wait" if live.is_being_answered else "write", "why_not": said(live.why_not) or None}


def _document(
    view: BattleView | None, why_none: str, progress: dict[str, int | None], question: str, *, strength: bool
) -> dict[str, Any]:
    return {
        "item": None if view is None else item_document(view),
        "why_none": said(why_none) or None,
        "progress": progress,
        "asks": {
            "question": question,
            "strength": strength,
            "reasons": list(VOTE_REASONS),
            "criteria": [],
            "instruction_hidden": False,
        },
    }


def item_document(view: BattleView) -> dict[str, Any]:
    """Return a battle as its rater sees it."""
    asked = view.instruction
    return {
        "battle": view.battle_id,
        "revision": view.revision,
        "instruction": escape(asked.instruction),
        "input": escape(asked.input),
        "system": escape(asked.system),
        "sides": [
            {"side": column.side, "html": answer_html(column.text), "text": column.text} for column in view.columns
        ],
    }


def _refusal(refused: Refused) -> dict[str, Any]:
    return {"accepted": False, "reason": refused.reason, "error": said(refused.public)}
