"""The page My data: what is stored of a rater, as a list and as a file; the receipt; erasure in two steps.

Boundary: asks the arena and draws. The data shown is that of the browser's cookie, or of a typed receipt. A receipt
travels in request bodies only, and the server keeps none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.rater_ids import is_secret, rater_id
from playground.records import BattleState, OwnBattle
from playground.ui.http.rater_cookie import secret_of
from playground.ui.rendering import escape, live_region, page_head
from playground.ui.texts import NO_RATER, PAGE_MY_DATA
from playground.ui.texts import my_data as texts
from playground.ui.wiring import AT_ONCE, Updates

LATEST = 50
START_CHARS = 140
MAX_RECEIPT_CHARS = 100
SAID = "my-data-words"
"""Id of the live region."""
SAVE_FILE = f"""(text) => {{
  if (!text) return "";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {{ type: "application/json" }}));
  link.download = "{texts.FILE_NAME}";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  return "";
}}"""
"""The browser writes the file: on the server it would be one more copy to erase."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The rater whose data is shown: this browser's, or that of a typed receipt."""

    rater: str
    mine: bool


class MyDataPage:
    """Components and handlers of the page; created inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.lead = gr.HTML(elem_id="my-data-lead", apply_default_css=False)
        with gr.Row(elem_id="my-data-acts"):
            self.save = gr.Button(texts.SAVE, elem_id="my-data-save", size="sm")
            self.erase_button = gr.Button(texts.ERASE, elem_id="my-data-erase", size="sm")
        with gr.Column(visible=False, elem_id="my-data-confirm", elem_classes=["sheet"]) as self.confirm:
            self.question = gr.HTML(elem_id="my-data-question", apply_default_css=False)
            with gr.Row():
                self.yes = gr.Button(texts.ERASE_NOW, variant="stop", elem_id="my-data-erase-now", size="sm")
                self.no = gr.Button(texts.KEEP, elem_id="my-data-keep", size="sm")
        self.said = gr.HTML(live_region(SAID, ""), elem_id="my-data-said", apply_default_css=False)
        self._build_receipts()
        self.list = gr.HTML(elem_id="my-data-list", apply_default_css=False)
        self.document = gr.Textbox(visible=False)

    def _build_receipts(self) -> None:
        line: dict[str, Any] = {"lines": 1, "max_lines": 1, "elem_classes": "mono"}
        with gr.Column(elem_id="my-data-receipt", elem_classes=["sheet"]):
            head = f"<h2>{escape(texts.RECEIPT)}</h2><p class='soft'>{escape(texts.RECEIPT_HINT)}</p>"
            gr.HTML(head, apply_default_css=False)
            with gr.Row(elem_id="my-data-own-receipt"):
                self.receipt = gr.Textbox(
                    label=texts.RECEIPT_OWN,
                    value="",
                    placeholder=texts.RECEIPT_HIDDEN,
                    interactive=False,
                    buttons=["copy"],
                    elem_id="my-data-receipt-own",
                    **line,
                )
                self.show = gr.Button(texts.RECEIPT_SHOW, elem_id="my-data-receipt-show", size="sm")
            with gr.Row(elem_id="my-data-other-receipt"):
                self.other = gr.Textbox(
                    label=texts.RECEIPT_OTHER,
                    placeholder=texts.RECEIPT_OTHER_HINT,
                    max_length=MAX_RECEIPT_CHARS,
                    html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
                    elem_id="my-data-receipt-other",
                    **line,
                )
                self.open = gr.Button(texts.RECEIPT_OPEN, elem_id="my-data-open", size="sm")

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, and for each typed receipt."""
        drawn = [self.lead, self.list, self.confirm, self.said]
        demo.load(self.draw, None, drawn, **AT_ONCE)
        for listen in (self.open.click, self.other.submit):
            listen(self.open_receipt, [self.other], drawn, **AT_ONCE)
        self.show.click(self.show_receipt, None, [self.receipt, self.said], **AT_ONCE)
        self.erase_button.click(self.ask, [self.other], [*drawn, self.question], **AT_ONCE)
        self.yes.click(self.erase, [self.other], drawn, **AT_ONCE)
        for listen in (self.no.click, self.other.input):
            listen(lambda: gr.update(visible=False), None, [self.confirm], **AT_ONCE)
        saved = self.save.click(self.as_file, [self.other], [self.document, self.said], **AT_ONCE)
        saved.then(None, [self.document], [self.document], js=SAVE_FILE, **AT_ONCE)

    def draw(self, request: gr.Request) -> Updates:
        """Draw the data of this browser's rater."""
        return self._drawn(request, "", lambda whose: "")

    def open_receipt(self, receipt: object, request: gr.Request) -> Updates:
        """Draw the data of a receipt; of this browser without one."""
        return self._drawn(request, receipt, lambda whose: "" if whose.mine else texts.OTHER_SHOWN)

    def show_receipt(self, request: gr.Request) -> Updates:
        """Show the secret in this browser's cookie."""
        secret = secret_of(request)
        return self._error(NO_RATER) if secret is None else {self.receipt: gr.update(value=secret)}

    def ask(self, receipt: object, request: gr.Request) -> Updates:
        """Ask whether to erase, and say what would be erased."""
        try:
            whose = _whose(receipt, request)
            data = self._arena.raters.totals(whose.rater)
        except PlaygroundError as error:
            return self._error(error.public)
        if not (data.battles or data.notes or data.panel_ids):
            return {**self._draw(whose), self.said: live_region(SAID, texts.NOTHING_TO_ERASE)}
        return {
            **self._draw(whose),
            self.question: f"<p>{escape(texts.question(data, whose.mine))}</p>",
            self.confirm: gr.update(visible=True),
            self.said: live_region(SAID, ""),
        }

    def erase(self, receipt: object, request: gr.Request) -> Updates:
        """Erase the data."""
        return self._drawn(request, receipt, lambda whose: texts.erased(self._arena.raters.erase(whose.rater)))

    def as_file(self, receipt: object, request: gr.Request) -> Updates:
        """Send the data as the text of a JSON file."""
        try:
            document = self._arena.raters.document(_whose(receipt, request).rater)
        except PlaygroundError as error:
            return {self.document: "", **self._error(error.public)}
        text = json.dumps(document, ensure_ascii=False, indent=1)
        return {self.document: text, self.said: live_region(SAID, "")}

    def _drawn(self, request: gr.Request, receipt: object, do: Callable[[Whose], str]) -> Updates:
        """Do something, and draw the page with what it says, or the error."""
        try:
            whose = _whose(receipt, request)
            said = do(whose)
            return {**self._draw(whose), self.said: live_region(SAID, said)}
        except PlaygroundError as error:
            return {**self._error(error.public), self.confirm: gr.update(visible=False)}

    def _draw(self, whose: Whose) -> Updates:
        latest = self._arena.raters.latest_battles(whose.rater, LATEST, START_CHARS)
        return {
            self.lead: page_head(PAGE_MY_DATA, texts.stored(self._arena.raters.totals(whose.rater), whose.mine)),
            self.list: list_html(latest, whose.mine),
            self.confirm: gr.update(visible=False),
        }

    def _error(self, message: str) -> Updates:
        return {self.said: live_region(SAID, message, is_error=True)}


