"""The flat table of judged pairs says what the votes say, whatever happens to them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from playground.battles import Moderation
from playground.records import Instruction
from playground.storage.database.connection import connect, open_writer
from playground.storage.database.migrations import APPLICATION_ID, migrations
from playground.storage.database.schema import third
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.maintenance.restore import restore
from tests.support.cast import ADA, BEN, FAILED, GALPACA, MAMBA, MODELS, OPENALPACA, House, house
from tests.support.storing import many_votes, path_of, rows, voted

OLDER_VIEW = third.PAIRS[-1].partition(" AS\n")[2]
"""The query of the view before there was a flat table."""


def as_before(reading: Any) -> list[dict[str, Any]]:
    found = reading.select(f"SELECT * FROM ({OLDER_VIEW}) ORDER BY vote_id, side_a, side_b")
    return [dict(row) for row in found]


def judged(reading: Any) -> list[dict[str, Any]]:
    found = reading.select("SELECT * FROM pairs ORDER BY vote_id, side_a, side_b")
    return [{name: row[name] for name in row.keys() if name in NAMES} for row in found]  # noqa: SIM118


with closing(connect(None)) as _empty:
    migrations().apply(Database(_empty, execute_plugins=False))
    NAMES = {column[0] for column in _empty.execute(OLDER_VIEW).description}


def check(store: Store) -> int:
    """Compare the flat rows with the votes; return their number."""
    with store.reading() as reading:
        assert reading.wrongly_judged() == []
        assert judged(reading) == as_before(reading)
        return int(reading.scalar("SELECT count(*) FROM judged_pairs"))


@pytest.mark.parametrize(
    ("choice", "models", "ends", "pairs"),
    [
        ("a", (OPENALPACA, MAMBA), {}, 1),
        ("tie", (OPENALPACA, OPENALPACA), {}, 1),
        ("both_bad", MODELS, {}, 3),
        ("b", MODELS, {}, 2),
        ("b>a=c", MODELS, {}, 3),
        ("c=b", MODELS, {"a": FAILED}, 1),
        ("a", (GALPACA, MAMBA), {"a": {"text": "I am Galpaca, longer."}}, 1),
    ],
)
def test_vote_writes_its_pairs(
    choice: str, models: tuple[str, ...], ends: dict[str, dict[str, Any]], pairs: int
) -> None:
    home = house()
    home.battle_is_open(models=models, ends=ends)
    home.battles.vote("battle-1", choice, ADA)
    assert check(home.store) == pairs


def test_undo_takes_the_pairs_out() -> None:
    home = house()
    home.battle_is_open(models=MODELS)
    home.battles.vote("battle-1", "a", ADA)
    home.battles.undo("battle-1", ADA)
    assert check(home.store) == 0
    home.battles.vote("battle-1", "both_bad", ADA)
    assert check(home.store) == 3


def test_flags_that_follow_are_marked() -> None:
    home = house()
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    with home.store.reading() as reading:
        [vote] = reading.select("SELECT id FROM votes")
    home.store.write(lambda writing: writing.flag_vote(vote["id"], "capped"))
    home.store.write(lambda writing: writing.flag_generation("battle-1-b", "names_itself", "I am"))
    with home.store.reading() as reading:
        [pair] = reading.judged_pairs()
    assert (pair.capped, pair.names_itself, pair.seen_before) == (True, True, False)
    assert check(home.store) == 1


def test_side_that_is_filled_late_is_judged() -> None:
    home = house()
    home.battle_is_open(models=MODELS)
    home.battles.vote("battle-1", "a", ADA)

    def refill(writing: Any) -> None:
        writing._connection.execute("DROP TRIGGER battle_sides_are_filled_once")
        writing._connection.execute("UPDATE battle_sides SET generation_id = NULL WHERE side = 'c'")
        assert writing.scalar("SELECT count(*) FROM judged_pairs") == 1
        writing.fill_side("battle-1", "c", "battle-1-c")

    home.store.write(refill)
    assert check(home.store) == 2


def test_erased_and_hidden_battles_stay_judged(home: House) -> None:
    voted(home, "erased")
    voted(home, "hidden", owner=BEN)
    home.battles.erase(ADA)
    Moderation(home.battles).hide("hidden")
    assert check(home.store) == 2
    with home.store.reading() as reading:
        assert {row["category"] for row in reading.select("SELECT category FROM pairs")} == {"creative"}


def test_rebuilt_file_keeps_the_rows_that_pairs_name(home: House) -> None:
    """SQLite promises this of no table without a key that is an integer; it is so for tables with an index."""
    for number in range(4):
        voted(home, f"battle-{number}", owner=ADA if number % 2 else BEN, instruction=Instruction(f"Number {number}?"))
    home.battle_is_open("undone")
    home.battles.vote("undone", "a", ADA)
    home.battles.undo("undone", ADA)
    home.battles.erase(BEN)  # drops instructions
    assert home.store.scrub()
    assert check(home.store) == 4
    voted(home, "after")
    assert check(home.store) == 5


def test_older_votes_are_judged_by_the_migration(tmp_path: Path) -> None:
    home = house(tmp_path / "new")
    home.battle_is_open("three", models=MODELS)
    home.battles.vote("three", "b>a=c", ADA)
    home.battle_is_open("undone")
    home.battles.vote("undone", "a", ADA)
    home.battles.undo("undone", ADA)
    many_votes(home, 3)
    home.store.close()
    old = connect(tmp_path / "old.db")
    db = Database(old, execute_plugins=False)
    migrations().apply(db, stop_before=[step.name for step in migrations().pending(db)[3:]])
    old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old.execute("PRAGMA user_version = 3")
    old.execute("PRAGMA foreign_keys = OFF")
    old.execute("ATTACH ? AS new", (str(home.store.path),))
    for table in ("models", "raters", "instructions", "generations", "battles", "battle_sides", "votes"):
        columns = ", ".join(row["name"] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(
            f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table} ORDER BY rowid DESC"
            if table == "generations"
            else f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"
        )
    old.close()
    open_writer(tmp_path / "old.db").close()
    with Store(tmp_path / "old.db") as store:
        assert check(store) == 6


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["vote", "vote", "undo", "flag", "erase", "hide"]),
        st.integers(0, 2),
        st.sampled_from(["a", "b", "tie", "both_bad", "c>a=b"]),
    ),
    max_size=8,
)


@settings(max_examples=5, deadline=None)
@given(steps=STEPS)
def test_any_history_leaves_the_pairs_of_the_latest_votes(steps: list[tuple[str, int, str]]) -> None:
    home = house()
    for number in range(3):
        home.battle_is_open(f"battle-{number}", models=MODELS, owner=ADA if number else BEN)
    for step, number, choice in steps:
        name, owner = f"battle-{number}", ADA if number else BEN
        battle = home.store.battle(name)
        assert battle is not None
        match step:
            case "vote" if battle.state == "open" and not battle.withheld:
                home.battles.vote(name, choice, owner)
            case "undo" if battle.state == "voted":
                home.battles.undo(name, owner)
            case "flag" if battle.vote is not None:
                flag = {"vote_id": battle.vote.id, "kind": "seen_before"}
                home.store.write(
                    lambda writing, flag=flag: writing.insert("vote_flags", flag, conflict="ON CONFLICT DO NOTHING")
                )
            case "erase":
                home.battles.erase(owner)
            case "hide":
                Moderation(home.battles).hide(name)
    check(home.store)


def test_restored_votes_are_judged(home: House, folder: Path, new: Store) -> None:
    home.battle_is_open("three", models=MODELS)
    home.battles.vote("three", "b>a=c", ADA)
    home.battle_is_open("undone", owner=BEN)
    home.battles.vote("undone", "a", BEN)
    home.battles.undo("undone", BEN)
    many_votes(home, 3)
    Journal(home.store, folder).close()
    restore(new, folder)
    assert check(new) == 6
    with new.reading() as restored, home.store.reading() as reading:
        assert judged(restored) == judged(reading)


def test_row_that_no_vote_explains_is_named(home: House) -> None:
    voted(home)
    with closing(sqlite3.connect(path_of(home))) as raw:
        raw.execute("UPDATE judged_pairs SET marks = marks + 1")
        raw.execute(
            "INSERT INTO judged_pairs SELECT 99, pair, battle, answer_a, answer_b, rater, model_a, model_b,"
            " category, marks, decision_s FROM judged_pairs"
        )
        raw.commit()
    [(vote,)] = rows(home, "SELECT id FROM votes")
    with home.store.reading() as reading:
        assert set(reading.wrongly_judged()) == {vote, "row 99"}
