"""Exports: known rows of every format, difficult texts, and battles that are never exported."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidValue, StorageError
from playground.exchange import CONTAINERS, FORMATS, ExportOptions, export
from playground.exchange.containers import FORMULA, cell, to_json, write_rows
from playground.exchange.licenses import allows_commercial_use
from playground.records import FinishReason, Instruction
from tests.support.cast import ADA, BEN, EMPTY, FAILED, GALPACA, MAMBA, MODELS, OPENALPACA, PARAMS, House, house
from tests.support.storing import file_size_limit, unprivileged

SUM = Instruction("Add them.", input="2 and 2", system="Be brief.", category="maths")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """A win on a pair, an order of two on three columns, a both-bad, and battles that must not be exported."""
    made = house(tmp_path)
    made.battle_is_open("pair", ends={"a": {"text": "Waves."}, "b": {"text": "Sea, sea."}})
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
    yield made
    made.store.close()


def exported(home: House, format: str, path: Path, **options: Any) -> list[dict[str, Any]]:
    count = export(home.store, format, path, ExportOptions(**options))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    assert count == len(rows)
    for row in rows:
        assert tuple(row) == FORMATS[format].columns
    return rows


def conversation(prompt: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def test_lmsys_33k(home: House, tmp_path: Path) -> None:
    rows = exported(home, "lmsys-33k", tmp_path / "out.jsonl")
    haiku, asked = "Write a haiku about the sea.", "Be brief.\n\nAdd them.\n\n2 and 2"
    assert rows[0] == {
        "question_id": "pair",
        "model_a": OPENALPACA,
        "model_b": MAMBA,
        "winner": "model_b",
        "judge": "arena_user_rater-ada",
        "conversation_a": conversation(haiku, "Waves."),
        "conversation_b": conversation(haiku, "Sea, sea."),
        "turn": 1,
        "anony": True,
        "language": "unknown",
        "tstamp": 1795201200.0,
    }
    assert [(row["question_id"], row["model_a"], row["model_b"], row["winner"]) for row in rows[1:]] == [
        ("three", MAMBA, GALPACA, "model_a"),
        ("tie", OPENALPACA, MAMBA, "tie (bothbad)"),
    ]
    assert rows[1]["conversation_a"] == conversation(asked, "4")
    assert rows[2]["anony"] is False


def test_trl_preference(home: House, tmp_path: Path) -> None:
    assert exported(home, "trl-preference", tmp_path / "out.jsonl") == [
        {
            "prompt": "Write a haiku about the sea.",
            "chosen": "Sea, sea.",
            "rejected": "Waves.",
            "chosen_model": MAMBA,
            "rejected_model": OPENALPACA,
            "chosen_license": "apache-2.0",
            "rejected_license": "apache-2.0",
        },
        {
            "prompt": "Be brief.\n\nAdd them.\n\n2 and 2",
            "chosen": "4",
            "rejected": "four",
            "chosen_model": MAMBA,
            "rejected_model": GALPACA,
            "chosen_license": "apache-2.0",
            "rejected_license": "cc-by-nc-4.0",
        },
    ]


def test_votes(home: House, tmp_path: Path) -> None:
    rows = exported(home, "votes", tmp_path / "out.jsonl")
    first = rows[0]
    sides = first.pop("sides")
    assert first.pop("vote_id")
    assert first == {
        "revision": 1,
        "choice": "b",
        "rater_id": ADA,
        "origin": "person",
        "counts": False,
        "why_not": "decided in under 1 s",
        "capped": False,
        "voted_at": "2026-11-20T19:00:00.000+00:00",
        "decision_s": 0.0,
        "reasons": ["clear"],
        "comment": "=short",
        "battle_id": "pair",
        "comparison_id": "comparison-of-pair",
        "parent_id": None,
        "owner": ADA,
        "source": "page",
        "blind": True,
        "state": "voted",
        "draw_probability": None,
        "created_at": "2026-11-20T18:59:00.000+00:00",
        "opened_at": "2026-11-20T19:00:00.000+00:00",
        "final_at": "2026-11-20T19:00:05.000+00:00",
        "category": "creative",
        "instruction": "Write a haiku about the sea.",
        "input": "",
        "system": "",
        "overrides": {},
    }
    assert [side["side"] for side in sides] == ["a", "b"]
    assert sides[1] == {
        "side": "b",
        "model": MAMBA,
        "text": "Sea, sea.",
        "license": "apache-2.0",
        "repo": f"org/{MAMBA}",
        "model_revision": "0123abc",
        "generation_id": "pair-b",
        "finish_reason": "stop",
        "params": asdict(PARAMS),
        "seed": 2**32 - 1,
        "template_id": "openalpaca",
        "template_hash": "ff" * 32,
        "prompt_text": "### Instruction:\nWrite a haiku about the sea.",
        "prompt_ids": [1, 2, 3],
        "token_ids": [7, 8, 2],
        "engine": "local",
        "device": "cpu",
        "dtype": "float32",
        "versions": {"torch": "2.13.0"},
        "faithful": True,
        "created_at": "2026-11-20T18:59:00.000+00:00",
        "first_token_s": 0.1,
        "duration_s": 1.1,
    }
    assert [(row["battle_id"], row["choice"], [s["side"] for s in row["sides"]]) for row in rows[1:]] == [
        ("three", "b>c", ["b", "c"]),
        ("tie", "both_bad", ["a", "b"]),
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_only_judged_answers_are_exported(home: House, tmp_path: Path, format: str) -> None:
    export(home.store, format, tmp_path / "out.jsonl")
    text = (tmp_path / "out.jsonl").read_text()
    for word in ("half an ans", "undone", "unjudged", "void", "error"):
        assert word not in text


@pytest.mark.parametrize("format", FORMATS)
def test_options_filter_rows_and_raters(home: House, tmp_path: Path, format: str) -> None:
    path = tmp_path / "out.jsonl"
    everything = exported(home, format, path)
    blind = exported(home, format, path, blind_only=True)
    assert blind == [row for row in everything if row.get("anony", row.get("blind", True))]
    assert len(exported(home, format, path, category="maths")) == 1
    assert exported(home, format, path, category="no such") == []
    assert "cc-by-nc" not in to_json(exported(home, format, path, commercial_only=True))
    assert len(exported(home, format, path, commercial_only=True)) == len(everything) - 1
    hidden = to_json(exported(home, format, path, anonymous=True))
    assert ADA not in hidden
    assert BEN not in hidden


@pytest.mark.parametrize("format", FORMATS)
def test_counted_only_leaves_out_other_votes(home: House, tmp_path: Path, format: str) -> None:
    home.battle_is_open("slow", owner=BEN)
    home.time.pass_s(5)
    home.battles.vote("slow", "a", BEN, final=True)
    home.battle_is_open("leak", owner=BEN, ends={"a": {"text": "I am OpenAlpaca."}})
    home.time.pass_s(5)
    home.battles.vote("leak", "a", BEN, final=True)
    everything = exported(home, format, tmp_path / "out.jsonl")
    counted = exported(home, format, tmp_path / "out.jsonl", counted_only=True)
    assert counted == [everything[-2]]  # the others were decided too quickly, or in open mode


@pytest.mark.parametrize("format", FORMATS)
def test_erased_text_is_not_exported_and_counts(home: House, tmp_path: Path, format: str) -> None:
    everything = exported(home, format, tmp_path / "out.jsonl")
    pairs = len(list(home.store.judged_pairs()))
    home.battles.erase(BEN)
    left = exported(home, format, tmp_path / "out.jsonl")
    assert left == [row for row in everything if "Be brief." not in to_json(row)]
    assert len(left) == len(everything) - 1
    assert len(list(home.store.judged_pairs())) == pairs


def test_anonymous_raters_are_numbered(home: House, tmp_path: Path) -> None:
    rows = exported(home, "votes", tmp_path / "out.jsonl", anonymous=True)
    assert [(row["rater_id"], row["owner"]) for row in rows] == [("1", "1"), ("2", "2"), ("1", "1")]


@pytest.mark.parametrize(
    ("license", "allowed"),
    [("Apache-2.0", True), ("mit", True), ("cc-by-nc-sa-4.0", False), ("other", False), ("", False)],
)
def test_only_known_licenses_allow_commercial_use(license: str, allowed: bool) -> None:
    assert allows_commercial_use(license) is allowed


# Containers


@pytest.mark.parametrize("format", FORMATS)
def test_containers_hold_the_same_rows(home: House, tmp_path: Path, format: str) -> None:
    rows = exported(home, format, tmp_path / "out.jsonl")
    export(home.store, format, tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == rows
    export(home.store, format, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert table == [{name: "" if value is None else str(cell(value)) for name, value in row.items()} for row in rows]


DIFFICULT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['"', "'", ",", ";", "\n", "\r\n", "\r", "\t", "\u2028\u2029\x85", "=1+1", "+1", "-1", "@SUM(A1)", "\x00", "\ufeff",
     "👩‍👩‍👧‍👦", "e\u0301", "\u202eabc", '","\n"', "</script>", "{}", "[1]", "'=1", "null", "1e5"]
)  # fmt: skip


@given(texts=st.lists(st.tuples(DIFFICULT, DIFFICULT)))
def test_difficult_texts_round_trip_through_containers(tmp_path_factory: Any, texts: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("difficult")
    rows = [{"one": one, "two": {"deep": [two]}} for one, two in texts]
    for name in CONTAINERS:
        assert write_rows(folder / f"out{name}", ("one", "two"), rows) == len(rows)
    text = (folder / "out.jsonl").read_bytes().decode()
    assert [json.loads(line) for line in text.split("\n")[:-1]] == rows
    assert len(text.splitlines()) == len(rows)
    assert json.loads((folder / "out.json").read_bytes()) == rows
    with (folder / "out.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    assert table[0] == ["one", "two"]
    assert table[1:] == [[str(cell(row["one"])), to_json(row["two"])] for row in rows]


@pytest.mark.proves("spreadsheet formulas")
@given(DIFFICULT)
def test_csv_cell_never_begins_like_a_formula(text: str) -> None:
    shown = str(cell(text))
    assert not shown.startswith(FORMULA)
    assert shown in (text, f"'{text}")


def test_difficult_texts_round_trip_through_the_database(home: House, tmp_path: Path) -> None:
    difficult = '=cmd|"/c calc"!A1\n\u2028\r\n, \x00 👩‍👩‍👧 \u202e'
    asked = Instruction(difficult, input=difficult, system=difficult, category="difficult")
    ends = {side: {"text": difficult, "finish_reason": FinishReason.CANCELLED} for side in "ab"}
    home.battle_is_open("difficult", ends=ends, instruction=asked)
    home.battles.vote("difficult", "a", ADA, comment=difficult)
    row = exported(home, "votes", tmp_path / "out.jsonl", category="difficult")[0]
    assert (row["instruction"], row["input"], row["system"], row["comment"]) == (difficult,) * 4
    assert [side["text"] for side in row["sides"]] == [difficult, difficult]
    assert exported(home, "trl-preference", tmp_path / "out.jsonl", category="difficult")[0]["chosen"] == difficult


def test_empty_database_gives_empty_files(tmp_path: Path) -> None:
    made = house()
    assert export(made.store, "votes", tmp_path / "out.jsonl") == 0
    assert export(made.store, "votes", tmp_path / "out.json") == 0
    assert export(made.store, "lmsys-33k", tmp_path / "out.csv") == 0
    assert (tmp_path / "out.jsonl").read_text() == ""
    assert json.loads((tmp_path / "out.json").read_text()) == []
    assert (tmp_path / "out.csv").read_text().startswith("question_id,model_a,")


@pytest.mark.proves("export target unwritable or full")
def test_file_is_replaced_only_by_a_complete_one(home: House, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("what was here before")

    def rows() -> Iterator[dict[str, str]]:
        yield {"one": "row"}
        raise StorageError("the database went away")

    with pytest.raises(StorageError, match="went away"):
        write_rows(path, ("one",), rows())
    assert path.read_text() == "what was here before"
    assert [file.name for file in tmp_path.iterdir() if "out" in file.name] == ["out.jsonl"]
    assert export(home.store, "votes", path) == 3
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("name", ["out.parquet", "out.txt", "out", ".jsonl"])
def test_unknown_ending_is_refused(home: House, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidValue, match=r"valid: \.jsonl, \.json, \.csv"):
        export(home.store, "votes", tmp_path / name)


def test_unknown_format_is_refused(home: House, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="unknown format 'lmsys'; valid: votes, trl-preference, lmsys-33k"):
        export(home.store, "lmsys", tmp_path / "out.jsonl")


@pytest.mark.proves("export target unwritable or full")
def test_missing_folder_is_refused(home: House, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written: No such file"):
        export(home.store, "votes", tmp_path / "no" / "out.jsonl")


@pytest.mark.proves("export target unwritable or full")
def test_read_only_folder_is_refused(home: House) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        with unprivileged(), pytest.raises(StorageError, match="cannot be written: Permission denied"):
            export(home.store, "votes", Path(name) / "out.jsonl")
        assert list(Path(name).iterdir()) == []


@pytest.mark.proves("export target unwritable or full")
@pytest.mark.parametrize("container", CONTAINERS)
def test_full_disk_keeps_the_earlier_file(home: House, tmp_path: Path, container: str) -> None:
    path = tmp_path / f"out{container}"
    path.write_text("what was here before")
    refused = pytest.raises(StorageError, match=rf"out{container} cannot be written: File too large")
    with file_size_limit(300), refused:
        export(home.store, "votes", path)
    assert path.read_text() == "what was here before"
    assert [file.name for file in tmp_path.iterdir() if "out" in file.name] == [path.name]
    assert export(home.store, "votes", path) == 3


def test_export_is_a_snapshot(home: House, tmp_path: Path) -> None:
    with home.store.reading() as reading:
        rows = FORMATS["votes"].rows(reading, ExportOptions())
        first = next(rows)
        home.battles.vote("unjudged", "a", ADA)
        assert [first["battle_id"], *(row["battle_id"] for row in rows)] == ["pair", "three", "tie"]
