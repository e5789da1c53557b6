"""States of the Compare page, made up for tests of its panels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playground.battles.sharing import offered
from playground.records import SIDES, BattleState, BattleView, ColumnState, ColumnView, FinishReason, Instruction
from playground.ui.pages.compare.state import PageState, Phase
from tests.support.stub_arena import ALPACA, make_cards, make_generation

CARDS = make_cards()
INSTRUCTION = Instruction(ALPACA)
WRITING = (ColumnState.WAITING, ColumnState.LOADING, ColumnState.WRITING)


def make_column(place: int, state: ColumnState, known: bool, text: str = "An alpaca.") -> ColumnView:
    side, card = SIDES[place], CARDS[place % len(CARDS)]
    if not known:
        return ColumnView(side, state, text, "", None)
    if state in WRITING:
        return ColumnView(side, state, text, "", None, card=card)
    finish = FinishReason.ERROR if state is ColumnState.FAILED else FinishReason.STOP
    generation = make_generation(card, text, INSTRUCTION, finish)
    error = "It ran out of memory." if state is ColumnState.FAILED else None
    return ColumnView(side, state, text, "", error, finish, card, generation, 41, 128.0, 0.2)


def make_view(state: BattleState, count: int = 2, blind: bool = True, **changes: Any) -> BattleView:
    known = not blind or state is BattleState.REVEALED
    column_state = ColumnState.WRITING if state is BattleState.GENERATING else ColumnState.DONE
    voted = state in (BattleState.VOTED, BattleState.REVEALED)
    view = BattleView(
        battle_id="b" * 32,
        state=state,
        blind=blind,
        revision=int(voted),
        instruction=INSTRUCTION,
        overrides={},
        columns=tuple(make_column(place, column_state, known) for place in range(count)),
        good_sides=SIDES[:count] if state is BattleState.OPEN else (),
        may_vote=state is BattleState.OPEN,
        mine=True,
        stored=True,
        choice="b" if voted else None,
        final_in_s=4.8 if state is BattleState.VOTED else None,
    )
    return replace(view, **changes)


def page(phase: Phase, **changes: Any) -> PageState:
    if phase is Phase.COMPOSE:
        return PageState()
    if phase is Phase.SHARED:
        return PageState(offered(make_view(BattleState.REVEALED, **{"mine": False, **changes})))
    return PageState(make_view(BattleState(phase.value), **changes))


def shown(updates: dict[Any, Any], component: Any) -> bool:
    return bool(updates[component]["visible"])
