"""Instruction files as people have them: containers, columns, errors."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.cli import main
from playground.errors import InvalidInstruction, InvalidValue
from playground.records import Instruction
from playground.studies.instruction_files import BadRow, FileInstruction, open_file, read_overrides
from tests.support.instruction_rows import ASKED, KINDS, Kind


def read(path: Path, fields: Mapping[str, str] | None = None) -> list[FileInstruction]:
    """Return the rows of a file, all of which are good."""
    with open_file(path, fields) as file:
        rows = list(file.rows())
    assert not [row for row in rows if isinstance(row, BadRow)]
    return [row for row in rows if isinstance(row, FileInstruction)]


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def problems(path: Path) -> list[BadRow]:
    with open_file(path) as file:
        return [row for row in file.rows() if isinstance(row, BadRow)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_known_file_is_taken_without_a_flag(tmp_path: Path, kind: Kind) -> None:
    rows = read(written(tmp_path, kind.name, kind.content()))
    assert [row.instruction for row in rows] == kind.expected()
    assert rows[0].id == kind.ids
    assert [row.turns_left_out for row in rows] == [kind.turns_left_out] * len(ASKED)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_prompt_takes_a_known_file(tmp_path: Path, kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    out, path = io.StringIO(), written(tmp_path, kind.name, kind.content())
    assert main(["prompt", "pocket-galpaca", "--file", str(path)], out) == 0
    documents = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(documents) == len(ASKED)
    assert all(asked in document["text"] for (asked, _, _), document in zip(ASKED, documents, strict=True))
    said = capsys.readouterr().err.splitlines()
    assert "instruction from '" in said[0]
    assert ("12 more turns left out" in said[-1]) == bool(kind.turns_left_out)


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    kind = KINDS["WizardLM test set"]
    rows = read(written(tmp_path, kind.name, kind.content()))
    assert rows[3].metadata == {"idx": 3, "Skill": "reasoning", "Difficulty": 3}


TABLE = [{"prompt": asked, "context": input, "category": category} for asked, input, category in ASKED]
EXPECTED = [Instruction(asked, input, "", category) for asked, input, category in ASKED]


def as_table(delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(TABLE[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(TABLE)
    return out.getvalue().encode()


def as_parquet(rows: list[Any]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return bytes(sink.getvalue())


CONTAINERS = {
    ".jsonl": "\n".join(map(json.dumps, TABLE)).encode(),
    ".json": json.dumps(TABLE).encode(),
    ".csv": as_table(","),
    ".tsv": as_table("\t"),
    ".parquet": as_parquet(TABLE),
}


@pytest.mark.parametrize("ending", CONTAINERS)
def test_every_container_holds_the_same(tmp_path: Path, ending: str) -> None:
    assert [row.instruction for row in read(written(tmp_path, f"a{ending}", CONTAINERS[ending]))] == EXPECTED


@pytest.mark.parametrize("ending", [ending for ending in CONTAINERS if ending != ".parquet"])
def test_byte_order_mark_is_no_part_of_a_file(tmp_path: Path, ending: str) -> None:
    marked = b"\xef\xbb\xbf" + CONTAINERS[ending]
    assert [row.instruction for row in read(written(tmp_path, f"a{ending}", marked))] == EXPECTED


def test_plain_text_is_an_instruction_per_line(tmp_path: Path) -> None:
    rows = read(written(tmp_path, "a.txt", b"\xef\xbb\xbf one \r\n\r\n \ntwo, with a comma"))
    assert [(row.place, row.instruction.instruction) for row in rows] == [
        ("line 1", " one "),
        ("line 4", "two, with a comma"),
    ]


@pytest.mark.parametrize("name", ["prompts", "prompts.ndjson", "prompts.txt", "prompts.json"])
def test_lines_of_json_are_known_by_their_content(tmp_path: Path, name: str) -> None:
    rows = read(written(tmp_path, name, b'\n{"instruction": "one"}\n\n{"instruction": "two", "input": null}\n'))
    assert [(row.place, row.instruction) for row in rows] == [
        ("line 2", Instruction("one")),
        ("line 4", Instruction("two")),
    ]


def test_lists_in_a_table_are_json_text(tmp_path: Path) -> None:
    [row] = read(written(tmp_path, "a.csv", 'id,turns\n7,"[""first"", ""second"", ""third""]"\n'))
    assert (row.instruction.instruction, row.id, row.turns_left_out) == ("first", "7", 2)


def test_lists_of_parquet_are_read(tmp_path: Path) -> None:
    [row] = read(written(tmp_path, "a.parquet", as_parquet([{"turns": ["first", "second"]}])))
    assert (row.instruction.instruction, row.turns_left_out) == ("first", 1)


def test_last_turn_of_the_user_is_the_instruction(tmp_path: Path) -> None:
    said = [("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi"), ("user", "Bye"), ("assistant", "Bye")]
    row = {"messages": [{"role": role, "content": text} for role, text in said]}
    [found] = read(written(tmp_path, "a.jsonl", json.dumps(row)))
    assert (found.instruction, found.turns_left_out) == (Instruction("Bye", "", "Be brief."), 1)


def test_field_names_another_column(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.jsonl", '{"query.text": "one", "prompt": "two", "category": {"x": 1}, "turns": ["a", "b"]}'
    )
    [row] = read(path, {"instruction": "query.text", "category": ""})
    assert row.instruction == Instruction("one")
    [row] = read(path, {"instruction": "turns[1]", "category": ""})
    assert row.instruction == Instruction("b")


@pytest.mark.parametrize("given", ["instruction", "answer=x", "=x"])
def test_other_field_is_refused(given: str) -> None:
    with pytest.raises(InvalidValue, match="valid fields: instruction, input, system, category, id"):
        read_overrides([given])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "a.jsonl",
            '{"query": "one", "answer": "two"}',
            r"its keys: query, answer; rename the right one to instruction, or name it with --field",
        ),
        ("a.jsonl", '{"instruction": ""}\n{"instruction": null, "n": 1}', r"its keys: instruction, n;"),
        ("a.csv", "a,b\n1,2\n", r"its keys: a, b;"),
        ("a.csv", "", r"a.csv is empty"),
        ("a.txt", " \n\n", r"a.txt is empty"),
        ("a.csv", "a;b\n1;2\n", r"a.csv does not separate its columns by commas"),
        ("a.tsv", "a,b\n1,2\n", r"a.tsv does not separate its columns by tabs"),
        ("a.txt", "café".encode("latin-1"), r"a.txt is not UTF-8 \(line 1: byte 0xe9\)"),
        ("a.json", "[1", r"a.json is not JSON"),
        ("a.parquet", "PAR1", r"a.parquet is not Parquet"),
    ],
)
def test_file_of_no_use_is_refused_with_its_keys(tmp_path: Path, name: str, content: bytes | str, words: str) -> None:
    with pytest.raises(InvalidInstruction, match=words):
        read(written(tmp_path, name, content))


def test_chosen_column_has_to_exist(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"prompt": "one", "n": 1}')
    with pytest.raises(InvalidInstruction, match=r"has no column 'query'; its keys: prompt, n"):
        read(path, {"instruction": "query"})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"prompt": 7}', "'prompt' is 7; valid: text"),
        ('{"answer": "x"}', "'prompt' is missing or empty; fill it in"),
        ('{"prompt": "x", "context": ["y"]}', "'context' is a list; valid: text"),
        ('{"prompt": "x", "tags": [{"y": 1}]}', "'tags' is a table; valid: text"),
        ('["x"]', "is not a JSON object"),
        ('{"prompt": ', "is not JSON"),
        (b'{"prompt": "caf\xe9"}', "is not valid UTF-8"),
    ],
)
def test_bad_row_is_named_with_line_and_key(tmp_path: Path, line: bytes | str, words: str) -> None:
    line = line.encode() if isinstance(line, str) else line
    [bad] = problems(written(tmp_path, "a.jsonl", b'{"prompt": "one"}\n\n' + line + b'\n{"prompt": "two"}'))
    assert bad.place == "line 3"
    assert words in bad.error


def test_pipe_is_read_as_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(b'{"prompt": "one"}\n',)).start()
    assert [row.instruction for row in read(pipe)] == [Instruction("one")]


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1), st.sampled_from([".jsonl", ".json", ".parquet"]))
def test_texts_are_kept_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, pairs: Any, ending: str) -> None:
    rows = [{"question": asked, "input": input} for asked, input in pairs]
    lines = "\n".join(map(json.dumps, rows)).encode()
    content = {".jsonl": lines, ".json": json.dumps(rows).encode(), ".parquet": as_parquet(rows)}[ending]
    path = written(tmp_path_factory.mktemp("files"), f"a{ending}", content)
    assert [row.instruction for row in read(path)] == [Instruction(asked, input) for asked, input in pairs]


@given(st.binary(max_size=200), st.sampled_from([".jsonl", ".json", ".csv", ".tsv", ".txt", ".parquet", ""]))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str) -> None:
    path = written(tmp_path_factory.mktemp("files"), f"a{ending}", content)
    with suppress(InvalidInstruction), open_file(path) as file:
        for row in file.rows():
            assert isinstance(row, BadRow) or isinstance(row.instruction.instruction, str)
