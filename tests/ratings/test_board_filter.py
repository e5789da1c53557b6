"""The filter of a board: the policy that it narrows, and the rows that it leaves to the database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidValue
from playground.ratings.board_filter import ALL, BOARD_FILTERS, WIDER, narrowed, on_rows, read_board_filter
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, filtered
from playground.records import Origin, VoteFilter

DEFAULT = CountingPolicy()
VALUES = {
    "category": ["code"],
    "origin": list(map(str, Origin)),
    "mode": ["blind", "open"],
    "pairs": ["drawn", "chosen"],
    "sampling": ["card", "changed"],
    "rater": ["ada"],
    "since": ["2026-11-01"],
    "until": ["2026-11-30"],
    "license": ["commercial", "other"],
    "study": ["s1"],
    "imported": ["only", "none"],
    "models": ["a", "a,b"],
}

filters = st.fixed_dictionaries(
    {name: st.sampled_from(["", *VALUES[name], *([ALL] if name in WIDER else [])]) for name in BOARD_FILTERS}
)


def test_nothing_asked_is_the_default_board() -> None:
    assert read_board_filter({"db": "votes.db", "origin": ""}, DEFAULT) == (VoteFilter(), DEFAULT)


@pytest.mark.parametrize(
    ("asked", "policy"),
    [
        ({"origin": "program"}, filtered(DEFAULT, origin="program")),
        ({"origin": "all"}, filtered(DEFAULT, origin="all")),
        ({"pairs": "chosen"}, filtered(DEFAULT, pairs="chosen")),
        ({"pairs": "all"}, filtered(DEFAULT, pairs="all")),
        ({"sampling": "changed"}, filtered(DEFAULT, sampling="all")),
        ({"mode": "open"}, filtered(DEFAULT, blind_only=False)),
        ({"mode": "all"}, filtered(DEFAULT, blind_only=False)),
        ({"mode": "blind"}, DEFAULT),
        ({"imported": "all"}, filtered(DEFAULT, imported=True)),
        ({"imported": "only"}, filtered(DEFAULT, imported=True)),
        ({"imported": "none"}, DEFAULT),
        ({"rater": "ada", "since": "2026-11-01"}, DEFAULT),
    ],
)
def test_conditions_of_the_policy_change_what_counts(asked: dict[str, str], policy: CountingPolicy) -> None:
    assert read_board_filter(asked, DEFAULT)[1] == policy


def test_a_filter_narrows_the_policy_that_counts_every_vote() -> None:
    policy = narrowed(EVERY_VOTE, VoteFilter(mode="blind", origin="judge", imported="none", pairs="drawn"))
    assert policy.blind_only
    assert (policy.origins, policy.keep_imported, policy.pairs) == ((Origin.JUDGE,), False, "drawn")
    assert narrowed(EVERY_VOTE, VoteFilter()) == EVERY_VOTE


@given(filters)
def test_narrowing_twice_changes_nothing(asked: dict[str, str]) -> None:
    filter, policy = read_board_filter(asked, DEFAULT)
    assert narrowed(policy, filter) == policy


def test_the_database_is_asked_only_for_what_no_policy_can_say() -> None:
    asked = {name: values[0] for name, values in VALUES.items()}
    filter, _ = read_board_filter(asked | {"imported": "none"}, DEFAULT)
    assert set(on_rows(filter).as_mapping()) == {"rater", "since", "until", "license", "study", "models"}
    other = VoteFilter(mode="open", sampling="changed", imported="only")
    assert on_rows(other) == other


@pytest.mark.parametrize("name", ["winner", "reason", "words"])
def test_conditions_on_outcomes_and_words_are_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match=f"no filter '{name}': .*; valid: category, origin"):
        read_board_filter({name: "tie"}, DEFAULT)


def test_an_unknown_value_is_named() -> None:
    with pytest.raises(InvalidValue, match="'origin' is 'robot'; valid: person, program, judge, shared, all"):
        read_board_filter({"origin": "robot"}, DEFAULT)
