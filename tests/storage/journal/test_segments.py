"""Segments of the journal and the appender."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.storage.journal import segments
from playground.storage.journal.appender import SEGMENT_BYTES, Appender
from playground.storage.journal.lines import Fault, Line, seal
from tests.support.storing import file_size_limit


def event(seq: int, text: str = "") -> bytes:
    return seal({"seq": seq, "event": "vote", "text": text})


def appender(folder: Path, segment_bytes: int = SEGMENT_BYTES) -> Appender:
    return Appender(folder, "this-database", 2, segment_bytes)


def lines(folder: Path) -> list[Line]:
    return [line for segment in segments.in_order(folder) for line in segments.read(segment)]


def intact(folder: Path) -> list[int]:
    return [line.seq for line in lines(folder) if line.fault is Fault.NONE]


def test_segment_has_a_header_and_lines_in_order(tmp_path: Path) -> None:
    journal = appender(tmp_path / "j")
    assert not (tmp_path / "j").exists()
    journal.append([event(1), event(2, "\u2028 and ö")])
    journal.append([event(3)])
    [segment] = segments.segments(tmp_path / "j")
    header = segments.header(segment)
    assert header is not None
    assert (header["journal"], header["database_id"], header["version"], header["segment"]) == (
        1,
        "this-database",
        2,
        1,
    )
    assert header["boot"] == segment.parent.name
    assert intact(tmp_path / "j") == [1, 2, 3]
    assert lines(tmp_path / "j")[1].record["text"] == "\u2028 and ö"
    assert lines(tmp_path / "j")[1].number == 3


def test_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    journal = appender(tmp_path, segment_bytes=300)
    for seq in range(1, 30):
        journal.append([event(seq)])
    numbers = [(segments.header(path) or {})["segment"] for path in segments.segments(tmp_path)]
    assert len(numbers) > 5
    assert numbers == list(range(1, len(numbers) + 1))
    assert intact(tmp_path) == list(range(1, 30))
    assert segments.highest_seq(tmp_path) == 29


def test_torn_and_damaged_lines_are_told_apart(tmp_path: Path) -> None:
    appender(tmp_path).append([event(seq) for seq in range(1, 6)])
    [segment] = segments.segments(tmp_path)
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b'"seq":3', b'"seq":8')[:-9])
    assert [line.fault for line in lines(tmp_path)] == [Fault.NONE, Fault.NONE, Fault.DAMAGED, Fault.NONE, Fault.TORN]
    assert intact(tmp_path) == [1, 2, 4]
    assert segments.highest_seq(tmp_path) == 4


@given(cut=st.integers(0, 600))
def test_cut_file_keeps_its_intact_lines(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("cut")
    appender(folder).append([event(seq) for seq in range(1, 10)])
    [segment] = segments.segments(folder)
    content = segment.read_bytes()[:cut]
    segment.write_bytes(content)
    expected = list(range(1, (content + b"\n").count(b'"}\n')))  # a line without only its line feed is intact
    assert intact(folder) == expected
    assert segments.highest_seq(folder) == len(expected)


def test_damaged_header_loses_no_line(tmp_path: Path) -> None:
    appender(tmp_path).append([event(1)])
    [segment] = segments.segments(tmp_path)
    segment.write_bytes(segment.read_bytes().replace(b"this-database", b"that-database"))
    assert segments.header(segment) is None
    assert intact(tmp_path) == [1]
    assert [line.fault for line in lines(tmp_path)] == [Fault.DAMAGED, Fault.NONE]


@pytest.mark.parametrize("content", [b"", b"\n", b"\x00" * 100_000, b"\n\n{}\n", os.urandom(10_000), b"{" * 200_000])
def test_other_file_holds_no_events(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / "00000001.jsonl").write_bytes(content)
    assert intact(tmp_path) == []
    assert segments.highest_seq(tmp_path) == 0
    assert segments.header(tmp_path / "boot" / "00000001.jsonl") is None


def test_highest_event_ignores_folder_names(tmp_path: Path) -> None:
    appender(tmp_path).append([event(1), event(2)])
    [older] = tmp_path.iterdir()
    appender(tmp_path).append([event(3)])
    older.rename(tmp_path / "29991231T235959Z-clock-was-wrong")
    assert segments.highest_seq(tmp_path) == 3
    assert intact(tmp_path) == [1, 2, 3]


def test_long_damaged_tail_hides_no_event(tmp_path: Path) -> None:
    appender(tmp_path).append([event(1), event(2, "x" * 300_000)])
    [segment] = segments.segments(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-1].replace(b"xx", b"xy", 1) + b"\n" * 200_000)
    assert segments.highest_seq(tmp_path) == 1


def test_failed_append_leaves_nothing(tmp_path: Path) -> None:
    journal = appender(tmp_path)
    journal.append([event(1)])
    [segment] = segments.segments(tmp_path)
    before = segment.read_bytes()
    with file_size_limit(len(before) + 100):
        for _ in range(3):
            with pytest.raises(OSError, match="large"):
                journal.append([event(2), event(3, "x" * 1000)])
    assert segments.segments(tmp_path) == [segment]
    assert segment.read_bytes() == before
    journal.append([event(2), event(3, "x" * 1000)])
    assert intact(tmp_path) == [1, 2, 3]
    assert len(lines(tmp_path)) == 3


def test_failed_rewrite_leaves_the_segment_unchanged(tmp_path: Path) -> None:
    appender(tmp_path).append([event(1), event(2, "x" * 1000)])
    [segment] = segments.segments(tmp_path)
    before = segment.read_bytes()
    with file_size_limit(500), pytest.raises(OSError, match="large"):
        segments.rewrite(segment, lambda line: line.text + b"\n")
    assert segment.read_bytes() == before
    assert list(segment.parent.iterdir()) == [segment]
    segments.rewrite(segment, lambda line: line.text + b"\n")
    assert segment.read_bytes() == before
