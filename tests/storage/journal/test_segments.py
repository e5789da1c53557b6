"""Files of the journal: what is written is read again, and what is damaged is noticed."""

from __future__ import annotations

import json
import os
import resource
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.storage.journal import segments
from playground.storage.journal.appender import SEGMENT_BYTES, Appender
from playground.storage.journal.lines import Fault, Line, is_sealed, seal


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file of this process may be longer: a write stops there as on a full disk, after a part of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def event(seq: int, text: str = "") -> bytes:
    return seal({"seq": seq, "event": "vote", "text": text})


def appender(folder: Path, segment_bytes: int = SEGMENT_BYTES) -> Appender:
    return Appender(folder, "this-database", 2, segment_bytes)


def lines(folder: Path) -> list[Line]:
    return [line for segment in segments.in_order(folder) for line in segments.read(segment)]


def whole(folder: Path) -> list[int]:
    return [line.seq for line in lines(folder) if line.fault is Fault.NONE]


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_a_line_is_one_line_of_json_with_the_checksum_of_what_stands_before_it(record: dict[str, str]) -> None:
    line = seal({"seq": 1, "said": record})
    assert line.count(b"\n") == 1
    read = json.loads(line)
    assert {"seq": read["seq"], "said": read["said"]} == {"seq": 1, "said": record}
    before = line[: line.rindex(b',"crc":')]
    assert int(read["crc"], 16) == zlib.crc32(before)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_no_flipped_bit_passes(text: str, data: st.DataObject) -> None:
    line = bytearray(event(7, text)[:-1])
    assert is_sealed(bytes(line))
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not is_sealed(bytes(line))


def test_a_segment_says_whose_it_is_and_holds_its_lines_in_order(tmp_path: Path) -> None:
    journal = appender(tmp_path / "j")
    assert not (tmp_path / "j").exists()
    journal.append([event(1), event(2, "\u2028 and ö")])
    journal.append([event(3)])
    [segment] = segments.segments(tmp_path / "j")
    said = segments.header(segment)
    assert said is not None
    assert (said["journal"], said["database_id"], said["version"], said["segment"]) == (1, "this-database", 2, 1)
    assert said["boot"] == segment.parent.name
    assert whole(tmp_path / "j") == [1, 2, 3]
    assert lines(tmp_path / "j")[1].record["text"] == "\u2028 and ö"
    assert lines(tmp_path / "j")[1].number == 3


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    journal = appender(tmp_path, segment_bytes=300)
    for seq in range(1, 30):
        journal.append([event(seq)])
    numbers = [(segments.header(path) or {})["segment"] for path in segments.segments(tmp_path)]
    assert len(numbers) > 5
    assert numbers == list(range(1, len(numbers) + 1))
    assert whole(tmp_path) == list(range(1, 30))
    assert segments.highest_seq(tmp_path) == 29


def test_a_torn_end_is_no_damage_and_a_flipped_letter_is(tmp_path: Path) -> None:
    appender(tmp_path).append([event(seq) for seq in range(1, 6)])
    [segment] = segments.segments(tmp_path)
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b'"seq":3', b'"seq":8')[:-9])
    assert [line.fault for line in lines(tmp_path)] == [Fault.NONE, Fault.NONE, Fault.DAMAGED, Fault.NONE, Fault.TORN]
    assert whole(tmp_path) == [1, 2, 4]
    assert segments.highest_seq(tmp_path) == 4


@given(cut=st.integers(0, 600))
def test_wherever_a_file_is_cut_off_its_whole_lines_are_read(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    appender(folder).append([event(seq) for seq in range(1, 10)])
    [segment] = segments.segments(folder)
    content = segment.read_bytes()[:cut]
    segment.write_bytes(content)
    expected = list(range(1, (content + b"\n").count(b'"}\n')))  # a line that lacks only its line feed is whole
    assert whole(folder) == expected
    assert segments.highest_seq(folder) == len(expected)


def test_a_damaged_header_costs_no_line(tmp_path: Path) -> None:
    appender(tmp_path).append([event(1)])
    [segment] = segments.segments(tmp_path)
    segment.write_bytes(segment.read_bytes().replace(b"this-database", b"that-database"))
    assert segments.header(segment) is None
    assert whole(tmp_path) == [1]
    assert [line.fault for line in lines(tmp_path)] == [Fault.DAMAGED, Fault.NONE]


@pytest.mark.parametrize("content", [b"", b"\n", b"\x00" * 100_000, b"\n\n{}\n", os.urandom(10_000), b"{" * 200_000])
def test_a_file_of_something_else_holds_no_events(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / "00000001.jsonl").write_bytes(content)
    assert whole(tmp_path) == []
    assert segments.highest_seq(tmp_path) == 0
    assert segments.header(tmp_path / "boot" / "00000001.jsonl") is None


def test_the_highest_event_is_found_whatever_the_folders_are_called(tmp_path: Path) -> None:
    appender(tmp_path).append([event(1), event(2)])
    [older] = tmp_path.iterdir()
    appender(tmp_path).append([event(3)])
    older.rename(tmp_path / "29991231T235959Z-clock-was-wrong")
    assert segments.highest_seq(tmp_path) == 3
    assert whole(tmp_path) == [1, 2, 3]


def test_a_long_damaged_tail_hides_no_event_before_it(tmp_path: Path) -> None:
    appender(tmp_path).append([event(1), event(2, "x" * 300_000)])
    [segment] = segments.segments(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-1].replace(b"xx", b"xy", 1) + b"\n" * 200_000)
    assert segments.highest_seq(tmp_path) == 1


def test_a_write_that_finds_no_room_leaves_nothing_and_is_done_again(tmp_path: Path) -> None:
    journal = appender(tmp_path)
    journal.append([event(1)])
    [segment] = segments.segments(tmp_path)
    before = segment.read_bytes()
    with files_end_at(len(before) + 100):
        for _ in range(3):
            with pytest.raises(OSError, match="large"):
                journal.append([event(2), event(3, "x" * 1000)])
    assert segments.segments(tmp_path) == [segment]
    assert segment.read_bytes() == before
    journal.append([event(2), event(3, "x" * 1000)])
    assert whole(tmp_path) == [1, 2, 3]
    assert len(lines(tmp_path)) == 3


def test_a_rewriting_that_finds_no_room_leaves_the_segment_as_it_was(tmp_path: Path) -> None:
    appender(tmp_path).append([event(1), event(2, "x" * 1000)])
    [segment] = segments.segments(tmp_path)
    before = segment.read_bytes()
    with files_end_at(500), pytest.raises(OSError, match="large"):
        segments.rewrite(segment, lambda line: line.text + b"\n")
    assert segment.read_bytes() == before
    assert list(segment.parent.iterdir()) == [segment]
    segments.rewrite(segment, lambda line: line.text + b"\n")
    assert segment.read_bytes() == before
