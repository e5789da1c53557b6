"""The pages in a made-up language: every text of `playground.ui.texts` with other letters.

``python -m tests.support.pseudo_page FOLDER`` serves them over a real arena whose only model never answers, and over a
stub; prints both addresses, and goes on until it is ended. A word of plain Latin letters on such a page is a text that
cannot be translated.

Boundary: changes modules of its own process, before the pages are imported.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "áƀçđéƒğħíĵķłɱñóþɋřšŧúṽŵẋýžÁɃÇĐÉƑĞĦÍĴĶŁṀÑÓÞɊŘŠŦÚṼŴẊÝŽ"
)
_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")
_NAME = re.compile("[a-z]+(_[a-z]+)+")
"""The name of a field, no text."""


def pseudo(value: Any) -> Any:
    """Return a text, or a table of texts, in the made-up language; placeholders and anything else are kept."""
    if type(value) is str and not _NAME.fullmatch(value):
        pieces = _PLACEHOLDER.split(value)
        return "".join(piece if i % 2 else piece.translate(LETTERS) for i, piece in enumerate(pieces))
    if isinstance(value, Mapping):
        return {key: pseudo(text) for key, text in value.items()}
    if type(value) is tuple:
        return tuple(map(pseudo, value))
    return value


def translate() -> None:
    """Put every constant of the modules of texts into the made-up language."""
    from playground.ui import texts

    names = [module.name for module in pkgutil.iter_modules(texts.__path__, f"{texts.__name__}.")]
    for module in (texts, *map(importlib.import_module, names)):
        for name, value in list(vars(module).items()):
            if name.isupper() and not name.startswith("_"):
                setattr(module, name, pseudo(value))


def main(folder: Path) -> None:
    """Serve the pages, and print their addresses."""
    translate()
    from playground.settings import Settings
    from tests.conftest import without_models
    from tests.support.serving import address_of, playground, serving
    from tests.support.stub_arena import StubArena

    _, cards, _, models = without_models(folder)
    real = Settings(db=folder / "playground.db", cards=cards, models=models, data="public")
    stub = StubArena(Settings(compares_per_minute=0, views_per_minute=0), chars_per_s=4000.0, loading_s=0.0)
    with playground(real) as page, serving(stub) as stub_page:
        print(page.url, address_of(stub_page), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
