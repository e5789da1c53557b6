"""Any text survives every container exactly; spreadsheets run no cell."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.exchange.containers import (
    BYTE_ORDER_MARK,
    FORMULA,
    Csv,
    JsonArray,
    JsonLines,
    to_json,
    with_formula,
    without_formula,
)
from playground.exchange.files import HashedFile
from playground.exchange.parquet import Parquet

COLUMNS = {"one": "text", "two": {"deep": ["text"]}, "number": "int", "yes": "bool"}

DIFFICULT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['"', "'", ",", ";", "\n", "\r\n", "\r", "\t", "\u2028\u2029\x85", "=1+1", "+1", "-1", "@SUM(A1)", "\x00", "\ufeff",
     "👩‍👩‍👧‍👦", "e\u0301", "\u202eabc", '","\n"', "</script>", "{}", "[1]", "'=1", "''=1", "'", "null", "1e5", "NA",
     "naïve – 好"]
)  # fmt: skip
ROWS = st.lists(
    st.tuples(DIFFICULT, DIFFICULT, st.none() | st.integers(-(2**63), 2**63 - 1), st.none() | st.booleans())
)


class Sink:
    """Keeps what is written."""

    closed = False

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += bytes(data)
        return len(data)

    def flush(self) -> None:
        pass


def as_values(rows: list[tuple[str, str, int | None, bool | None]]) -> list[tuple[object, ...]]:
    return [(one, {"deep": [two]}, number, yes) for one, two, number, yes in rows]


def as_objects(rows: list[tuple[str, str, int | None, bool | None]]) -> list[dict[str, object]]:
    return [dict(zip(COLUMNS, values, strict=True)) for values in as_values(rows)]


@given(ROWS, st.integers(1, 3))
def test_json_holds_every_text_exactly(rows: list[tuple[str, str, int | None, bool | None]], step: int) -> None:
    lines, array = Sink(), Sink()
    for container in (JsonLines(lines, COLUMNS), JsonArray(array, COLUMNS)):
        for start in range(0, len(rows), step):
            container.write(as_values(rows[start : start + step]))
        container.write([])
        container.close()
    text = lines.data.decode()
    assert [json.loads(line) for line in text.split("\n")[:-1]] == as_objects(rows)
    assert len(text.splitlines()) == len(rows)
    assert json.loads(array.data) == as_objects(rows)


@given(ROWS)
def test_csv_holds_every_text_exactly(rows: list[tuple[str, str, int | None, bool | None]]) -> None:
    expected = [
        [one, json.dumps({"deep": [two]}, ensure_ascii=False), str("" if number is None else number),
         {True: "true", False: "false", None: ""}[yes]]
        for one, two, number, yes in rows
    ]  # fmt: skip
    for for_spreadsheets in (False, True):
        sink = Sink()
        container = Csv(sink, COLUMNS, for_spreadsheets)
        container.write(as_values(rows))
        container.close()
        assert sink.data.startswith(BYTE_ORDER_MARK) is for_spreadsheets
        text = sink.data.decode("utf-8-sig" if for_spreadsheets else "utf-8")
        table = list(csv.reader(io.StringIO(text, newline="")))
        assert table[0] == list(COLUMNS)
        if for_spreadsheets:
            assert not any(row[0].startswith(FORMULA) for row in table[1:])
        for (one, two, *rest), wanted in zip(table[1:], expected, strict=True):
            assert (with_formula(one) if for_spreadsheets else one) == wanted[0]
            assert json.loads(two) == json.loads(wanted[1])
            assert rest == wanted[2:]


@given(ROWS)
def test_parquet_holds_every_text_exactly(rows: list[tuple[str, str, int | None, bool | None]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = Sink()
    container = Parquet(sink, COLUMNS)
    container.write(as_values(rows))
    container.close()
    assert pq.read_table(pa.BufferReader(sink.data)).to_pylist() == as_objects(rows)


@pytest.mark.proves("spreadsheet formulas")
@given(DIFFICULT)
def test_apostrophe_can_be_removed_again(text: str) -> None:
    cell = without_formula(text)
    assert not cell.startswith(FORMULA)
    assert cell in (text, f"'{text}")
    assert with_formula(cell) == text


def test_stored_json_is_copied() -> None:
    assert to_json({"ids": b"[1,  2]", "text": '"\u2028"'.encode()}) == b'{"ids":[1,  2],"text":"\\u2028"}'


def test_text_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(TypeError, match="surrogates"):
        to_json({"text": "\ud800"})


def test_optional_columns_are_left_out_of_objects_without_a_value() -> None:
    sink = Sink()
    JsonLines(sink, {"a": "int", "b": "float"}, ["b"]).write([(1, None), (2, 0.5)])
    assert sink.data == b'{"a":1}\n{"a":2,"b":0.5}\n'


def test_parquet_writes_groups_before_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr("playground.exchange.parquet.GROUP_BYTES", 1000)
    sink = Sink()
    container = Parquet(sink, {"text": "text"})
    for number in range(5):
        container.write([(f"{number}" * 400,)])
    container.close()
    file = pq.ParquetFile(pa.BufferReader(sink.data))
    assert (file.metadata.num_row_groups, file.metadata.num_rows) == (2, 5)


def test_hash_is_that_of_the_bytes() -> None:
    import hashlib

    with io.BytesIO() as raw:
        file = HashedFile(raw)  # type: ignore[arg-type]
        file.write(b"one")
        file.write(b"two")
        assert (file.bytes, file.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())


class Bytes(bytearray):
    """A sink."""

    def write(self, data: bytes) -> int:
        self += data
        return len(data)


@given(rows=st.lists(st.tuples(st.text(alphabet='a,"\n\r;é '), st.none() | st.floats(allow_nan=False)), min_size=1))
def test_cells_are_quoted_as_the_csv_module_does(rows: list[tuple[str, float | None]]) -> None:
    made, expected = Bytes(), io.StringIO(newline="")
    Csv(made, {"text": "text", "number": "float"}).write(rows)
    csv.writer(expected).writerows([("text", "number"), *rows])
    assert made.decode() == expected.getvalue()
