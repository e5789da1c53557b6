"""The composer panel: instruction, input, system text, starters, mode, columns, models, sampling.

Boundary: components and their rendering from a `PageState`; what was typed is read here, and checked at the door.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.errors import InvalidValue
from playground.records import SIDES, BattleView, Instruction, ModelCard
from playground.ui import texts
from playground.ui.pages.compare.state import PageState, Phase, Primary
from playground.ui.rendering import escape

Updates = dict[Any, Any]
MIXED = ""
MAX_NUMBER_CHARS = 20
_NUMBER = re.compile(r"-?\d+([.,]\d*)?")
MODES = ((texts.BLIND, "blind"), (texts.OPEN, "open"))
WHO_CHOOSES = ((texts.MODELS_ANY, "any"), (texts.MODELS_MINE, "mine"))


@dataclass(frozen=True, slots=True)
class Typed:
    """What the composer held when it was sent; nothing in it has been checked."""

    instruction: object
    input: object
    system: object
    mode: object
    columns: object
    who_chooses: object
    models: tuple[object, ...]
    sampling: Mapping[str, object]
    forget: object

    @property
    def blind(self) -> bool:
        """Whether the models' names are hidden; anything but an explicit "open" is blind."""
        return self.mode != "open"

    @property
    def overrides(self) -> dict[str, object]:
        """Sampling parameters that were given; a seed belongs to open mode."""
        return {
            name: number(name, value)
            for name, value in self.sampling.items()
            if value not in (None, "") and not (self.blind and name == "seed")
        }


