"""Votes of a study that is still running: on no public board, list or export, until it is closed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from playground.errors import InvalidValue
from playground.exchange import FORMATS, ExportOptions, export
from playground.exchange.preview import browse, count_browsed, preview
from playground.publishing.contents import survey
from playground.ratings.counting import count
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.ratings.stored import read_votes
from playground.records import ClosedStudy, VoteFilter
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.report.reports import data_of, database, run
from tests.support.cast import MAMBA, OPENALPACA, House, house
from tests.support.judging import keep_journal
from tests.support.studying import Studied, studied


@pytest.fixture
def study() -> Studied:
    study = studied(house(), 3, 1)
    for _ in range(3):
        study.judge(1)
    study.home.battles.expire()
    return study


def close(study: Studied) -> None:
    study.home.store.write(lambda writing: writing.close_study("helpful", study.home.time.now(), "done"))


def left_out(home: House, policy: CountingPolicy) -> dict[ExclusionReason, int]:
    with home.store.reading() as reading:
        votes = read_votes(reading, policy, home.time.now())
    return {exclusion.reason: exclusion.votes for exclusion in count(votes, policy).exclusions}


def test_board_leaves_them_out_until_the_study_is_closed(study: Studied) -> None:
    assert left_out(study.home, CountingPolicy(min_decision_s=0)) == {ExclusionReason.STUDY_RUNNING: 3}
    assert left_out(study.home, CountingPolicy(keep_running_studies=True, min_decision_s=0)) == {}
    close(study)
    assert left_out(study.home, CountingPolicy(min_decision_s=0)) == {}


def test_flat_table_is_that_of_the_votes(study: Studied) -> None:
    with study.home.store.reading() as reading:
        assert reading.wrongly_judged() == []
    close(study)
    with study.home.store.reading() as reading:
        assert reading.wrongly_judged() == []


def test_public_export_names_how_many_it_leaves_out(study: Studied, tmp_path: Path) -> None:
    public = ExportOptions(running_studies=False)
    done = export(study.home.store, "votes", tmp_path / "out.jsonl", public)
    assert [file.rows for file in done.files] == [0]
    assert [str(reason) for reason in done.left_out] == [
        "3 votes left out: of a study that is still running (close the study, or export with raters' ids)"
    ]
    assert export(study.home.store, "votes", tmp_path / "all.jsonl").files[0].rows == 3
    close(study)
    assert export(study.home.store, "votes", tmp_path / "out.jsonl", public).files[0].rows == 3


@pytest.mark.parametrize("format", ["votes", "pairs", "autoarena"])
@pytest.mark.parametrize("winner", [OPENALPACA, MAMBA, "tie", ""])
def test_what_public_export_leaves_out_is_the_same_whoever_wins(
    study: Studied, tmp_path: Path, format: str, winner: str
) -> None:
    filter = VoteFilter(models=f"{OPENALPACA},{MAMBA}", winner=winner)
    public = ExportOptions(running_studies=False, filter=filter, final_by=study.home.time.now())
    path = tmp_path / f"out{FORMATS[format].containers[0]}"
    done = export(study.home.store, format, path, public)
    assert [(reason.reason, reason.count) for reason in done.left_out] == [("running", 3)]
    manifest = json.loads(done.manifest.read_text("utf-8"))
    assert [(reason["reason"], reason["count"]) for reason in manifest["left_out"]] == [("running", 3)]
    seen = preview(study.home.store, format, public)
    assert (seen.left_out, seen.votes) == (done.left_out, 0)


def test_models_of_a_running_study_did_not_meet_for_public_exports(study: Studied, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="models that met: none yet"):
        export(study.home.store, "llm-comparator", tmp_path / "out.json", ExportOptions(running_studies=False))


def test_public_list_of_battles_has_none_of_them(study: Studied) -> None:
    with study.home.store.reading() as reading:
        assert browse(reading, VoteFilter(), running_studies=False).rows == ()
        assert count_browsed(reading, VoteFilter(), running_studies=False) == 0
        assert count_browsed(reading, VoteFilter()) == 3


def test_publication_waits_for_the_end(study: Studied) -> None:
    with study.home.store.reading() as reading:
        assert survey(reading, "id", {}, study.home.time.now()).left_out == {"study_running": 3}
    close(study)
    with study.home.store.reading() as reading:
        assert survey(reading, "id", {}, study.home.time.now()).votes == 3


@pytest.mark.slow
def test_static_space_shows_none_of_them_and_the_operators_report_does(tmp_path: Path) -> None:
    def judged(home: House) -> None:
        study = studied(home, 3, 1)
        for _ in range(3):
            study.next(1)
            home.time.pass_s(5)
            study.judge(1)

    db = database(tmp_path, judged)
    assert run("space", "build", str(tmp_path / "space"), "--kind", "static", "--db", str(db))[0] == 0
    assert run("report", str(tmp_path / "report.html"), "--db", str(db))[0] == 0
    public, operators = ((tmp_path / path).read_text("utf-8") for path in ("space/index.html", "report.html"))
    assert data_of(public, "tallies")["lines"] == []
    assert data_of(operators, "tallies")["lines"] != []


def test_restored_votes_are_held_until_their_study_is_closed(tmp_path: Path) -> None:
    study = studied(house(tmp_path), 3, 1)
    for _ in range(3):
        study.judge(1)
    study.home.battles.expire()
    keep_journal(study.home.store)
    db = tmp_path / "new.db"
    status, text = run("restore", str(journal_folder(tmp_path / "playground.db")), "--db", str(db))
    assert (status, "does not hold the studies of some votes: helpful." in text) == (0, True)
    assert held(db, tmp_path) == (3, 0)
    assert run("study", "close", "helpful", "--why", "restored", "--db", str(db))[0] == 0
    assert held(db, tmp_path) == (0, 3)
    assert run("study", "close", "helpful", "--db", str(db))[0] == 1


def held(db: Path, folder: Path) -> tuple[int, int]:
    """Return the votes that the board leaves out for a running study, and the rows of a public export."""
    with Store(db) as store:
        home = House(store)
        out = left_out(home, CountingPolicy(min_decision_s=0)).get(ExclusionReason.STUDY_RUNNING, 0)
        public = export(store, "votes", folder / "out.jsonl", ExportOptions(running_studies=False)).rows
        with store.reading() as reading:
            assert reading.wrongly_judged() == []
            assert count_browsed(reading, VoteFilter(), running_studies=False) == public
            assert survey(reading, "id", {}, home.time.now()).votes == public
    return out, public


def test_end_of_a_study_is_restored_with_its_votes(tmp_path: Path) -> None:
    """A Space that begins from its store at each start has every study as an unknown one."""
    home = house(tmp_path)
    study = studied(home, 2, 1)
    study.judge(1)
    study.judge(1)
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "enough"))
    folder = keep_journal(home.store)
    for name in ("once", "twice"):
        with Store(tmp_path / name / "new.db") as new:
            assert restore(new, folder).unknown_studies == ()
            [closed] = closed_studies(new)
            assert (closed.id, closed.why, closed.votes) == ("helpful", "enough", 2)
            folder = keep_journal(new)
            assert verify(new, folder) == []


def test_end_of_an_unknown_study_is_restored_with_its_votes(tmp_path: Path) -> None:
    home = house(tmp_path)
    studied(home, 2, 1).judge(1)
    folder = keep_journal(home.store)
    with Store(tmp_path / "once" / "new.db") as new:
        assert restore(new, folder).unknown_studies == ("helpful",)
        new.write(lambda writing: writing.close_unknown_study("helpful", home.time.now(), "enough"))
        folder = keep_journal(new)
    with Store(tmp_path / "twice" / "new.db") as new:
        assert restore(new, folder).unknown_studies == ()
        with new.reading() as reading:
            assert reading.wrongly_judged() == []


def test_restore_closes_a_study_that_an_older_database_has_open(tmp_path: Path) -> None:
    home = house(tmp_path)
    studied(home, 2, 1).judge(1)
    keep_journal(home.store)
    with home.store.reading() as reading:
        reading.copy_to(tmp_path / "older.db")
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "enough"))
    folder = keep_journal(home.store)
    with Store(tmp_path / "older.db") as older:
        restore(older, folder)
        assert [one.why for one in closed_studies(older)] == ["enough"]
        with older.reading() as reading:
            assert reading.running_study_ids() == []
            assert reading.wrongly_judged() == []


@pytest.mark.parametrize("is_given_back", [False, True])
def test_restore_closes_a_study_that_ended_without_votes(tmp_path: Path, is_given_back: bool) -> None:
    home = house(tmp_path)
    study = studied(home, 2, 1)
    with home.store.reading() as reading:
        reading.copy_to(tmp_path / "older.db")
    battle = study.next(1).battle_id
    if is_given_back:
        home.battles.skip(str(battle), "rater-1")
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "wrong file"))
    folder = keep_journal(home.store)
    assert verify(home.store, folder) == []
    for path in (tmp_path / "older.db", tmp_path / "new" / "new.db"):
        with Store(path) as store:
            restore(store, folder)
            assert [(one.why, one.votes) for one in closed_studies(store)] == [("wrong file", 0)]
            with store.reading() as reading:
                assert reading.running_study_ids() == []


def closed_studies(store: Store) -> Sequence[ClosedStudy]:
    with store.reading() as reading:
        return reading.closed_studies()
