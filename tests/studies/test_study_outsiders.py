"""Studies and everybody else: guests of a link to a battle, networks, and checks of the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.arena.begun_battle import regenerable
from playground.arena.rating import is_personal
from playground.battles import Ballot, Battles, Sharing, Viewer
from playground.battles.rating import Rating
from playground.errors import InvalidValue, Refused
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.verify import verify
from playground.studies.reservation import Reservations
from tests.support.cast import ADA, House, house
from tests.support.judging import keep_journal
from tests.support.studying import FINAL_S, studied

TERMS = "2026-12-01"
GUEST = Viewer("rater-guest")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    home = house(tmp_path)
    yield home
    home.store.close()


def test_nobody_else_sees_or_joins_a_battle_of_a_study(home: House) -> None:
    study = studied(home, 3, links=1)
    battle = study.judge(1)
    assert battle is not None
    battles = Battles(home.store, home.battles.rules)
    for look in (battles.view, lambda battle, guest: Sharing(battles).join(battle, guest, TERMS)):
        with pytest.raises(Refused, match="belongs to somebody else"):
            look(battle, GUEST)
    assert study.rows("SELECT count(*) FROM votes") == [(1,)]


def test_guest_of_a_rated_battle_votes_as_a_guest(home: House) -> None:
    made = home.battle_is_open("battle-1", ends={"a": {"text": "Grey waves."}, "b": {"text": "A gull."}})
    home.store.write(lambda writing: writing.agree(ADA, TERMS, made.created_at))
    home.battles.vote(made.id, "a", ADA)
    home.battles.reveal(made.id, ADA)
    battles, cy = Battles(home.store, home.battles.rules), Viewer("rater-cy")
    rated = Rating(battles, is_personal, TERMS).next(cy, (), TERMS)
    assert rated is not None
    battles.vote(rated.battle_id, cy, Ballot("a", rated.revision))
    battles.reveal(rated.battle_id, cy)
    joined = Sharing(battles).join(rated.battle_id, GUEST, TERMS)
    battles.vote(joined.battle_id, GUEST, Ballot("b", joined.revision))
    with home.store.reading() as reading:
        rows = reading.select("SELECT rater_id, origin FROM votes ORDER BY rater_id")
        assert [tuple(row) for row in rows] == [(ADA, "person"), ("rater-cy", "person"), (GUEST.rater, "shared")]


def test_raters_of_one_network_are_not_capped_in_a_study(home: House) -> None:
    study = studied(home, 6, links=1)
    rules = replace(home.battles.rules, votes_per_network=2)
    battles, rater = Battles(home.store, rules), Viewer("rater-1", address="8.8.8.8")
    for _ in range(4):
        battle = Reservations(battles).next(study.file.id, study.tokens[0], rater).battle_id
        assert battle is not None
        battles.vote(battle, rater, Ballot("a"))
        home.time.pass_s(FINAL_S)
    assert study.rows("SELECT kind FROM vote_flags") == []
    assert study.rows("SELECT count(*) FROM vote_networks") == [(0,)]


def test_items_that_nobody_has_seen_yet_are_no_damage(home: House) -> None:
    studied(home, 2, links=1, checks=2, attentions=1)
    keep_journal(home.store)
    path = home.store.path
    assert path is not None
    assert list(verify(home.store, journal_folder(path))) == []


def test_models_of_a_rated_battle_do_not_answer_again(home: House) -> None:
    study = studied(home, 2, links=1)
    given = study.next(1).battle_id
    battle = None if given is None else home.store.battle(given)
    assert battle is not None
    with pytest.raises(InvalidValue, match="not written again"):
        regenerable(battle)
