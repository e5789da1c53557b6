"""Draw the models of a comparison, so that the probability of each draw is known.

Boundary: chance alone; `line_up` knows which models can answer, and `ratings.pairing` how likely each pair is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from playground.arena.daily_tokens import SPENT
from playground.ratings.pairing import Pairing, WhyDrawn
from playground.ratings.pairs import FloatArray
from playground.records import ModelCard


class Draw(NamedTuple):
    """The models of a comparison, in column order."""

    cards: list[ModelCard]
    probability: float | None  # of this order of these models; None: they were chosen
    why: WhyDrawn | None = None  # None: all sets of models were equally likely, or they were chosen


def likely(cards: Sequence[ModelCard], states: Mapping[str, str]) -> Sequence[ModelCard]:
    """Select the models that will probably answer: two or more that are not off, else two or more that can answer.

    Else all: a battle of one model against itself would hide that the others cannot answer, and cost its tokens.
    """
    sound = [card for card in cards if states.get(card.id) not in ("failed", SPENT)]
    up = [card for card in sound if states.get(card.id) != "off"]
    return up if len(up) >= 2 else sound if len(sound) >= 2 else cards


def draw(columns: int, able: Sequence[ModelCard], pairing: Pairing | None, random: Random) -> Draw:
    """Draw models that repeat as little as possible, in a random order; return them with their probability."""
    chances = pairing.chances([card.id for card in able]) if pairing is not None and columns < len(able) else None
    if pairing is not None and chances is not None:
        return _draw_by(chances, columns, able, pairing, random)
    drawn: list[ModelCard] = []
    probability = 1.0
    while len(drawn) < columns:
        number = min(columns - len(drawn), len(able))
        drawn += random.sample(able, number)
        probability /= math.perm(len(able), number)
    return Draw(drawn, probability)


def _draw_by(chances: FloatArray, columns: int, able: Sequence[ModelCard], pairing: Pairing, random: Random) -> Draw:
    """Draw a pair by its chance, the rest of the columns uniformly, and their order.

    A set can be drawn by any of its pairs: its probability is the sum of their chances times that of the rest.
    """
    pairs = list(itertools.combinations(range(len(able)), 2))
    [(i, j)] = random.choices(pairs, [chances[pair] for pair in pairs])
    others = [k for k in range(len(able)) if k not in (i, j)]
    drawn = [i, j, *random.sample(others, columns - 2)]
    random.shuffle(drawn)
    of_pairs = sum(float(chances[pair]) for pair in itertools.combinations(drawn, 2))
    probability = of_pairs / math.comb(len(others), columns - 2) / math.factorial(columns)
    cards, ids = [able[k] for k in drawn], [card.id for card in able]
    return Draw(cards, probability, pairing.why([card.id for card in cards], ids, probability))
