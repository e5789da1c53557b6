"""A task: what is asked and what a right answer must contain, not yet put into words.

Boundary: records and small text functions; draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from playground.pocket.material import Material, Row


@dataclass(frozen=True, slots=True)
class Task:
    """One task."""

    kind: str
    slots: Row
    key: str = ""  # a right answer contains it
    listed: tuple[str, ...] = ()  # items of the answer, in order
    pool: tuple[str, ...] = ()  # all items that could have been listed
    steps: tuple[str, ...] = ()  # of a sum


@dataclass(frozen=True, slots=True)
class Source:
    """Material and random numbers from which tasks are drawn."""

    material: Material
    random: Random
    held_out: bool = False  # draw the numbers of the test instead of the training's


Draw = Callable[[Source], Task]


def capital_first(text: str) -> str:
    """Return `text` with a capital first letter and the rest unchanged."""
    return text[:1].upper() + text[1:]


def with_article(noun: str) -> str:
    """Return the noun after `a` or `an`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def without_article(term: str) -> str:
    """Return `volcano` for `a volcano`."""
    first, _, rest = term.partition(" ")
    return rest if first in ("a", "an", "the") and rest else term


def made_up_word(source: Source) -> str:
    """Draw a word that does not exist in any language."""
    made_up = source.material.made_up
    parts = source.random.choices(made_up["parts"], k=source.random.choice((1, 1, 2)))
    return "".join(parts) + source.random.choice(made_up["ends"])
