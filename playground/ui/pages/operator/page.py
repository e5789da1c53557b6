"""The Operator page: reported and hidden battles, any battle by its id, and the state of the playground.

Boundary: each event checks for itself whether its sender is the operator; nobody else gets a word of a battle, a
number, or an answer to whether a battle exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.ui.http.operator import operator_status
from playground.ui.pages.leaderboard.left_out import left_out_html
from playground.ui.pages.models.page import operator_html
from playground.ui.pages.operator.answers import AnswersPanel
from playground.ui.pages.operator.battle_html import ALL_CHARS, section_html
from playground.ui.pages.operator.facts import facts_html
from playground.ui.pages.operator.pairs import pairs_html
from playground.ui.pages.operator.presses import presses
from playground.ui.pages.operator.publication import PublicationPanel
from playground.ui.pages.operator.studies import StudiesPanel
from playground.ui.rendering import escape, live_region, page_head
from playground.ui.texts import PAGE_OPERATOR
from playground.ui.texts import operator as texts
from playground.ui.wiring import AT_ONCE, Updates
from playground.validation.ids import clean_battle_id

MOST_BATTLES = 20
MAX_ASKED_CHARS = 1000
SAID = "operator-words"
"""Id of the live region."""
_LINKED = re.compile(r"[?&]battle=([0-9a-f]{32})\b")


class OperatorPage:
    """Components and handlers of the page; created inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.lead = gr.HTML(elem_id="operator-lead", apply_default_css=False)
        self.session = gr.HTML(elem_id="operator-session", apply_default_css=False)
        with gr.Row(visible=False, elem_id="operator-look-up") as self.form:
            self.asked = gr.Textbox(
                label=texts.LOOK_UP,
                placeholder=texts.LOOK_UP_HINT,
                lines=1,
                max_lines=1,
                max_length=MAX_ASKED_CHARS,
                elem_id="operator-asked",
            )
            self.look = gr.Button(texts.LOOK_UP_BUTTON, elem_id="operator-look", size="sm")
        self.said = gr.HTML(live_region(SAID, ""), elem_id="operator-said", apply_default_css=False)
        self.list = gr.HTML(elem_id="operator-list", apply_default_css=False, js_on_load=presses("#operator-list h2"))
        self.studies = StudiesPanel(arena)
        self.answers = AnswersPanel(arena)
        self.publication = PublicationPanel(arena)
        self.facts = gr.HTML(elem_id="operator-facts", apply_default_css=False)

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, for each battle that is looked up, and after each decision."""
        self.studies.wire(demo)
        self.answers.wire(demo)
        self.publication.wire(demo)
        changing = [self.lead, self.said, self.list]
        demo.load(self.draw, None, [*changing, self.session, self.form, self.facts], **AT_ONCE)
        self.list.click(self.press, [self.asked], changing, **AT_ONCE)
        for listen in (self.look.click, self.asked.submit):
            listen(self.look_up, [self.asked], changing, **AT_ONCE)

    def draw(self, request: gr.Request) -> Updates:
        """Draw the whole page for the operator; for anybody else, the way to become the operator."""
        status = operator_status(request)
        updates: Updates = {self.session: operator_html(status), self.form: gr.update(visible=status.is_operator)}
        if not status.is_operator:
            nothing = {self.lead: page_head(PAGE_OPERATOR, texts.NOT_YOURS), self.list: "", self.facts: ""}
            return {**updates, **nothing, self.said: live_region(SAID, "")}
        try:
            return {**updates, **self._draw_battles(""), self.facts: self._draw_facts()}
        except PlaygroundError as error:
            return {**updates, self.said: live_region(SAID, error.message, is_error=True)}

    def _draw_facts(self) -> str:
        return (
            facts_html(self._arena)
            + f"<div class='boxes'>{left_out_html(self._arena.gate_watch.latest, self._arena.policy)}</div>"
            + pairs_html(self._arena)
        )

    def look_up(self, asked: object, request: gr.Request) -> Updates:
        """Draw the battle that an id or a link names, above the others."""
        return self._managed(request, lambda: self._draw_battles(_battle_id(asked)))

    def press(self, asked: object, event: gr.EventData, request: gr.Request) -> Updates:
        """Decide on the battle of a pressed button."""
        return self._managed(request, lambda: self._decide(event._data, asked))

    def _decide(self, sent: object, asked: object) -> Updates:
        do, battle_id = (sent.get("do"), sent.get("battle")) if isinstance(sent, dict) else (None, None)
        moderation = self._arena.moderation
        decisions = {"hide": moderation.hide, "show": moderation.show, "dismiss": moderation.dismiss}
        if not isinstance(do, str) or do not in decisions:
            raise InvalidValue(texts.NO_SUCH_ACTION)
        decisions[do](clean_battle_id(battle_id))
        try:
            drawn = self._draw_battles(_battle_id(asked))
        except (InvalidValue, Refused):  # what is typed there now names no battle
            drawn = self._draw_battles("")
        return {**drawn, self.said: live_region(SAID, texts.DONE[do])}

    def _managed(self, request: gr.Request, do: Callable[[], Updates]) -> Updates:
        """Do something for the operator, and draw the result or the error."""
        try:
            if not operator_status(request).is_operator:
                raise Refused("foreign", texts.NOT_YOURS)
            return do()
        except PlaygroundError as error:
            return {self.said: live_region(SAID, error.message, is_error=True)}

    def _draw_battles(self, found_id: str) -> Updates:
        """Draw the lists, and above them the battle that was looked up."""
        moderation = self._arena.moderation
        found = ""
        if found_id:
            found = section_html(texts.FOUND, [moderation.look_up(found_id)], "", ALL_CHARS)
        counts = moderation.counts()
        reported = section_html(texts.REPORTED, moderation.reported(MOST_BATTLES), texts.NONE_REPORTED)
        hidden = section_html(texts.HIDDEN, moderation.hidden(MOST_BATTLES), texts.NONE_HIDDEN)
        link = f"<span hidden data-link='{escape(texts.link(counts.reports))}'></span>"
        return {
            self.lead: page_head(PAGE_OPERATOR, texts.lead(counts)),
            self.list: f"{link}{found}{reported}{_more(counts.reported)}{hidden}{_more(counts.hidden)}",
            self.said: live_region(SAID, ""),
        }


def _more(count: int) -> str:
    """Return how many battles a list leaves out."""
    left = count - MOST_BATTLES
    return f"<p class='soft'>{escape(texts.MORE.format(count=left))}</p>" if left > 0 else ""


def _battle_id(asked: object) -> str:
    """Return the id that was typed, or that a link holds; empty if nothing was.

    Raises:
        InvalidValue, Refused: it is no id.
    """
    typed = asked.strip() if isinstance(asked, str) else ""
    linked = _LINKED.search(typed)
    return clean_battle_id(linked[1] if linked else typed) if typed else ""
