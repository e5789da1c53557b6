"""The size of a study before anybody rates: battles, votes, hours and money.

Boundary: pure; the chances of an answer are in `power`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from playground.errors import InvalidValue
from playground.studies.study_file import StudyFile


@dataclass(frozen=True, slots=True)
class Price:
    """The time and the price of a vote; at most one price."""

    seconds: float = 30.0  # per vote
    per_hour: float | None = None
    per_vote: float | None = None

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise InvalidValue(f"seconds is {self.seconds!r}; valid: above 0")
        if self.per_hour is not None and self.per_vote is not None:
            raise InvalidValue("give a price per hour or per vote, not both")
        for name in ("per_hour", "per_vote"):
            value = getattr(self, name)
            if value is not None and not (value >= 0 and math.isfinite(value)):
                raise InvalidValue(f"{name} is {value!r}; valid: 0 or more")


@dataclass(frozen=True, slots=True)
class Size:
    """The battles, votes, hours and money of a study."""

    instructions: int
    pairs: int  # of models
    battles: int  # if every answer is there and no two are the same
    possible_votes: int  # that these give, without third ones where two differ
    votes: int  # that count
    repeats: int
    attention: int
    checks: int  # of one try of each rater
    all_votes: int
    raters: int
    fewest_raters: int  # that the study can do with
    votes_per_rater: int  # of all votes
    hours: float
    money: float | None  # in the currency of the price; None without one


def size_of(file: StudyFile, instructions: int, check_items: int, raters: int, price: Price) -> Size:
    """Return the size of a study with so many instructions and raters; raters of a live one write one for each vote."""
    pairs = len(file.model_pairs)
    instructions = file.votes if file.live else instructions
    battles = instructions if file.live else instructions * pairs
    overlapping = round(file.overlap * battles)
    repeats = round(file.votes * file.repeats)
    attention = 0 if file.attention is None else (file.votes + repeats) // file.attention.every
    checks = check_items * raters
    all_votes = file.votes + repeats + attention + checks
    hours = all_votes * price.seconds / 3600
    per_rater = math.ceil(all_votes / raters)
    money = None
    if price.per_hour is not None:
        money = hours * price.per_hour
    elif price.per_vote is not None:
        money = all_votes * price.per_vote
    return Size(
        instructions=instructions,
        pairs=pairs,
        battles=battles,
        possible_votes=file.raters_per_battle * (battles - overlapping) + max(2, file.raters_per_battle) * overlapping,
        votes=file.votes,
        repeats=repeats,
        attention=attention,
        checks=checks,
        all_votes=all_votes,
        raters=raters,
        fewest_raters=max(file.raters_per_battle, 3 if overlapping else 1, math.ceil(file.votes / max(1, battles))),
        votes_per_rater=per_rater,
        hours=hours,
        money=money,
    )
