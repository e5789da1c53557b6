"""The Models page: all known models with their states, and the operator's buttons to load and unload them.

States must not reveal which models answer a blind battle: somebody could read them before and after starting one. So
nobody, including the operator, sees rows, queues, crashes or restarts. If the models do not all fit in memory, battles
load and unload them; then failures are the only states shown. Otherwise a battle can change a state in two cases. It
loads a model only if fewer than two others are up: "loading" then shows that the model takes part, but not in which
column. And a model whose worker died loads again: its column has failed, and cannot be chosen.

Boundary: each event checks for itself whether its sender is the operator, and a model it names must be in the catalog.
"""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from playground.arena.arena import Arena
from playground.catalog.model_folders import files_state
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.ratings.board import LeaderboardRow
from playground.records import ModelCard, ModelStatus
from playground.ui.http.operator import OperatorStatus, hub_link, operator_status
from playground.ui.pages.models.ledger import ledger_html
from playground.ui.pages.models.model_card import COMING, Entry, list_html, states_html, turns_are_taken
from playground.ui.rendering import escape, live_region, page_head, with_link
from playground.ui.texts import PAGE_MODELS
from playground.ui.texts import models as texts
from playground.ui.wiring import AT_ONCE, Updates

TICK_S = 0.7
"""Interval of updates while a model is loading."""
MAX_NAME_CHARS = 1000
SAID = "models-words"
"""Id of the live region, which never contains a state."""
PRESSED = (
    "element.addEventListener('click', (event) => { const button = event.target.closest('[data-do]'); "
    "if (button) trigger('click', { do: button.dataset.do, model: button.dataset.model }); });"
)


class ModelsPage:
    """Components and handlers of the page; created inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.lead = gr.HTML(elem_id="models-lead", apply_default_css=False)
        with gr.Row(visible=False, elem_id="models-add") as self.form:
            self.name = gr.Textbox(
                label=texts.ADD,
                placeholder=texts.ADD_HINT,
                lines=1,
                max_lines=1,
                max_length=MAX_NAME_CHARS,
                elem_id="models-name",
            )
            self.add = gr.Button(texts.ADD_BUTTON, elem_id="models-add-button", size="sm")
        self.operator = gr.HTML(elem_id="models-operator", apply_default_css=False)
        self.said = gr.HTML(live_region(SAID, ""), elem_id="models-said", apply_default_css=False)
        self.list = gr.HTML(elem_id="models-list", apply_default_css=False, js_on_load=PRESSED)
        self.ledger = gr.HTML(elem_id="models-ledger", apply_default_css=False)
        self.states = gr.HTML(elem_id="models-states", apply_default_css=False)
        self.timer = gr.Timer(TICK_S, active=False)

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, and the states while a model is loading."""
        changing = [self.lead, self.said, self.list, self.states, self.timer]
        demo.load(self.draw, None, [*changing, self.form, self.operator, self.ledger], **AT_ONCE)
        self.timer.tick(self.draw_states, None, [self.states, self.timer], **AT_ONCE)
        self.list.click(self.press, None, changing, **AT_ONCE)
        for listen in (self.add.click, self.name.submit):
            listen(self.add_by_name, [self.name], [*changing, self.name], **AT_ONCE)

    def draw(self, request: gr.Request) -> Updates:
        """Draw the whole page, with the operator's controls only for the operator."""
        standing = operator_status(request)
        return {
            self.form: gr.update(visible=standing.is_operator),
            self.operator: operator_html(standing),
            self.ledger: ledger_html(self._arena.ledger.latest),
            **self._draw_list(standing.is_operator),
            **self.draw_states(),
        }

    def _draw_list(self, manages: bool) -> Updates:
        entries = self._entries()
        here = sum(entry.answers for entry in entries)
        lead = texts.LEAD if here < len(entries) else texts.LEAD_ALL
        return {
            self.lead: page_head(PAGE_MODELS, lead.format(here=here, others=len(entries) - here)),
            self.list: list_html(entries, manages),
        }

    def draw_states(self, once_more: bool = False) -> Updates:
        """Draw the states of the line-up; the timer runs while a model is loading, or `once_more`."""
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
        except PlaygroundError:  # the Leaderboard page says why
            return {}

    def press(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Load or unload the model of a pressed button."""
        return self._managed(request, lambda: self._do(event._data))

    def add_by_name(self, name: object, request: gr.Request) -> Updates:
        """Load the named model and add it to the line-up."""
        return {self.name: gr.skip(), **self._managed(request, lambda: self._load(_name(name)))}

    def _do(self, asked: object) -> str:
        do, model_id = (asked.get("do"), asked.get("model")) if isinstance(asked, dict) else (None, None)
        if do not in ("load", "unload") or not isinstance(model_id, str):
            raise InvalidValue(texts.NO_SUCH_ACTION)
        card = self._arena.catalog.known(model_id)
        if do == "load":
            return self._load(card.id)
        self._arena.models.unload(card.id)
        return texts.UNLOADED.format(name=card.name)

    def _load(self, name: str) -> str:
        before = self._arena.models.line_up
        try:
            card = self._arena.models.load(name)
        except OSError as error:  # an unreadable or invalid path
            raise InvalidValue(texts.UNREADABLE.format(name=name, reason=error.strerror or error)) from error
        words = texts.LOADING if card in before else texts.ADDED
        return words.format(name=card.name)

    def _managed(self, request: gr.Request, do: Callable[[], str]) -> Updates:
        """Do something for the operator, and draw the result or the error."""
        before = self._arena.models.line_up
        try:
            if not operator_status(request).is_operator:
                raise Refused("foreign", texts.NOT_YOURS)
            said = live_region(SAID, do())
        except PlaygroundError as error:
            return {self.said: live_region(SAID, error.message, is_error=True)}
        more = self._draw_list(manages=True) if self._arena.models.line_up != before else {}
        return {self.said: said, **more, **self.draw_states(once_more=True)}


def operator_html(standing: OperatorStatus) -> str:
    """Return how to become the operator, or for the operator a button to sign out.

    Addresses are relative, so that they work below any path.
    """
    if standing.is_operator:
        button = f"<button class='tool' name='sign_out' value='1'>{escape(texts.OPERATOR_SIGN_OUT)}</button>"
        return f"<form method='post' action='./operator'>{escape(texts.OPERATOR_HERE)} {button}</form>"
    access = standing.access
    if access.hub_login:
        return f"<p>{with_link(texts.OPERATOR_HOW_HUB, hub_link(access))}</p>"
    if not access.token:
        return ""
    link = f"<a href='./operator'>{escape(texts.OPERATOR_HOW_LINK)}</a>"
    return f"<p>{with_link(texts.OPERATOR_HOW[access.is_new], link)}</p>"


def _files(card: ModelCard) -> str:
    return files_state(card) if card.engine == "local" else "elsewhere"


def _name(value: object) -> str:
    name = _unquoted(value.strip()) if isinstance(value, str) else ""
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise InvalidValue(texts.NO_NAME)
    return name


def _unquoted(name: str) -> str:
    """Return a name without the quotes that file managers and shells put around a path."""
    is_quoted = len(name) > 1 and name[0] == name[-1] and name[0] in "'\""
    return name[1:-1].strip() if is_quoted else name
