"""The arena's regular work: what is due is done without anybody asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from playground.arena.recorder import Recorder
from playground.arena.running import RunningBattles
from playground.arena.upkeep import MINUTE_S, Upkeep
from playground.battles import Battles
from playground.clock import Clock
from playground.studies import known_counts
from tests.support.cast import OPENALPACA, house
from tests.support.paneling import Paneled, paneled
from tests.support.patience import wait_until
from tests.support.studying import FINAL_S

DAY_S = 24 * 3600.0
VOTES = 40


@contextmanager
def working(study: Paneled) -> Iterator[Callable[[], None]]:
    """Do the regular work of an arena; yield a function after which a minute has passed there."""
    home, now_s = study.study.home, [0.0]
    battles, clock = Battles(home.store, home.battles.rules), Clock(home.time.now, lambda: now_s[0])
    upkeep = Upkeep(battles, study.studies, RunningBattles(), Recorder(lambda *_: None), (), clock, abandon_s=60)
    try:
        yield lambda: now_s.__setitem__(0, now_s[0] + MINUTE_S)
    finally:
        upkeep.close()
        home.store.close()


@pytest.mark.slow  # the work begins every second
def test_ids_of_a_panel_are_deleted_after_the_study(tmp_path: Path) -> None:
    home = house(tmp_path)
    study = paneled(home, 2)
    study.enter()
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "enough"))
    with working(study) as pass_minute:
        home.time.pass_s(90 * DAY_S)
        assert study.study.rows("SELECT count(*) FROM panel_ids") == [(1,)]
        pass_minute()
        wait_until(lambda: study.study.rows("SELECT count(*) FROM panel_ids") == [(0,)])


def test_studies_are_counted_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = paneled(house(tmp_path), 2)
    counted = Event()
    prepare = study.studies.prepare

    def prepared() -> None:
        prepare()
        counted.set()

    monkeypatch.setattr(study.studies, "prepare", prepared)
    with working(study):
        assert counted.wait(30)
        with monkeypatch.context() as patch:
            patch.setattr(known_counts, "_counted", None)  # to count again would fail
            assert study.next(study.enter()).view is not None


@pytest.mark.slow
def test_study_whose_last_votes_decide_it_is_closed_without_anybody_asking(tmp_path: Path) -> None:
    home = house(tmp_path)
    study = paneled(home, VOTES, ends="leader", votes=VOTES, votes_per_rater=VOTES)
    token, given = study.enter(), list[str]()
    while (view := study.next(token, given[-1:]).view) is not None:  # nothing is final before the last vote
        home.time.pass_s(1.2)
        home.battles.vote(view.battle_id, study.study.side_of(view.battle_id, first=True), "rater-1")
        given.append(view.battle_id)
    assert len(given) == VOTES
    with working(study) as pass_minute:
        home.time.pass_s(FINAL_S)
        assert study.study.rows("SELECT why FROM studies") == [(None,)]
        pass_minute()
        wait_until(lambda: study.study.rows("SELECT closed_at FROM studies") != [(None,)])
        assert study.study.rows("SELECT why FROM studies") == [(f"decided: {OPENALPACA} leads, after {VOTES} votes",)]
