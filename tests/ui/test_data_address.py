"""Addresses of the Data page: read, refused, and written back."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidValue, Refused
from playground.records.filters import VoteFilter
from playground.settings import Settings
from playground.ui.data_address import DataAddress, check_access, read_address
from playground.ui.http.operator import OperatorStatus
from playground.ui.query import MAX_ECHOED_CHARS, echoed, read_query

FILLED = DataAddress(
    VoteFilter(
        origin="person", mode="blind", since="2026-11-01", models="pocket-galpaca,pocket-minotaur", words="a b&c"
    ),
    counted_only=True,
    format="votes",
    before="2026-11-29 x",
)


def test_address_gives_the_same_selection_again() -> None:
    for address in (DataAddress(), FILLED, DataAddress(apart=True), DataAddress(VoteFilter(license="other"))):
        assert read_address(read_query(f"?{address.query()}"), is_operator=False) == address


def test_operator_may_select_a_rater_and_see_ids() -> None:
    own = DataAddress(VoteFilter(rater="ada"), ids=True)
    assert read_address(read_query(own.query()), is_operator=True) == own
    for query in ("rater=ada", "ids=1"):
        with pytest.raises(Refused, match="Only the operator"):
            read_address(read_query(query), is_operator=False)


def test_link_has_other_values_for_some_names() -> None:
    assert FILLED.query(format="", before="", words="") == (
        "origin=person&mode=blind&since=2026-11-01&models=pocket-galpaca%2Cpocket-minotaur&counted=1"
    )


def test_name_given_twice_has_both_values() -> None:
    assert read_query("models=a&models=b&models=&words=+x+") == {"models": "a,b", "words": "x"}


def test_characters_that_no_text_has_are_removed() -> None:
    assert read_query("words=a%00b%EF%B7%90c") == {"words": "abc"}


@pytest.mark.parametrize("query", [None, 3, ["words=a"], "x" * 4001, "&".join(f"n{i}=1" for i in range(100))])
def test_odd_query_is_refused(query: object) -> None:
    with pytest.raises(InvalidValue, match="too long"):
        read_query(query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("origin=alien", "valid: person, program"),
        ("since=yesterday", "a day such as"),
        ("counted=yes", "'counted' is 'yes'; valid: 1"),
        ("license=both", "valid: commercial, other"),
    ],
)
def test_invalid_value_is_named(query: str, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        read_address(read_query(query), is_operator=True)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidValue):
        assert isinstance(read_address(read_query(text), is_operator=True), DataAddress)


def test_with_license_is_one_of_two_files() -> None:
    assert DataAddress(apart=True).with_license("other") == DataAddress(VoteFilter(license="other"))


@pytest.mark.parametrize(
    ("data", "is_operator", "is_allowed"),
    [("operator", False, False), ("operator", True, True), ("public", False, True), ("public", True, True)],
)
def test_access_follows_the_setting(data: str, is_operator: bool, is_allowed: bool) -> None:
    settings, standing = Settings(data=data), OperatorStatus(is_operator)
    if is_allowed:
        check_access(settings, standing)
    else:
        with pytest.raises(Refused, match="My data, at the foot of every page"):
            check_access(settings, standing)


def test_only_a_query_that_can_be_one_is_echoed() -> None:
    longest = "?words=" + "x" * (MAX_ECHOED_CHARS - 7)
    assert [echoed(text) for text in ("", "?words=sea", longest)] == ["", "?words=sea", longest]
    assert [echoed(text) for text in (None, 3, f"{longest}x", "\ud800", "a\nb")] == [""] * 5
