"""Raters of a panel: they enter once, leave with the code of their outcome, and their ids are deleted in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.battles import Battles, RaterData
from playground.errors import InvalidLink, Refused
from playground.records import Belongings, CheckState, Instruction, PanelId
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.verify import verify
from playground.studies import reservation
from playground.studies.links import new_token, token_hash
from playground.studies.panel_links import signature, signing_secret
from playground.studies.panel_raters import PanelEnd, PanelRaters
from playground.studies.panel_report import panel_reports
from playground.studies.reservation import RESERVED_S
from playground.studies.study_file import Attention, Check
from playground.ui.texts import my_data as texts
from tests.report.reports import run
from tests.support import cast
from tests.support.cast import House, house
from tests.support.judging import keep_journal
from tests.support.paneling import LINK, PROLIFIC, RATER, SESSION, Paneled, ids, paneled

SECOND = ids("7f" * 12, "8e" * 12)
ATTENTION: dict[str, Any] = {"attention": Attention("a.jsonl", every=1), "attentions": 4}
DAY_S = 24 * 3600.0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    home = house(tmp_path)
    yield home
    home.store.close()


def outcome(end: PanelEnd | None) -> tuple[str, str | None]:
    assert end is not None
    return end.outcome.value, end.code


def close(study: Paneled) -> None:
    now = study.study.home.time.now()
    study.study.home.store.write(lambda writing: writing.close_study("helpful", now, "enough"))


def test_rater_leaves_with_a_code_after_their_share(home: House) -> None:
    study = paneled(home, 6)
    end = study.judge(study.enter())
    assert outcome(end) == ("complete", "CDONE")
    assert end is not None
    assert (end.done, end.address) == (3, "https://app.prolific.com/submissions/complete?cc=CDONE")
    assert study.study.rows("SELECT count(*) FROM votes") == [(3,)]


def test_votes_are_final_once_there_is_a_code(home: House) -> None:
    study = paneled(home, 6, votes_per_rater=2)
    token, given = study.enter(), []
    for _ in range(2):
        view = study.next(token).view
        assert view is not None
        home.battles.vote(view.battle_id, "a", "rater-1")
        given.append(view.battle_id)
    home.battles.undo(given[1], "rater-1")
    assert study.next(token).view is not None
    home.battles.vote(given[1], "b", "rater-1")
    end = study.next(token).end
    assert outcome(end) == ("complete", "CDONE")
    for battle in given:
        with pytest.raises(Refused, match="final"):
            home.battles.undo(battle, "rater-1")
    assert sum(study.study.votes_by_item().values()) == 2
    assert study.next(token).end == end


def test_battles_that_are_loaded_ahead_are_judged_before_the_end(home: House) -> None:
    study = paneled(home, 6)
    token = study.enter()
    study.judge(token, votes=1)
    have: list[str] = []
    for _ in range(2):
        given = study.next(token, have)
        assert given.view is not None
        have.append(given.view.battle_id)
    more = study.next(token, have)
    assert (more.view, more.end) == (None, None)
    assert study.study.rows("SELECT outcome FROM panel_raters") == [(None,)]
    for battle in have:
        home.battles.vote(battle, "a", "rater-1")
    assert outcome(study.next(token).end) == ("complete", "CDONE")


def test_failed_check_screens_out(home: House) -> None:
    study = paneled(home, 6, check=Check("c.jsonl"), checks=2)
    end = study.judge(study.enter(), right=False)
    assert outcome(end) == ("screened_out", "COUT")
    assert study.study.rows("SELECT DISTINCT study_kind FROM battles") == [("check",)]


@pytest.mark.parametrize(
    ("right", "least", "share", "expected"),
    [
        (False, 2, 0.5, ("attention_failed", "CMISSED")),
        (True, 2, 1.0, ("complete", "CDONE")),
        (False, 5, 0.5, ("complete", "CDONE")),  # too few to tell
        (False, 2, 0.0, ("complete", "CDONE")),
    ],
)
def test_attention_fails_by_the_rule_of_the_file(
    home: House, right: bool, least: int, share: float, expected: tuple[str, str]
) -> None:
    panel = replace(PROLIFIC, attention_items=least, attention_right=share)
    study = paneled(home, 6, panel, **ATTENTION)
    assert outcome(study.judge(study.enter(), right=right)) == expected


def test_failed_attention_leaves_no_vote_out(home: House) -> None:
    study = paneled(home, 6, **ATTENTION)
    assert outcome(study.judge(study.enter(), right=False))[0] == "attention_failed"
    assert study.study.rows("SELECT count(*) FROM vote_flags") == [(0,)]
    assert sum(study.study.votes_by_item().values()) == 3


@pytest.mark.parametrize("votes", [0, 2])
def test_study_that_closes_meanwhile_is_our_fault(home: House, votes: int) -> None:
    study = paneled(home, 6)
    token = study.enter()
    study.judge(token, votes=votes)
    given = study.next(token)
    assert given.view is not None
    close(study)
    loaded = study.next(token, [given.view.battle_id])
    assert (loaded.view, loaded.end) == (None, None)  # what is on the screen may still be judged
    assert outcome(study.next(token).end) == ("our_fault", "COURS")


def test_share_that_is_done_before_the_study_closes_is_complete(home: House) -> None:
    study = paneled(home, 6)
    token = study.enter()
    study.judge(token, votes=3)
    close(study)
    assert outcome(study.next(token).end) == ("complete", "CDONE")


def test_too_few_battles_are_our_fault(home: House) -> None:
    study = paneled(home, 2)
    assert outcome(study.judge(study.enter())) == ("our_fault", "COURS")
    late = study.enter(SECOND)
    assert outcome(study.next(late, browser="rater-2").end) == ("our_fault", "COURS")


def test_battles_that_others_have_are_our_fault_too(home: House) -> None:
    study = paneled(home, 1, votes_per_rater=1)
    first, late = study.enter(), study.enter(SECOND)
    assert study.next(first).view is not None
    assert outcome(study.next(late, browser="rater-2").end) == ("our_fault", "COURS")


def test_skipping_gives_no_code(home: House) -> None:
    study = paneled(home, 4)
    token = study.enter()
    for _ in range(2):
        study.skip(token)
    end = study.judge(token)
    assert outcome(end) == ("incomplete", None)
    assert end is not None
    assert end.address is None


def load(study: Paneled, token: str, battles: int, browser: str = "rater-1") -> list[str]:
    """Load battles ahead, as a page does."""
    have: list[str] = []
    for _ in range(battles):
        view = study.next(token, have, browser).view
        assert view is not None
        have.append(view.battle_id)
    return have


def hide(home: House, battle: str) -> None:
    home.store.write(lambda writing: writing.decide(battle, home.time.now(), True))


def test_answers_that_were_hidden_are_our_fault(home: House) -> None:
    study = paneled(home, 4, raters_per_battle=2)
    first, late = study.enter(SECOND), study.enter()
    for battle in load(study, first, 2):
        home.battles.vote(battle, "a", "rater-1")
        hide(home, battle)
    assert outcome(study.judge(late, browser="rater-2")) == ("our_fault", "COURS")
    assert study.study.rows("SELECT count(*) FROM assignments WHERE dropped = 'unusable'") == [(2,)]


def test_skipping_an_answer_that_was_hidden_meanwhile_is_our_fault(home: House) -> None:
    study = paneled(home, 3)
    token = study.enter()
    [battle] = load(study, token, 1)
    hide(home, battle)
    study.skip(token)
    assert outcome(study.judge(token)) == ("our_fault", "COURS")


def test_rater_is_not_sent_away_before_all_hidden_answers_are_passed(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reservation, "MOST_UNUSABLE", 1)
    study = paneled(home, 4, raters_per_battle=2)
    first, late = study.enter(SECOND), study.enter()
    [battle] = load(study, first, 1)
    home.battles.vote(battle, "a", "rater-1")
    hide(home, battle)
    passed = study.next(late, browser="rater-2")
    assert (passed.view, passed.end) == (None, None)
    assert outcome(study.judge(late, browser="rater-2"))[0] == "complete"


def test_battles_that_came_again_are_not_let_go(home: House) -> None:
    study = paneled(home, 3, votes_per_rater=4)
    token = study.enter()
    load(study, token, 3)
    end = study.judge(token, browser="rater-phone")
    assert outcome(end) == ("our_fault", "COURS")
    assert study.study.rows("SELECT count(*) FROM battles WHERE state = 'void'") == [(3,)]


def test_battles_that_others_took_meanwhile_are_let_go(home: House) -> None:
    study = paneled(home, 3)
    token, other = study.enter(), study.enter(SECOND)
    load(study, token, 3)
    home.time.pass_s(RESERVED_S)
    assert outcome(study.judge(other, browser="rater-2"))[0] == "complete"
    assert outcome(study.next(token).end) == ("incomplete", None)


def test_battles_that_were_taken_back_count_for_who_judged_the_rest(home: House) -> None:
    study = paneled(home, 4)
    token, other = study.enter(), study.enter(SECOND)
    for battle in load(study, token, 3)[:2]:
        home.battles.vote(battle, "a", "rater-1")
    home.time.pass_s(RESERVED_S)
    study.judge(other, browser="rater-2", votes=2)
    assert outcome(study.next(token).end) == ("complete", "CDONE")


def test_skipped_battle_makes_nobody_complete(home: House) -> None:
    study = paneled(home, 4)
    token, other = study.enter(), study.enter(SECOND)
    study.skip(token)
    study.skip(token)
    home.battles.vote(load(study, token, 2)[0], "a", "rater-1")
    home.time.pass_s(RESERVED_S)
    study.judge(other, browser="rater-2")
    assert outcome(study.next(token).end)[0] == "incomplete"


def test_battles_that_nobody_took_before_the_study_closed_are_not_let_go(home: House) -> None:
    study = paneled(home, 3)
    token, other = study.enter(), study.enter(SECOND)
    load(study, token, 3)
    home.time.pass_s(RESERVED_S)
    assert study.next(other, browser="rater-2").view is not None  # gives the three back, and takes one
    close(study)
    assert outcome(study.next(token).end)[0] == "our_fault"


def test_skipping_costs_nothing_where_enough_is_left(home: House) -> None:
    study = paneled(home, 6)
    token = study.enter()
    study.skip(token)
    assert outcome(study.judge(token)) == ("complete", "CDONE")


def test_rater_who_comes_back_sees_the_code_again(home: House) -> None:
    study = paneled(home, 6)
    token = study.enter()
    first = study.judge(token)
    home.time.pass_s(DAY_S)
    assert study.enter() == token
    for browser in ("rater-1", "rater-other"):
        again = study.next(token, browser=browser)
        assert (again.view, again.end) == (None, first)
    close(study)
    assert study.next(study.enter()).end == first
    assert study.study.rows("SELECT count(*) FROM battles") == [(3,)]


def test_rater_goes_on_in_another_browser(home: House) -> None:
    study = paneled(home, 6)
    token = study.enter()
    study.judge(token, votes=2)
    open_there = study.next(token).view
    assert open_there is not None
    assert outcome(study.judge(study.enter(), browser="rater-phone")) == ("complete", "CDONE")
    assert study.study.rows("SELECT state FROM battles WHERE id = ?", open_there.battle_id) == [("void",)]
    assert study.study.rows("SELECT count(*) FROM study_raters") == [(1,)]


@pytest.mark.parametrize("other", [ids(session="9d" * 12), ids(rater="9d" * 12)])
def test_one_session_is_of_one_rater(home: House, other: dict[str, str]) -> None:
    study = paneled(home, 6)
    study.enter()
    with pytest.raises(InvalidLink, match="in another session of your panel"):
        study.enter(other)
    assert study.study.rows("SELECT count(*) FROM panel_raters") == [(1,)]


@pytest.mark.parametrize("study_id", ["", "other", "helpful\x00"])
def test_unknown_study_is_refused(home: House, study_id: str) -> None:
    study = paneled(home, 2)
    with pytest.raises(InvalidLink, match="no study for a panel"):
        study.studies.enter(study_id, ids())


def test_study_without_a_panel_takes_nobody_from_one(home: House) -> None:
    study = paneled(home, 2, None)  # type: ignore[arg-type]
    with pytest.raises(InvalidLink, match="no study for a panel"):
        study.enter()


def test_personal_links_of_a_study_with_a_panel_get_no_code(home: House) -> None:
    study, token = paneled(home, 6), new_token()
    at = home.time.now()
    home.store.write(lambda writing: writing.insert_link("helpful", token_hash(token), CheckState.NONE, at))
    assert study.judge(token) is None
    assert study.next(token).why_none == "You have rated your share of this study. Thank you."
    assert study.study.rows("SELECT count(*) FROM panel_raters") == [(0,)]


def test_ids_are_stored_once_and_not_where_votes_are(home: House) -> None:
    study = paneled(home, 6)
    study.judge(study.enter())
    folder = keep_journal(home.store)
    assert study.study.rows("SELECT number, rater, session FROM panel_ids") == [(1, RATER, SESSION)]
    for table in ("studies", "study_raters", "panel_raters", "battles", "votes", "raters", "assignments"):
        assert RATER not in repr(study.study.rows(f"SELECT * FROM {table}"))
    assert not any(RATER.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    path = home.store.path
    assert path is not None
    assert list(verify(home.store, journal_folder(path))) == []


@pytest.mark.parametrize(("days", "left"), [(89, 1), (90, 0)])
def test_ids_are_deleted_some_days_after_the_end(home: House, days: int, left: int) -> None:
    study = paneled(home, 6)
    token = study.enter()
    end = study.judge(token)
    panels = PanelRaters(Battles(home.store, home.battles.rules))
    home.time.pass_s(1000 * DAY_S)
    panels.forget_due_ids()
    assert study.study.rows("SELECT count(*) FROM panel_ids") == [(1,)]  # the study is open
    close(study)
    home.time.pass_s(days * DAY_S)
    panels.forget_due_ids()
    assert study.study.rows("SELECT count(*) FROM panel_ids") == [(left,)]
    assert (study.enter(), study.next(token).end) == (token, end)  # the hash knows them still


def test_erasure_deletes_the_ids_of_a_rater(home: House) -> None:
    study = paneled(home, 6)
    study.judge(study.enter())
    study.judge(study.enter(SECOND), browser="rater-2", votes=1)
    home.battles.erase("rater-1")
    with home.store.reading() as reading:
        assert reading.panel_ids("helpful") == [PanelId("helpful", 2, "7f" * 12, "8e" * 12)]
        assert reading.erasure_to_scrub() is not None


def test_rater_who_only_entered_sees_and_erases_their_id(home: House) -> None:
    study = paneled(home, 6)
    study.next(study.enter(), browser="rater-1")  # has no vote, and no words of their own
    data = RaterData(Battles(home.store, home.battles.rules))
    stored = data.totals("rater-1")
    assert stored == Belongings(battles=0, erased=0, votes=0, notes=0, panel_ids=1)
    assert texts.stored(stored, mine=True) == texts.PANEL_ID[True]
    assert texts.question(stored, mine=True) == texts.PANEL_ID_QUESTION[True]
    [id] = data.document("rater-1")["panel_ids"]
    assert id == {"study": "helpful", "rater": RATER, "session": SESSION}
    assert texts.erased(data.erase("rater-1")) == texts.PANEL_ID_ERASED
    assert data.totals("rater-1") == Belongings(battles=0, erased=0, votes=0, notes=0)
    assert texts.erased(data.erase("rater-1")) == texts.NOTHING_TO_ERASE
    assert "panel_ids" not in data.document("rater-1")


def test_operator_erases_the_id_of_a_rater_who_only_entered(tmp_path: Path) -> None:
    db = tmp_path / "of-panel.db"
    with Store(db) as store:
        study = paneled(House(store), 6)
        study.next(study.enter(), browser="rater-1")
    argv = ("erase", "--rater", "rater-1", "--db", str(db))
    ids = "1 id under which a panel knows them"
    words = f"the words of 0 battles and 0 notes (comments and reports) of rater-1, and {ids}"
    assert run(*argv) == (0, f"would erase {words}; add --yes to do it\n")
    assert run(*argv, "--yes") == (0, f"erased: {words}\n")
    assert run(*argv)[0] == 1


@pytest.mark.parametrize("browser", ["rater-1", None])
@pytest.mark.parametrize("is_hash", [False, True])
def test_operator_erases_a_rater_by_the_id_of_the_panel(tmp_path: Path, browser: str | None, is_hash: bool) -> None:
    db = tmp_path / "of-panel.db"
    with Store(db) as store:
        study = paneled(House(store), 6)
        token = study.enter()
        study.enter(SECOND)
        if browser is not None:
            study.next(token, browser=browser)
        [(id_hash,)] = study.study.rows("SELECT id_hash FROM panel_raters WHERE number = 1")
    argv = ("erase", "--rater", id_hash if is_hash else RATER, "--db", str(db))
    assert run(*argv)[1].endswith(", and 1 id under which a panel knows them; add --yes to do it\n")
    assert run(*argv, "--yes")[1].endswith(", and 1 id under which a panel knows them\n")
    assert run(*argv)[0] == 1
    assert RATER.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    with Store(db, read_only=True) as store, store.reading() as reading:
        assert [id.number for id in reading.panel_ids("helpful")] == [2]


@pytest.mark.parametrize("is_hash", [False, True])
def test_operator_erases_what_a_rater_wrote_in_all_browsers(tmp_path: Path, is_hash: bool) -> None:
    db = tmp_path / "of-panel.db"
    with Store(db) as store:
        study = paneled(House(store), 6)
        token = study.enter()
        for browser in ("rater-1", "rater-phone"):
            [battle] = load(study, token, 1, browser)
            study.study.home.battles.vote(battle, "a", browser)
            study.study.home.battles.note(battle, browser, comment=f"herring of {browser}")
        [(id_hash,)] = study.study.rows("SELECT id_hash FROM panel_raters")
    argv = ("erase", "--rater", id_hash if is_hash else RATER, "--db", str(db))
    words = f"the words of 0 battles and 2 notes (comments and reports) of {argv[2]}"
    words += ", and 1 id under which a panel knows them"
    assert run(*argv) == (0, f"would erase {words}; add --yes to do it\n")
    assert run(*argv, "--yes") == (0, f"erased: {words}\n")
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert RATER.encode() not in files
    assert b"herring" not in files


@pytest.mark.parametrize("kind", ["item", "check"])
def test_operator_erases_no_browser_that_only_opened_the_link(tmp_path: Path, kind: str) -> None:
    db = tmp_path / "of-panel.db"
    with Store(db) as store:
        study = paneled(House(store), 6, check=Check("c.jsonl"), checks=2)
        token = study.enter()
        study.study.home.battles.create(cast.battle("own", owner="rater-operator", instruction=Instruction("cod")))
        study.next(token, browser="rater-operator")
        study.judge(token, right=kind == "item", votes=3)
        [(judged,)] = study.study.rows("SELECT battle_id FROM votes ORDER BY created_at DESC LIMIT 1")
        study.study.home.battles.note(judged, "rater-1", comment="herring")
        assert study.study.rows("SELECT study_kind FROM battles WHERE id = ?", judged) == [(kind,)]
        assert study.study.rows("SELECT count(*) FROM study_browsers") == [(2,)]
    assert run("erase", "--rater", RATER, "--yes", "--db", str(db))[0] == 0
    with Store(db, read_only=True) as store, store.reading() as reading:
        assert [row[0] for row in reading.select("SELECT id FROM battles WHERE erased_at IS NOT NULL")] == []
        assert reading.panel_ids("helpful") == []
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert (b"cod" in files, b"herring" in files) == (True, False)


def test_report_names_outcomes_and_ids_only_if_asked(home: House) -> None:
    study = paneled(home, 3, LINK)
    with home.store.reading() as reading:
        stored = reading.study("helpful")
    assert stored is not None
    for name in ("łukasz", "=1+1"):
        study.enter({"rater": name, "sig": signature(signing_secret(stored), name)})
    with home.store.reading() as reading:
        hidden = panel_reports(reading, stored, with_ids=False)
        shown = panel_reports(reading, stored, with_ids=True)
    assert [(one.number, one.outcome, one.id) for one in hidden] == [(1, None, None), (2, None, None)]
    assert [(one.id, one.session) for one in shown] == [("łukasz", None), ("=1+1", None)]
    assert len({one.id_hash for one in hidden}) == 2