def list_html(battles: Sequence[OwnBattle], mine: bool) -> str:
    """Return the latest battles, with links to those that this browser may open."""
    if not battles:
        return ""
    rows = "".join(f"<li>{_title(battle, mine)}<small>{escape(_facts(battle))}</small></li>" for battle in battles)
    title = texts.LATEST if len(battles) < LATEST else texts.LATEST_SOME.format(count=LATEST)
    return f"<section aria-label='{escape(title)}'><h2>{escape(title)}</h2><ol class='own'>{rows}</ol></section>"


def _title(battle: OwnBattle, mine: bool) -> str:
    start = " ".join(battle.start.split())
    cut = f"{start}…" if len(battle.start) == START_CHARS else start
    title = escape(_withheld(battle) or cut or texts.NO_TEXT)
    if not mine and battle.state is not BattleState.REVEALED:
        return f"<span>{title}</span>"
    return f"<a href='./?battle={escape(battle.battle_id)}'>{title}</a>"


def _withheld(battle: OwnBattle) -> str:
    """Return why the words of a battle are not shown; empty if they are."""
    return texts.ERASED_BATTLE if battle.erased else texts.HIDDEN_BATTLE if battle.hidden else ""


def _facts(battle: OwnBattle) -> str:
    return f"{battle.created_at[:16].replace('T', ' ')} UTC · {texts.vote(battle)}"


def _whose(receipt: object, request: gr.Request) -> Whose:
    """Return the rater of a typed receipt, or of this browser without one.

    Raises:
        InvalidValue: the text is not a receipt.
        Refused: no receipt, and this browser has no cookie.
    """
    own = secret_of(request)
    typed = receipt.strip().lower() if isinstance(receipt, str) else ""
    if not typed:
        if own is None:
            raise Refused("foreign", NO_RATER)
        return Whose(rater_id(own), mine=True)
    if not is_secret(typed):
        raise InvalidValue(texts.NO_RECEIPT)
    return Whose(rater_id(typed), mine=typed == own)
