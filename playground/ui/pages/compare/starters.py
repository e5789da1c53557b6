"""The starters drawer: example instructions by category.

Boundary: components and their updates; which starters there are is the catalog's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.records import Instruction
from playground.ui.texts import compare as texts
from playground.ui.wiring import Updates

MIXED = ""
"""The category that has the first starter of each other one."""
Starters = Mapping[str, Sequence[Instruction]]


@dataclass(frozen=True, slots=True)
class StarterDrawer:
    """Components of the drawer."""

    drawer: gr.Accordion
    category: gr.Radio
    samples: gr.Dataset

    @classmethod
    def build(cls, starters: Starters) -> StarterDrawer:
        """Lay the drawer out; called while a `gr.Blocks` is being built."""
        with gr.Accordion(texts.STARTERS, open=True, elem_id="starters", elem_classes=["quiet"]) as drawer:
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
                **_dataset(starters_of(starters, MIXED)),
            )
        return cls(drawer, category, samples)

    def render_category(self, starters: Starters, category: object) -> Updates:
        """Show the starters of one category."""
        return {self.samples: gr.Dataset(**_dataset(starters_of(starters, category)))}


def starters_of(starters: Starters, category: object) -> Sequence[Instruction]:
    """Return the starters of a category: the first of each for `MIXED`, none for an unknown one."""
    if category == MIXED:
        return [group[0] for group in starters.values() if group]
    return starters.get(category, ()) if isinstance(category, str) else ()


def clicked_starter(starters: Starters, category: object, event: object) -> Instruction | None:
    """Return the starter with the clicked text, preferably of the chosen category; None for an unknown text.

    The clicked index would not do: the page may still show the category that was chosen before.
    """
    row = event.get("value") if isinstance(event, dict) else None
    text = row[0] if isinstance(row, list) and row else None
    known = (*starters_of(starters, category), *(starter for group in starters.values() for starter in group))
    return next((starter for starter in known if starter.instruction == text), None)


def _dataset(starters: Sequence[Instruction]) -> dict[str, Any]:
    """Return the arguments of a `gr.Dataset` that shows starters in full."""
    labels = [starter.instruction for starter in starters]
    return {"samples": [[label] for label in labels], "sample_labels": labels}
