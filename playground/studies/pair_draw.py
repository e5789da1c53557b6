"""A pair of models, drawn by how much the ranking of a study learns from it.

Boundary: pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from playground.ratings.pairing import Pairing


def drawn_pair(
    pairs: Sequence[frozenset[str]], models: Sequence[str], random: Random, pairing: Pairing | None
) -> tuple[frozenset[str], float]:
    """Draw one of some pairs by its chance, and return it with its probability among them.

    Args:
        models: of the study, in its order.
        pairing: the gains of pairs; None: all are alike.
    """
    chances = None if pairing is None else pairing.chances(models)
    places = [sorted(map(models.index, pair)) for pair in pairs]
    weights = [1.0 if chances is None else float(chances[i, j]) for i, j in places]
    [drawn] = random.choices(range(len(pairs)), weights)
    return pairs[drawn], weights[drawn] / sum(weights)
