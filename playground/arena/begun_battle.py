"""A battle as the arena begins it, before anything is written.

Boundary: makes the record; stores and starts nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from playground.arena.column_plan import ColumnPlan
from playground.battles import REFUSALS, Viewer
from playground.errors import InvalidValue, Refused
from playground.messages import Message
from playground.records import Battle, BattleState, Instruction


def begun_battle(
    instruction: Instruction,
    viewer: Viewer,
    plans: Sequence[ColumnPlan],
    *,
    blind: bool,
    overrides: Mapping[str, Any],
    probability: float | None,
    now: str,
) -> Battle:
    """Return a new battle with ids that cannot be guessed.

    Args:
        probability: of these models in this order, if the arena drew them.
    """
    return Battle(
        id=secrets.token_hex(16),
        comparison_id=secrets.token_hex(16),
        parent_id=None,
        owner=viewer.rater,
        source=viewer.source,
        blind=blind,
        state=BattleState.GENERATING,
        instruction=instruction,
        overrides=dict(overrides),
        sides=tuple(plan.side for plan in plans),
        created_at=now,
        draw_probability=probability,
    )


def regenerable(old: Battle) -> Battle:
    """Return a battle whose models may answer again.

    Raises:
        Refused: its words are withheld.
        InvalidValue: it is a stored one that its rater judges, whose models they must not meet.
    """
    if old.withheld:
        raise Refused(old.withheld, REFUSALS[old.withheld])
    if old.rated:
        raise InvalidValue(Message("Answers that you rate are not written again."))
    return old
