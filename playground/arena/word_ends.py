"""The ends of the words of a growing text.

Boundary: pure; knows no tokens: the same text has the same words, in whatever pieces it arrives.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

LONGEST = 40
"""A word of more grapheme clusters (a link, a row of dashes) is split: it would hold up the rest."""

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Yi}]"
_SIGN = r"[\p{P}\p{Sm}\p{Sc}\p{Sk}]"
_WORD = regex.compile(
    rf"""(?swx) \s*+ (?:
        (?P<cluster> (?={_UNSPACED})\X (?:(?={_SIGN})\X){{0,{LONGEST - 1}}} )
      | (?P<word> \X{{1,{LONGEST - 1}}}? \b (?!{_SIGN}) )
      | (?P<part> \X{{1,{LONGEST}}} )
    )"""
)
_IGNORED = r"[\p{Word_Break=Extend}\p{Word_Break=Format}\p{Word_Break=ZWJ}]"
_DECIDED = regex.compile(rf"(?s).{_IGNORED}*+.")
"""Text after a word boundary that confirms it: `can'` may yet become `can't` (UAX 29, WB6 and WB12)."""


class WordEnds:
    """The ends of all complete words; a word is complete when the next one begins.

    Words are those of Unicode (UAX 29), with the signs that follow them; in scripts without spaces each grapheme
    cluster is one. White space belongs to the word after it.
    """

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._num_chars = 0
        self._rest = ""  # of the text, after the last complete word

    @property
    def ends(self) -> Sequence[int]:
        """For each complete word, the number of characters up to its end."""
        return self._ends

    @property
    def num_chars(self) -> int:
        """The number of characters that were fed."""
        return self._num_chars

    def feed(self, piece: str) -> None:
        """Take the next piece of the text; complete words are not matched again."""
        if not piece:
            return
        before, rest = self._num_chars - len(self._rest), self._rest + piece
        self._num_chars += len(piece)
        at = 0
        while (found := _WORD.match(rest, at)) and _is_complete(found, rest):
            at = found.end()
            self._ends.append(before + at)
        self._rest = rest[at:]

    def finish(self) -> None:
        """Take the rest as the last word."""
        if self._rest:
            self._ends.append(self._num_chars)
            self._rest = ""


def _is_complete(found: regex.Match[str], text: str) -> bool:
    end: int = found.end()
    return _DECIDED.match(text, end) is not None if found.lastgroup == "word" else end < len(text)
