"""The filter of votes: the one set of conditions for page, command line, API and exports.

Boundary: values only; `storage` turns a filter into SQL, `ratings.policy` decides which votes count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from playground.errors import InvalidValue
from playground.messages import Message
from playground.records.battles import Origin

MAX_CHARS = 1000
"""The longest value of a condition."""
MAX_WORDS = 30
"""The most words that are searched for together: each is looked for in every text."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _condition(help: str, *valid: str) -> Any:
    """Return the field of a condition: its help, and its valid values if there are only a few."""
    return field(default="", metadata={"help": help, "valid": valid})


def check_choice(name: str, value: str, valid: Sequence[str]) -> None:
    """Raise InvalidValue if a condition has a value that is neither empty nor one of the valid ones."""
    if value and value not in valid:
        raise InvalidValue(
            Message("{name!r} is {value!r}; valid: {valid}", name=name, value=value[:40], valid=", ".join(valid))
        )


@dataclass(frozen=True, slots=True)
class VoteFilter:
    """Conditions on votes and their battles; an empty one leaves nothing out.

    The fields are spelled alike in an address (``?origin=person&since=2026-11-01``), as flags and in the API.
    """

    category: str = _condition("only instructions of this category")
    origin: str = _condition("only votes of these voters", *Origin)
    mode: str = _condition("only blind or only open battles", "blind", "open")
    pairs: str = _condition("only models that the arena drew, or that somebody chose", "drawn", "chosen")
    sampling: str = _condition("only sampling as on the cards, or only changed", "card", "changed")
    rater: str = _condition("only votes of this rater")
    since: str = _condition("only votes from this day on (UTC, YYYY-MM-DD)")
    until: str = _condition("only votes to this day (UTC, YYYY-MM-DD), inclusive")
    license: str = _condition(
        "only rows whose licenses all allow commercial use, or the other rows", "commercial", "other"
    )
    study: str = _condition("only votes of this study")
    imported: str = _condition("only imported votes, or none", "only", "none")
    models: str = _condition("only pairs with this model, or of these two, comma separated")
    winner: str = _condition("only votes with this outcome: a model, tie or both_bad")
    reason: str = _condition("only votes with this reason")
    words: str = _condition("only battles with these words in instruction or answers")

    def __post_init__(self) -> None:
        for condition in fields(self):
            value, valid = getattr(self, condition.name), condition.metadata["valid"]
            if len(value) > MAX_CHARS or _SURROGATE.search(value):
                raise InvalidValue(
                    Message(
                        "{name!r} is {value!a} ({value_2:,} characters); valid: text in UTF-8 of up to {max_chars:,}",
                        name=condition.name,
                        value=value[:40],
                        value_2=len(value),
                        max_chars=MAX_CHARS,
                    )
                )
            if valid:
                check_choice(condition.name, value, valid)
        for name in ("since", "until"):
            if getattr(self, name) and not _DAY.fullmatch(getattr(self, name)):
                raise InvalidValue(
                    Message(
                        "{name!r} is {given!r}; valid: a day such as 2026-11-29", name=name, given=getattr(self, name)
                    )
                )
        if (words := len(self.words.split())) > MAX_WORDS:
            raise InvalidValue(
                Message("'words' has {words} words; valid: up to {max_words}", words=words, max_words=MAX_WORDS)
            )
        if len(self.model_ids) > 2:
            raise InvalidValue(
                Message("'models' names {count} models; valid: one, or two that met", count=len(self.model_ids))
            )

    @property
    def model_ids(self) -> tuple[str, ...]:
        """The ids in `models`."""
        return tuple(part.strip() for part in self.models.split(",") if part.strip())

    def as_mapping(self) -> Mapping[str, str]:
        """Return the conditions that are set, by name, for an address or a manifest."""
        return {condition.name: value for condition in fields(self) if (value := getattr(self, condition.name))}


def read_filter(values: Mapping[str, Any]) -> VoteFilter:
    """Read the conditions of an address, a command line or a call; other names in `values` are left to the caller.

    Raises:
        InvalidValue: a value that is not valid, or no text.
    """
    given = {name: values[name] for name in FILTER_NAMES if values.get(name) not in (None, "")}
    for name, value in given.items():
        if not isinstance(value, str):
            raise InvalidValue(Message("{name!r} is {value!r}; valid: a text", name=name, value=value))
    return VoteFilter(**given)


FILTER_NAMES = tuple(condition.name for condition in fields(VoteFilter))
"""Names of the conditions."""