@dataclass(frozen=True, slots=True)
class Composer:
    """Components of the composer, top to bottom."""

    instruction: gr.Textbox
    input: gr.Textbox
    system: gr.Textbox
    with_input: gr.Checkbox
    with_system: gr.Checkbox
    surprise: gr.Button
    mode: gr.Radio
    columns: gr.Radio
    forget: gr.Checkbox
    who_chooses: gr.Radio
    models: tuple[gr.Dropdown, ...]
    settings: gr.Accordion
    sampling: tuple[gr.Textbox, ...]
    compare: gr.Button
    stop: gr.Button
    regenerate: gr.Button
    next: gr.Button
    note: gr.HTML
    starters: gr.Accordion
    category: gr.Radio
    samples: gr.Dataset

    @classmethod
    def build(cls, cards: Sequence[ModelCard], starters: Mapping[str, Sequence[Instruction]], columns: int) -> Composer:
        """Lay the panel out; called while a `gr.Blocks` is being built."""
        made = _about()
        with gr.Column(elem_id="composer", elem_classes=["sheet"]):
            made |= _text_fields()
            made |= _controls(columns)
            with gr.Row(elem_id="drawers"):
                made |= _starters(starters)
                made |= _settings(cards)
            made["note"] = gr.HTML(elem_id="sampling-note", visible=False, apply_default_css=False)
        return cls(**made)

    @property
    def inputs(self) -> list[Any]:
        """Components whose values make a `Typed`, in its order."""
        return [
            self.instruction,
            self.input,
            self.system,
            self.mode,
            self.columns,
            self.who_chooses,
            self.forget,
            *self.models,
            *self.sampling,
        ]

    def read(self, values: Sequence[object]) -> Typed:
        """The values of `inputs` as one record."""
        instruction, input_, system, mode, columns, who_chooses, forget, *rest = values
        models, sampling = rest[: len(self.models)], rest[len(self.models) :]
        return Typed(
            instruction,
            input_,
            system,
            mode,
            columns,
            who_chooses,
            tuple(models),
            dict(zip(texts.SAMPLING, sampling, strict=True)),
            forget,
        )

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` may change."""
        return [self.compare, self.stop, self.regenerate, self.next, self.note, self.starters]

    def render(self, state: PageState) -> Updates:
        """What the state table says about the composer."""
        primary, note = state.allowed.primary, _note(state)
        again = primary in (Primary.AGAIN, Primary.NEXT)
        return {
            self.compare: gr.update(
                visible=primary is not Primary.STOP,
                value=texts.COMPARE_AGAIN if again else texts.COMPARE,
                variant="secondary" if primary is Primary.NEXT else "primary",
            ),
            self.stop: gr.update(visible=primary is Primary.STOP),
            self.regenerate: gr.update(visible=state.allowed.regenerate and _is_whole(state.view)),
            self.next: gr.update(visible=primary is Primary.NEXT),
            self.note: gr.update(visible=bool(note), value=note),
            self.starters: gr.update(visible=state.phase is not Phase.GENERATING, open=state.allowed.starters),
        }

    def fill(self, instruction: Instruction) -> Updates:
        """Put an instruction into the fields, showing those that it needs."""
        return {
            self.instruction: gr.update(value=instruction.instruction),
            self.input: gr.update(value=instruction.input, visible=bool(instruction.input)),
            self.with_input: gr.update(value=bool(instruction.input)),
            self.system: gr.update(value=instruction.system, visible=bool(instruction.system)),
            self.with_system: gr.update(value=bool(instruction.system)),
        }

    def recall(self, view: BattleView) -> Updates:
        """The composer as it was when the battle was made; who chose the models is not known, the arena does."""
        mode, columns = "blind" if view.blind else "open", len(view.columns)
        sampling = [str(view.overrides.get(name, "")) for name in texts.SAMPLING]
        return {
            **self.fill(view.instruction),
            self.mode: gr.update(value=mode),
            self.columns: gr.update(value=columns),
            self.forget: gr.update(value=not view.stored),
            **self.render_choices("any", columns, mode, *sampling),
            **{
                field: gr.update(value=value, visible=name != "seed" or not view.blind)
                for name, field, value in zip(texts.SAMPLING, self.sampling, sampling, strict=True)
            },
        }

    @property
    def recalled(self) -> list[Any]:
        """Components that `recall` changes."""
        return [*self.fields, self.mode, self.columns, self.forget, self.settings, *self.models, *self.sampling]

    @property
    def fields(self) -> list[Any]:
        """Components that `fill` changes."""
        return [self.instruction, self.input, self.with_input, self.system, self.with_system]

    def offer(self, cards: Sequence[ModelCard]) -> Updates:
        """These models to choose from; what is chosen stays."""
        return {picker: gr.update(choices=_offered(cards)) for picker in self.models}

    @property
    def choices(self) -> list[Any]:
        """Inputs of `render_choices`."""
        return [self.who_chooses, self.columns, self.mode, *self.sampling]

    @property
    def choice_outputs(self) -> list[Any]:
        """Components that `render_choices` changes."""
        return [self.settings, *self.models, self.sampling[-1]]

    def render_choices(self, who_chooses: object, columns: object, mode: object, *sampling: object) -> Updates:
        """Which model pickers and settings the chosen mode has, and the drawer's label."""
        count = columns if isinstance(columns, int) else len(SIDES)
        mine, blind = who_chooses == "mine", mode != "open"
        updates: Updates = {
            picker: gr.update(visible=mine and place < count) for place, picker in enumerate(self.models)
        }
        updates[self.sampling[-1]] = gr.update(visible=not blind)
        given = {name: value for name, value in zip(texts.SAMPLING, sampling, strict=True) if _is_short(value)}
        if blind:
            given.pop("seed", None)
        updates[self.settings] = gr.update(label=texts.settings_title(mine, given))
        return updates


def _is_short(value: object) -> bool:
    """Whether it may stand in a label: something that was typed, and that can be read."""
    return isinstance(value, str) and 0 < len(value) <= MAX_NUMBER_CHARS and value.isprintable()


def _offered(cards: Sequence[ModelCard]) -> list[tuple[str, str]]:
    return [(card.name, card.id) for card in cards]


def _about() -> dict[str, Any]:
    """What the models are, and the switch not to store."""
    with gr.Row(elem_id="about-row"):
        gr.HTML(f"<p>{escape(texts.ABOUT)}</p>", elem_id="about", apply_default_css=False)
        return {"forget": gr.Checkbox(label=texts.DO_NOT_STORE, elem_id="forget", container=False)}


def _text_fields() -> dict[str, Any]:
    return {
        "instruction": gr.Textbox(
            label=texts.INSTRUCTION,
            placeholder=texts.INSTRUCTION_HINT,
            lines=2,
            max_lines=12,
            autofocus=True,
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
    with gr.Row(elem_id="controls"):
        made: dict[str, Any] = {
            "with_input": gr.Checkbox(
                label=texts.ADD_INPUT, elem_id="with-input", elem_classes="pill", container=False
            ),
            "with_system": gr.Checkbox(
                label=texts.ADD_SYSTEM, elem_id="with-system", elem_classes="pill", container=False
            ),
            "surprise": gr.Button(texts.SURPRISE, elem_id="surprise", elem_classes="ghost", size="sm"),
        }
        gr.HTML("", elem_classes="spring", apply_default_css=False)
        made["mode"] = gr.Radio(
            list(MODES), value="blind", label=texts.MODE, elem_id="mode", elem_classes="segment", container=True
        )
        made["columns"] = gr.Radio(
            [(str(n), n) for n in range(2, len(SIDES) + 1)],
            value=columns,
            label=texts.COLUMNS,
            elem_id="columns-count",
            elem_classes="segment",
            container=True,
        )
        made["regenerate"] = gr.Button(texts.REGENERATE, elem_id="regenerate", size="sm", visible=False)
        made["compare"] = gr.Button(texts.COMPARE, variant="primary", elem_id="compare", size="sm")
        made["stop"] = gr.Button(texts.STOP, variant="stop", elem_id="stop", size="sm", visible=False)
        made["next"] = gr.Button(texts.NEXT, variant="primary", elem_id="next", size="sm", visible=False)
        link = f"<a href='./terms' target='_blank'>{escape(texts.AGREE_LINK)}</a>"
        words = f"<p>{escape(texts.AGREE)} {link}: {escape(texts.AGREE_TO_WHAT)}</p>"
        gr.HTML(words, elem_id="agree", apply_default_css=False)
    return made


def _settings(cards: Sequence[ModelCard]) -> dict[str, Any]:
    with gr.Accordion(
        texts.settings_title(False, {}), open=False, elem_id="settings", elem_classes=["quiet"]
    ) as settings:
        with gr.Row(elem_id="models"):
            who = gr.Radio(
                list(WHO_CHOOSES), value="any", label=texts.MODELS_CHOSEN, elem_id="who-chooses", elem_classes="segment"
            )
            models = tuple(
                gr.Dropdown(
                    _offered(cards),
                    value=cards[place % len(cards)].id if cards else None,
                    label=texts.MODEL_LABEL.format(number=place + 1),
                    elem_id=f"model-{place + 1}",
                    visible=False,
                    filterable=False,
                    min_width=140,
                )
                for place in range(len(SIDES))
            )
        with gr.Row(elem_id="sampling"):
            sampling = tuple(
                gr.Textbox(
                    label=label,
                    placeholder=texts.AS_CARD,
                    lines=1,
                    max_lines=1,
                    visible=name != "seed",
                    elem_id=f"sampling-{name}",
                    min_width=110,
                )
                for name, label in texts.SAMPLING.items()
            )
        gr.HTML(f"<p class='soft'>{escape(texts.SETTINGS_HINT)}</p>", apply_default_css=False)
    return {"settings": settings, "who_chooses": who, "models": models, "sampling": sampling}


def _starters(starters: Mapping[str, Sequence[Instruction]]) -> dict[str, Any]:
    with gr.Accordion(texts.STARTERS, open=True, elem_id="starters", elem_classes=["quiet"]) as accordion:
        category = gr.Radio(
            [(texts.STARTERS_MIXED, MIXED), *((name, name) for name in starters)],
            value=MIXED,
            label=texts.STARTERS_CATEGORY,
            elem_id="starter-category",
            elem_classes="tabs",
        )
        samples = gr.Dataset(
            components=["textbox"],
            type="index",
            layout="gallery",
            samples_per_page=100,
            show_label=False,
            elem_id="starter-samples",
            **starter_samples(starters_of(starters, MIXED)),
        )
    return {"starters": accordion, "category": category, "samples": samples}


def starters_of(starters: Mapping[str, Sequence[Instruction]], category: object) -> Sequence[Instruction]:
    """The starters of one category; the first of each for `MIXED`, none for what is no category."""
    if category == MIXED:
        return [group[0] for group in starters.values() if group]
    return starters.get(category, ()) if isinstance(category, str) else ()


def clicked_starter(
    starters: Mapping[str, Sequence[Instruction]], category: object, event: object
) -> Instruction | None:
    """The starter that a click names by its words; of several, the one of the chosen category.

    Not by its place: for a moment the page may still show the starters of the category that was chosen before.
    """
    row = event.get("value") if isinstance(event, dict) else None
    words = row[0] if isinstance(row, list) and row else None
    known = (*starters_of(starters, category), *(starter for group in starters.values() for starter in group))
    return next((starter for starter in known if starter.instruction == words), None)


def number(name: str, value: object) -> int | float:
    """What was typed into a settings field as a number.

    Raises:
        InvalidValue: it is none.
    """
    if isinstance(value, str) and len(value) <= MAX_NUMBER_CHARS and _NUMBER.fullmatch(value.strip()):
        text = value.strip().replace(",", ".")
        return float(text) if "." in text else int(text)
    raise InvalidValue(texts.NOT_A_NUMBER.format(name=name))


def starter_samples(starters: Sequence[Instruction]) -> dict[str, Any]:
    """Starters as a `gr.Dataset` takes them, uncut."""
    words = [starter.instruction for starter in starters]
    return {"samples": [[text] for text in words], "sample_labels": words}


def _is_whole(view: BattleView | None) -> bool:
    """Whether this visitor's battle can be had again: its words are still there."""
    return view is not None and view.mine and not view.erased


def _note(state: PageState) -> str:
    """The small line under the instruction: settings that were changed, and whether it is stored."""
    view = state.view
    if view is None:
        return ""
    notes = [texts.overrides(view.overrides)] if view.overrides else []
    notes += [] if view.stored else [texts.NOT_STORED]
    notes += [state.said] if state.said else []
    return f"<p class='soft'>{escape(' · '.join(notes))}</p>" if notes else ""
