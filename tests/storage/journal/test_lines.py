"""Lines of the journal and their checksums."""

from __future__ import annotations

import json
import zlib

from hypothesis import given
from hypothesis import strategies as st

from playground.storage.journal.lines import is_sealed, seal


def event(seq: int, text: str = "") -> bytes:
    return seal({"seq": seq, "event": "vote", "text": text})


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_line_is_json_with_a_checksum(record: dict[str, str]) -> None:
    line = seal({"seq": 1, "text": record})
    assert line.count(b"\n") == 1
    read = json.loads(line)
    assert {"seq": read["seq"], "text": read["text"]} == {"seq": 1, "text": record}
    before = line[: line.rindex(b',"crc":')]
    assert int(read["crc"], 16) == zlib.crc32(before)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_flipped_bit_is_detected(text: str, data: st.DataObject) -> None:
    line = bytearray(event(7, text)[:-1])
    assert is_sealed(bytes(line))
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not is_sealed(bytes(line))
