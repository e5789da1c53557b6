"""Sentences on style: one for each feature, and one on the order of models with style held equal.

Boundary: takes numbers and names and returns sentences; computes no coefficient.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from playground.messages import Message, marked
from playground.ratings.phrases import listed, number_of
from playground.ratings.style import POSITION, Coefficient

DIFFERENCE: Mapping[str, float] = MappingProxyType({POSITION: 1.0})
"""Differences of which a sentence speaks; of counts that of twice as many, (2 - 1) / (2 + 1)."""
TWICE = 1 / 3
_CHANGES: Mapping[str, str] = MappingProxyType(
    {
        "length": marked("Twice the length"),
        "headers": marked("Twice as many headers"),
        "lists": marked("Twice as many list items"),
        "bold": marked("Twice as many bold phrases"),
        "code": marked("Twice as many blocks of code"),
        POSITION: marked("The place further left"),
    }
)
_NOTHING = marked("{change} has no effect that these votes show: the odds of winning times {factor} {numbers}.")
_RAISES = marked("{change} raises an answer's odds of winning: times {factor} {numbers}.")
_LOWERS = marked("{change} lowers an answer's odds of winning: times {factor} {numbers}.")


def odds(coefficient: Coefficient) -> tuple[float, float, float]:
    """Return the factor of the odds of winning for the change that the sentence names, with its interval."""
    difference = DIFFERENCE.get(coefficient.feature, TWICE)
    estimate, lower, upper = (
        math.exp(difference * value) for value in (coefficient.estimate, coefficient.lower, coefficient.upper)
    )
    return estimate, lower, upper


def effect(coefficient: Coefficient, level: float) -> str:
    """Return one sentence on a feature, with everything else held equal."""
    factor, lower, upper = odds(coefficient)
    numbers = Message(
        "({level} %: {lower} to {upper}; p {p})",
        level=f"{100 * level:g}",
        lower=f"{lower:.2f}",
        upper=f"{upper:.2f}",
        p=_p(coefficient.p),
    )
    said = _NOTHING if lower <= 1 <= upper else _RAISES if factor > 1 else _LOWERS
    return Message(said, change=Message(_CHANGES[coefficient.feature]), factor=f"{factor:.2f}", numbers=numbers)


def order(with_style: Sequence[str], without: Sequence[str], pairs: int) -> str:
    """Return whether the order of models changes with style held equal, from names best first."""
    first, number = with_style[0], number_of("judged pair", pairs)
    if list(with_style) == list(without):
        return Message(
            "With style and position held equal, the order of the models is the same ({pairs}).", pairs=number
        )
    if first != without[0]:
        return Message(
            "With style and position held equal, {first} would be first, not {other} ({pairs}).",
            first=first,
            other=without[0],
            pairs=number,
        )
    moved = [name for name, other in zip(with_style, without, strict=True) if name != other]
    return Message(
        "With style and position held equal, {first} is first as well; {moved} change places ({pairs}).",
        first=first,
        moved=listed(moved),
        pairs=number,
    )


def too_few(fewest: int) -> str:
    return Message("Fewer than {fewest} judged pairs with texts: too few to say what style does.", fewest=fewest)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"
