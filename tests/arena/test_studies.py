"""The arena gives raters of a study their battles."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.arena.battles import ArenaBattles
from playground.arena.running import RunningBattles
from playground.arena.studies import ArenaStudies
from playground.battles import Ballot, Viewer
from playground.battles.rules import Rules
from playground.errors import StorageError
from tests.support.cast import house
from tests.support.studying import studied

ADA = Viewer("ada")


def test_rater_gets_a_blind_view_of_each_battle(tmp_path: Path) -> None:
    study = studied(house(tmp_path), 2, 1)
    battles = ArenaBattles(Rules(), RunningBattles())
    studies = ArenaStudies(battles, "2026-12-01")
    with pytest.raises(StorageError, match="not open"):
        studies.next(ADA, (), "helpful", study.tokens[0])
    battles.open(study.home.store)
    given = studies.next(ADA, (), "helpful", study.tokens[0])
    assert given.view is not None
    assert given.view.may_vote
    assert [(column.card, column.generation) for column in given.view.columns] == [(None, None)] * 2
    assert given.file is not None
    assert (given.why_none, given.progress.done, given.progress.of) == ("", 0, 2)
    battles.stored.vote(given.view.battle_id, ADA, Ballot("a"))
    again = studies.next(ADA, (), "helpful", study.tokens[0])
    assert again.view is not None
    assert (again.view.battle_id != given.view.battle_id, again.progress.done) == (True, 1)
    assert study.rows("SELECT DISTINCT rater_id, version FROM consents") == [("ada", "2026-12-01")]
    assert studies.next(ADA, (), "helpful", "no token").view is None
    study.home.store.close()
