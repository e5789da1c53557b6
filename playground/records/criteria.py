"""Criteria: further questions of a study about the same two answers, and a rater's answers to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from playground.documents import ID, strict_keys
from playground.errors import InvalidValue

MOST_CHOICES = 9
"""Choices of a criterion: each has a key."""
MOST_REASON_CHARS = 500
"""Characters of the reason for an answer."""

Name = Annotated[str, Field(min_length=1, max_length=60)]


@strict_keys
@dataclass(frozen=True, slots=True)
class Criterion:
    """One more question about the same two answers.

    The choices `a` and `b` are the answers, `tie` and `both_bad` beside them mean the same as in a vote; every other
    choice is a text.
    """

    id: Name
    question: Annotated[str, Field(min_length=1, max_length=500)]
    choices: tuple[Name, ...]
    required: bool = True
    reason: Literal["required", "optional"] | None = None  # a text for the answer

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.id):
            raise InvalidValue(f"'id' is {self.id!r}; valid: a-z, 0-9, '.', '_' and '-'")
        if not 2 <= len(self.choices) <= MOST_CHOICES or len(set(self.choices)) < len(self.choices):
            raise InvalidValue(
                f"'choices' of {self.id!r} are {list(self.choices)!r}; valid: two to {MOST_CHOICES} different texts"
            )
        if len({"a", "b"} & set(self.choices)) == 1:
            raise InvalidValue(f"'choices' of {self.id!r} name one of the two answers; valid: both a and b, or neither")

    @property
    def is_of_sides(self) -> bool:
        """True if the answers `a` and `b` are among the choices."""
        return "a" in self.choices


@dataclass(frozen=True, slots=True)
class CriterionAnswer:
    """A rater's answer to one criterion, given with a vote."""

    criterion: str  # id
    choice: str  # one of the criterion's; `a` and `b` are sides of the battle
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CriterionCount:
    """The votes with one answer to a criterion."""

    criterion: str
    answer: str  # a choice, or the model on the side that was chosen
    votes: int
