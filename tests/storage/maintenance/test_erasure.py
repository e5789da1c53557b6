"""Erasing a rater's words: what goes, what stays, what still counts, and that no byte of it is left in a file."""

from __future__ import annotations

import io
import json
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from playground.battles import Battles, RaterData
from playground.cli import main
from playground.errors import Refused, StorageError
from playground.raters import rater_id
from playground.records import BattleSide, BattleState, Belongings, Erased, Instruction
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from tests.support.cast import ADA, BEN, GALPACA, HAIKU, MAMBA, OPENALPACA, PARAMS, House, battle, generation, house

HERS = Instruction("Ada asks about herrings.", "of the herring", "be a herring", category="creative")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    yield made
    made.store.close()


def voted(home: House, battle_id: str = "battle-1", choice: str = "a", owner: str = ADA, **changes: object) -> None:
    """A revealed battle with a reason and a comment."""
    home.battle_is_open(battle_id, **({"owner": owner, "instruction": HERS} | changes))
    home.battles.vote(battle_id, choice, owner, reasons=["clear"], comment="Ada likes herrings.")
    home.battles.reveal(battle_id, owner)


def rows(home: House, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home.store.path or "")) as connection:
        return connection.execute(statement, values).fetchall()


def path_of(home: House) -> Path:
    assert home.store.path is not None
    return home.store.path


