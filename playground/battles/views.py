"""What leaves the server: columns as a viewer may see them, and the answer to a vote.

Boundary: pure; the table says how much may be sent, here is what that means column by column. While a blind battle is
not revealed nothing that is sent depends on which model stands where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from playground.battles.table import Event, Sends, cell
from playground.records import (
    Battle,
    BattleSide,
    BattleState,
    ColumnState,
    ColumnView,
    FinishReason,
    LiveColumn,
    ModelCard,
    Standing,
)


@dataclass(frozen=True, slots=True)
class VoteResult:
    """The stored answer to a vote, an undo or a wish to reveal; the same when asked again."""

    battle_id: str
    state: BattleState
    choice: str | None  # None: no vote stands
    revision: int
    final_at: str | None
    reveal: Mapping[str, str]  # side -> model id; empty until it may be known
    standing: Standing | None = None  # whether the vote counts; None where there is none, or it may not be said yet


def result(battle: Battle, standing: Standing | None = None) -> VoteResult:
    known = not battle.blind or cell(Event.VIEW, battle.state).sends is Sends.EVERYTHING
    return VoteResult(
        battle_id=battle.id,
        state=battle.state,
        choice=None if battle.vote is None else battle.vote.choice,
        revision=battle.revision,
        final_at=battle.final_at,
        reveal={side.side: side.model_id for side in battle.sides} if known else {},
        standing=standing,
    )


_COLUMN_STATES: Mapping[FinishReason, ColumnState] = {
    FinishReason.STOP: ColumnState.DONE,
    FinishReason.LENGTH: ColumnState.DONE,
    FinishReason.CANCELLED: ColumnState.STOPPED,
    FinishReason.ERROR: ColumnState.FAILED,
}


_RUNNING = (ColumnState.LOADING, ColumnState.WAITING, ColumnState.WRITING)
"""States of a column that has not ended, the least far first."""


def at_one_pace(live: Mapping[str, LiveColumn]) -> Mapping[str, LiveColumn]:
    """The columns of a blind battle with one state and one status, as long as any of them is being written."""
    running = [column for column in live.values() if column.state in _RUNNING]
    if not running:
        return live
    state = min((column.state for column in running), key=_RUNNING.index)
    statuses = {column.status for column in running}
    status = statuses.pop() if len(statuses) == 1 else ""
    return {side: replace(column, state=state, status=status) for side, column in live.items()}


def column(side: BattleSide, live: LiveColumn | None, sends: Sends, cards: Mapping[str, ModelCard]) -> ColumnView:
    """One column for one viewer: `live` until the battle is open, then what is stored."""
    generation = side.generation
    if sends is not Sends.EVERYTHING:
        return _blind_column(side, live, sends)
    card = cards.get(side.model_id)
    if generation is None:
        live = live or LiveColumn(side.side, ColumnState.WAITING)
        return ColumnView(
            side.side,
            live.state,
            live.text,
            live.status,
            live.error,
            card=card,
            num_tokens=live.num_tokens,
            tokens_per_s=_rate(live.num_tokens, live.first_token_s, live.duration_s),
            first_token_s=live.first_token_s,
        )
    return ColumnView(
        side.side,
        _COLUMN_STATES[generation.finish_reason],
        generation.text,
        "",
        generation.error,
        generation.finish_reason,
        card,
        generation,
        generation.num_tokens,
        _rate(generation.num_tokens, generation.first_token_s, generation.duration_s),
        generation.first_token_s,
    )


def _blind_column(side: BattleSide, live: LiveColumn | None, sends: Sends) -> ColumnView:
    """Text, and whether it failed; what is stored waits until all columns have ended: it would show who was first."""
    if sends is Sends.PACED:
        live = live or LiveColumn(side.side, ColumnState.WAITING)
        state = ColumnState.DONE if live.state is ColumnState.STOPPED else live.state
        return ColumnView(side.side, state, live.text, live.status, None)
    generation = side.generation
    if generation is None or generation.finish_reason is FinishReason.ERROR:
        error = generation.error if generation is not None and sends is Sends.REASONS else None
        return ColumnView(side.side, ColumnState.FAILED, "" if generation is None else generation.text, "", error)
    return ColumnView(side.side, ColumnState.DONE, generation.text, "", None)


def _rate(num_tokens: int, first_token_s: float | None, duration_s: float | None) -> float | None:
    """Tokens per second after the first one."""
    if first_token_s is None or duration_s is None or num_tokens < 2 or duration_s <= first_token_s:
        return None
    return (num_tokens - 1) / (duration_s - first_token_s)
