"""What is stored of one rater as a document that she may keep.

Boundary: pure; it says of a battle what its rater may see of it at that time and no more: no model while it is blind.
"""

from __future__ import annotations

from typing import Any

from playground.records import BattleView, ColumnView


def battle_document(view: BattleView, created_at: str) -> dict[str, Any]:
    """One battle: what was asked, answered, chosen and said."""
    return {
        "battle_id": view.battle_id,
        "created_at": created_at,
        "state": str(view.state),
        "blind": view.blind,
        "erased": view.erased,
        "instruction": view.instruction.instruction,
        "input": view.instruction.input,
        "system": view.instruction.system,
        "answers": [_answer(column) for column in view.columns],
        "choice": view.choice,
        "counts": None if view.standing is None else view.standing.counts,
        "why_not": "" if view.standing is None else view.standing.why_not,
        "reasons": list(view.reasons),
        "comment": view.comment,
    }


def _answer(column: ColumnView) -> dict[str, Any]:
    known = {"side": column.side, "text": column.text}
    if column.card is not None:
        known |= {"model": column.card.id, "license": column.card.license}
    return known
