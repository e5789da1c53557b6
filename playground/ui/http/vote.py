"""The route ``POST /vote``: a vote of the page that waited for the server, sent by the page's own script.

The body is ``{"battle": id, "choice": …, "revision": …}``, perhaps with ``strength``, ``reasons``, ``criteria`` and
``decision_ms``; the rater's cookie says who votes. A vote that is sent twice is one vote: the answer is what the
database has. It says nothing about the models, whatever the battle's state.

Boundary: pure ASGI, behind `PageMiddleware` (foreign origins, size) and `OperatorGate`; the database decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import Request

from playground.arena.arena import Arena
from playground.battles import Ballot, Viewer
from playground.errors import InvalidValue, Refused
from playground.records import BattleState, BattleView
from playground.ui.http.asgi import ASGIApp, Receive, Scope, Send, host_of
from playground.ui.http.criteria import read_criteria
from playground.ui.http.gate import refusal_of
from playground.ui.http.limits import RateLimits, RequestKind
from playground.ui.http.posted import answer_post, is_number, is_posted_to, is_texts, read_object
from playground.ui.http.rater_cookie import rater_of
from playground.ui.texts import NO_RATER
from playground.ui.texts import refusals as texts
from playground.ui.texts.compare import CHANGED_ELSEWHERE
from playground.ui.texts.language import said
from playground.validation.ids import clean_battle_id

PATH = "/vote"
MAX_BYTES = 20_000
MAX_CHOICE_CHARS = 100
MAX_REVISION = 2**31
MAX_DECISION_MS = 2**53
NEEDED = frozenset({"battle", "choice", "revision"})
OPTIONAL = frozenset({"strength", "reasons", "criteria", "decision_ms"})
STRENGTHS: Mapping[str, float] = MappingProxyType({"slightly": 1.0, "much": 2.0})
"""The numbers that are stored as `votes.strength`."""


class VoteRoute:
    """Answer POST of `PATH`; pass everything else on."""

    def __init__(self, app: ASGIApp, arena: Arena, limits: RateLimits) -> None:
        self._app = app
        self._arena = arena
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_posted_to(scope, PATH):
            await answer_post(scope, receive, send, self._limits, self._vote)
        else:
            await self._app(scope, receive, send)

    async def _vote(self, scope: Scope, body: bytes) -> dict[str, Any]:
        """Save the vote, or say why not.

        Raises:
            Busy: above the limits, which every request counts for.
            PlaygroundError: the request is malformed, or nothing can be stored.
        """
        rater = rater_of(Request(scope))
        refusal = refusal_of(self._limits, scope, RequestKind.VOTE, rater or "")
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
    sent = read_object(body, MAX_BYTES)
    if sent is None or not sent.keys() >= NEEDED or not sent.keys() <= NEEDED | OPTIONAL:
        raise InvalidValue(texts.VOTE_MALFORMED)
    battle_id, choice, revision = sent["battle"], sent["choice"], sent["revision"]
    is_text = isinstance(battle_id, str) and isinstance(choice, str) and len(choice) <= MAX_CHOICE_CHARS
    if not is_text or not is_number(revision, MAX_REVISION):
        raise InvalidValue(texts.VOTE_MALFORMED)
    strength, reasons, decision_ms = sent.get("strength"), sent.get("reasons"), sent.get("decision_ms")
    if decision_ms is not None and not is_number(decision_ms, MAX_DECISION_MS):
        raise InvalidValue(texts.DECISION_MALFORMED)
    if strength is not None and (not isinstance(strength, str) or strength not in STRENGTHS):
        raise InvalidValue(texts.STRENGTH_MALFORMED)
    if reasons is not None and not is_texts(reasons):
        raise InvalidValue(texts.REASONS_MALFORMED)
    ballot = Ballot(
        choice,
        revision,
        reasons=reasons or (),
        criteria=read_criteria(sent.get("criteria")),
        strength=None if strength is None else STRENGTHS[strength],
        decision_s=None if decision_ms is None else decision_ms / 1000,
    )
    return battle_id, ballot


def vote_document(view: BattleView) -> dict[str, Any]:
    """Return the stored vote; none if the battle has changed since it was shown, as by an undo in another tab.

    `why_not` says in words that it does not count, if that depends on the vote alone, as by a quick decision.
    """
    if view.choice is None:
        return {"accepted": False, "reason": "changed", "error": CHANGED_ELSEWHERE}
    saved = {"accepted": True, "choice": view.choice, "revision": view.revision, "state": str(view.state)}
    standing = view.standing if view.state is BattleState.VOTED else None  # later it may tell something of the models
    return saved if standing is None or standing.counts else {**saved, "why_not": said(standing.why_not)}
