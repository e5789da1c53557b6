"""English sentences that remember their template and fields, so that a page can say them in another language.

Boundary: English only; knows no other language, and no page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self


class Message(str):
    """An English sentence, with the template and the fields that it was made of."""

    template: str
    fields: Mapping[str, object]

    def __new__(cls, template: str, /, **fields: object) -> Self:
        """Fill a template with `str.format`; a field may be a message itself."""
        made = super().__new__(cls, template.format(**fields))
        made.template, made.fields = template, fields
        return made

    def __reduce__(self) -> tuple[object, ...]:
        return _message, (self.template, dict(self.fields))


class Counted(Message):
    """A message with a number, of which languages have several forms."""

    forms: tuple[str, str]
    number: int

    def __new__(cls, one: str, other: str, /, count: int) -> Self:
        """Choose the template for `count`, its only field."""
        made = super().__new__(cls, one if count == 1 else other, count=count)
        made.forms, made.number = (one, other), count
        return made

    def __reduce__(self) -> tuple[object, ...]:
        return Counted, (*self.forms, self.number)


def marked(template: str) -> str:
    """Return a template that becomes a message elsewhere; the tools of gettext find it by this name."""
    return template


def marked_forms(one: str, other: str) -> tuple[str, str]:
    """Return the templates of a `Counted`, likewise."""
    return one, other


def _message(template: str, fields: Mapping[str, object]) -> Message:
    return Message(template, **fields)


def joined(separator: str, parts: Iterable[str]) -> Message:
    """Return the parts that are not empty as one message."""
    fields = {f"part_{number}": part for number, part in enumerate(filter(None, parts))}
    return Message(separator.join(f"{{{name}}}" for name in fields), **fields)
