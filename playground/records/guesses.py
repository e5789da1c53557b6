"""Guesses: the question which model wrote an answer, asked between vote and reveal, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """The question about one side of a blind battle."""

    side: str
    choices: Mapping[str, str]  # ids of the models to choose from -> their names, in the order of the line-up
    named: str | None = None  # id; None: not answered


@dataclass(frozen=True, slots=True)
class Guess:
    """A question that was asked, with the answer and the truth."""

    rater_id: str
    model_id: str  # that wrote the answer
    named: str | None  # that the rater named; None: not answered
    choices: int  # the number of models to choose from
    reveals: int  # of blind battles that the rater had seen before
