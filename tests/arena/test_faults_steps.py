"""A disk that fails at the n-th statement, for every n: no step is half done, and its retry succeeds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from playground.errors import StorageError
from playground.records import SIDES
from playground.storage.database.store import Store
from tests.support.cast import ADA, BEN, MODELS, House, battle, generation, house
from tests.support.faulty import make_faulty, tries_until_done

DISKS: Mapping[str, Mapping[str, bool]] = {
    "one statement fails": {},
    "it fails and the transaction is undone": {"undoes": True},
    "nothing works from there on": {"lasts": True},
}
Step = Callable[[House], object]


def finish(side: str) -> Step:
    made = generation(f"g-{side}", MODELS[SIDES.index(side)])
    return lambda home: home.battles.finish("battle-1", {side: made})


LIFE: Mapping[str, Step] = {
    "create": lambda home: home.battles.create(battle(models=MODELS), "terms-1"),
    "finish a": finish("a"),
    "finish b": finish("b"),
    "finish the last": finish("c"),
    "vote": lambda home: home.battles.vote("battle-1", "a", ADA, reasons=["clear"], comment="Good."),
    "undo": lambda home: home.battles.undo("battle-1", ADA),
    "vote again": lambda home: home.battles.vote("battle-1", "b>a=c", ADA),
    "note": lambda home: home.battles.note("battle-1", ADA, reasons=["correct", "safe"], comment="Better."),
    "report": lambda home: home.battles.note("battle-1", ADA, report_side="a", report="wrong"),
    "reveal": lambda home: home.battles.reveal("battle-1", ADA),
    "another one": lambda home: home.battle_is_open("battle-2"),
    "time is up": lambda home: time_is_up(home),
    "a third one": lambda home: home.battles.create(battle("battle-3")),
    "a restart": lambda home: home.battles.interrupt_all(),
    "erase": lambda home: home.battles.erase(ADA),
}
REPEATABLE = ("finish a", "finish b", "finish the last", "vote", "undo", "vote again", "reveal", "time is up")


def time_is_up(home: House) -> int:
    home.time.pass_s(4000)
    return home.battles.expire()


def stored(home: House) -> list[str]:
    """Return a dump of the database file as of now."""
    assert home.store.path is not None
    with closing(sqlite3.connect(f"{home.store.path.as_uri()}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def summary(home: House) -> list[tuple[object, ...]]:
    """Return the rows of a life without random ids."""
    questions = (
        "SELECT battle_id, revision, choice, rater_id FROM votes ORDER BY 1, 2",
        "SELECT id, state, void_reason, owner FROM battles ORDER BY 1",
        "SELECT battle_id, side, generation_id IS NULL FROM battle_sides ORDER BY 1, 2",
        "SELECT battle_id, side, kind, text FROM vote_notes ORDER BY 1, 3, 4",
        "SELECT kind, battle_id FROM journal_events ORDER BY seq",
        "SELECT rater_id, version FROM consents",
    )
    with home.store.reading() as reading:
        return [tuple(row) for question in questions for row in reading._connection.execute(question)]


@pytest.mark.slow
@pytest.mark.proves("a failure at the n-th statement")
@pytest.mark.parametrize("disk", DISKS)
def test_failed_step_is_undone_and_its_retry_succeeds(tmp_path: Path, disk: str) -> None:
    untroubled, home = house(tmp_path / "untroubled"), house(tmp_path / "troubled")
    faulty = make_faulty(home.store, **DISKS[disk])
    for name, step in LIFE.items():
        if name == "another one":  # several transactions: made without trouble
            step(home)
        else:
            before = stored(home)

            def unchanged(name: str = name, before: list[str] = before) -> None:
                assert stored(home) == before, f"{name} is half done"

            assert tries_until_done(faulty, lambda step=step: step(home), unchanged) >= 4
        step(untroubled)
        assert summary(home) == summary(untroubled), name
    untroubled.store.close()
    home.store.close()


@pytest.mark.proves("a failure at the n-th statement")
def test_step_whose_commit_was_not_acknowledged_can_be_repeated(tmp_path: Path) -> None:
    home = house(tmp_path)
    for name, step in LIFE.items():
        if name in REPEATABLE:
            faulty = make_faulty(home.store, late=True)
            faulty.break_at(1)
            with pytest.raises(StorageError):
                step(home)
            faulty.mend()
            done = stored(home)
            step(home)
            assert stored(home) == done, f"{name} was done twice"
        else:
            step(home)
    home.store.close()


def test_failed_vote_does_not_block_later_ones(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.battle_is_open("battle-1")
    home.battle_is_open("battle-2")
    faulty = make_faulty(home.store, lasts=True)
    faulty.break_at(1)
    for name in ("battle-1", "battle-2"):
        with pytest.raises(StorageError):
            home.battles.vote(name, "a", ADA)
    faulty.mend()
    assert home.battles.vote("battle-2", "b", ADA).choice == "b"
    assert home.battles.vote("battle-1", "b", ADA).choice == "b"
    assert home.store.count_votes() == 2
    home.store.close()


def test_battle_can_be_viewed_while_writing_fails(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.battle_is_open()
    faulty = make_faulty(home.store, lasts=True)
    faulty.break_at(1)
    home.time.pass_s(4000)
    assert home.battles.view("battle-1", ADA).void_reason == "expired"
    with Store(home.store.path, read_only=True) as other:
        beside = House(other, home.time).battles
        assert beside.view("battle-1", ADA).void_reason == "expired"
        with pytest.raises(StorageError, match="reading only"):
            beside.vote("battle-1", "a", BEN)
    faulty.mend()
    home.store.close()
