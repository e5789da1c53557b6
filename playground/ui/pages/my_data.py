"""The Yours room: what is stored of a rater, her receipt, a copy of it all as a file, and a way to erase it.

Boundary: asks the arena and draws. Whose it is follows from the browser's cookie, or from a receipt that is typed in;
a receipt travels in the body of a request and in no address, and nothing of it is kept on the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.raters import is_secret, rater_id
from playground.records import BattleState, Belongings, OwnBattle
from playground.ui import texts
from playground.ui.http.middleware import secret_of
from playground.ui.rendering import escape

Updates = dict[Any, Any]
LATEST = 50
START_CHARS = 140
MAX_RECEIPT_CHARS = 100
SAVE_FILE = """(text) => {
  if (!text) return "";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "playground-yours.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  return "";
}"""
"""The browser writes the file itself: on the server it would be one more copy to erase."""
_AT_ONCE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}


@dataclass(frozen=True, slots=True)
class Whose:
    """The rater whose things are shown: this browser's, or the one of a receipt that was typed in."""

    rater: str
    mine: bool


class YoursRoom:
    """The room's components and handlers; built inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.lead = gr.HTML(elem_id="yours-lead", apply_default_css=False)
        with gr.Row(elem_id="yours-acts"):
            self.save = gr.Button(texts.YOURS_SAVE, elem_id="yours-save", size="sm")
            self.erase_button = gr.Button(texts.YOURS_ERASE, elem_id="yours-erase", size="sm")
        with gr.Column(visible=False, elem_id="yours-confirm", elem_classes=["sheet"]) as self.confirm:
            self.question = gr.HTML(elem_id="yours-question", apply_default_css=False)
            with gr.Row():
                self.yes = gr.Button(texts.YOURS_ERASE_NOW, variant="stop", elem_id="yours-erase-now", size="sm")
                self.no = gr.Button(texts.YOURS_KEEP, elem_id="yours-keep", size="sm")
        self.said = gr.HTML(said_html(""), elem_id="yours-said", apply_default_css=False)
        with gr.Column(elem_id="yours-receipt", elem_classes=["sheet"]):
            gr.HTML(
                f"<h2>{escape(texts.YOURS_RECEIPT)}</h2><p class='soft'>{escape(texts.YOURS_RECEIPT_HINT)}</p>",
                apply_default_css=False,
            )
            with gr.Row(elem_id="yours-own-receipt"):
                self.receipt = gr.Textbox(
                    label=texts.YOURS_RECEIPT_OWN,
                    value="",
                    placeholder=texts.YOURS_RECEIPT_HIDDEN,
                    interactive=False,
                    lines=1,
                    max_lines=1,
                    buttons=["copy"],
                    elem_id="yours-receipt-own",
                    elem_classes="mono",
                )
                self.show = gr.Button(texts.YOURS_RECEIPT_SHOW, elem_id="yours-receipt-show", size="sm")
            with gr.Row(elem_id="yours-other-receipt"):
                self.other = gr.Textbox(
                    label=texts.YOURS_RECEIPT_OTHER,
                    placeholder=texts.YOURS_RECEIPT_OTHER_HINT,
                    lines=1,
                    max_lines=1,
                    max_length=MAX_RECEIPT_CHARS,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
                    elem_id="yours-receipt-other",
                    elem_classes="mono",
                )
                self.look = gr.Button(texts.YOURS_LOOK, elem_id="yours-look", size="sm")
        self.list = gr.HTML(elem_id="yours-list", apply_default_css=False)
        self.document = gr.Textbox(visible=False)

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, and for each receipt that is typed in."""
        drawn = [self.lead, self.list, self.confirm, self.said]
        demo.load(self.draw, None, drawn, **_AT_ONCE)
        for listen in (self.look.click, self.other.submit):
            listen(self.look_at, [self.other], drawn, **_AT_ONCE)
        self.show.click(self.show_receipt, None, [self.receipt, self.said], **_AT_ONCE)
        self.erase_button.click(self.ask, [self.other], [*drawn, self.question], **_AT_ONCE)
        self.yes.click(self.erase, [self.other], drawn, **_AT_ONCE)
        for listen in (self.no.click, self.other.input):
            listen(lambda: gr.update(visible=False), None, [self.confirm], **_AT_ONCE)
        saved = self.save.click(self.as_file, [self.other], [self.document, self.said], **_AT_ONCE)
        saved.then(None, [self.document], [self.document], js=SAVE_FILE, **_AT_ONCE)

    # What is drawn

    def draw(self, request: gr.Request) -> Updates:
        """What is stored of this browser's rater."""
        return self._answered(request, "", lambda whose: "")

    def look_at(self, receipt: object, request: gr.Request) -> Updates:
        """What is stored of the rater of a receipt; of this browser's without one."""
        return self._answered(request, receipt, lambda whose: "" if whose.mine else texts.YOURS_OTHER_SHOWN)

    def show_receipt(self, request: gr.Request) -> Updates:
        """The secret that this browser keeps."""
        secret = secret_of(request)
        if secret is None:
            return {self.said: said_html(texts.NO_RATER, is_error=True)}
        return {self.receipt: gr.update(value=secret)}

    # What is done

    def ask(self, receipt: object, request: gr.Request) -> Updates:
        """The first step of erasing: what would go, and whether that is meant."""
        try:
            whose = _whose(receipt, request)
            there = self._arena.raters.totals(whose.rater)
        except PlaygroundError as error:
            return {self.said: said_html(error.public, is_error=True)}
        if not there.battles and not there.notes:
            return {**self._draw(whose), self.said: said_html(texts.YOURS_NOTHING_TO_ERASE)}
        return {
            **self._draw(whose),
            self.question: f"<p>{escape(texts.yours_question(there, whose.mine))}</p>",
            self.confirm: gr.update(visible=True),
            self.said: said_html(""),
        }

    def erase(self, receipt: object, request: gr.Request) -> Updates:
        """The second step: erase it."""
        return self._answered(request, receipt, self._erase)

    def as_file(self, receipt: object, request: gr.Request) -> Updates:
        """Everything as the text of a JSON file."""
        try:
            whose = _whose(receipt, request)
            document = self._arena.raters.document(whose.rater)
        except PlaygroundError as error:
            return {self.document: "", self.said: said_html(error.public, is_error=True)}
        return {self.document: json.dumps(document, ensure_ascii=False, indent=1), self.said: said_html("")}

    # Inside

    def _erase(self, whose: Whose) -> str:
        return texts.yours_erased(self._arena.raters.erase(whose.rater))

    def _answered(self, request: gr.Request, receipt: object, do: Callable[[Whose], str]) -> Updates:
        """The room after something was done, or with the reason why it was not."""
        try:
            whose = _whose(receipt, request)
            words = do(whose)
            return {**self._draw(whose), self.said: said_html(words)}
        except PlaygroundError as error:
            return {self.said: said_html(error.public, is_error=True), self.confirm: gr.update(visible=False)}

    def _draw(self, whose: Whose) -> Updates:
        there = self._arena.raters.totals(whose.rater)
        latest = self._arena.raters.latest_battles(whose.rater, LATEST, START_CHARS)
        return {
            self.lead: lead_html(there, whose.mine),
            self.list: list_html(latest, whose.mine),
            self.confirm: gr.update(visible=False),
        }


