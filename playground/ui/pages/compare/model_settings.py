"""The settings drawer: who chooses the models, a picker per column, sampling parameters.

Boundary: components and their updates; what is typed is read by `typed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from playground.records import SIDES, BattleView, ModelCard, SamplingParams, overrides_of
from playground.ui.pages.compare.typed import MAX_NUMBER_CHARS, MAX_SETTINGS_CHARS
from playground.ui.rendering import escape
from playground.ui.texts import compare as texts
from playground.ui.texts.formats import settings
from playground.ui.wiring import Updates

_NUMBERS = [f.name for f in fields(SamplingParams) if not isinstance(f.default, bool) and f.name != "min_new_tokens"]
SAMPLING = (*sorted(_NUMBERS, key="max_new_tokens".__eq__), "seed")
"""Parameters that have a field, the length and the seed last."""
WHO_CHOOSES = ((texts.MODELS_ANY, "any"), (texts.MODELS_MINE, "mine"))


@dataclass(frozen=True, slots=True)
class SettingsDrawer:
    """Components of the drawer."""

    drawer: gr.Accordion
    who_chooses: gr.Radio
    models: tuple[gr.Dropdown, ...]
    own: tuple[gr.Textbox, ...]  # settings of each chosen model, in open mode
    sampling: tuple[gr.Textbox, ...]

    @classmethod
    def build(cls, cards: Sequence[ModelCard], max_new_tokens: int) -> SettingsDrawer:
        """Lay the drawer out; called while a `gr.Blocks` is being built."""
        with gr.Accordion(
            texts.settings_title(False, {}), open=False, elem_id="settings", elem_classes=["quiet"]
        ) as drawer:
            with gr.Row(elem_id="models"):
                who_chooses = gr.Radio(
                    list(WHO_CHOOSES),
                    value="any",
                    label=texts.MODELS_CHOSEN,
                    elem_id="who-chooses",
                    elem_classes="segment",
                )
                models = tuple(_model_picker(cards, place) for place in range(len(SIDES)))
            with gr.Row(elem_id="own-settings"):
                own = tuple(_own_field(place) for place in range(len(SIDES)))
            with gr.Row(elem_id="sampling"):
                sampling = tuple(_sampling_field(name, max_new_tokens) for name in SAMPLING)
            gr.HTML(f"<p class='soft'>{escape(texts.SETTINGS_HINT)}</p>", apply_default_css=False)
        return cls(drawer, who_chooses, models, own, sampling)

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        return [self.drawer, *self.models, *self.own, self.sampling[-1]]

    @property
    def written(self) -> list[Any]:
        """Fields of settings: those for all models, then those of each."""
        return [*self.sampling, *self.own]

    def render(self, who_chooses: object, columns: object, mode: object, *written: object) -> Updates:
        """Show the pickers and fields of the chosen mode, and the settings in the drawer's title."""
        sampling, own = written[: len(SAMPLING)], written[len(SAMPLING) :]
        count = columns if isinstance(columns, int) else len(SIDES)
        mine, blind = who_chooses == "mine", mode != "open"
        given = {name: value for name, value in zip(SAMPLING, sampling, strict=True) if _fits_title(value)}
        if blind:
            given.pop("seed", None)
        has_own = mine and not blind and any(isinstance(value, str) and value.strip() for value in own[:count])
        return {
            **{picker: gr.update(visible=mine and place < count) for place, picker in enumerate(self.models)},
            **{field: gr.update(visible=mine and not blind and place < count) for place, field in enumerate(self.own)},
            self.sampling[-1]: gr.update(visible=not blind),
            self.drawer: gr.update(label=texts.settings_title(mine, given, has_own)),
        }

    def recall(self, view: BattleView, mode: str) -> Updates:
        """Restore a battle's settings; who chose its models is stored only with settings per column."""
        by_side = not view.overrides.keys().isdisjoint(SIDES)
        values = ["" if by_side else str(view.overrides.get(name, "")) for name in SAMPLING]
        who = "mine" if by_side else "any"
        own = [settings(overrides_of(view.overrides, column.side)) if by_side else "" for column in view.columns]
        updates = self.render(who, len(view.columns), mode, *values, *own)
        updates[self.who_chooses] = gr.update(value=who) if by_side else gr.skip()
        if by_side:
            for column, picker, field, text in zip(view.columns, self.models, self.own, own, strict=False):
                updates[picker]["value"] = column.card.id if column.card is not None else None
                updates[field]["value"] = text
        for name, field, value in zip(SAMPLING, self.sampling, values, strict=True):
            updates[field] = gr.update(value=value, visible=name != "seed" or not view.blind)
        return updates

    def offer(self, cards: Sequence[ModelCard]) -> Updates:
        """Update the choices of the pickers; chosen models stay chosen."""
        return {picker: gr.update(choices=_choices(cards)) for picker in self.models}


def _fits_title(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NUMBER_CHARS and value.isprintable()


def _choices(cards: Sequence[ModelCard]) -> list[tuple[str, str]]:
    return [(card.name, card.id) for card in cards]


def _model_picker(cards: Sequence[ModelCard], place: int) -> gr.Dropdown:
    return gr.Dropdown(
        _choices(cards),
        value=cards[place % len(cards)].id if cards else None,
        label=texts.MODEL_LABEL.format(number=place + 1),
        elem_id=f"model-{place + 1}",
        visible=False,
        filterable=False,
        min_width=140,
    )


def _own_field(place: int) -> gr.Textbox:
    return gr.Textbox(
        label=texts.OWN_SETTINGS.format(number=place + 1),
        placeholder=texts.OWN_SETTINGS_HINT,
        lines=1,
        max_lines=1,
        max_length=MAX_SETTINGS_CHARS,
        elem_id=f"own-{place + 1}",
        visible=False,
        min_width=140,
    )


def _sampling_field(name: str, max_new_tokens: int) -> gr.Textbox:
    limited = texts.FROM_CARD_OR_UP_TO.format(most=max_new_tokens)
    return gr.Textbox(
        label=name,
        placeholder=limited if name == "max_new_tokens" else texts.FROM_CARD,
        lines=1,
        max_lines=1,
        visible=name != "seed",
        elem_id=f"sampling-{name}",
        min_width=110,
    )
