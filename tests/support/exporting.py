"""Exports for tests: votes of every kind, and files read back as rows."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from playground.exchange import FORMATS, ExportOptions, export
from playground.records import BattleState, Instruction, Origin, Vote, VoteFilter
from playground.storage.database.statements import Writing
from tests.support.cast import ADA, BEN, EMPTY, FAILED, MAMBA, MODELS, OPENALPACA, House, house

SUM = Instruction("Add them.", input="2 and 2", system="Be brief.", category="maths")


def three_votes(folder: Path) -> House:
    """A win on a pair, an order of two on three columns, a both-bad, and battles that must not be exported."""
    made = house(folder)
    made.battle_is_open(
        "pair", ends={"a": {"text": "Waves."}, "b": {"text": "Sea, sea.", "reasoning": "Think of the sea."}}
    )
    made.battles.vote("pair", "b", ADA, reasons=["clear"], comment="=short")
    made.time.pass_s(10)
    made.battle_is_open(
        "three", MODELS, {"a": FAILED, "b": {"text": "4"}, "c": {"text": "four"}}, instruction=SUM, owner=BEN
    )
    made.battles.vote("three", "b>c", BEN, final=True)
    made.time.pass_s(10)
    made.battle_is_open("tie", (OPENALPACA, MAMBA), blind=False)
    made.battles.vote("tie", "both_bad", ADA, final=True)
    made.battle_is_open("undone")
    made.battles.vote("undone", "a", ADA)
    made.battles.undo("undone", ADA)
    made.battle_is_open("unjudged")
    made.battle_is_open("void", ends={"a": EMPTY})
    made.time.pass_s(10)
    return made


def add_vote(
    home: House, battle_id: str, choice: str, *, rater: str = ADA, strength: float | None = None, imported: str = ""
) -> None:
    """Add a vote to an open battle as an import does."""
    before = home.store.battle(battle_id)
    assert before is not None
    after = replace(before, state=BattleState.REVEALED, final_at=home.time.now())
    vote = Vote(
        id=f"vote-of-{battle_id}",
        battle_id=battle_id,
        revision=before.revision + 1,
        choice=choice,
        rater_id=rater,
        created_at=home.time.now(),
        decision_s=9.0,
        origin=Origin.PERSON,
        strength=strength,
        imported=imported or None,
    )

    def add(writing: Writing) -> None:
        writing.insert_vote(vote)
        assert writing.move(before, after)

    home.store.write(add)


def options(format: str, filter: VoteFilter | None = None, **others: Any) -> ExportOptions:
    """Return options that every format accepts: one that is about two models gets the cast's first two."""
    chosen = filter or VoteFilter()
    if FORMATS[format].two_models and not chosen.models:
        chosen = replace(chosen, models=f"{OPENALPACA},{MAMBA}")
    return ExportOptions(filter=chosen, **others)


def exported(home: House, format: str, path: Path, filter: VoteFilter | None = None, **others: Any) -> list[Any]:
    """Export to a file and return its rows."""
    done = export(home.store, format, path, options(format, filter, **others))
    rows = read(path)
    assert done.rows == len(rows)
    return rows


def read(path: Path) -> list[Any]:
    """Return the rows of a file; those of CSV are texts."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return list(pq.read_table(path).to_pylist())
    text = path.read_bytes().decode()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.split("\n")[:-1]]
    document = json.loads(text)
    return list(document["examples"] if isinstance(document, dict) else document)


def first_container(format: str) -> str:
    """Return the ending under which tests write a format."""
    return FORMATS[format].containers[0]