def said_html(words: str, is_error: bool = False) -> str:
    """What was done, or why not; the room's only live region."""
    kind = "error" if is_error else "said"
    return f"<div id='yours-words' role='status' aria-live='polite' class='{kind}'>{escape(words)}</div>"


def lead_html(there: Belongings, mine: bool) -> str:
    """How much is stored, in words."""
    return f"<h1>{escape(texts.YOURS_ROOM)}</h1><p class='lead'>{escape(texts.yours_lead(there, mine))}</p>"


def list_html(battles: Sequence[OwnBattle], mine: bool) -> str:
    """The latest battles, each with a link where it may be opened."""
    if not battles:
        return ""
    rows = "".join(f"<li>{_title(battle, mine)}<small>{escape(_facts(battle))}</small></li>" for battle in battles)
    words = texts.YOURS_LATEST if len(battles) < LATEST else texts.YOURS_LATEST_SOME.format(count=LATEST)
    return f"<section aria-label='{escape(words)}'><h2>{escape(words)}</h2><ol class='own'>{rows}</ol></section>"


def _title(battle: OwnBattle, mine: bool) -> str:
    words = " ".join(battle.start.split())
    cut = f"{words}…" if len(battle.start) == START_CHARS else words
    title = escape(texts.YOURS_ERASED_BATTLE if battle.erased else cut or texts.YOURS_NO_WORDS)
    if not mine and battle.state is not BattleState.REVEALED:
        return f"<span>{title}</span>"
    return f"<a href='./?battle={escape(battle.battle_id)}'>{title}</a>"


def _facts(battle: OwnBattle) -> str:
    when = f"{battle.created_at[:16].replace('T', ' ')} UTC"
    return f"{when} · {texts.own_choice(battle)}"


def _whose(receipt: object, request: gr.Request) -> Whose:
    """Who a typed receipt belongs to; without one, the rater of this browser.

    Raises:
        InvalidValue: what was typed is no receipt.
        Refused: this browser keeps nothing of ours.
    """
    own = secret_of(request)
    typed = receipt.strip().lower() if isinstance(receipt, str) else ""
    if not typed:
        if own is None:
            raise Refused("foreign", texts.NO_RATER)
        return Whose(rater_id(own), mine=True)
    if not is_secret(typed):
        raise InvalidValue(texts.YOURS_NO_RECEIPT)
    return Whose(rater_id(typed), mine=typed == own)
