"""A viewer, their ballot, and the checks of votes, notes and reports before anything is written.

Boundary: pure; reads a battle's record and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.errors import InvalidValue
from playground.messages import Message
from playground.records import SIDES, Battle, BattleState, CriterionAnswer, Generation, Origin

VOTE_REASONS = ("correct", "complete", "clear", "length", "style", "safe")
"""Valid reasons for a vote; the page has their labels."""

MAX_COMMENT_CHARS = 2000
NO_PREFERENCE = ("tie", "both_bad")
"""Choices that prefer no answer."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The rater behind a request and the way it came."""

    rater: str  # id
    source: str = "page"  # page | api: neither acts on the other's battles
    address: str = ""  # of the client; empty if unknown

    @property
    def origin(self) -> Origin:
        """The origin of this viewer's votes."""
        return Origin.PROGRAM if self.source == "api" else Origin.PERSON

    def owns(self, battle: Battle) -> bool:
        """Return True if the viewer may act on the battle: as its rater, or over the API by holding its id."""
        return battle.source == self.source and (self.source == "api" or battle.owner == self.rater)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A choice to save, with its reasons and comment.

    Raises:
        InvalidValue: an unknown reason or a comment that is too long; `check_choice` checks the choice.
    """

    choice: str
    revision: int | None = None  # of the battle as it was shown; None: vote on any
    final: bool = False  # no undo; the models are revealed at once
    reasons: Sequence[str] = ()
    comment: str = ""
    strength: float | None = None  # of the preference, above 0; only for a choice that prefers a side
    criteria: Sequence[CriterionAnswer] = ()  # at most one for each criterion of the battle's study
    decision_s: float | None = None  # since the rater saw a rated battle, which may have been loaded ahead

    def __post_init__(self) -> None:
        check_notes(self.reasons, self.comment)
        if self.strength is not None and (not self.strength > 0 or self.choice in NO_PREFERENCE):
            raise InvalidValue(Message("only a choice that prefers an answer has a strength, and one above 0"))


def check_choice(choice: str, battle: Battle) -> None:
    """Raise InvalidValue, naming the valid choices, unless the battle's good sides can be judged so."""
    good = battle.good_sides
    if not isinstance(choice, str):
        raise InvalidValue(Message("choice is of type {name}; it has to be text", name=type(choice).__name__))
    if choice in NO_PREFERENCE or choice in good:
        return
    if sorted(choice.replace("=", ">").split(">")) == sorted(good):
        return
    example = ">".join(good)
    if choice in tuple(side.side for side in battle.sides):
        raise InvalidValue(
            Message(
                "side {choice} has no answer to vote for; valid: {valid}, tie, both_bad",
                choice=choice,
                valid=", ".join(good),
            )
        )
    raise InvalidValue(
        Message(
            "choice is {choice!r}; valid: {valid}, tie, both_bad, or all in an order such as {example}",
            choice=choice[:40],
            valid=", ".join(good),
            example=example,
        )
    )


def check_new(battle: Battle) -> None:
    letters = tuple(side.side for side in battle.sides)
    if len(letters) < 2 or letters != SIDES[: len(letters)]:
        raise InvalidValue(
            Message(
                "sides are {sides}; valid: the first 2 to {most} letters",
                sides=", ".join(letters) or "none",
                most=len(SIDES),
            )
        )
    if battle.state is not BattleState.GENERATING or battle.vote is not None or battle.revision:
        raise InvalidValue(
            Message(
                "battle {id} is {state}; a new one is {new}",
                id=battle.id,
                state=battle.state.value,
                new=BattleState.GENERATING.value,
            )
        )
    for side in battle.sides:
        if side.generation is not None:
            check_fits(battle, side.side, side.generation)


def check_fits(battle: Battle, side: str, generation: Generation) -> None:
    models = {s.side: s.model_id for s in battle.sides}
    if side not in models:
        raise InvalidValue(
            Message(
                "battle {id} has no side {side!r}; valid: {valid}", id=battle.id, side=side, valid=", ".join(models)
            )
        )
    if generation.model_id != models[side]:
        raise InvalidValue(
            Message(
                "side {side} is {models}, not {model_id}", side=side, models=models[side], model_id=generation.model_id
            )
        )


def check_notes(reasons: Sequence[str], text: str) -> None:
    for reason in reasons:
        if reason not in VOTE_REASONS:
            raise InvalidValue(
                Message("unknown reason {reason!r}; valid: {valid}", reason=reason, valid=", ".join(VOTE_REASONS))
            )
    if len(text) > MAX_COMMENT_CHARS:
        raise InvalidValue(
            Message(
                "the text has {text} characters; valid: up to {max_comment_chars}",
                text=len(text),
                max_comment_chars=MAX_COMMENT_CHARS,
            )
        )


def check_reportable(battle: Battle, side: str) -> None:
    texts = {s.side: s.generation.text if s.generation else "" for s in battle.sides}
    if side not in texts:
        raise InvalidValue(Message("there is no side {side!r}; valid: {valid}", side=side, valid=", ".join(texts)))
    if battle.state is not BattleState.GENERATING and not texts[side]:
        raise InvalidValue(Message("side {side} has no text to report", side=side))
