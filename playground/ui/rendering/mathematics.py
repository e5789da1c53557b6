"""Tell mathematics from prices, shell variables and escaped brackets, and mark it for KaTeX.

The page sets exactly the marked text: the marks are code points that no text may hold.

Boundary: pure functions on the text of a paragraph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INLINE, DISPLAY = ("\ufdd0", "\ufdd1"), ("\ufdd2", "\ufdd3")
"""The marks around a formula: noncharacters, which Unicode reserves for the inside of a program."""

LATEX_DELIMITERS: list[dict[str, str | bool]] = [
    {"left": INLINE[0], "right": INLINE[1], "display": False},
    {"left": DISPLAY[0], "right": DISPLAY[1], "display": True},
]

WITHOUT_MARKS = str.maketrans(dict.fromkeys((*INLINE, *DISPLAY), "\ufffd"))
"""Translates text of a model, so that it cannot bring marks of its own."""

_SIGN = re.compile(r"\\[A-Za-z]|[\^_=+\-*/<>±×÷·¬←-⇿∀-⋿]")
"""A command, an exponent, an index, an equation or an operator."""
_DOLLAR = re.compile(r"\$((?:[^$\\`]|\\.)++)\$", re.DOTALL)
_DOLLARS = re.compile(r"\$\$((?:[^$\\`]|\\.|\$(?!\$))++)\$\$(?!\$)", re.DOTALL)
_BRACKETS = re.compile(r"\\\[((?:[^\\`]|\\[^\[\]])++)\\\]", re.DOTALL)
_PARENTHESES = re.compile(r"\\\(((?:[^\\`]|\\[^()])++)\\\)", re.DOTALL)
_LINE_ENDS = re.compile(r"[ \t]*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Formula:
    """Mathematics in a text: its LaTeX with marks, and where it ends."""

    marked: str
    end: int


def formula_at(text: str, start: int) -> Formula | None:
    r"""Return the formula whose ``$``, ``$$``, ``\(`` or ``\[`` is at `start`; None if it is text."""
    if text.startswith("\\(", start):
        return _formula(_PARENTHESES.match(text, start), INLINE)
    if text.startswith("\\[", start):
        found = _BRACKETS.match(text, start)
        return _formula(found, DISPLAY) if found and _SIGN.search(found[1]) else None
    if text.startswith("$$", start):
        found = _DOLLARS.match(text, start)
        return _formula(found, DISPLAY) if found and (_is_tight(found[1]) or _is_alone(text, found)) else None
    found = _DOLLAR.match(text, start)
    return _formula(found, INLINE) if found and _is_inline(text, found) else None


def _formula(found: re.Match[str] | None, marks: tuple[str, str]) -> Formula | None:
    if found is None or not found[1].strip():
        return None
    tex = found[1].replace("<", "&lt;")
    return Formula(f"{marks[0]}{tex}{marks[1]}", found.end())


def _is_inline(text: str, found: re.Match[str]) -> bool:
    """Return True for pandoc's rule, and a sign of mathematics or a single letter: not for ``$5-$10``."""
    tex, around = found[1], text[max(0, found.start() - 1) : found.start()] + text[found.end() : found.end() + 1]
    is_letter = len(tex) == 1 and tex.isalpha()
    return _is_tight(tex) and not any(c.isalnum() for c in around) and bool(is_letter or _SIGN.search(tex))


def _is_tight(tex: str) -> bool:
    """Return True if the delimiters have no space inside."""
    return tex.strip() == tex


def _is_alone(text: str, found: re.Match[str]) -> bool:
    """Return True if nothing else is on the lines of a formula."""
    line = text.rfind("\n", 0, found.start()) + 1
    return not text[line : found.start()].strip() and bool(_LINE_ENDS.match(text, found.end()))
