"""Sentences on alternative analyses.

Boundary: takes rank ranges and names and returns sentences.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.messages import Counted, Message, joined, marked
from playground.ratings.alternatives import Ranges, RankRange
from playground.ratings.phrases import listed

_ONE_MOVES = marked("Of {choices} ({compared}), {moved} has another rank under some; {first}.")
_SOME_MOVE = marked("Of {choices} ({compared}), {moved} have another rank under some; {first}.")


def stability(found: Ranges, names: Mapping[str, str]) -> str:
    """Return whether any choice moves a model, and which ones move first place."""
    choices = Counted("{count:,} other choice", "{count:,} other choices", count=len(found.compared))
    compared = joined(", ", found.compared)
    moved = [names[one.model] for one in found.models if one.moved_by]
    if not moved:
        return Message("Every rank is the same under {choices}: {compared}.", choices=choices, compared=compared)
    return Message(
        _ONE_MOVES if len(moved) == 1 else _SOME_MOVE,
        choices=choices,
        compared=compared,
        moved=listed(moved),
        first=_first(found.models[0], names),
    )


def unconnected(found: Ranges) -> str:
    return Message(
        "Not compared, because the models have no common scale then: {names}.", names=joined(", ", found.unconnected)
    )


def moved(one: RankRange, name: str) -> str:
    """Return the ranks of one model, and the choices that move it."""
    some = one.lowest < one.highest
    ranks = Message("{lowest} to {highest}", lowest=one.lowest, highest=one.highest) if some else f"{one.rank}"
    if not one.moved_by:
        return Message("{name}: rank {ranks} under every choice.", name=name, ranks=ranks)
    return Message(
        "{name}: rank {ranks}, moved by: {choices}.", name=name, ranks=ranks, choices=joined(", ", one.moved_by)
    )


def _first(first: RankRange, names: Mapping[str, str]) -> str:
    name = names[first.model]
    if not first.moved_by:
        return Message("{name} is first under all of them", name=name)
    return Message("{name} is not first with {choices}", name=name, choices=joined(" and with ", first.moved_by))
