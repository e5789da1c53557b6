"""Validate what is written: instructions, with their input and system text, and comments on votes.

Boundary: one text at a time; knows no battle.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from playground.errors import InvalidInstruction, InvalidValue
from playground.messages import Counted, Message, marked_forms
from playground.records import Instruction
from playground.settings import Settings
from playground.validation.shown import kind_of, shown

COMMENT_CHARS = 2000
MAX_REASONS = 20
NAME_CHARS = 200

TAKEN_OUT: Mapping[str, re.Pattern[str]] = {
    "control character": re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]"),
    "lone surrogate": re.compile(r"[\ud800-\udfff]"),
    "noncharacter": re.compile(
        "[\ufdd0-\ufdef"
        + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
        + "]"
    ),
}
"""Characters that are never sent to a model."""
_TAKEN: Mapping[str, tuple[str, str]] = {
    "control character": marked_forms("{count} control character", "{count} control characters"),
    "lone surrogate": marked_forms("{count} lone surrogate", "{count} lone surrogates"),
    "noncharacter": marked_forms("{count} noncharacter", "{count} noncharacters"),
}
"""Their names in the notes."""


def clean_instruction(
    instruction: object, input: object = "", system: object = "", limits: Settings | None = None
) -> tuple[Instruction, tuple[str, ...]]:
    """Return the instruction as the models get it, and notes on removed characters.

    CRLF and CR become LF; nothing is trimmed.

    Raises:
        InvalidInstruction: not text, blank, or longer than the limits.
    """
    limits = limits or Settings()
    notes: list[str] = []
    clean = Instruction(
        clean_text("instruction", instruction, limits.instruction_chars, notes),
        clean_text("input", input, limits.instruction_chars, notes),
        clean_text("system", system, limits.system_chars, notes),
    )
    if is_blank(clean.instruction):
        raise InvalidInstruction(Message("the instruction is empty; write what the models should do"))
    return clean, tuple(notes)


def clean_text(name: str, value: object, limit: int, notes: list[str]) -> str:
    if not isinstance(value, str):
        raise InvalidInstruction(Message("{name} is {value}; it has to be text", name=name, value=kind_of(value)))
    _check_length(name, len(value), limit, 2)  # CRLF may halve
    text = value
    for kind, pattern in TAKEN_OUT.items():
        text, count = pattern.subn("", text)
        if count:
            removed = Counted(*_TAKEN[kind], count=count)
            notes.append(
                Message("{removed} removed from the {field}: not readable by models", removed=removed, field=name)
            )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _check_length(name, len(text), limit, 1)
    return text


def _check_length(name: str, length: int, limit: int, times: int) -> None:
    if length > times * limit:
        raise InvalidInstruction(
            Message(
                "{name} is {length:,} characters long; at most {limit:,}. Shorten it.",
                name=name,
                length=length,
                limit=limit,
            )
        )


def is_blank(text: str) -> bool:
    """Return True if the text has only white space and invisible characters."""
    return all(char.isspace() or unicodedata.category(char) in ("Cc", "Cf") for char in text)


@dataclass(frozen=True, slots=True)
class Remarks:
    """A rater's reasons and comment on a vote."""

    reasons: tuple[str, ...] = ()
    comment: str = ""


def clean_comment(reasons: object = (), comment: object = "") -> Remarks:
    """Return the reasons, each once, and the comment, normalised like an instruction.

    Raises:
        InvalidValue: not a list of texts and a text, or too long.
    """
    if not isinstance(reasons, list | tuple):
        raise InvalidValue(Message("reasons is {reasons}; it has to be a list of texts", reasons=kind_of(reasons)))
    if len(reasons) > MAX_REASONS:
        raise InvalidValue(
            Message(
                "there are {reasons:,} reasons; at most {max_reasons}", reasons=len(reasons), max_reasons=MAX_REASONS
            )
        )
    names = [clean_name("a reason", reason) for reason in reasons]
    return Remarks(tuple(dict.fromkeys(names)), clean_text("comment", comment, COMMENT_CHARS, []))


def clean_name(what: str, value: object) -> str:
    """Return text of 1 to 200 printable characters; raise InvalidValue for anything else."""
    if not isinstance(value, str):
        raise InvalidValue(Message("{what} is {value}; it has to be text", what=what, value=kind_of(value)))
    if not 0 < len(value) <= NAME_CHARS or any(pattern.search(value) for pattern in TAKEN_OUT.values()):
        raise InvalidValue(
            Message(
                "{what} is {value}; it has to be 1 to {name_chars} printable characters",
                what=what,
                value=shown(value),
                name_chars=NAME_CHARS,
            )
        )
    return value
