"""The Models room: every model that can be had, where each one stands, and the operator's buttons to load and unload.

Boundary: asks the arena and draws. Whether somebody may load is decided here for each event, whatever the page shows;
a model that an event names has to be in the catalog.

What is said here must not tell anybody which models write a blind battle. So nobody, the operator included, sees how
many rows a model writes or lets wait, or that it crashed and starts again: asking for both before and after one's own
battle begins would name its models. Where not all models fit at once, battles bring them up and send them to rest:
then no state is shown but a failure, and none makes the page look again. Elsewhere a change of state can come of a
battle in two cases. A model that is off is drawn for a blind battle only where fewer than two others are up; then
"loading" says that it takes part, not which column is its. And a model whose worker dies is seen to load again: its
column has failed, and cannot be chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from playground.arena.arena import Arena
from playground.catalog.catalog import files_state
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.ratings.board import LeaderboardRow
from playground.records import ModelCard, ModelStatus
from playground.ui import texts
from playground.ui.http.operator import OperatorAccess, OperatorStatus, hub_link, operator_status
from playground.ui.pages.models.model_card import COMING, Entry, list_html, states_html, turns_are_taken
from playground.ui.rendering import escape

Updates = dict[Any, Any]
TICK_S = 0.7
"""How often states are drawn anew, while a model is on its way."""
MAX_NAME_CHARS = 1000
PRESSED = (
    "element.addEventListener('click', (event) => { const button = event.target.closest('[data-do]'); "
    "if (button) trigger('click', { do: button.dataset.do, model: button.dataset.model }); });"
)
_AT_ONCE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}


class ModelsRoom:
    """The room's components and handlers; built inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.lead = gr.HTML(elem_id="models-lead", apply_default_css=False)
        with gr.Row(visible=False, elem_id="models-add") as self.form:
            self.name = gr.Textbox(
                label=texts.MODELS_ADD,
                placeholder=texts.MODELS_ADD_HINT,
                lines=1,
                max_lines=1,
                max_length=MAX_NAME_CHARS,
                elem_id="models-name",
            )
            self.add = gr.Button(texts.MODELS_ADD_BUTTON, elem_id="models-add-button", size="sm")
        self.operator = gr.HTML(elem_id="models-operator", apply_default_css=False)
        self.said = gr.HTML(said_html(""), elem_id="models-said", apply_default_css=False)
        self.list = gr.HTML(elem_id="models-list", apply_default_css=False, js_on_load=PRESSED)
        self.states = gr.HTML(elem_id="models-states", apply_default_css=False)
        self.timer = gr.Timer(TICK_S, active=False)

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load; states alone while something is loading."""
        changing = [self.lead, self.said, self.list, self.states, self.timer]
        demo.load(self.draw, None, [*changing, self.form, self.operator], **_AT_ONCE)
        self.timer.tick(self.draw_states, None, [self.states, self.timer], **_AT_ONCE)
        self.list.click(self.press, None, changing, **_AT_ONCE)
        for listen in (self.add.click, self.name.submit):
            listen(self.add_by_name, [self.name], [*changing, self.name], **_AT_ONCE)

    # What is drawn

    def draw(self, request: gr.Request) -> Updates:
        """The whole room; what the operator may do only for the operator."""
        standing = operator_status(request)
        return {
            self.form: gr.update(visible=standing.is_operator),
            self.operator: operator_html(standing),
            **self._draw_list(standing.is_operator),
            **self._draw_states(),
        }

    def draw_states(self) -> Updates:
        """What changes while models are on their way."""
        return self._draw_states()

    def _draw_list(self, manages: bool) -> Updates:
        entries = self._entries()
        here = sum(entry.answers for entry in entries)
        words = texts.MODELS_LEAD if here < len(entries) else texts.MODELS_LEAD_ALL
        lead = words.format(here=here, others=len(entries) - here)
        return {
            self.lead: f"<h1>{escape(texts.MODELS_ROOM)}</h1><p class='lead'>{escape(lead)}</p>",
            self.list: list_html(entries, manages),
        }

    def _draw_states(self, once_more: bool = False) -> Updates:
        """Of the models that answer here; the others have no state. Drawn again while one of them is on its way."""
        line_up, statuses = self._arena.models.line_up, self._arena.models.statuses()
        turns = turns_are_taken(statuses)
        known = {card.id: card for card in line_up}
        entries = [Entry(known[s.model_id], s, True, takes_turns=turns) for s in statuses if s.model_id in known]
        coming = any(entry.state in COMING for entry in entries)
        return {self.states: states_html(entries), self.timer: gr.Timer(active=coming or once_more)}

    def _entries(self) -> list[Entry]:
        known = {status.model_id: status for status in self._arena.models.statuses()}
        turns = turns_are_taken(known.values())
        ratings = self._ratings()
        line_up = self._arena.models.line_up
        ids = {card.id for card in line_up}
        others = [card for card in self._arena.catalog.cards.values() if card.id not in ids]

        def entry(card: ModelCard) -> Entry:
            status = known.get(card.id, ModelStatus(card.id, "off"))
            answers = card.id in ids
            return Entry(card, status, answers, _files(card), ratings.get(card.id), answers and turns)

        return [entry(card) for card in (*line_up, *others)]

    def _ratings(self) -> dict[str, LeaderboardRow]:
        try:
            return {row.model: row for row in self._arena.leaderboard().rows}
        except PlaygroundError:  # the leaderboard's own room says why
            return {}

    # What the operator does

    def press(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A button of a card: load or unload."""
        return self._managed(request, lambda: self._do(event._data))

    def add_by_name(self, name: object, request: gr.Request) -> Updates:
        """Load whatever model the name means; it joins the line-up."""
        return {self.name: gr.skip(), **self._managed(request, lambda: self._load(_name(name)))}

    def _do(self, asked: object) -> str:
        do, model_id = (asked.get("do"), asked.get("model")) if isinstance(asked, dict) else (None, None)
        if do not in ("load", "unload") or not isinstance(model_id, str):
            raise InvalidValue(texts.MODELS_NO_SUCH_ACTION)
        card = self._arena.catalog.known(model_id)
        if do == "load":
            return self._load(card.id)
        self._arena.models.unload(card.id)
        return texts.MODELS_UNLOADED.format(name=card.name)

    def _load(self, name: str) -> str:
        before = self._arena.models.line_up
        try:
            card = self._arena.models.load(name)
        except OSError as error:  # a path that may not be read, or is none
            raise InvalidValue(texts.MODELS_UNREADABLE.format(name=name, reason=error.strerror or error)) from error
        words = texts.MODELS_LOADING if card in before else texts.MODELS_ADDED
        return words.format(name=card.name)

    def _managed(self, request: gr.Request, do: Callable[[], str]) -> Updates:
        """The room after something was done, or with the reason why it was not."""
        before = self._arena.models.line_up
        try:
            if not operator_status(request).is_operator:
                raise Refused("foreign", texts.MODELS_NOT_YOURS)
            said = said_html(do())
        except PlaygroundError as error:
            return {self.said: said_html(str(error), is_error=True)}
        more = self._draw_list(manages=True) if self._arena.models.line_up != before else {}
        return {self.said: said, **more, **self._draw_states(once_more=True)}


