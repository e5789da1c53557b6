"""The language of the present request, and texts that are said in it.

A text is written in English, marked `_("…")`, and looked up in a catalog of gettext when it is put into words: by
`str`, `format`, an f-string, `said` or `escape`. As a string itself it stays English.

Boundary: reads catalogs; knows no page and no request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any, NamedTuple

from playground.messages import Counted, Message

CATALOGS = Path(__file__).parent / "locale"
CATALOG = "LC_MESSAGES/playground.mo"
"""The compiled catalog in the folder of a language."""
RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the pages."""

    tag: str  # as browsers and HTML write it: de, pt-BR
    translations: NullTranslations

    @property
    def direction(self) -> str:
        """Return the direction of its script, as HTML's `dir` has it."""
        return "rtl" if self.tag.partition("-")[0].lower() in RIGHT_TO_LEFT else "ltr"


ENGLISH = Language("en", NullTranslations())
_PLACEHOLDERS_ONLY = re.compile(r"(\{\w+\}|\W)*")
_PRESENT: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def present() -> Language:
    """Return the language that texts are said in now."""
    return _PRESENT.get()


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Say texts in a language, in this thread or task."""
    token = _PRESENT.set(language)
    try:
        yield
    finally:
        _PRESENT.reset(token)


def read_languages(folder: Path = CATALOGS) -> tuple[Language, ...]:
    """Return the languages that have a catalog in `folder`, by tag."""
    found = {path.parents[1].name.replace("_", "-"): path for path in folder.glob(f"*/{CATALOG}")}
    return tuple(Language(tag, _read(path)) for tag, path in sorted(found.items()))


def _read(path: Path) -> NullTranslations:
    with path.open("rb") as file:
        return GNUTranslations(file)


def negotiated(accepted: str, languages: Sequence[Language]) -> Language:
    """Return the language that a visitor likes best, by their header ``Accept-Language``; English if there is none.

    A catalog without a region serves all regions of its language.
    """
    known = {language.tag.lower(): language for language in (ENGLISH, *languages)}
    for tag in _by_preference(accepted):
        language = known.get(tag) or known.get(tag.partition("-")[0])
        if language is not None:
            return language
    return ENGLISH


def _by_preference(accepted: str) -> list[str]:
    weighed = []
    for entry in accepted.lower().split(","):
        tag, _, weight = "".join(entry.split()).partition(";q=")
        try:
            weighed.append((tag, float(weight or 1)))
        except ValueError:  # no weight, or another parameter: the entry says nothing
            continue
    return [tag for tag, weight in sorted(weighed, key=lambda pair: -pair[1]) if weight > 0]


class Text(str):
    """An English text of the pages; `str`, `format` and f-strings give it in the present language."""

    __slots__ = ()

    def __str__(self) -> str:
        return present().translations.gettext(str.__str__(self)) if self else ""

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def format(self, *args: object, **fields: object) -> str:
        """Fill in the placeholders; fields that are texts or messages are said in the present language too."""
        return str(self).format(*map(_in_words, args), **{name: _in_words(value) for name, value in fields.items()})


def _(text: str) -> str:
    """Return a `Text`; the tools of gettext find texts by this name."""
    return Text(text)


class Plural(NamedTuple):
    """The text for one and the text for other numbers; a catalog may have more forms."""

    one: str
    other: str

    def of(self, count: int) -> str:
        """Return the form for a number, in the present language, not filled in."""
        return present().translations.ngettext(self.one, self.other, count)


def said(text: str) -> str:
    """Return a text, or a message from below the pages, in the present language; any other string as it is."""
    if isinstance(text, Message):
        translations = present().translations
        if isinstance(text, Counted):
            template = translations.ngettext(*text.forms, text.number)
        elif _PLACEHOLDERS_ONLY.fullmatch(text.template):  # parts that are only put together
            template = text.template
        else:
            template = translations.gettext(text.template)
        return template.format(**{name: _in_words(value) for name, value in text.fields.items()})
    return str(text)


def joined(separator: str, parts: Iterable[str]) -> str:
    """Return the parts that are not empty in the present language, with a separator between them."""
    return separator.join(said(part) for part in parts if part)


def _in_words(value: object) -> object:
    return said(value) if isinstance(value, Text | Message) else value


def all_said(value: Any) -> Any:
    """Return lists and tables with every text in them in the present language."""
    if isinstance(value, Text | Message):
        return said(value)
    if isinstance(value, Mapping):
        return {key: all_said(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [all_said(inside) for inside in value]
    return value
