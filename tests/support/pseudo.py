"""A made-up language: every text of the pages with other letters, longer, and in brackets.

A word of plain Latin letters on a page in it is a text that cannot be translated.

Boundary: made of the English texts, as a catalog would be; knows no page.
"""

from __future__ import annotations

import re
from collections.abc import Container
from gettext import NullTranslations

from playground.ui.texts.language import Language
from tests.support.translatable import texts

LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "áƀçđéƒğħíĵķłɱñóþɋřšŧúṽŵẋýžÁɃÇĐÉƑĞĦÍĴĶŁṀÑÓÞɊŘŠŦÚṼŴẊÝŽ"
)
TAG = "en-XA"
"""The tag that browsers use for accented English."""
LONGER = 4
"""One letter more for so many: other languages need more room than English."""
_PLACEHOLDER = re.compile(r"(\{[^{}]*\})")


def pseudo(text: str) -> str:
    """Return a text in the made-up language, with its placeholders."""
    pieces = _PLACEHOLDER.split(text)
    said = "".join(piece if i % 2 else piece.translate(LETTERS) for i, piece in enumerate(pieces))
    return f"[{said}{'·' * (len(said) // LONGER)}]"


class PseudoTranslations(NullTranslations):
    """A catalog that has every text that the tools of gettext find; any other text stays English."""

    def __init__(self, known: Container[str] | None = None) -> None:
        super().__init__()
        self._known = texts() if known is None else known

    def gettext(self, message: str) -> str:
        return pseudo(message) if message in self._known else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2) if msgid1 in self._known else (msgid1 if n == 1 else msgid2)


def pseudo_language() -> Language:
    """Return the made-up language of all texts."""
    return Language(TAG, PseudoTranslations())
