"""The style of an answer: its length, and the headers, list items, bold phrases and code blocks in it.

Boundary: a text in, counts out; whether anybody prefers a style is estimated in `style`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_CODE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(r"^ {0,3}#{1,6}[ \t]+\S", re.MULTILINE)
_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)[^*\n]+\*\*|__(?=\S)[^_\n]+__")


class AnswerStyle(NamedTuple):
    """Counts of one answer; marks inside a block of code are code."""

    length: int  # characters, all of them
    headers: int
    lists: int  # items
    bold: int  # phrases
    code: int  # fenced blocks


def style_of(text: str) -> AnswerStyle:
    """Return the style of an answer in Markdown."""
    prose, code = _CODE.subn("", text) if "```" in text or "~~~" in text else (text, 0)
    return AnswerStyle(
        length=len(text),
        headers=len(_HEADER.findall(prose)) if "#" in prose else 0,
        lists=len(_LIST_ITEM.findall(prose)),
        bold=len(_BOLD.findall(prose)) if "**" in prose or "__" in prose else 0,
        code=code,
    )
