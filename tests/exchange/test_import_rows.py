"""Rows of files: containers, their places, and files that are damaged, foreign or huge."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from playground.errors import InvalidValue
from playground.exchange.imports import import_file, rows
from playground.exchange.imports.rows import FileRow, ReadOptions, examine, read_rows
from tests.support.import_rows import ROWS, write_format
from tests.support.memory import memory_store

PLAIN = ReadOptions()

LAST = {"a": "3", "b": "4"}


def read(path: Path, options: ReadOptions = PLAIN) -> list[FileRow]:
    return list(read_rows(examine(path), options))


def written(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


NOT_JSON = "is not JSON: Expecting ',' delimiter"


@pytest.mark.proves("import files: empty, half JSON, wrong columns, duplicate rows, BOM, Latin-1, 1 GB")
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.txt", b"x", r"'a.txt' has no ending that names a container; valid: .jsonl, .json, .csv, .parquet"),
        ("a", b"x", r"'a' has no ending that names a container"),
        ("a.jsonl", b"", r"a.jsonl is empty"),
        ("a.parquet", b"", r"a.parquet is empty"),
        ("a.csv", "winner,café\n".encode("latin-1"), r"a.csv is not UTF-8 \(line 1: byte 0xe9\); save it as UTF-8"),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', r"a.jsonl is not UTF-8 \(line 2: byte 0xff\).*nothing was read"),
        ("a.csv", "winner,model\n".encode("utf-16"), r"a.csv is not UTF-8 \(line 1: byte 0xff\)"),
        ("a.json", b'[{"a": "caf\xc3', r"a.json is not UTF-8 \(line 1: byte 0xc3\)"),
        ("a.json", b'[{"winner": "mod', r"a.json is not JSON: Unterminated string .*; nothing was read"),
        (
            "a.json",
            b'{"winner": "a"}',
            r"a.json is not an array of rows; for one object per line use",
        ),
        ("a.json", b"[NaN]", r"a.json holds NaN, which is not a number in JSON; nothing was read"),
        ("a.json", b"[" * 100_000, r"a.json is nested too deeply; nothing was read"),
        ("a.csv", b"model_a;winner\nx;y\n", r"a.csv does not separate its columns by commas; save it with commas"),
        ("a.csv", b"model_a\twinner\nx\ty\n", r"a.csv does not separate its columns by commas"),
        ("a.csv", b"a,b,a\n1,2,3\n", r"a.csv has two columns 'a'; keep one"),
        ("a.csv", b'"a', r"a.csv is not CSV: unexpected end of data; nothing was read"),
    ],
)
def test_file_that_cannot_be_read_is_refused_as_a_whole(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        read(written(tmp_path, name, data))


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        examine(tmp_path / "rows.jsonl")


@pytest.mark.proves("import files: empty, half JSON, wrong columns, duplicate rows, BOM, Latin-1, 1 GB")
@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("a.jsonl", '{"a": 1}\n\n{"a": 2}', [("line 1", {"a": 1}, ""), ("line 3", {"a": 2}, "")]),
        ("a.jsonl", '\ufeff{"a": 1}\r\n{"a": 2}\r\n', [("line 1", {"a": 1}, ""), ("line 2", {"a": 2}, "")]),
        ("a.jsonl", '{"a": "\u2028"}\n', [("line 1", {"a": "\u2028"}, "")]),
        ("a.jsonl", '{"a": 1}\n{"a": 2', [("line 1", {"a": 1}, ""), ("line 2", {}, f"{NOT_JSON}, at character 8")]),
        ("a.jsonl", '{"a": NaN}', [("line 1", {}, "holds NaN, which is not a number in JSON")]),
        ("a.jsonl", "[1]\n", [("line 1", {}, "is not a JSON object such as")]),
        ("a.jsonl", "[" * 100_000, [("line 1", {}, "is nested too deeply")]),
        ("a.jsonl", '{"a": ' + "9" * 5000 + "}", [("line 1", {}, "cannot be read: Exceeds the limit")]),
        ("a.json", '\ufeff[{"a": 1}, 2]', [("row 1", {"a": 1}, ""), ("row 2", {}, "is not a JSON object")]),
        ("a.json", "[]", []),
        ("a.csv", "\ufeffa,b\r\n1,2\r\n", [("line 2", {"a": "1", "b": "2"}, "")]),
        ("a.csv", 'a,b\n"x\ny",2\n\n3,4\n', [("line 2", {"a": "x\ny", "b": "2"}, ""), ("line 5", LAST, "")]),
        ("a.csv", "a,b\n1\n3,4\n", [("line 2", {}, "has 1 cells; the header has 2"), ("line 3", LAST, "")]),
        ("a.csv", 'a,b\n3,4\n"5,6\n', [("line 2", LAST, ""), ("line 3", {}, "is not CSV: unexpected end")]),
        ("a.csv", "a,b\n1,x\x00y\n", [("line 2", {"a": "1", "b": "x\x00y"}, "")]),
    ],
)  # fmt: skip
def test_each_row_has_its_place(tmp_path: Path, name: str, data: str, found: list[tuple[str, Any, str]]) -> None:
    got = read(written(tmp_path, name, data))
    assert [(row.place, row.values) for row in got] == [(place, values) for place, values, _ in found]
    for row, (_, _, words) in zip(got, found, strict=True):
        assert row.error.startswith(words)
        assert bool(row.error) is bool(words)
        assert 0 < row.done <= 1


def test_cells_longer_than_the_csv_modules_limit_are_read(tmp_path: Path) -> None:
    [row] = read(written(tmp_path, "a.csv", f"a\n{'x' * 200_000}\n"))
    assert len(row.values["a"]) == 200_000


def test_line_that_is_too_long_is_skipped(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", b'{"a": 1}\n{"a": "' + b"x" * 3_000_000 + b'"}\n{"a": 2}\n')
    found = read(path, ReadOptions(most_line_bytes=100))
    assert [(row.place, bool(row.error)) for row in found] == [("line 1", False), ("line 2", True), ("line 3", False)]
    assert found[1].error == "is longer than 0 MB; split it"
    assert found[2].done == 1


def test_line_of_csv_that_is_too_long_ends_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_LINE_BYTES", 100)
    found = read(written(tmp_path, "a.csv", "a,b\n3,4\n5," + "x" * 200 + "\n7,8\n"))
    assert [(row.place, row.values) for row in found] == [("line 2", LAST), ("line 3", {})]
    assert found[1].error == "is not CSV: a line is longer than 0 MB; the rest of the file was not read"


def test_json_document_is_limited_because_it_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_JSON_BYTES", 3)
    words = r"a.json has 0 MB; a JSON document is read into memory, .*; save it as .jsonl, one object per line"
    with pytest.raises(InvalidValue, match=words):
        read(written(tmp_path, "a.json", b"[{}]"))


@pytest.mark.slow
@pytest.mark.proves("import files: empty, half JSON, wrong columns, duplicate rows, BOM, Latin-1, 1 GB")
def test_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    line = json.dumps({"winner": "nobody", "answer_a": "x" * 1000}) + "\n"
    with path.open("w") as file:
        for _ in range(200):
            file.write(line * 100)
    refused = []
    with memory_store() as store:
        tracemalloc.start()
        counts = import_file(store, "pairs", path, report=lambda place, why: refused.append(place))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert counts.refused == 20_000
    assert refused[-1] == "line 20000"
    assert peak < 10_000_000 < 20_000_000 < path.stat().st_size


def test_file_that_grows_while_it_is_imported_is_named(tmp_path: Path) -> None:
    path = write_format(tmp_path / "rows.jsonl", "pairs")

    def grow(_: float) -> None:
        with path.open("a") as file:
            file.write("\n")

    with memory_store() as store, pytest.raises(InvalidValue, match=r"rows.jsonl changed while it was imported"):
        import_file(store, "pairs", path, progress=grow)


# Spreadsheets


def test_apostrophes_are_undone_in_our_own_csv_only(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "a,b\n'=1,'x\n")
    assert read(path, ReadOptions(is_escaped=True))[0].values == {"a": "=1", "b": "'x"}
    assert read(path)[0].values == {"a": "'=1", "b": "'x"}


def test_csv_that_a_spreadsheet_saved_is_imported(tmp_path: Path) -> None:
    """A spreadsheet adds a byte order mark and CRLF, and writes true and false in capitals."""
    row = ROWS["pairs"] | {"blind": "FALSE", "instruction": "'=1+1 – naïve 好", "strength": "2.50"}
    plain = write_format(tmp_path / "plain.csv", "pairs", row).read_bytes()
    path = written(tmp_path, "saved.csv", b"\xef\xbb\xbf" + plain)
    with memory_store() as store:
        assert import_file(store, "pairs", path).imported == 1
        with store.reading() as reading:
            [judged] = reading.exported_pairs()
    assert judged.vote.asked.instruction == "=1+1 – naïve 好"
    assert (bool(judged.vote.blind), judged.vote.strength) == (False, 2.5)


# Parquet


def test_parquet_is_read_like_the_other_containers(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with memory_store() as store:
        for format in ("votes", "pairs", "lmsys-33k", "arena-140k", "kaggle-55k", "autoarena", "trl-preference"):
            first = import_file(store, format, write_format(tmp_path / "rows.jsonl", format))
            again = import_file(store, format, write_format(tmp_path / "rows.parquet", format))
            assert (first.imported + first.there, again.there) == (1, 1)


def test_parquet_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(InvalidValue, match=r"a.parquet is not Parquet that can be read: "):
        read(written(tmp_path, "a.parquet", b"PAR1 and nothing else"))


def test_parquet_with_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    two_bytes = pa.py_buffer(bytes([0, 0, 0, 0, 2, 0, 0, 0]))
    broken = pa.StringArray.from_buffers(1, two_bytes, pa.py_buffer(b"\xff\xfe"))
    pq.write_table(pa.table({"prompt": broken}), tmp_path / "a.parquet")
    with pytest.raises(InvalidValue, match=r"a.parquet is not Parquet that can be read: 'utf-8' codec"):
        read(tmp_path / "a.parquet")
