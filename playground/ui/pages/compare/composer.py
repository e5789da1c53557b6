"""The composer: instruction, input, system text, mode, number of columns, main buttons and two drawers.

While a battle is shown it folds to one line: instruction, edit, Stop, and on small screens the letters of the answers.

Boundary: components and their rendering from a `PageState`; typed values go out unchecked, as a `Typed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.records import SIDES, BattleView, Instruction, ModelCard
from playground.settings import Settings
from playground.ui.pages.compare.model_settings import SAMPLING, SettingsDrawer
from playground.ui.pages.compare.starters import StarterDrawer, Starters
from playground.ui.pages.compare.state import PageState, Phase, Primary
from playground.ui.pages.compare.typed import Typed
from playground.ui.rendering import escape, with_link
from playground.ui.texts import compare as texts
from playground.ui.texts import formats
from playground.ui.texts.language import joined, said
from playground.ui.wiring import Updates

FOLDED_CHARS = 400
MODES = ((texts.BLIND, "blind"), (texts.OPEN, "open"))


@dataclass(frozen=True, slots=True)
class Composer:
    """Components of the composer, top to bottom."""

    forget: gr.Checkbox
    folded: gr.HTML
    jump: gr.HTML
    instruction: gr.Textbox
    input: gr.Textbox
    system: gr.Textbox
    with_input: gr.Checkbox
    with_system: gr.Checkbox
    surprise: gr.Button
    mode: gr.Radio
    columns: gr.Radio
    regenerate: gr.Button
    compare: gr.Button
    stop: gr.Button
    next: gr.Button
    starters: StarterDrawer
    settings: SettingsDrawer
    note: gr.HTML

    @classmethod
    def build(cls, cards: Sequence[ModelCard], starters: Starters, settings: Settings) -> Composer:
        """Lay the panel out; called while a `gr.Blocks` is being built."""
        with gr.Row(elem_id="about-row"):
            gr.HTML(f"<p>{escape(texts.ABOUT)}</p>", elem_id="about", apply_default_css=False)
            forget = gr.Checkbox(label=texts.DO_NOT_STORE, elem_id="forget", container=False)
        with gr.Column(elem_id="composer", elem_classes=["sheet"]):
            made: dict[str, Any] = {
                "folded": gr.HTML(elem_id="folded", apply_default_css=False),
                "jump": gr.HTML(elem_id="jump", apply_default_css=False),
            }
            made |= _text_fields() | _controls(settings.columns)
            with gr.Row(elem_id="drawers"):
                made["starters"] = StarterDrawer.build(starters)
                made["settings"] = SettingsDrawer.build(cards, settings.max_new_tokens)
            note = gr.HTML(elem_id="sampling-note", visible=False, apply_default_css=False)
        return cls(forget=forget, note=note, **made)

    @property
    def inputs(self) -> list[Any]:
        """Components whose values `read` takes."""
        return [
            *(self.instruction, self.input, self.system, self.mode, self.columns, self.settings.who_chooses),
            *(self.forget, *self.settings.models, *self.settings.own, *self.settings.sampling),
        ]

    def read(self, values: Sequence[object]) -> Typed:
        """Return the values of `inputs` as one record."""
        instruction, input_, system, mode, columns, who_chooses, forget, *rest = values
        count = len(SIDES)
        models, own = tuple(rest[:count]), tuple(rest[count : 2 * count])
        sampling = dict(zip(SAMPLING, rest[2 * count :], strict=True))
        return Typed(instruction, input_, system, mode, columns, who_chooses, forget, models, own, sampling)

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        buttons = (self.compare, self.stop, self.regenerate, self.next)
        return [self.folded, self.jump, *buttons, self.note, self.starters.drawer]

    def render(self, state: PageState) -> Updates:
        """Show the buttons that the state allows."""
        primary, view, note = state.allowed.primary, state.view, _note(state)
        again = primary in (Primary.AGAIN, Primary.NEXT)
        may_regenerate = state.allowed.regenerate and view is not None and view.mine and not view.withheld
        return {
            self.folded: gr.update(value=_folded(view)),
            self.jump: gr.update(value=_jump(view)),
            self.compare: gr.update(
                visible=primary is not Primary.STOP,
                value=said(texts.COMPARE_AGAIN if again else texts.COMPARE),
                variant="secondary" if primary is Primary.NEXT else "primary",
            ),
            self.stop: gr.update(visible=primary is Primary.STOP),
            self.regenerate: gr.update(visible=may_regenerate),
            self.next: gr.update(visible=primary is Primary.NEXT),
            self.note: gr.update(visible=bool(note), value=note),
            self.starters.drawer: gr.update(visible=state.phase is not Phase.GENERATING, open=state.allowed.starters),
        }

    @property
    def fields(self) -> list[Any]:
        """Components that `fill` changes."""
        return [self.instruction, self.input, self.with_input, self.system, self.with_system]

    def fill(self, instruction: Instruction) -> Updates:
        """Put an instruction into the fields, hiding optional fields that it does not use."""
        return {
            self.instruction: gr.update(value=instruction.instruction),
            self.input: gr.update(value=instruction.input, visible=bool(instruction.input)),
            self.with_input: gr.update(value=bool(instruction.input)),
            self.system: gr.update(value=instruction.system, visible=bool(instruction.system)),
            self.with_system: gr.update(value=bool(instruction.system)),
        }

    @property
    def choices(self) -> list[Any]:
        """Components that `recall` changes beside `fields`."""
        settings = self.settings
        return [
            *(self.mode, self.columns, self.forget),
            *(settings.drawer, settings.who_chooses, *settings.models, *settings.own, *settings.sampling),
        ]

    def recall(self, view: BattleView) -> Updates:
        """Restore the composer of a battle."""
        mode = "blind" if view.blind else "open"
        return {
            **self.fill(view.instruction),
            self.mode: gr.update(value=mode),
            self.columns: gr.update(value=len(view.columns)),
            self.forget: gr.update(value=not view.stored),
            **self.settings.recall(view, mode),
        }


def _text_fields() -> dict[str, Any]:
    return {
        "instruction": gr.Textbox(
            label=texts.INSTRUCTION,
            placeholder=texts.INSTRUCTION_HINT,
            lines=2,
            max_lines=12,
            elem_id="instruction",
            container=True,
        ),
        "input": gr.Textbox(
            label=texts.INPUT, placeholder=texts.INPUT_HINT, lines=2, max_lines=12, elem_id="input", visible=False
        ),
        "system": gr.Textbox(
            label=texts.SYSTEM, placeholder=texts.SYSTEM_HINT, lines=1, max_lines=8, elem_id="system", visible=False
        ),
    }


def _controls(columns: int) -> dict[str, Any]:
    pill: dict[str, Any] = {"elem_classes": "pill", "container": False}
    segment: dict[str, Any] = {"elem_classes": "segment", "container": True}
    with gr.Row(elem_id="controls"):
        made: dict[str, Any] = {
            "with_input": gr.Checkbox(label=texts.ADD_INPUT, elem_id="with-input", **pill),
            "with_system": gr.Checkbox(label=texts.ADD_SYSTEM, elem_id="with-system", **pill),
            "surprise": gr.Button(texts.SURPRISE, elem_id="surprise", elem_classes="ghost", size="sm"),
        }
        gr.HTML("", elem_classes="spring", apply_default_css=False)
        counts = [(str(n), n) for n in range(2, len(SIDES) + 1)]
        made |= {
            "mode": gr.Radio(list(MODES), value="blind", label=texts.MODE, elem_id="mode", **segment),
            "columns": gr.Radio(counts, value=columns, label=texts.COLUMNS, elem_id="columns-count", **segment),
            "regenerate": gr.Button(texts.REGENERATE, elem_id="regenerate", size="sm", visible=False),
            "compare": gr.Button(texts.COMPARE, variant="primary", elem_id="compare", size="sm"),
            "stop": gr.Button(texts.STOP, variant="stop", elem_id="stop", size="sm", visible=False),
            "next": gr.Button(texts.NEXT, variant="primary", elem_id="next", size="sm", visible=False),
        }
        link = f"<a href='./terms' target='_blank'>{escape(texts.AGREE_LINK)}</a>"
        gr.HTML(f"<p>{with_link(texts.AGREE, link)}</p>", elem_id="agree", apply_default_css=False)
    return made


def _folded(view: BattleView | None) -> str:
    """Return the instruction in one line, with the button that unfolds the composer; `folding.js` handles it."""
    if view is None:
        return ""
    if view.withheld:  # there is nothing to edit
        return f"<p class='soft'>{escape(texts.ERASED_INSTRUCTION if view.erased else texts.HIDDEN_INSTRUCTION)}</p>"
    words = " ".join(f"{view.instruction.instruction} {view.instruction.input}".split())[:FOLDED_CHARS]
    label = escape(texts.EDIT_LABEL)
    button = f"<button type='button' class='tool' data-edit aria-label='{label}'>{escape(texts.EDIT)}</button>"
    return f"<p dir='auto' title='{escape(words)}'>{escape(words)}</p>{button}"


def _jump(view: BattleView | None) -> str:
    """Return links to the columns, for small screens."""
    if view is None:
        return ""
    letters = "".join(
        f"<a class='letter side-{c.side}' href='#column-{c.side}' data-jump='{c.side}'>{c.side.upper()}</a>"
        for c in view.columns
    )
    return f"<nav aria-label='{escape(texts.JUMP)}'>{letters}</nav>"


def _note(state: PageState) -> str:
    """Return the line under the instruction: changed settings, not stored, what validation removed."""
    view = state.view
    if view is None:
        return ""
    parts = (formats.overrides(view.overrides), "" if view.stored else texts.NOT_STORED, state.said)
    notes = joined(" · ", parts)
    return f"<p class='soft'>{escape(notes)}</p>" if notes else ""
