"""Votes of a study: which count, and what journal, restore, filters and exports know of their study."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from playground.arena.listing import current_agreement
from playground.catalog.catalog import Catalog
from playground.exchange.exports import ExportOptions, export
from playground.ratings.counting import reasons_by_vote
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, ExclusionReason
from playground.ratings.stored import read_votes
from playground.records import BattleState, VoteFilter
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from playground.studies.study_file import Attention
from tests.support.cast import GALPACA, MAMBA, OPENALPACA, House, house
from tests.support.judging import keep_journal
from tests.support.studying import FINAL_S, Studied, studied


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


def judged(home: House) -> Studied:
    """A study with votes of each kind, that is closed."""
    study = studied(home, 12, 1, repeats=0.5, checks=1, attentions=1, attention=Attention("attention.jsonl", every=4))
    while (battle := study.next(1).battle_id) is not None:
        home.time.pass_s(10)
        study.vote(1, battle, study.side_of(battle, first=True))
        home.time.pass_s(FINAL_S)
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "done"))
    return study


@pytest.mark.parametrize("policy", [CountingPolicy(), EVERY_VOTE])
def test_only_items_count(home: House, policy: CountingPolicy) -> None:
    study = judged(home)
    kinds = dict(study.rows("SELECT study_kind, count(*) FROM battles GROUP BY 1"))
    assert set(kinds) == {"item", "repeat", "check", "attention"}
    with home.store.reading() as reading:
        reasons = Counter(reasons_by_vote(read_votes(reading, policy, home.time.now()), policy))
        assert reading.wrongly_judged() == []
    assert reasons == {None: 12, ExclusionReason.STUDY_EXTRA: kinds["repeat"] + kinds["check"] + kinds["attention"]}


def test_browsers_of_one_link_are_one_rater(home: House) -> None:
    study = studied(home, 40, 2, repeats=0.5)
    for number in range(60):
        link, browser = 1 + number % 2, f"browser-{number % 2}-{number // 20}"
        battle = str(study.next(link, browser=browser).battle_id)
        home.time.pass_s(10)
        home.battles.vote(battle, study.side_of(battle, first=True), browser)
        home.time.pass_s(FINAL_S)
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "done"))
    [(repeats,)] = study.rows("SELECT count(*) FROM battles WHERE study_kind = 'repeat'")
    with home.store.reading() as reading:
        votes = read_votes(reading, CountingPolicy(), home.time.now())
    assert len(set(votes.rater)) == 2
    within = current_agreement(home.store, Catalog.load(), {}, home.time.now(), VoteFilter(study="helpful")).within
    assert (within.repeats, within.raters) == (repeats, 2)


def test_links_that_share_a_browser_are_one_rater(home: House) -> None:
    study = studied(home, 12, 3)
    for link, browser in ((1, "desk"), (2, "desk"), (2, "phone"), (3, "other")):
        battle = str(study.next(link, browser=browser).battle_id)
        home.battles.vote(battle, "a", browser)
        home.time.pass_s(FINAL_S)
    with home.store.reading() as reading:
        votes = read_votes(reading, CountingPolicy(), home.time.now())
    assert len(votes.rater) == 4
    assert len(set(votes.rater)) == 2


def test_browser_that_only_opened_links_joins_no_raters(home: House) -> None:
    study = studied(home, 12, 3, checks=1)
    for link in (1, 2, 3):
        operators = str(study.next(link, browser="operator").battle_id)  # of the check
        home.battles.vote(operators, study.side_of(operators, first=True), "operator")
        study.next(link, browser="operator")
        study.judge(link)
    with home.store.reading() as reading:
        votes = read_votes(reading, EVERY_VOTE, home.time.now())
        joined = reading.same_raters()
    assert (len(votes.rater), joined) == (6, [])
    assert len(set(votes.rater)) == 4


def test_repeats_are_read_for_agreement(home: House) -> None:
    study = judged(home)
    [(repeats,)] = study.rows("SELECT count(*) FROM battles WHERE study_kind = 'repeat'")
    assert repeats > 3
    assert current_agreement(home.store, Catalog.load(), {}, home.time.now()).within.repeats == repeats


def test_study_travels_into_journal_and_back(home: House, tmp_path: Path) -> None:
    judged(home)
    folder = keep_journal(home.store)
    ids = [battle for battle, *_ in judged_battles(home.store)]
    with Store(tmp_path / "new" / "new.db") as new:
        restore(new, folder)
        assert [new.battle(battle) for battle in ids] == [home.store.battle(battle) for battle in ids]
        assert judged_battles(new) == judged_battles(home.store)
        keep_journal(new)
        assert verify(new, journal_folder(new.path or Path())) == []


def test_links_are_known_after_a_restore_by_their_numbers(home: House, tmp_path: Path) -> None:
    study = studied(home, 12, 2)
    for link, browser in ((1, "desk"), (1, "phone"), (2, "other")):
        home.battles.vote(str(study.next(link, browser=browser).battle_id), "a", browser)
        home.time.pass_s(FINAL_S)
    study.next(2, browser="operator")
    folder = keep_journal(home.store)
    with Store(tmp_path / "new" / "new.db") as new:
        restore(new, folder)
        with new.reading() as reading:
            votes = read_votes(reading, EVERY_VOTE, home.time.now())
            assert reading.study_ids() == []
    assert (len(votes.rater), len(set(votes.rater))) == (3, 2)


def judged_battles(store: Store) -> list[tuple[str, ...]]:
    with store.reading() as reading:
        rows = reading.select("SELECT id, study, study_hash, study_kind FROM battles ORDER BY id")
    assert all(row["study"] == "helpful" for row in rows)
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(("study", "rows"), [("helpful", 12), ("other", 0)])
def test_exports_are_filtered_by_study(home: House, tmp_path: Path, study: str, rows: int) -> None:
    judged(home)
    home.battle_is_open("of no study", draw_probability=0.5)
    home.battles.vote("of no study", "a", "rater-ada")
    home.time.pass_s(60)
    path = tmp_path / "pairs.jsonl"
    done = export(home.store, "pairs", path, ExportOptions(filter=VoteFilter(study=study), counted_only=True))
    assert done.rows == rows
    assert {json.loads(line)["study"] for line in path.read_text().splitlines()} == ({study} if rows else set())


def test_erasure_leaves_the_words_of_a_study(home: House) -> None:
    study = judged(home)
    before = study.rows("SELECT id, text FROM generations ORDER BY id")
    erased = home.battles.erase("rater-1")
    assert erased.battles == 0
    assert study.rows("SELECT id, text FROM generations ORDER BY id") == before
    assert study.rows("SELECT count(*) FROM battles WHERE erased_at IS NOT NULL") == [(0,)]


def test_nobody_is_asked_which_model_wrote_an_answer(home: House) -> None:
    home.asks()
    study = studied(home, 1, 1)
    battle = str(study.judge(1))
    assert study.rows("SELECT count(*) FROM guesses") == [(0,)]
    found = home.store.battle(battle)
    assert found is not None
    assert found.state is BattleState.VOTED


def test_models_of_a_study_stay_hidden(home: House) -> None:
    study = studied(home, 1, 1)
    battle = str(study.judge(1))
    home.battles.reveal(battle, "rater-1")
    view = home.battles.view(battle, "rater-1")
    assert view.state is BattleState.REVEALED
    assert [(column.card, column.generation) for column in view.columns] == [(None, None)] * 2
    assert all(column.text for column in view.columns)


def test_same_answer_in_several_pairs_counts_each_time(home: House) -> None:
    study = studied(home, 2, 1, models=(OPENALPACA, MAMBA, GALPACA), votes=6)
    while (battle := study.next(1).battle_id) is not None:
        home.time.pass_s(10)
        study.vote(1, battle)
        home.battles.reveal(battle, "rater-1")
    assert study.rows("SELECT count(*) FROM votes") == [(6,)]
    assert study.rows("SELECT * FROM vote_flags") == []
