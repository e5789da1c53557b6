"""Sentences on alternative analyses.

Boundary: takes rank ranges and names and returns sentences.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.ratings.alternatives import Ranges, RankRange
from playground.ratings.phrases import listed


def stability(found: Ranges, names: Mapping[str, str]) -> str:
    """Return whether any choice moves a model, and which ones move first place."""
    choices = f"{len(found.compared)} other choices" if len(found.compared) != 1 else "1 other choice"
    moved = [names[one.model] for one in found.models if one.moved_by]
    if not moved:
        return f"Every rank is the same under {choices}: {', '.join(found.compared)}."
    first = found.models[0]
    place = f"{names[first.model]} is first under all of them" if not first.moved_by else _first(first, names)
    verb = "has" if len(moved) == 1 else "have"
    return f"Of {choices} ({', '.join(found.compared)}), {listed(moved)} {verb} another rank under some; {place}."


def unconnected(found: Ranges) -> str:
    return f"Not compared, because the models have no common scale then: {', '.join(found.unconnected)}."


def moved(one: RankRange, name: str) -> str:
    """Return the ranks of one model, and the choices that move it."""
    ranks = f"{one.lowest} to {one.highest}" if one.lowest < one.highest else f"{one.rank}"
    by = f", moved by: {', '.join(one.moved_by)}" if one.moved_by else " under every choice"
    return f"{name}: rank {ranks}{by}."


def _first(first: RankRange, names: Mapping[str, str]) -> str:
    return f"{names[first.model]} is not first with {' and with '.join(first.moved_by)}"
