"""The arena gives raters of a study their battles."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from playground.arena import studies as arena_studies
from playground.arena.battles import ArenaBattles
from playground.arena.running import RunningBattles
from playground.arena.studies import ArenaStudies
from playground.battles import Ballot, Viewer
from playground.battles.rules import Rules
from playground.errors import StorageError
from playground.studies.reservation import Reservations
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


def test_raters_who_come_first_together_share_one_set_of_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, made = Barrier(2), []

    class Counted(Reservations):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)
            with suppress(BrokenBarrierError):
                together.wait(0.2)  # for the other one, if nothing keeps it out

    monkeypatch.setattr(arena_studies, "Reservations", Counted)
    study = studied(house(tmp_path), 1, 2)
    battles = ArenaBattles(Rules(), RunningBattles())
    battles.open(study.home.store)
    studies = ArenaStudies(battles, "2026-12-01")
    with ThreadPoolExecutor(2) as threads:
        given = list(
            threads.map(lambda link: studies.next(Viewer(f"rater-{link}"), (), "helpful", study.tokens[link]), (0, 1))
        )
    assert len(made) == 1
    assert [one.view is None for one in given].count(True) == 1
    study.home.store.close()
