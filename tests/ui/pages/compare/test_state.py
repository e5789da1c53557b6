"""The state table of the page."""

from __future__ import annotations

from playground.records import BattleState
from playground.ui.pages.compare.state import TABLE, Phase


def test_every_phase_has_a_row() -> None:
    assert set(TABLE) == set(Phase)
    assert {phase.value for phase in Phase} == {"compose", "shared", *(state.value for state in BattleState)}
