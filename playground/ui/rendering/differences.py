"""Two answers with their differences marked.

Boundary: pure; texts in, escaped HTML out.
"""

from __future__ import annotations

import regex
from rapidfuzz.distance import Indel

from playground.ui.rendering import escape
from playground.ui.texts import compare as texts

MAX_CHARS = 20_000
"""Characters of an answer that are compared: the time grows with the product of both lengths."""

_TOKEN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]|\w+|\s+|.", regex.DOTALL)
"""A word, white space or a character; scripts without spaces between words go by characters."""


def marked_differences(left: str, right: str) -> tuple[str, str]:
    """Return both texts as HTML; ``mark`` holds the words that the other text lacks at that place.

    The rest of a longer text follows unmarked, after a sentence that says so.
    """
    sides = _TOKEN.findall(left[:MAX_CHARS]), _TOKEN.findall(right[:MAX_CHARS])
    html: tuple[list[str], list[str]] = ([], [])
    for kind, left_start, left_end, right_start, right_end in Indel.opcodes(*sides):
        for part, words in ((html[0], sides[0][left_start:left_end]), (html[1], sides[1][right_start:right_end])):
            text = escape("".join(words))
            if text:
                part.append(text if kind == "equal" else f"<mark>{text}</mark>")
    return "".join(html[0]) + _rest(left), "".join(html[1]) + _rest(right)


def _rest(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return ""
    sentence = escape(texts.NOT_COMPARED.format(count=MAX_CHARS))
    return f"<span class='not-compared'>{sentence}</span>{escape(text[MAX_CHARS:])}"
