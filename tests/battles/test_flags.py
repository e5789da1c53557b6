"""Flags of votes and generations that keep votes from counting."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from playground.battles.self_naming import names_itself
from playground.records import (
    BattleSide,
    Instruction,
)
from playground.storage.database.store import Store
from tests.support.cast import (
    ADA,
    BEN,
    FAILED,
    GALPACA,
    MAMBA,
    OPENALPACA,
    PARAMS,
    House,
    battle,
    card,
    generation,
)


def flags(home: House) -> list[tuple[str, bool, bool]]:
    """Return for each pair its battle and whether it has the flags `names_itself` and `seen_before`."""
    return [(pair.battle_id, pair.names_itself, pair.seen_before) for pair in home.store.judged_pairs()]


def judged(home: House, battle_id: str, rater: str = ADA, source: str = "page", **changes: Any) -> None:
    home.battle_is_open(battle_id, owner=rater, source=source, **changes)
    home.time.pass_s(5)
    home.battles.vote(battle_id, "a", rater, source=source)
    home.time.pass_s(10)


def test_self_naming_answer_is_flagged(home: House) -> None:
    judged(home, "told", ends={"b": {"text": "I am Mamba."}})
    judged(home, "silent", ends={"b": {"text": "I am a mamba."}})
    judged(home, "asked", ends={"a": {"text": "OpenAlpaca."}}, instruction=Instruction("Spell OpenAlpaca."))
    named = [(battle_id, is_named) for battle_id, is_named, _ in flags(home)]
    assert named == [("told", True), ("silent", False), ("asked", False)]
    stored = home.store.battle("told")
    assert stored is not None
    assert stored.good_sides == ("a", "b")


def test_an_answer_with_a_name_of_its_models_system_text_is_flagged(home: House) -> None:
    home.store.upsert_model(card(MAMBA, self_names=("Zorblax", "Acme Labs")))
    judged(home, "told", ends={"b": {"text": "I am Zorblax."}})
    judged(home, "maker", ends={"b": {"text": "I was trained by Acme Labs."}})
    judged(home, "anothers", ends={"a": {"text": "I am Zorblax."}})
    assert [(battle_id, named) for battle_id, named, _ in flags(home)] == [
        ("told", True), ("maker", True), ("anothers", False)
    ]  # fmt: skip


def test_self_naming_is_searched_before_the_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looking: list[str] = []

    def watched(*asked: str) -> str:
        looking.append(threading.current_thread().name)
        return names_itself(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr("playground.battles.generations.names_itself", watched)
    with Store(tmp_path / "playground.db") as store:
        judged(House(store), "told", ends={"b": {"text": "I am Mamba."}})
        assert [pair.names_itself for pair in store.judged_pairs()] == [True]
    assert looking == [threading.current_thread().name] * 2


def test_battle_created_with_finished_answers_is_flagged(home: House) -> None:
    sides = [
        BattleSide(side, model, 5, PARAMS, generation(f"g-{side}", model, text))
        for side, model, text in (("a", OPENALPACA, "OpenAlpaca, at your service."), ("b", MAMBA, "A gull."))
    ]
    for battle_id in ("first", "again"):  # the second time the answers are known
        home.battles.create(battle(battle_id, sides=tuple(sides)))
        home.battles.vote(battle_id, "b", ADA)
    assert [named for _, named, _ in flags(home)] == [True, True]


def test_vote_after_an_open_run_of_the_instruction_is_flagged(home: House) -> None:
    judged(home, "before")
    judged(home, "open", blind=False)
    judged(home, "after")
    judged(home, "another", instruction=Instruction("Write a haiku about the moon."))
    judged(home, "anothers", BEN)
    seen = {battle_id for battle_id, _, seen_before in flags(home) if seen_before}
    assert seen == {"after"}


@pytest.mark.parametrize(
    ("again", "wait_s", "is_flagged"),
    [
        ({}, 5, True),
        ({}, 4, False),  # the first one's models are not shown yet
        ({"ends": {"a": {"text": "Other words."}, "b": {"text": "And others."}}}, 5, False),
        ({"ends": {"a": {"text": "Other words."}}}, 5, True),
        ({"models": (MAMBA, OPENALPACA)}, 5, True),
        ({"models": (GALPACA, GALPACA)}, 5, False),  # the same words of another model
        ({"owner": BEN}, 5, False),
        ({"instruction": Instruction("Write a haiku about the moon.")}, 5, False),
    ],
)
def test_vote_on_an_answer_seen_with_its_model_is_flagged(
    home: House, again: dict[str, Any], wait_s: float, is_flagged: bool
) -> None:
    home.battle_is_open("first")
    home.battles.vote("first", "a", ADA)
    home.time.pass_s(wait_s)
    made = home.battle_is_open("again", **again)
    home.battles.vote("again", "a", made.owner)
    assert [seen for battle_id, _, seen in flags(home) if battle_id == "again"] == [is_flagged]


def test_vote_after_a_void_battle_on_its_answers_is_flagged(home: House) -> None:
    home.battle_is_open("void", ends={"b": FAILED})
    home.battle_is_open("again")
    home.battles.vote("again", "b", ADA)
    assert flags(home) == [("again", False, True)]


def test_over_the_api_only_an_open_run_speaks_against_a_vote(home: House) -> None:
    for battle_id in ("first", "again"):
        judged(home, battle_id, source="api")
    assert [seen for _, _, seen in flags(home)] == [False, False]


def test_open_run_after_an_undone_vote_flags_the_next(home: House) -> None:
    home.battle_is_open("blind")
    home.battles.vote("blind", "a", ADA)
    home.battles.undo("blind", ADA)
    home.time.pass_s(1)
    home.battle_is_open("open", blind=False, created_at=home.time.now())
    home.time.pass_s(1)
    home.battles.vote("blind", "b", ADA)
    assert flags(home) == [("blind", False, True)]


def test_nameless_api_callers_are_one_rater(home: House) -> None:
    judged(home, "open", "api", "api", blind=False)
    judged(home, "after", "api", "api")
    judged(home, "named", "annotator-7", "api")
    assert [(battle_id, seen) for battle_id, _, seen in flags(home)] == [
        ("open", False),
        ("after", True),
        ("named", False),
    ]
