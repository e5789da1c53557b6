"""Round trips: what an export writes, an import reads and the next export writes again."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.battles.ballot import VOTE_REASONS
from playground.exchange import FORMATS, ExportOptions, export
from playground.exchange.imports import FORMATS as IMPORTED
from playground.exchange.imports import import_file
from playground.rater_ids import imported_id
from playground.records import CriterionAnswer, FinishReason, Instruction, VoteFilter
from playground.storage.database.store import Store
from tests.support.cast import ADA, BEN, FAILED, GALPACA, MAMBA, MODELS, OPENALPACA, House, house
from tests.support.memory import memory_store

Rows = list[dict[str, Any]]

OWN_IDS = {
    "pairs": ("vote_id", "battle_id"),
    "lmsys-33k": ("question_id",),
    "arena-140k": ("id", "evaluation_session_id"),
    "kaggle-55k": ("id",),
    "trl-preference": ("battle_id",),
}
"""Columns with ids of this playground: a pair of another format gets an id of its own."""
NOT_IN_THE_FORMAT = {
    "votes": ("imported", "counts", "why_not"),
    "pairs": ("counts", "why_not"),
    "arena-140k": ("conv_metadata",),  # tokens are counted from ids, which the format lacks
}
RATERS = ("rater_id", "owner", "rater", "judge")
DIFFICULT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20).map(
    lambda text: f"{text}." if text.isspace() else text
) | st.sampled_from(
    ["=1+1", "'=1", "naïve – 好", "a\nb\tc", '"', "'", ",", "x\u2028", "{}", "[1]", "null", "+1", "@A", "0"]
)


def judged(home: House) -> None:
    """Add votes of every kind: changed, ordered, tied, all bad, open, by a program, with notes and a strength."""
    home.battle_is_open("plain", ends={"a": {"text": "=Waves."}, "b": {"text": "naïve – 好"}}, draw_probability=0.1)
    home.time.pass_s(3)
    home.battles.vote("plain", "b", ADA, reasons=["clear", "style"], comment="=1+1 'quoted'")
    home.battle_is_open("changed", (MAMBA, GALPACA), instruction=Instruction("Add.", "2 and 2", "Be brief.", "maths"))
    home.battles.vote("changed", "a", ADA)
    home.battles.undo("changed", ADA)
    home.battles.vote("changed", "b", ADA)
    home.battle_is_open("three", MODELS, {"a": FAILED, "b": {"text": "4"}, "c": {"text": "four"}}, owner=BEN)
    home.battles.vote("three", "b>c", BEN, final=True)
    four = {letter: {"text": f"Answer {letter}."} for letter in "abcd"}
    home.battle_is_open("order", (OPENALPACA, MAMBA, GALPACA, MAMBA), four, owner=BEN, overrides={"top_k": 3})
    home.battles.vote("order", "b>a=c>d", BEN, final=True)
    home.battle_is_open("best", MODELS, owner=BEN)
    home.battles.vote("best", "c", BEN)
    home.battle_is_open("tie", ends={"a": {"finish_reason": FinishReason.CANCELLED}}, blind=False)
    home.battles.vote("tie", "tie", ADA, final=True)
    home.battle_is_open("bad", ends={"a": {"text": "Bad."}}, parent_id="plain")
    home.battles.vote("bad", "both_bad", ADA, final=True)
    home.battle_is_open("program", owner="ann", source="api", blind=False)
    home.battles.vote("program", "a", "ann", final=True, source="api")
    for number, kind in enumerate(("item", "repeat")):
        home.battle_is_open(f"{kind}-of-a-study", study="helpful", study_hash="5a" * 32, study_kind=kind)
        home.battles.vote(f"{kind}-of-a-study", "ab"[number], ADA, final=True)
    criterion_answers(home)
    home.battle_is_open("undone")
    home.battles.vote("undone", "a", ADA)
    home.battles.undo("undone", ADA)


def criterion_answers(home: House) -> None:
    """Add the answers to the criteria of a study that is stored nowhere, with a reason that a spreadsheet would run."""
    home.battle_is_open(
        "criteria", ends={"a": {"text": "Blue waves."}}, study="helpful", study_hash="5a" * 32, study_kind="item"
    )
    home.battles.vote("criteria", "a", ADA)
    with home.store.reading() as reading:
        [(vote_id,)] = reading.select("SELECT id FROM votes WHERE battle_id = 'criteria'")
    answers = [CriterionAnswer("facts", "b"), CriterionAnswer("harm", "yes", "=1+1, it names a person.")]
    home.store.write(lambda writing: writing.insert_criteria(vote_id, ADA, answers))


def exported(store: Store, format: str, path: Path) -> Path:
    two = VoteFilter(models=f"{OPENALPACA},{MAMBA}") if format == "llm-comparator" else VoteFilter()
    export(store, format, path, ExportOptions(filter=two))
    return path


def read(path: Path) -> Rows:
    match path.suffix:
        case ".jsonl":
            return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
        case ".json":
            document = json.loads(path.read_text("utf-8"))
            return document if isinstance(document, list) else document["examples"]
        case ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                return list(csv.DictReader(file))
    parquet = pytest.importorskip("pyarrow.parquet")
    found: Rows = parquet.read_table(path).to_pylist()
    return found


def as_imported(format: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left of a row after an import: with namespaced raters, without what the import decides."""
    left_out = (*OWN_IDS.get(format, ()), *NOT_IN_THE_FORMAT.get(format, ()))
    kept = {name: value for name, value in row.items() if name not in left_out}
    for name in RATERS:
        if name in kept and kept[name] is not None:
            judge = "arena_user_" if format == "lmsys-33k" else ""
            kept[name] = judge + imported_id(str(kept[name]).removeprefix(judge))
    if format == "fastchat-log":
        kept["states"] = [{**state, "conv_id": ""} for state in kept["states"]]
    if format == "llm-comparator":
        own = kept["custom_fields"]
        kept["custom_fields"] = {**own, "battle_id": "", "rater": imported_id(own["rater"])}
    return kept


