"""Cookies of this page are found among those of other programs on the same host."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from playground.rater_ids import COOKIE, rater_id
from playground.ui.http.asgi import cookie_values
from playground.ui.http.rater_cookie import rater_of

SECRET, OTHER = "0123456789abcdef" * 2, "ab" * 16
FOREIGN = st.binary(max_size=40).map(lambda sent: sent.replace(b";", b",").decode("latin-1"))
"""Any text between two semicolons, as a server reads it: each byte is one character."""


def is_ours(pair: str) -> bool:
    return pair.partition("=")[0].strip() == COOKIE


def asked_with(*headers: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", header.encode("latin-1")) for header in headers]})


@pytest.mark.parametrize(
    "foreign",
    [
        'prefs={"theme":"dark"}',
        'a="unclosed',
        "b=\\",
        "[]=1",
        "=",
        "",
        "no equals sign",
        "ü=é",
        f"x{COOKIE}={OTHER}",
        f"{COOKIE}x={OTHER}",
        f"{COOKIE.upper()}={OTHER}",
        f"x={COOKIE}={OTHER}",
        f"{COOKIE}",
        f"{COOKIE}=",
        f'{COOKIE}="{OTHER}"',
        f"{COOKIE}={OTHER}\xff",
    ],
)
def test_foreign_cookie_hides_no_rater(foreign: str) -> None:
    for header in (f"{foreign}; {COOKIE}={SECRET}", f"{COOKIE}={SECRET}; {foreign}", f"{foreign};{COOKIE} = {SECRET}"):
        assert next(cookie_values(header, COOKIE)) == SECRET
        assert rater_of(asked_with(header)) == rater_id(SECRET)


@given(
    before=st.lists(FOREIGN.filter(lambda pair: not is_ours(pair))),
    after=st.lists(FOREIGN.filter(lambda pair: not is_ours(pair))),
    space=st.sampled_from(["", " ", "  ", "\t"]),
)
def test_cookies_around_ours_change_nothing(before: list[str], after: list[str], space: str) -> None:
    header = f";{space}".join([*before, f"{COOKIE}={SECRET}", *after])
    assert next(cookie_values(header, COOKIE)) == SECRET
    assert rater_of(asked_with(header)) == rater_id(SECRET)


@given(header=st.binary(max_size=200).map(lambda sent: sent.decode("latin-1")))
def test_header_without_our_cookie_has_no_value(header: str) -> None:
    assert list(cookie_values(header, COOKIE)) == []
    assert rater_of(asked_with(header)) is None


@pytest.mark.parametrize("first", ["short", OTHER.upper(), f"{SECRET}0", "", '"'])
def test_first_valid_cookie_of_two_is_the_rater(first: str) -> None:
    assert rater_of(asked_with(f"{COOKIE}={first}; {COOKIE}={SECRET}; {COOKIE}={OTHER}")) == rater_id(SECRET)


def test_cookie_is_found_in_each_of_several_headers() -> None:
    assert rater_of(asked_with("a=1", f"{COOKIE}={SECRET}", 'prefs={"a":1}')) == rater_id(SECRET)


def test_request_without_cookies_has_no_rater() -> None:
    assert rater_of(asked_with()) is None


@pytest.mark.parametrize("piece", [";", "; a=b", f"; {COOKIE}=x", '"', "\\", "=", " "])
def test_huge_cookie_header_is_read_quickly(piece: str) -> None:
    header = piece * (1_000_000 // len(piece)) + f";{COOKIE}={SECRET}"
    began = time.perf_counter()
    assert rater_of(asked_with(header)) == rater_id(SECRET)
    assert time.perf_counter() - began < 5