def operator_html(standing: OperatorStatus) -> str:
    """Return a line that says who is the operator: this browser, with a button to sign out, or how it becomes one.

    Addresses are relative, so that they also work below another site's path.
    """
    if standing.is_operator:
        button = f"<button class='tool' name='sign_out' value='1'>{escape(texts.OPERATOR_SIGN_OUT)}</button>"
        return f"<form method='post' action='./operator'>{escape(texts.OPERATOR_HERE)} {button}</form>"
    how = _how_html(standing.access)
    return f"<p>{how}</p>" if how else ""


def _how_html(access: OperatorAccess) -> str:
    if access.hub_login:
        return f"{escape(texts.OPERATOR_HOW_HUB)} {hub_link(access)}."
    if not access.token:
        return ""
    how = texts.OPERATOR_HOW if access.is_new else texts.OPERATOR_HOW_SET
    words = texts.OPERATOR_HOW_TOKEN if access.is_new else texts.OPERATOR_HOW_TOKEN_SET
    return f"{escape(how)}{', ' if access.is_new else ': '}<a href='./operator'>{escape(words)}</a>."


def said_html(words: str, is_error: bool = False) -> str:
    """What was done, or why not; the room's only live region, which no state is written into."""
    kind = "error" if is_error else "said"
    return f"<div id='models-words' role='status' aria-live='polite' class='{kind}'>{escape(words)}</div>"


def _files(card: ModelCard) -> str:
    return files_state(card) if card.engine == "local" else "elsewhere"


def _name(value: object) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise InvalidValue(texts.MODELS_NO_NAME)
    return name
