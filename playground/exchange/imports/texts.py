"""Texts of a row, cleaned as if a visitor had typed them.

Boundary: the rules are those of `validation`; this counts what they removed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from playground.battles.ballot import check_notes
from playground.errors import InvalidValue
from playground.records import MOST_REASON_CHARS, Instruction
from playground.settings import Settings
from playground.validation.texts import TAKEN_OUT, clean_comment, clean_instruction

MAX_CHARS = 200_000
"""The longest text of a row. Imported text is sent to no model, so the limits of typed text do not apply to it."""
MAX_ID_CHARS = 200
_TAKEN_OUT = re.compile("|".join(pattern.pattern for pattern in TAKEN_OUT.values()))


def long_texts(limits: Settings) -> Settings:
    """Return limits under which texts of an import may be as long as `MAX_CHARS`."""
    return replace(limits, instruction_chars=MAX_CHARS, system_chars=MAX_CHARS)


@dataclass(slots=True)
class Cleaner:
    """Cleans the texts of one row and remembers whether it removed anything."""

    limits: Settings  # of `long_texts`
    cleaned: bool = False

    def instruction(self, instruction: str, input: str, system: str, category: str) -> Instruction:
        """Return the instruction as `validation` cleans typed text.

        Raises:
            InvalidValue: blank, or too long.
        """
        clean, notes = clean_instruction(instruction, input, system, self.limits)
        self.cleaned |= bool(notes)
        return replace(clean, category=self.id("category", category) if category else "")

    def comment(self, reasons: tuple[str, ...], comment: str) -> tuple[tuple[str, ...], str]:
        """Return reasons and comment as `validation` cleans them.

        Raises:
            InvalidValue: an unknown reason, or too many or too long.
        """
        clean = clean_comment(list(reasons), comment)
        check_notes(clean.reasons, clean.comment)
        self.cleaned |= clean.comment != comment
        return clean.reasons, clean.comment

    def reason(self, name: str, text: str) -> str:
        """Return the reason for an answer to a criterion, cleaned like a comment.

        Raises:
            InvalidValue: too long.
        """
        clean = clean_comment((), text).comment
        if len(clean) > MOST_REASON_CHARS:
            raise InvalidValue(f"{name!r} is {len(clean):,} characters long; at most {MOST_REASON_CHARS:,}")
        self.cleaned |= clean != text
        return clean

    def answer(self, name: str, text: str) -> str:
        """Return an answer of another program, cleaned like typed text.

        Raises:
            InvalidValue: blank, or too long.
        """
        return self.judgeable(name, self._without(text, _TAKEN_OUT).replace("\r\n", "\n").replace("\r", "\n"))

    def own_answer(self, name: str, text: str) -> str:
        """Return an answer of a playground, which is kept byte for byte where it can be stored."""
        return self.judgeable(name, self._without(text, TAKEN_OUT["lone surrogate"]))

    def own_reasoning(self, name: str, text: str) -> str:
        """Return the reasoning before an answer of a playground, likewise; most answers have none."""
        return self.own_answer(name, text) if text.strip() else ""

    def judgeable(self, name: str, text: str) -> str:
        """Refuse an answer that cannot be judged."""
        if len(text) > MAX_CHARS:
            raise InvalidValue(f"{name!r} is {len(text):,} characters long; at most {MAX_CHARS:,}")
        if not text.strip():
            raise InvalidValue(f"{name!r} is empty; an empty answer cannot be judged")
        return text

    def id(self, name: str, value: str) -> str:
        """Return an id or a name of 1 to 200 printable characters."""
        if not 0 < len(value) <= MAX_ID_CHARS or (not value.isprintable() and _TAKEN_OUT.search(value)):
            raise InvalidValue(
                f"{name!r} is {value[:40]!a} ({len(value):,} characters); valid: 1 to {MAX_ID_CHARS} printable ones"
            )
        return value

    def _without(self, text: str, pattern: re.Pattern[str]) -> str:
        text, count = pattern.subn("", text)
        self.cleaned |= count > 0
        return text
