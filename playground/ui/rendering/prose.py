"""Make a paragraph of Markdown safe: no markup, no images, no links but to the web and mail.

Boundary: pure functions on the text of a paragraph; blocks of code never come here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping

from playground.ui.rendering.mathematics import formula_at

_SPECIAL = re.compile(r"\\.|`+|\$+|~+|!\[|[\[\]<]|https?://[^\s<>()\[\]`]+", re.DOTALL | re.IGNORECASE)
_BACKTICKS = re.compile("`+")
_MARKUP_LINE = re.compile(r"\n[ \t]*<")
_LEAD = " \t>*+-.)0123456789"
"""Characters that may stand before the text of a line, in `_LEAD_CHARS` at most."""
_LEAD_CHARS = 80
_JOINER = "\u2060"
"""Takes no space, and no block begins with it."""
_TO_WEB_OR_MAIL = re.compile(r"\(\s*+<?(?:https?://|mailto:)", re.IGNORECASE)
_RELATIVE = re.compile(
    r"""\(\s*+(?:<[^<>:\n]*+>|[^\s()<>:&]++)?(?:\s++(?:"[^"\n]*+"|'[^'\n]*+'|\([^()\n]*+\)))?\s*+\)"""
)
"""The destination of a link that is not an address by itself."""
_OPENING, _CLOSING = "&#91;", "&#93;"


def safe_prose(text: str) -> str:
    """Return a paragraph without markup, images and foreign links; code spans and formulas stay what they are.

    One pass from left to right, in linear time.
    """
    return _Paragraph(text).rewritten()


class _Paragraph:
    """A paragraph that is being rewritten."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: list[str] = []
        self._brackets: list[tuple[int, int] | None] = []  # open ones: piece and place in the text; None for an image
        self._runs: dict[int, list[int]] = {}  # starts of runs of backticks, by length
        for run in _BACKTICKS.finditer(text):
            self._runs.setdefault(len(run[0]), []).append(run.start())

    def rewritten(self) -> str:
        """Return the safe text."""
        position = 0
        while (found := _SPECIAL.search(self._text, position)) is not None:
            self._pieces.append(self._text[position : found.start()])
            position = _REWRITE.get(found[0][0], _Paragraph._keep)(self, found)
        return "".join([*self._pieces, self._text[position:]])

    def _keep(self, found: re.Match[str]) -> int:
        self._pieces.append(found[0])
        return found.end()

    def _escape(self, found: re.Match[str]) -> int:
        self._pieces.append("&lt;")
        return found.end()

    def _backslash(self, found: re.Match[str]) -> int:
        if found[0] == "\\<":
            return self._escape(found)
        return self._mathematics(found)

    def _mathematics(self, found: re.Match[str]) -> int:
        formula = formula_at(self._text, found.start()) if len(found[0]) <= 2 else None
        if formula is None:
            return self._keep(found)
        self._pieces.append(formula.marked)
        return formula.end

    def _code(self, found: re.Match[str]) -> int:
        """Keep a code span, which a run of as many backticks closes; a line that begins with markup is joined to it."""
        length = len(found[0])
        starts = self._runs.get(length, [])
        index = bisect_left(starts, found.end())
        if index == len(starts):
            return self._keep(found)
        end = starts[index] + length
        self._pieces.append(_MARKUP_LINE.sub(" <", self._text[found.start() : end]))
        return end

    def _tilde(self, found: re.Match[str]) -> int:
        """Keep ``~~``, which strikes; Markdown of the page would strike between single ones too."""
        self._pieces.append("&#126;" if found[0] == "~" else found[0])
        return found.end()

    def _image(self, found: re.Match[str]) -> int:
        self._pieces.append(f"!{_OPENING}")
        self._brackets.append(None)
        return found.end()

    def _open(self, found: re.Match[str]) -> int:
        self._brackets.append((len(self._pieces), found.start()))
        return self._keep(found)

    def _close(self, found: re.Match[str]) -> int:
        """Keep the bracket of a link to the web or mail; escape any other that would make a link or define one."""
        opened = self._brackets.pop() if self._brackets else None
        following = self._text[found.end() : found.end() + 1]
        if following == "(" and opened is not None:
            return self._link(found, opened)
        self._pieces.append(_CLOSING if following in ("(", ":") else "]")
        return found.end()

    def _link(self, found: re.Match[str], opened: tuple[int, int]) -> int:
        piece, place = opened
        if _TO_WEB_OR_MAIL.match(self._text, found.end()):
            return self._keep(found)
        relative = _RELATIVE.match(self._text, found.end())
        if relative is not None:
            self._pieces[piece] = _JOINER if self._starts_line(place) else ""
            return relative.end()
        self._pieces[piece] = _OPENING
        self._pieces.append(_CLOSING)
        return found.end()

    def _starts_line(self, place: int) -> bool:
        """Return True if a block could begin here, once a bracket is gone."""
        before = self._text[max(0, place - _LEAD_CHARS) : place]
        return (len(before) == place or "\n" in before) and not before.rpartition("\n")[2].strip(_LEAD)


_REWRITE: Mapping[str, Callable[[_Paragraph, re.Match[str]], int]] = {
    "\\": _Paragraph._backslash,
    "`": _Paragraph._code,
    "$": _Paragraph._mathematics,
    "~": _Paragraph._tilde,
    "!": _Paragraph._image,
    "[": _Paragraph._open,
    "]": _Paragraph._close,
    "<": _Paragraph._escape,
}
"""By the first character of what `_SPECIAL` finds; an address is kept."""