def leftovers(folder: Path, *words: str) -> list[tuple[str, str]]:
    """Files below `folder` in which some of the words still stand."""
    found = [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    return [(path.name, word) for path, content in found for word in words if word.encode() in content]


# What goes, what stays


def test_words_go_and_the_bare_judgement_stays_and_counts(home: House) -> None:
    voted(home)
    before = list(home.store.judged_pairs(blind_only=True))
    assert home.battles.belongings(ADA) == Belongings(battles=1, erased=0, votes=1, notes=1)

    assert home.battles.erase(ADA) == Erased(battles=1, notes=1)

    assert list(home.store.judged_pairs(blind_only=True)) == before
    stored = home.store.battle("battle-1")
    assert stored is not None
    assert stored.erased_at == home.time.now()
    assert stored.instruction == Instruction("", category="creative")
    assert [(s.generation and s.generation.text, s.generation and s.generation.prompt.text) for s in stored.sides] == [
        ("", "")
    ] * 2
    assert rows(home, "SELECT kind, text FROM vote_notes") == [("reason", "clear")]
    assert rows(home, "SELECT prompt_ids, token_ids, good, chars FROM generations") == [("[]", "[]", 1, 23)] * 2
    assert home.battles.belongings(ADA) == Belongings(battles=0, erased=1, votes=1, notes=0)


def test_a_tombstone_is_left_and_the_journal_is_told_of_it(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    assert rows(home, "SELECT rater_id, battles, notes FROM erasures") == [(ADA, 1, 1)]
    told = rows(home, "SELECT kind, battle_id, erasure_id FROM journal_events ORDER BY seq DESC LIMIT 1")
    assert told == [("erasure", None, 1)]


def test_an_instruction_that_nobody_else_asked_is_gone_and_one_that_somebody_did_stays(home: House) -> None:
    voted(home)
    voted(home, "battle-2", instruction=HAIKU)
    voted(home, "battle-3", owner=BEN, instruction=HAIKU)
    home.battles.erase(ADA)
    assert sorted(rows(home, "SELECT instruction FROM instructions")) == [("",), (HAIKU.instruction,)]
    bens = home.store.battle("battle-3")
    assert bens is not None
    assert bens.instruction == HAIKU
    assert bens.sides[0].generation is not None
    assert bens.sides[0].generation.text


def test_an_answer_that_anothers_battle_shows_keeps_its_text_there_until_both_have_erased_it(home: House) -> None:
    voted(home)
    hers = home.store.battle("battle-1")
    assert hers is not None
    shared = battle("battle-2", owner=BEN, comparison_id=hers.comparison_id, instruction=HERS, sides=hers.sides)
    home.battles.create(shared)
    home.battles.vote("battle-2", "b", BEN, final=True)

    home.battles.erase(ADA)

    shown = home.battles.view("battle-1", ADA)
    assert (shown.erased, shown.instruction.instruction, [c.text for c in shown.columns]) == (True, "", ["", ""])
    assert all(c.generation is not None and c.generation.prompt.text == "" for c in shown.columns)
    theirs = home.battles.view("battle-2", BEN)
    assert (theirs.erased, theirs.instruction) == (False, HERS)
    assert [c.text for c in theirs.columns] == [s.generation and s.generation.text for s in hers.sides]

    home.battles.erase(BEN)
    assert rows(home, "SELECT DISTINCT text, prompt_text FROM generations") == [("", "")]
    assert rows(home, "SELECT DISTINCT instruction FROM instructions") == [("",)]


def test_what_waits_for_a_vote_becomes_void_and_a_vote_becomes_final(home: House) -> None:
    home.battle_is_open("open")
    home.battle_is_open("voted")
    home.battles.vote("voted", "b", ADA)
    home.battles.erase(ADA)
    waiting, judged = home.store.battle("open"), home.store.battle("voted")
    assert waiting is not None
    assert judged is not None
    assert (waiting.state, waiting.void_reason) == (BattleState.VOID, "expired")
    assert (judged.state, judged.final_at) == (BattleState.REVEALED, home.time.now())
    with pytest.raises(Refused, match="final"):
        home.battles.undo("voted", ADA)
    assert rows(home, "SELECT kind FROM journal_events ORDER BY seq") == [("vote",), ("reveal",), ("erasure",)]


def test_nothing_is_erased_while_answers_are_being_written(home: House) -> None:
    voted(home)
    home.battles.create(battle("battle-2"))
    with pytest.raises(Refused, match="nothing was erased") as refused:
        home.battles.erase(ADA)
    assert refused.value.reason == "writing"
    assert home.battles.belongings(ADA).battles == 2
    assert home.battles.view("battle-1", ADA).instruction == HERS


def test_only_hers_of_the_page_are_erased_and_the_operator_reaches_those_of_the_api(home: House) -> None:
    voted(home, owner=BEN)
    home.battle_is_open("of-the-api", source="api", owner=ADA, instruction=HERS)
    assert home.battles.erase(ADA) == Erased(0, 0)
    assert rows(home, "SELECT count(*) FROM erasures") == [(0,)]
    assert home.battles.erase(ADA, "") == Erased(1, 0)
    assert home.battles.view("battle-1", BEN).instruction == HERS


def test_erasing_again_erases_what_has_come_since_and_nothing_twice(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    assert home.battles.erase(ADA) == Erased(0, 0)
    voted(home, "battle-2")
    assert home.battles.view("battle-2", ADA).instruction == HERS
    assert home.battles.erase(ADA) == Erased(1, 1)
    assert rows(home, "SELECT battles, notes FROM erasures") == [(1, 1), (1, 1)]


def test_nothing_can_be_added_to_what_was_erased(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    with pytest.raises(Refused, match="erased by its rater"):
        home.battles.note("battle-1", ADA, comment="Ada remembers herrings.")
    with pytest.raises(Refused, match="erased by its rater"):
        home.battles.note("battle-1", BEN, report_side="a", report="rude")
    assert home.battles.vote("battle-1", "b", ADA).choice == "a"


def test_a_tab_that_is_still_open_is_told_that_the_battle_was_erased(home: House) -> None:
    home.battle_is_open("battle-1")
    home.battles.erase(ADA)
    for act in (home.battles.vote, home.battles.undo, home.battles.reveal):
        with pytest.raises(Refused, match="erased by its rater") as refused:
            act(*("battle-1", "a", ADA) if act == home.battles.vote else ("battle-1", ADA))
        assert refused.value.reason == "erased"
    with pytest.raises(Refused, match="belongs to somebody else"):
        home.battles.vote("battle-1", "a", BEN)


def test_her_reports_on_others_answers_go_and_theirs_on_hers_stay(home: House) -> None:
    voted(home)
    voted(home, "battle-2", owner=BEN)
    home.battles.note("battle-2", ADA, report_side="a", report="Ada reports a herring.")
    home.battles.note("battle-1", BEN, report_side="a", report="Ben reports.")
    assert home.battles.erase(ADA) == Erased(1, 2)
    assert rows(home, "SELECT text FROM vote_notes WHERE kind = 'report'") == [("Ben reports.",)]


def test_what_was_found_in_an_answer_goes_with_it_and_that_it_was_found_stays(home: House) -> None:
    home.battle_is_open(instruction=HERS)
    home.store.write(lambda writing: writing.flag_generation("battle-1-a", "names_itself", "I am a herring"))
    home.battles.erase(ADA)
    assert ("battle-1-a", "names_itself", "") in rows(home, "SELECT generation_id, kind, detail FROM generation_flags")


# Files


@pytest.mark.parametrize("exclusive", [False, True])
def test_no_byte_of_it_is_left_in_any_file(tmp_path: Path, exclusive: bool) -> None:
    folder = tmp_path / "data"
    home = House(Store(folder / "playground.db", exclusive=exclusive))
    for number in range(60):  # texts of many lengths, some over several pages, between those of somebody else
        told = replace(HERS, instruction=f"Herring {number} " + "swims " * (number * 7))
        ends = {side: {"text": f"herring-answer {number} " + "and swims " * (number * 13)} for side in "ab"}
        owner = BEN if number % 3 == 0 else ADA
        words = {"instruction": told, "ends": ends} if owner == ADA else {}
        home.battle_is_open(f"battle-{number}", owner=owner, **words)
        home.battles.vote(f"battle-{number}", "a", owner, final=True, comment="Ada likes herrings." * (owner == ADA))
    marks = ("erring", "swims")
    if not exclusive:  # otherwise only its own connection may read the file
        assert leftovers(folder, *marks)
    home.battles.erase(ADA)
    assert home.store.scrub()
    assert leftovers(folder, *marks) == []
    home.store.close()
    assert leftovers(folder, *marks) == []
    with Store(folder / "playground.db") as again:
        assert again.count_votes() == 60


def test_the_file_is_written_anew_once_after_an_erasure_and_not_under_somebody_who_reads(home: House) -> None:
    voted(home)
    assert home.store.scrub()
    with home.store.reading() as reading:
        assert reading.battle("battle-1") is not None
        home.battles.erase(ADA)
        assert not home.store.scrub()
        assert reading.erasure_to_scrub() is None
    assert home.store.scrub()
    with home.store.reading() as reading:
        assert reading.erasure_to_scrub() is None
    assert home.battles.create(battle("battle-2"))


def statements(home: House) -> list[str]:
    """What the connection that writes is told from now on."""
    told: list[str] = []
    home.store.write(lambda writing: writing._connection.set_trace_callback(told.append))
    return told


def test_a_large_file_is_not_written_anew_while_it_takes_votes_but_its_log_is_emptied_at_once(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    voted(home, instruction=replace(HERS, input="swims " * 5000))
    home.battles.erase(ADA)
    told = statements(home)
    assert [home.store.scrub(most_bytes=1000) for _ in range(3)] == [False] * 3
    assert "VACUUM" not in told
    assert [line for line in told if "wal_checkpoint" in line] == ["PRAGMA wal_checkpoint(TRUNCATE)"]
    assert path_of(home).with_name("playground.db-wal").stat().st_size == 0
    assert leftovers(path_of(home).parent, "swims swims") == []
    assert [record.message for record in caplog.records if "erase --leftovers" in record.message] != []
    assert home.store.scrub()
    assert "VACUUM" in told
    assert home.store.scrub(most_bytes=1000)


def test_the_file_is_written_anew_once_however_often_somebody_keeps_the_log_from_being_emptied(home: House) -> None:
    voted(home)
    home.battles.erase(ADA)
    assert not home.store.scrub(most_bytes=1000)
    told = statements(home)
    with home.store.reading() as reading:
        assert reading.erasure_to_scrub() == 1
        assert not home.store.scrub()
        assert not home.store.scrub()
    assert home.store.scrub()
    assert told.count("VACUUM") == 1


def test_where_there_is_not_twice_the_space_the_file_is_not_written_anew_and_that_is_said(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    voted(home)
    home.battles.erase(ADA)
    told = statements(home)
    usage = SimpleNamespace(total=10**9, used=10**9 - 5000, free=5000)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda folder: usage)
        with pytest.raises(StorageError, match=r"needs \d+ free bytes beside it, there are 5000"):
            home.store.scrub()
    assert "VACUUM" not in told
    assert path_of(home).with_name("playground.db-wal").stat().st_size == 0
    assert home.store.scrub()


def test_what_could_not_be_written_anew_leaves_no_log_behind_and_loses_nothing(home: House) -> None:
    voted(home, owner=BEN, instruction=replace(HERS, input="stays " * 50_000))
    voted(home, "battle-2")
    home.battles.erase(ADA)
    assert not home.store.scrub(most_bytes=1000)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))
    try:
        with pytest.raises(StorageError, match="could not be rebuilt") as failed:
            home.store.scrub()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert "nothing was saved" not in str(failed.value)
    assert path_of(home).with_name("playground.db-wal").stat().st_size == 0
    assert home.store.count_votes() == 2
    assert home.store.scrub()


def test_votes_wait_for_the_file_to_be_written_anew_and_none_is_lost(home: House) -> None:
    for number in range(20):
        voted(home, f"battle-{number}", choice="ab"[number % 2])
    with ThreadPoolExecutor(8) as pool:
        judged = [pool.submit(voted, home, f"more-{number}", owner=BEN) for number in range(20)]
        home.battles.erase(ADA)
        assert home.store.scrub()
        assert [vote.result() for vote in judged] == [None] * 20
    assert home.store.count_votes() == 40
    assert rows(home, "PRAGMA integrity_check") == [("ok",)]


# Consent


def test_a_version_of_the_terms_is_kept_with_the_first_battle_under_it(home: House) -> None:
    first = home.time.now()
    home.battles.create(battle("one", created_at=first), "2026-11-20")
    home.time.pass_s(60)
    home.battles.create(battle("two", created_at=home.time.now()), "2026-11-20")
    home.battles.create(battle("three", created_at=home.time.now()), "2026-11-21")
    agreed = rows(home, "SELECT rater_id, version, created_at FROM consents ORDER BY version")
    assert agreed == [(ADA, "2026-11-20", first), (ADA, "2026-11-21", home.time.now())]


def test_a_battle_that_cannot_be_stored_leaves_no_consent(home: House) -> None:
    sides = (BattleSide("a", OPENALPACA, 5, PARAMS), BattleSide("b", "no-such-model", 5, PARAMS))
    with pytest.raises(Exception, match="FOREIGN KEY"):
        home.battles.create(battle(sides=sides), "2026-11-20")
    assert rows(home, "SELECT count(*) FROM consents") == [(0,)]


def test_a_clock_that_was_set_back_leaves_no_battle_before_its_consent(home: House) -> None:
    home.battles.create(battle("one", created_at="2026-11-20T19:00:00.000+00:00"), "v")
    home.battles.create(battle("two", created_at="2026-11-20T18:00:00.000+00:00"), "v")
    assert rows(home, "SELECT created_at FROM consents") == [("2026-11-20T18:00:00.000+00:00",)]


# Command line

SECRET = "ab" * 16


def erase(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(["erase", *argv], out), out.getvalue()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "playground.db"
    with Store(path) as store:
        journal = Journal(store, journal_folder(path))
        voted(House(store), owner=rater_id(SECRET))
        journal.close()
    return path


def test_the_command_says_first_what_it_would_erase(db: Path) -> None:
    status, words = erase("--receipt", SECRET, "--db", str(db))
    assert status == 0
    assert words.startswith("would erase the words of 1 battles, 1 comments")
    with Store(db) as store:
        assert RaterData(Battles(store)).totals(rater_id(SECRET)).battles == 1


@pytest.mark.parametrize("whose", [("--receipt", SECRET), ("--rater", rater_id(SECRET))])
def test_the_command_erases_by_receipt_and_by_id(db: Path, whose: tuple[str, str]) -> None:
    assert {Path(name).suffix for name, _ in leftovers(db.parent, "herring")} == {".db", ".jsonl"}
    status, words = erase(*whose, "--yes", "--json", "--db", str(db))
    assert status == 0
    assert json.loads(words) == {"rater": rater_id(SECRET), "erased": True, "battles": 1, "notes": 1}
    assert leftovers(db.parent, "herring") == []


def test_what_a_process_that_is_gone_was_writing_does_not_keep_the_command_from_erasing(db: Path) -> None:
    with Store(db) as store:
        Battles(store).create(battle("battle-2", models=(MAMBA, GALPACA), owner=rater_id(SECRET)))
    assert erase("--receipt", SECRET, "--yes", "--db", str(db))[0] == 0
    with Store(db) as store:
        assert RaterData(Battles(store)).totals(rater_id(SECRET)) == Belongings(0, 2, 1, 0)


def test_the_command_refuses_beside_a_running_playground_and_for_who_is_not_there(
    db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(db):
        assert erase("--receipt", SECRET, "--yes", "--db", str(db))[0] == 1
    assert f"another process writes to {db}" in capsys.readouterr().err
    assert erase("--rater", "nobody", "--db", str(db))[0] == 1
    assert "nothing is stored of the rater 'nobody'" in capsys.readouterr().err
    assert erase("--receipt", "abc", "--db", str(db))[0] == 1
    assert "not a receipt" in capsys.readouterr().err


def test_the_command_says_where_bytes_may_be_left_and_takes_them_out_later(
    db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM battles").fetchone() == (1,)
        status, words = erase("--receipt", SECRET, "--yes", "--db", str(db))
        assert (status, words.split(":")[0]) == (1, "erased")
        assert "erased, but bytes of it may be left in the file" in capsys.readouterr().err
        assert erase("--leftovers", "--json", "--db", str(db)) == (1, '{\n  "leftovers": true\n}\n')
        reader.execute("ROLLBACK")
    assert erase("--leftovers", "--db", str(db)) == (0, f"no erased text is left in {db}\n")
    assert leftovers(db.parent, "herring") == []


def test_leftovers_of_a_database_that_is_not_there_make_none(tmp_path: Path) -> None:
    assert erase("--leftovers", "--db", str(tmp_path / "no.db"))[0] == 1
    assert list(tmp_path.iterdir()) == []


def test_the_receipt_can_be_given_on_standard_input(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET.upper()}\n"))
    assert "would erase the words of 1 battles" in erase("--receipt", "-", "--db", str(db))[1]


def test_an_answer_made_for_nobody_else_is_only_hers(home: House) -> None:
    """A battle may bring answers along that were finished before it."""
    made = generation("early", OPENALPACA, instruction=HERS, text="An early herring.")
    other = generation("early-2", MAMBA, instruction=HERS, text="Another herring.")
    sides = (BattleSide("a", OPENALPACA, 5, PARAMS, made), BattleSide("b", MAMBA, 5, PARAMS, other))
    home.battles.create(battle(sides=sides, instruction=HERS))
    home.battles.erase(ADA)
    assert rows(home, "SELECT DISTINCT text FROM generations") == [("",)]
