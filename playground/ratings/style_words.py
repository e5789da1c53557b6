"""Sentences on style: one for each feature, and one on the order of models with style held equal.

Boundary: takes numbers and names and returns sentences; computes no coefficient.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from playground.ratings.phrases import listed, number_of
from playground.ratings.style import POSITION, Coefficient

DIFFERENCE: Mapping[str, float] = MappingProxyType({POSITION: 1.0})
"""Differences of which a sentence speaks; of counts that of twice as many, (2 - 1) / (2 + 1)."""
TWICE = 1 / 3
_CHANGES: Mapping[str, str] = MappingProxyType(
    {
        "length": "Twice the length",
        "headers": "Twice as many headers",
        "lists": "Twice as many list items",
        "bold": "Twice as many bold phrases",
        "code": "Twice as many blocks of code",
        POSITION: "The place further left",
    }
)


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
    change = _CHANGES[coefficient.feature]
    numbers = f"({100 * level:g} %: {lower:.2f} to {upper:.2f}; p {_p(coefficient.p)})"
    if lower <= 1 <= upper:
        return f"{change} has no effect that these votes show: the odds of winning times {factor:.2f} {numbers}."
    raises = "raises" if factor > 1 else "lowers"
    return f"{change} {raises} an answer's odds of winning: times {factor:.2f} {numbers}."


def order(with_style: Sequence[str], without: Sequence[str], pairs: int) -> str:
    """Return whether the order of models changes with style held equal, from names best first."""
    if list(with_style) == list(without):
        found = "the order of the models is the same"
    elif with_style[0] != without[0]:
        found = f"{with_style[0]} would be first, not {without[0]}"
    else:
        moved = [name for name, other in zip(with_style, without, strict=True) if name != other]
        found = f"{with_style[0]} is first as well; {listed(moved)} change places"
    return f"With style and position held equal, {found} ({number_of('judged pair', pairs)})."


def too_few(fewest: int) -> str:
    return f"Fewer than {fewest} judged pairs with texts: too few to say what style does."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"
