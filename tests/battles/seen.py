"""Refusals and views as the tests of battles compare them."""

from __future__ import annotations

from collections.abc import Callable

from playground.battles import REFUSALS
from playground.errors import Refused
from playground.records import (
    BattleView,
)


def refusal_of(act: Callable[[], object]) -> str | None:
    """Return the reason of a refusal, with its message checked; None if there is none."""
    try:
        act()
    except Refused as error:
        refused = error
    else:
        return None
    assert str(refused) == REFUSALS[refused.reason]
    return refused.reason


def models_of(view: BattleView) -> list[str]:
    """Return the ids of the models that a view names."""
    return [column.card.id for column in view.columns if column.card is not None]
