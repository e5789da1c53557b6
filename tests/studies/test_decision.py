"""A study ends once its claim is decided, and draws the pairs from which its ranking learns most."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from playground.ratings.board import Board
from playground.studies import looks as studies_looks
from playground.studies.decision import study_board
from playground.studies.reservation import Reservations
from playground.studies.status import StudyStatus, status_of
from tests.support.cast import GALPACA, MAMBA, OPENALPACA, House, house
from tests.support.studying import FINAL_S, Studied, studied

pytestmark = pytest.mark.slow

THREE = (OPENALPACA, MAMBA, GALPACA)


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


def judge_all(study: Studied, winner: Any, link: int = 1, votes: int = 1000) -> int:
    """Judge until the study gives no more; `winner` says whether the first answer of an item wins, by its number."""
    judged = 0
    while judged < votes and (battle := study.next(link).battle_id) is not None:
        study.home.time.pass_s(10)
        study.vote(link, battle, study.side_of(battle, first=winner(judged)))
        study.home.time.pass_s(FINAL_S)
        judged += 1
    return judged


def status(study: Studied) -> StudyStatus:
    with study.home.store.reading() as reading:
        stored = reading.study(study.file.id)
        assert stored is not None
        return status_of(reading, stored, study.home.time.now())


def test_study_ends_once_one_model_leads(home: House) -> None:
    study = studied(home, 80, 2, ends="leader", votes=80)
    judged = judge_all(study, lambda _: True)
    assert 30 <= judged < 60
    found = status(study)
    assert found.why == f"decided: {OPENALPACA} leads, after {judged} votes"
    assert found.decision is not None
    assert (found.decision.is_made, found.decision.votes, found.decision.order) == (True, judged, (OPENALPACA, MAMBA))
    turn = study.next(2)
    assert (turn.battle_id, turn.why_none) == (
        None,
        "This study has found its answer, and needs no more ratings. Thank you.",
    )


def test_study_of_equal_models_does_not_end_before_its_votes(home: House) -> None:
    study = studied(home, 80, 1, ends="leader", votes=80)
    assert judge_all(study, lambda number: number % 2 == 0) == 80
    found = status(study)
    assert (found.closed_at, found.decision and found.decision.decided) == (None, 0)


def test_study_without_an_end_goes_on(home: House) -> None:
    study = studied(home, 60, 1, votes=60)
    assert judge_all(study, lambda _: True) == 60
    assert status(study).decision is None


def test_order_needs_every_comparison(home: House) -> None:
    study = studied(home, 60, 1, models=THREE, ends="order", votes=180)
    judged = judge_all(study, lambda _: True)
    assert judged < 180
    found = status(study)
    assert found.why == f"decided: {OPENALPACA} > {MAMBA} > {GALPACA}, after {judged} votes"
    assert found.decision is not None
    assert (found.decision.decided, found.decision.needed) == (3, 3)


def test_one_look_is_made_once_and_keeps_nobody_waiting(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    study = studied(home, 60, 4, ends="leader")
    judge_all(study, lambda _: True, votes=30)
    is_made, may_end, made = Event(), Event(), []

    def watched(*arguments: Any) -> Board:
        made.append(arguments)
        is_made.set()
        may_end.wait(10)
        return study_board(*arguments)

    monkeypatch.setattr(studies_looks, "study_board", watched)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(study.next, 1)
        assert is_made.wait(10)
        others = [study.next(link).battle_id for link in (2, 3, 4)]
        assert not first.done()
        may_end.set()
        assert str(first.result().why_none).startswith("This study has found its answer")
    assert None not in others
    assert len(made) == 1


def test_restart_makes_the_same_looks(home: House, tmp_path: Path) -> None:
    judged = judge_all(studied(home, 80, 1, ends="leader", votes=80), lambda _: True)
    (tmp_path / "other").mkdir()
    other = house(tmp_path / "other")
    study = studied(other, 80, 1, ends="leader", votes=80)
    done = 0
    while done < 80 and status(study).closed_at is None:
        restarted = replace(study, reservations=Reservations(other.battles))
        if (battle := restarted.next(1).battle_id) is None:
            break
        other.time.pass_s(10)
        study.vote(1, battle, study.side_of(battle, first=True))
        other.time.pass_s(FINAL_S)
        done += 1
    assert done == judged


def test_informative_pairs_are_drawn_by_their_chance(home: House) -> None:
    study = studied(home, 60, 1, models=THREE, pairs="informative", votes=180)
    judge_all(study, lambda _: True)
    rows = study.rows(
        "SELECT b.draw_probability, t.generation_a, t.generation_b FROM battles b JOIN assignments s ON s.battle = b.id"
        " JOIN study_items t ON t.study = s.study AND t.number = s.item ORDER BY s.place"
    )
    assert {round(chance, 6) for chance, *_ in rows[:30]} == {round(1 / 3, 6)}
    later = rows[30:90]
    assert len({round(chance, 3) for chance, *_ in later}) > 1
    assert all(1 / 9 - 1e-9 <= chance <= 1 for chance, *_ in rows)
    drawn = Counter(frozenset(one.partition("-")[2] for one in pair) for _, *pair in later)
    assert max(drawn.values()) > 1.5 * min(drawn.values())
