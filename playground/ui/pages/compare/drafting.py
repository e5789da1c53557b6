"""The draft of the composer, which the browser keeps for a tab; see `draft.js`.

Boundary: events that run in the browser; the server sees a draft only as it sees what is typed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.ui.pages.compare.composer import Composer
from playground.ui.pages.compare.model_settings import SAMPLING
from playground.ui.pages.compare.panels import Panels
from playground.ui.wiring import AT_ONCE, QUIET

OPTIONAL = {"input": "with_input", "system": "with_system"}
"""Fields that are shown if their box is checked."""
KEEP = (
    "(...values) => {{ playground.keep(Object.fromEntries({names}.map((name, i) => [name, values[i]]))); return []; }}"
)
RESTORE = """() => {{
  const kept = playground.kept(), boxes = {boxes};
  return {names}.map((name) => {{
    if (!(name in kept)) return undefined;
    if (!(name in boxes)) return kept[name];
    return {{ __type__: 'update', value: kept[name], visible: Boolean(kept[boxes[name]]) }};
  }});
}}"""


@dataclass(frozen=True, slots=True)
class Drafting:
    """Handlers that keep the draft and put it back."""

    panels: Panels

    def wire(self) -> None:
        """Connect the fields."""
        panels, composer, settings = self.panels, self.panels.composer, self.panels.composer.settings
        fields = draft_fields(composer)
        names, kept = json.dumps(list(fields)), list(fields.values())
        gr.on([field.change for field in kept], None, kept, None, js=KEEP.format(names=names), **QUIET)
        restore = RESTORE.format(names=names, boxes=json.dumps(OPTIONAL))
        restored = panels.draft.click(None, None, kept, js=restore, **QUIET)
        chosen = [settings.who_chooses, composer.columns, composer.mode, *settings.written]
        restored.success(settings.render, chosen, settings.outputs, **AT_ONCE)


def draft_fields(composer: Composer) -> dict[str, Any]:
    """Return the components whose values make a draft, by name."""
    settings = composer.settings
    named = {name: getattr(composer, name) for name in (*OPTIONAL, *OPTIONAL.values())}
    models = {f"model-{place}": picker for place, picker in enumerate(settings.models, 1)}
    own = {f"own-{place}": field for place, field in enumerate(settings.own, 1)}
    return {
        "instruction": composer.instruction,
        **named,
        **{"mode": composer.mode, "columns": composer.columns, "forget": composer.forget},
        "who_chooses": settings.who_chooses,
        **models,
        **own,
        **dict(zip(SAMPLING, settings.sampling, strict=True)),
    }
