"""The API: named endpoints, the same through ``gradio_client`` and HTTP.

Boundary: turns requests into calls of the arena and views into JSON, and validates, because Gradio checks no types;
errors come back as `gr.Error` with the message that a visitor would see. No ``from __future__ import annotations``
here: Gradio reads the annotations at run time.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial
from typing import Any

import gradio as gr

from playground.arena.arena import Arena
from playground.arena.listing import board_document, model_rows, prompt_document, public_statuses
from playground.battles import Ballot, Viewer
from playground.errors import PlaygroundError, Refused
from playground.rater_ids import FREE_PROGRAMS, keyed_id
from playground.ratings.board_filter import ALL, read_board_filter
from playground.ratings.board_rules import read_board_rules
from playground.ratings.intervals import DEFAULT_LEVEL
from playground.ratings.leaderboard import Leaderboard
from playground.records import BattleView, ColumnView
from playground.ui.follow import Follower
from playground.ui.http.asgi import address_of
from playground.ui.http.gate import RATER_HEADER
from playground.ui.http.turnstile import Turnstile
from playground.validation.ids import clean_battle_id, clean_model_id, clean_models, clean_rater
from playground.validation.sampling import clean_params
from playground.validation.texts import clean_comment, clean_instruction

KEY_HEADER = "X-Playground-Key"


def add_api(arena: Arena, turnstile: Turnstile) -> None:
    """Declare the endpoints; called while a `gr.Blocks` is being built."""
    endpoints = Endpoints(arena, turnstile)
    gr.api(endpoints.compare, api_name="compare", concurrency_limit=None)
    gr.api(endpoints.vote, api_name="vote", queue=False)
    gr.api(endpoints.models, api_name="models", queue=False)
    gr.api(endpoints.ledger, api_name="ledger", queue=False)
    gr.api(endpoints.leaderboard, api_name="leaderboard", queue=False)
    gr.api(endpoints.prompt, api_name="prompt", queue=False)


class Endpoints:
    """One method per endpoint; the docstrings are what the API page shows."""

    def __init__(self, arena: Arena, turnstile: Turnstile) -> None:
        self._arena = arena
        self._follower = Follower(arena)
        self._turnstile = turnstile

    async def compare(
        self,
        instruction: str,
        input: str = "",
        system: str = "",
        models: list[str] = [],  # noqa: B006
        blind: bool = False,
        params: dict[str, Any] | list[dict[str, Any]] = {},  # noqa: B006
        request: gr.Request | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Let several models answer one instruction; stream snapshots of all columns.

        `models` empty: two of the arena's choice; `params` empty: as each card says; a list of them: one per model.
        The comparison is stored and
        may be published, under the terms at the address /terms; comparing is agreeing to them.
        """
        try:
            clean, _notes = clean_instruction(instruction, input, system, self._arena.settings)
            viewer = self._viewer(request)
            begin = partial(
                self._arena.compare,
                clean,
                viewer,
                blind=_flag("blind", blind),
                models=clean_models(models),
                overrides=clean_params(params),
            )
            async with self._turnstile.turn():
                battle_id = await asyncio.to_thread(begin)
            async for view in self._follower.follow(battle_id, viewer):
                yield snapshot(view)
        except PlaygroundError as error:
            raise gr.Error(error.public, print_exception=False) from error

    async def vote(
        self,
        battle_id: str,
        choice: str,
        reasons: list[str] = [],  # noqa: B006
        comment: str = "",
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Judge a battle that was made through the API; final at once, a repeated vote gets the stored answer.

        `counts`: True if the default leaderboard counts it as of now; `why_not`: the reason if it does not.
        """
        try:
            viewer = self._viewer(request)
            notes = clean_comment(reasons, comment)
            ballot = Ballot(choice, final=True, reasons=notes.reasons, comment=notes.comment)
            view = await self._arena.battles.vote_soon(clean_battle_id(battle_id), viewer, ballot)
        except Refused as refused:
            return {"accepted": False, "reason": refused.reason}
        except PlaygroundError as error:
            raise gr.Error(error.public, print_exception=False) from error
        standing = view.standing
        if standing is None:  # a final vote hides nothing
            raise gr.Error("the vote is saved, but whether it counts is not known; ask again", print_exception=False)
        return {
            "accepted": True,
            "choice": view.choice,
            "counts": standing.counts,
            "why_not": standing.why_not,
            "reveal": {column.side: column.card.id for column in view.columns if column.card is not None},
        }

    def models(self) -> list[dict[str, Any]]:
        """Return the models of this playground: id, name, license, state and more."""
        return model_rows(self._arena.models.line_up, public_statuses(self._arena.models.statuses()))

    def ledger(self) -> dict[str, Any]:
        """Return every model and variant that was ever tested here, with its battles and why it is gone."""
        ledger = self._arena.ledger.latest
        if ledger is None:
            raise gr.Error("the ledger is being read; ask again in a moment", print_exception=False)
        return asdict(ledger)

    def leaderboard(
        self,
        category: str = "",
        origin: str = "",
        pairs: str = "",
        sampling: str = "",
        blind: bool = True,
        imported: bool = False,
        mode: str = "",
        since: str = "",
        until: str = "",
        license: str = "",
        models: str = "",
        mine: bool = False,
        unit: str = "",
        level: float = DEFAULT_LEVEL,
        both_bad: str = "",
        bootstrap: int = 0,
        study: str = "",
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Return ratings with intervals, ranks and a verdict in words, from the votes that count.

        Empty: as on the default board. `origin`: person, program, judge, shared, all; `pairs`: drawn, chosen, all;
        `sampling`: card, changed, all; `mode`: blind, open, all; `since`, `until`: days, such as 2026-11-30; `license`:
        commercial, other; `models`: ids with a comma; `study`: its id; `mine=True`: only votes of the program that
        asks. `blind=False` counts open votes too, as `mode="all"`; `imported=True` imported ones. `unit`: auto, rater,
        vote; `level` of intervals: 0.9, 0.95, 0.99; `both_bad`: half, omit; `bootstrap`: resamples, up to 200.
        """
        asked = {"category": category, "origin": origin, "pairs": pairs, "sampling": sampling, "license": license}
        asked |= {"mode": mode or ("" if _flag("blind", blind) else ALL), "since": since, "until": until}
        asked |= {"imported": ALL if _flag("imported", imported) else "", "models": models, "study": study}
        try:
            asked["rater"] = self._viewer(request).rater if _flag("mine", mine) else ""
            filter, policy = read_board_filter(asked, self._arena.policy)
            rules = read_board_rules({"unit": unit, "level": level, "both_bad": both_bad, "bootstrap": bootstrap})
            board: Leaderboard = self._arena.leaderboard(filter, policy, rules)
        except PlaygroundError as error:
            raise gr.Error(error.public, print_exception=False) from error
        return board_document(board, self._arena.analyses(filter, policy, rules))

    def prompt(self, model: str, instruction: str, input: str = "", system: str = "") -> dict[str, Any]:
        """Return the exact prompt of a model: text, token ids, template."""
        try:
            clean, _notes = clean_instruction(instruction, input, system, self._arena.settings)
            known = self._arena.catalog.known(clean_model_id(model))  # a visitor's word is no path of this machine
            return prompt_document(self._arena.catalog, known.id, clean)
        except PlaygroundError as error:
            raise gr.Error(error.public, print_exception=False) from error

    def _viewer(self, request: gr.Request | None) -> Viewer:
        """Return the program whose key is sent, else the one whose name is sent, else ``api``."""
        if request is None:
            return Viewer(FREE_PROGRAMS, "api")
        key, name = request.headers.get(KEY_HEADER, ""), request.headers.get(RATER_HEADER, "")
        if key:
            rater = keyed_id(self._arena.raters.program_of(key))
        else:
            rater = clean_rater(name) if name else FREE_PROGRAMS
        return Viewer(rater, "api", address_of(request))


def snapshot(view: BattleView) -> dict[str, Any]:
    """Return a battle as the API shows it: `finish_reason` once there is one, `model` only when not blind.

    `reasoning` is there if the model wrote any and the battle is not blind; `hidden` is there, and true, while the
    operator hides the texts.
    """
    shown = {"battle_id": view.battle_id, "state": str(view.state), "columns": [_column(c) for c in view.columns]}
    return {**shown, "hidden": True} if view.hidden else shown


def _column(column: ColumnView) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "side": column.side,
        "state": str(column.state),
        "text": column.text,
        "error": column.error,
    }
    if column.finish_reason is not None:
        shown["finish_reason"] = str(column.finish_reason)
    if column.card is not None:
        shown["model"] = column.card.id
    if column.reasoning:
        shown["reasoning"] = column.reasoning
    return shown


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise gr.Error(f"{name} is {value!r}; valid: true, false", print_exception=False)
    return value
