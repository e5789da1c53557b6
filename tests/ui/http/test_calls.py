"""Calls that Gradio may see, and the refusals of all others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidValue, PlaygroundError, Unknown
from playground.ui.http.calls import Endpoint, GradioEndpoints, read_call

TAB = "0a1b2c"
COMPARE = Endpoint(0, "compare", 2, {"instruction": True, "input": False})
VOTE = Endpoint(1, "vote", 1)
ENDPOINTS = GradioEndpoints.of((COMPARE, VOTE, Endpoint(2, "vote", 3)))


def sent(route: str, body: Any) -> Any:
    """Return the body that Gradio sees."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return json.loads(read_call(route, raw, ENDPOINTS).body)


def test_calls_of_the_page_pass() -> None:
    body = {"data": [None], "fn_index": 1, "session_hash": TAB, "event_data": {"do": "load"}, "trigger_id": 87}
    assert sent("queue/join", body) == sent("run/vote", body) == body


def test_calls_of_programs_pass() -> None:
    assert sent("call/compare", {"data": ["hi", ""]}) == {"data": ["hi", ""]}
    assert sent("call/v2/compare", {"instruction": "hi"}) == {"instruction": "hi"}
    assert sent("run/compare", {"data": ["hi", ""]}) == {"data": ["hi", ""], "fn_index": 0}
    assert sent("cancel", {"session_hash": TAB, "event_id": "e", "fn_index": 1})["event_id"] == "e"


def test_index_wins_over_name_and_first_of_two_names_is_taken() -> None:
    assert sent("run/compare", {"data": [None], "fn_index": 1})["fn_index"] == 1
    assert sent("run/vote", {"data": [None]})["fn_index"] == 1


def test_unknown_fields_are_dropped() -> None:
    more = {"batched": True, "event_id": "x", "simple_format": True, "oauth_token": "t", "request": {}, "zzz": 1}
    assert sent("run/vote", {"data": [None], **more}) == {"data": [None], "fn_index": 1}


def test_lone_surrogates_pass() -> None:
    assert sent("call/v2/compare", b'{"instruction": "a\\ud800"}') == {"instruction": "a\ud800"}


@pytest.mark.parametrize(
    "route", ["upload", "component_server", "vibe-edit", "stream/x", "run/../upload", "", "run", "x"]
)
def test_unused_routes_are_closed(route: str) -> None:
    with pytest.raises(Unknown, match=r"takes no requests; .* such as /gradio_api/call/v2/compare"):
        sent(route, {})


@pytest.mark.proves("a wrong event index")
@pytest.mark.parametrize("index", [-1, 3, 2**31, True, 1.0, "1", [1], {}])
def test_wrong_event_index_is_refused(index: Any) -> None:
    with pytest.raises(PlaygroundError, match=r"no such event|fn_index is not"):
        sent("queue/join", {"data": [None], "fn_index": index, "session_hash": TAB})


@pytest.mark.parametrize("name", ["vote", "nothing", "compare_1"])
def test_programs_can_call_public_endpoints_only(name: str) -> None:
    for way in ("call", "call/v2"):
        with pytest.raises(Unknown, match="no endpoint with this name; valid: /compare"):
            sent(f"{way}/{name}", {"data": []})


@pytest.mark.proves("too few or too many values")
@pytest.mark.parametrize("data", [[], [None, None], None, "a", {"0": None}, 1])
def test_wrong_number_of_values_is_refused(data: Any) -> None:
    with pytest.raises(InvalidValue, match=r"data is not a list|vote takes 1"):
        sent("run/vote", {"data": data})


@pytest.mark.proves("no session hash, a stolen one")
@pytest.mark.parametrize("session", [None, "", "a b", "x" * 65, "x" * 1_000_000, 1, ["a"], "../x", "a\n"])
def test_missing_or_forged_session_hash_is_refused(session: Any) -> None:
    with pytest.raises(InvalidValue, match="session_hash is not"):
        sent("queue/join", {"data": [None], "fn_index": 1, "session_hash": session})


@pytest.mark.parametrize("fields", [{}, {"input": "x"}, {"instruction": "a", "zzz": 1}, {"data": ["a", "b"]}])
def test_call_with_wrong_keywords_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="compare takes instruction, input"):
        sent("call/v2/compare", fields)


@pytest.mark.proves("deep JSON, NaN, invalid UTF-8")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"data": [null], "fn_index": 1',
        b"\xff\xfe",
        b'{"data": ["\xff"], "fn_index": 1}',
        b"[]",
        b"null",
        b'"text"',
        b"NaN",
        b'{"data": [NaN], "fn_index": 1}',
        b'{"data": [-Infinity], "fn_index": 1}',
        b'{"data": [1e999], "fn_index": 1}',
        b'{"data": [' + b"9" * 5000 + b'], "fn_index": 1}',
        b"[" * 100_000,
        b'{"data": [' + b"[" * 500 + b"]" * 500 + b'], "fn_index": 1}',
        b'{"data": [' + b'{"a":' * 20 + b"1" + b"}" * 20 + b'], "fn_index": 1}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_invalid_json_is_refused_with_a_short_message(body: bytes) -> None:
    with pytest.raises(InvalidValue, match="the body is") as caught:
        sent("run/vote", body)
    assert len(str(caught.value)) < 100


@pytest.mark.proves("forged file data")
@pytest.mark.parametrize(
    "value",
    [
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"path": "https://example.org/x"},
        [{"deep": {"_type": "gradio.FileData"}}],
    ],
)
def test_forged_file_data_is_refused(value: Any) -> None:
    for route, body in (("run/vote", {"data": [value]}), ("call/v2/compare", {"instruction": value})):
        with pytest.raises(InvalidValue, match="no event takes files"):
            sent(route, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=10,
)
FIELDS = st.dictionaries(st.sampled_from(["data", "fn_index", "session_hash", "event_data", "trigger_id", "x"]), JSON)


@given(st.sampled_from(["queue/join", "run/vote", "call/compare", "call/v2/compare", "cancel", "x"]), FIELDS | JSON)
def test_any_body_passes_or_is_refused(route: str, body: Any) -> None:
    try:
        call = read_call(route, json.dumps(body).encode(), ENDPOINTS)
    except PlaygroundError:
        return
    assert isinstance(json.loads(call.body), dict)