EACH_FILE = [(format, ending) for format in IMPORTED for ending in FORMATS[format].containers]


@pytest.mark.parametrize(("format", "ending"), EACH_FILE)
def test_export_of_an_import_is_the_export_again(tmp_path: Path, format: str, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    home = house()
    judged(home)
    first = exported(home.store, format, tmp_path / f"first{ending}")
    with memory_store() as empty:
        counts = import_file(empty, format, first)
        assert (counts.imported, counts.refused) == (len(read(first)), 0)
        second = exported(empty, format, tmp_path / f"second{ending}")
        again = import_file(empty, format, second)
        assert (again.imported, again.there) == (0, counts.imported)
    expected = [as_imported(format, row) for row in read(first)]
    got = [as_imported(format, row) for row in read(second)]
    assert sorted(got, key=json.dumps) == sorted(
        expected, key=json.dumps
    )  # votes of one moment are ordered by their id
    assert len(got) >= 4


def test_votes_of_an_import_are_equal_from_then_on(tmp_path: Path) -> None:
    home = house()
    judged(home)
    paths = [
        tmp_path / "first" / "votes.jsonl",
        tmp_path / "second" / "votes.jsonl",
        tmp_path / "third" / "votes.jsonl",
    ]
    store = home.store
    for path in paths:
        path.parent.mkdir()
        exported(store, "votes", path)
        store = memory_store()
        import_file(store, "votes", path)
    second, third = (
        [{name: value for name, value in row.items() if name != "imported"} for row in read(path)] for path in paths[1:]
    )
    assert second == third


@st.composite
def battles(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a battle of two to six sides and a vote on it."""
    number = draw(st.integers(2, 6))
    letters = "abcdef"[:number]
    shuffled = draw(st.permutations(letters))
    order = "".join(f"{draw(st.sampled_from('>='))}{letter}" for letter in shuffled)[1:]
    return {
        "models": [draw(st.sampled_from(MODELS)) for _ in letters],
        "ends": {letter: {"text": draw(DIFFICULT)} for letter in letters},
        "choice": draw(st.sampled_from([*letters, "tie", "both_bad", order])),
        "instruction": Instruction(draw(DIFFICULT.filter(str.isprintable)), draw(DIFFICULT), draw(DIFFICULT)),
        "changes": draw(st.integers(0, 2)),
        "reasons": draw(st.lists(st.sampled_from(VOTE_REASONS), unique=True)),
        "comment": draw(DIFFICULT | st.just("")),
        "blind": draw(st.booleans()),
    }


@pytest.mark.slow
@settings(max_examples=30)
@given(found=st.lists(battles(), min_size=1, max_size=3), ending=st.sampled_from([".jsonl", ".json", ".csv"]))
def test_any_votes_come_back(found: list[dict[str, Any]], ending: str) -> None:
    home = house()
    for number, one in enumerate(found):
        id = f"battle-{number}"
        home.battle_is_open(id, one["models"], one["ends"], instruction=one["instruction"], blind=one["blind"])
        for _ in range(one["changes"]):
            home.battles.vote(id, "a", ADA)
            home.battles.undo(id, ADA)
        home.battles.vote(id, one["choice"], ADA, reasons=one["reasons"], comment=one["comment"])
        home.time.pass_s(1)
    with tempfile.TemporaryDirectory() as folder, memory_store() as empty:
        first = exported(home.store, "votes", Path(folder) / f"first{ending}")
        counts = import_file(empty, "votes", first)
        assert (counts.imported, counts.refused, counts.cleaned) == (len(found), 0, 0)
        second = exported(empty, "votes", Path(folder) / f"second{ending}")
        assert [as_imported("votes", row) for row in read(second)] == [as_imported("votes", row) for row in read(first)]
