"""Addresses of the Leaderboard page: read, refused, and written back."""

from __future__ import annotations

import pytest

from playground.errors import InvalidValue
from playground.ratings.board_rules import DEFAULT_RULES, BoardRules
from playground.ratings.policy import EVERY_VOTE, CountingPolicy
from playground.records import VoteFilter
from playground.ui.board_address import BoardAddress, read_board_address
from playground.ui.query import read_query

DEFAULT = CountingPolicy()
FILLED = BoardAddress(
    (("category", "code & more"), ("mode", "all"), ("since", "2026-11-01")),
    (("level", "0.9"),),
    mine=True,
    count_all=True,
    hide_retired=True,
    model="pocket-galpaca",
)


def test_address_gives_the_same_board_again() -> None:
    for address in (BoardAddress(), FILLED):
        assert read_board_address(read_query(address.query())) == address


def test_link_has_other_values_for_some_names() -> None:
    assert BoardAddress().link() == "./leaderboard"
    assert FILLED.link(model="", mine="", since="").endswith(
        "?category=code+%26+more&mode=all&level=0.9&count_all=1&hide_retired=1"
    )


def test_default_address_selects_the_default_board() -> None:
    assert BoardAddress().selection(DEFAULT, None) == (VoteFilter(), DEFAULT, DEFAULT_RULES)


def test_conditions_narrow_or_widen_the_policy() -> None:
    filter, policy, _ = BoardAddress((("origin", "program"), ("mode", "all"))).selection(DEFAULT, None)
    assert filter == VoteFilter(origin="program")
    assert not policy.blind_only
    assert BoardAddress(count_all=True).selection(DEFAULT, None) == (VoteFilter(), EVERY_VOTE, DEFAULT_RULES)


def test_rules_of_intervals_are_part_of_the_board() -> None:
    address = read_board_address(read_query("unit=vote&level=0.99&both_bad=omit&bootstrap=200"))
    assert address.selection(DEFAULT, None)[2] == BoardRules("vote", 0.99, "omit", 200)
    assert address.is_filtered


def test_study_is_a_condition_of_the_board() -> None:
    address = read_board_address({"study": "helpful"})
    assert address.selection(CountingPolicy(), None)[0] == VoteFilter(study="helpful")
    assert address.link(model="ada") == "./leaderboard?study=helpful&model=ada"


def test_my_board_has_my_votes_and_needs_me() -> None:
    mine = BoardAddress(mine=True)
    assert mine.selection(DEFAULT, "rater-ada")[0] == VoteFilter(rater="rater-ada")
    with pytest.raises(InvalidValue, match="no rater's id"):
        mine.selection(DEFAULT, None)


@pytest.mark.parametrize("query", ["rater=ada", "words=x", "reason=x", "mine=yes"])
def test_names_and_values_of_other_pages_are_refused(query: str) -> None:
    with pytest.raises(InvalidValue, match="valid:"):
        read_board_address(read_query(query))
