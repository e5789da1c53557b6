"""Find the names by which a system text introduces a model and its maker.

Boundary: text in, names out as they are written; knows no card and no template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_NAMES = 8
LONGEST = 60
"""The most characters of a name."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|<[^<>\s]{1,40}>")  # between two sentences, also at a special token
_PERSON = re.compile(r"\b(?:[Yy]ou(?: are|'re| were)|I(?: am|'m| was)|[Yy]our name is|[Mm]y name is)\b")
_WORD = r"(?=[\w.]*[A-Z])\w+(?:[.\-+]\w+)*"  # a capital somewhere: Qwen, h2oGPT, 01.AI
_NO_NAME = r"(?!(?:NOT?|Not?|AN?|An?|THE|The|AI|LLM|I)\b(?![.\d]))"
_NAME = rf"(?P<name>{_NO_NAME}{_WORD}(?: (?:(?:for|of) )?(?:{_WORD}|\d[\d.]*\b))*)"
_KIND = r"(?:model|assistant|chatbot|bot|AI|LLM)"
_MADE = r"(?:trained|tuned|developed|created|made|built|designed|released|powered)"
_WAYS = tuple(
    re.compile(way)
    for way in (
        rf"^(?:[Yy]ou(?: are|'re)|I(?: am|'m)|[Yy]our name is|[Mm]y name is) (?:called |named )?{_NAME}",
        rf"\b{_KIND},? (?:called|named|known as|whose name is) {_NAME}",
        rf"\b(?:model|assistant|chatbot|bot) {_NAME}",
        rf"\b{_MADE}(?: and \w+)?(?: \w+ly)? (?:by|at) (?:the )?{_NAME}",
        rf"\b(?:{_KIND}|{_WORD}) (?:from|by) (?:the )?{_NAME}",
    )
)


def introduced_names(text: str) -> tuple[str, ...]:
    """Return the names in sentences with "you are" or "I am"; a name has a capital letter."""
    found = dict.fromkeys(name for name in _names(text) if len(name) <= LONGEST)
    return tuple(found)[:MOST_NAMES]


def _names(text: str) -> Iterator[str]:
    for sentence in _SENTENCE.split(text):
        person = _PERSON.search(sentence)
        if person is not None:
            clause = sentence[person.start() :]
            yield from (match["name"].rstrip(".-+") for way in _WAYS for match in way.finditer(clause))
