"""Views of a battle: the parts that one viewer may see.

Boundary: the table says how much may be sent; this file applies it to each column. While a blind battle is not
revealed, nothing that is sent depends on which model has which side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from playground.battles.ballot import Viewer
from playground.battles.blind_errors import blind_error
from playground.battles.generations import without_withheld_words
from playground.battles.rules import Rules
from playground.battles.state_table import Event, Sends, cell, refused
from playground.battles.transitions import allowed
from playground.records import (
    Battle,
    BattleSide,
    BattleState,
    BattleView,
    ColumnState,
    ColumnView,
    CriterionAnswer,
    FinishReason,
    LiveColumn,
    ModelCard,
)
from playground.storage.database.statements import Reading

LiveColumns = Mapping[str, LiveColumn]

_COLUMN_STATES: Mapping[FinishReason, ColumnState] = {
    FinishReason.STOP: ColumnState.DONE,
    FinishReason.LENGTH: ColumnState.DONE,
    FinishReason.CANCELLED: ColumnState.STOPPED,
    FinishReason.ERROR: ColumnState.FAILED,
}
_RUNNING = (ColumnState.LOADING, ColumnState.WAITING, ColumnState.WRITING)
"""States of a column that has not ended, in their order."""


def stored_view(reading: Reading, rules: Rules, battle: Battle, viewer: Viewer, live: LiveColumns) -> BattleView:
    """Return what the viewer may see of a stored battle.

    Raises:
        Refused: foreign and not revealed.
    """
    battle = without_withheld_words(battle)
    sends = _sends(battle, viewer)
    cards = reading.cards(side.model_id for side in battle.sides) if sends is Sends.EVERYTHING else {}
    view = _view(rules, battle, viewer, sends, live, cards)
    if not view.mine or battle.vote is None:
        return view
    reasons = tuple(reading.notes(battle.id, "reason", battle.vote.id))
    comment = "" if view.hidden else "".join(reading.notes(battle.id, "comment", battle.vote.id))
    criteria = _criteria(reading, battle.vote.id, view.hidden) if battle.study else ()
    today = reading.count_judged_on(viewer.rater, rules.clock.now()[:10]) if _counts_today(rules, viewer) else None
    standing = rules.standing_of(reading, battle)
    question = reading.question(battle.id) if battle.blind and rules.stored else None
    view = replace(view, reasons=reasons, comment=comment, criteria=criteria)
    return replace(view, standing=standing, votes_today=today, question=question)


def _criteria(reading: Reading, vote_id: str, is_hidden: bool) -> tuple[CriterionAnswer, ...]:
    answers = reading.criterion_answers(vote_id)
    return tuple(replace(answer, reason="") if is_hidden else answer for answer in answers)


def _counts_today(rules: Rules, viewer: Viewer) -> bool:
    """Return True unless the votes of this store are one battle's, or a program's."""
    return rules.stored and viewer.source == "page"


def begun_view(rules: Rules, battle: Battle, viewer: Viewer, live: LiveColumns) -> BattleView:
    """Return what the viewer may see of a blind battle that is being written.

    The database has nothing to add to it, and is not asked: such battles are read many times a second, and votes
    would wait for that.

    Raises:
        Refused: foreign.
    """
    return _view(rules, without_withheld_words(battle), viewer, _sends(battle, viewer), live, {})


def _sends(battle: Battle, viewer: Viewer) -> Sends:
    event = Event.VIEW if viewer.owns(battle) else Event.VISIT
    allowed(battle, event)
    if event is Event.VISIT and battle.study is not None:  # its raters see nobody's votes
        raise refused("foreign")
    if not battle.blind:
        return Sends.EVERYTHING
    sends = cell(event, battle.state).sends
    if sends is Sends.EVERYTHING and battle.study is not None:  # its raters meet the same models again
        return Sends.TEXTS
    return sends


def _view(
    rules: Rules, battle: Battle, viewer: Viewer, sends: Sends, live: LiveColumns, cards: Mapping[str, ModelCard]
) -> BattleView:
    mine, is_hidden = viewer.owns(battle), battle.hidden_at is not None
    if is_hidden:
        live = {side: replace(column, text="", reasoning="") for side, column in live.items()}
    if sends is Sends.PACED:
        live = _with_one_state(live)
    return BattleView(
        battle_id=battle.id,
        state=battle.state,
        blind=battle.blind,
        revision=battle.revision,
        instruction=battle.instruction,
        overrides=battle.overrides,
        columns=tuple(_column(side, live.get(side.side), sends, cards) for side in battle.sides),
        good_sides=() if battle.state is BattleState.GENERATING else battle.good_sides,
        may_vote=mine and battle.state is BattleState.OPEN and not is_hidden,
        mine=mine,
        stored=rules.stored,
        choice=None if battle.vote is None else battle.vote.choice,
        final_in_s=rules.final_in_s(battle),
        open_for_s=rules.open_for_s(battle),
        void_reason=battle.void_reason,
        erased=battle.erased_at is not None,
        hidden=is_hidden,
    )


def _with_one_state(live: LiveColumns) -> LiveColumns:
    """Return the columns with one state and status, those of the slowest, as long as one is being written."""
    running = [column for column in live.values() if column.state in _RUNNING]
    if not running:
        return live
    state = min((column.state for column in running), key=_RUNNING.index)
    statuses = {column.status for column in running}
    status = statuses.pop() if len(statuses) == 1 else ""
    return {side: replace(column, state=state, status=status) for side, column in live.items()}


def _column(side: BattleSide, live: LiveColumn | None, sends: Sends, cards: Mapping[str, ModelCard]) -> ColumnView:
    """Return one column: `live` until its generation is stored, or until the battle is open if it is blind."""
    generation, card = side.generation, cards.get(side.model_id)
    if sends is not Sends.EVERYTHING:
        return _blind_column(side, live, sends)
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
            tokens_per_s=_tokens_per_s(live.num_tokens, live.first_token_s, live.duration_s),
            first_token_s=live.first_token_s,
            reasoning=live.reasoning,
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
        _tokens_per_s(generation.num_tokens, generation.first_token_s, generation.duration_s),
        generation.first_token_s,
        generation.reasoning,
    )


def _blind_column(side: BattleSide, live: LiveColumn | None, sends: Sends) -> ColumnView:
    """Return the text and whether the column failed; a stored generation is not shown before all columns ended."""
    if sends is Sends.PACED:
        live = live or LiveColumn(side.side, ColumnState.WAITING)
        state = ColumnState.DONE if live.state is ColumnState.STOPPED else live.state
        return ColumnView(side.side, state, live.text, live.status, None)
    generation = side.generation
    if generation is None or generation.finish_reason is FinishReason.ERROR:
        if generation is None:
            return ColumnView(side.side, ColumnState.FAILED, "", "", None)
        error = blind_error(generation.error or "") if sends is Sends.REASONS else None
        return ColumnView(side.side, ColumnState.FAILED, generation.text, "", error)
    return ColumnView(side.side, ColumnState.DONE, generation.text, "", None)


def _tokens_per_s(num_tokens: int, first_token_s: float | None, duration_s: float | None) -> float | None:
    """Return the speed after the first token."""
    if first_token_s is None or duration_s is None or num_tokens < 2 or duration_s <= first_token_s:
        return None
    return (num_tokens - 1) / (duration_s - first_token_s)
