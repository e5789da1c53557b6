"""What may be chosen, noted and reported, checked before anything is written.

Boundary: pure; knows a battle's record and nothing of its life.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.battles.networks import Network, Seen
from playground.errors import InvalidValue
from playground.records import SIDES, Battle, BattleState, Generation, Origin

REASONS = ("correct", "complete", "clear", "length", "style", "safe")
"""What decided a vote, as chips name it; the words that a visitor reads are the page's."""

MAX_COMMENT_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Ballot:
    """A choice on its way to be saved, with what its rater says of it.

    Raises:
        InvalidValue: a reason that does not exist, too long a comment; the choice is checked against its battle.
    """

    choice: str
    viewer: str
    revision: int | None = None  # of the battle as it was seen; None: whatever it is
    final: bool = False
    source: str = "page"
    reasons: Sequence[str] = ()
    comment: str = ""
    network: Network | None = None  # None: not known
    seen: Seen = Seen()  # what its rater and network saw in open runs, stored or not

    def __post_init__(self) -> None:
        check_notes(self.reasons, self.comment)

    @property
    def origin(self) -> Origin:
        """Who or what gives it."""
        return Origin.PROGRAM if self.source == "api" else Origin.PERSON


def check_choice(choice: str, battle: Battle) -> None:
    """Whether the battle's good sides can be judged so.

    Raises:
        InvalidValue: naming what can be chosen.
    """
    good = battle.good_sides
    if not isinstance(choice, str):
        raise InvalidValue(f"choice is of type {type(choice).__name__}; it has to be text")
    if choice in ("tie", "both_bad") or choice in good:
        return
    if sorted(choice.replace("=", ">").split(">")) == sorted(good):
        return
    example = ">".join(good)
    if choice in tuple(side.side for side in battle.sides):
        raise InvalidValue(f"side {choice} has no answer to vote for; valid: {', '.join(good)}, tie, both_bad")
    raise InvalidValue(
        f"choice is {choice[:40]!r}; valid: {', '.join(good)}, tie, both_bad, or all in an order such as {example}"
    )


def check_new(battle: Battle) -> None:
    letters = tuple(side.side for side in battle.sides)
    if len(letters) < 2 or letters != SIDES[: len(letters)]:
        raise InvalidValue(f"sides are {', '.join(letters) or 'none'}; valid: the first 2 to {len(SIDES)} letters")
    if battle.state is not BattleState.GENERATING or battle.vote is not None or battle.revision:
        raise InvalidValue(f"battle {battle.id} is {battle.state.value}; a new one is {BattleState.GENERATING.value}")
    for side in battle.sides:
        if side.generation is not None:
            check_fits(battle, side.side, side.generation)


def check_fits(battle: Battle, side: str, generation: Generation) -> None:
    models = {s.side: s.model_id for s in battle.sides}
    if side not in models:
        raise InvalidValue(f"battle {battle.id} has no side {side!r}; valid: {', '.join(models)}")
    if generation.model_id != models[side]:
        raise InvalidValue(f"side {side} is {models[side]}, not {generation.model_id}")


def check_notes(reasons: Sequence[str], text: str) -> None:
    for reason in reasons:
        if reason not in REASONS:
            raise InvalidValue(f"unknown reason {reason!r}; valid: {', '.join(REASONS)}")
    if len(text) > MAX_COMMENT_CHARS:
        raise InvalidValue(f"the text has {len(text)} characters; valid: up to {MAX_COMMENT_CHARS}")


def check_reportable(battle: Battle, side: str) -> None:
    texts = {s.side: s.generation.text if s.generation else "" for s in battle.sides}
    if side not in texts:
        raise InvalidValue(f"there is no side {side!r}; valid: {', '.join(texts)}")
    if battle.state is not BattleState.GENERATING and not texts[side]:
        raise InvalidValue(f"side {side} has no text to report")
