"""The texts of components and scripts in every language: the pages are built once for each.

Boundary: builds pages and keeps what they say; `http.page_head` puts it into the page that a visitor gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import gradio as gr

from playground.ui.http.page_head import Translation
from playground.ui.texts.language import Language, all_said, speaking


def translated(
    languages: Iterable[Language], build: Callable[[], gr.Blocks], heads: Callable[[], Mapping[str, str]]
) -> dict[str, Translation]:
    """Return the translation of all pages by the tag of its language; `build` has to give components the same ids."""
    translations = {}
    for language in languages:
        with speaking(language):
            made = build().get_config_file()["components"]
            props = {component["id"]: all_said(component["props"]) for component in made}
            translations[language.tag] = Translation(props, heads())
    return translations
