"""A filter reads the same conditions from an address, a command line and a call."""

from __future__ import annotations

from dataclasses import fields

import pytest

from playground.errors import InvalidValue
from playground.records import VoteFilter, read_filter


def test_filter_reads_only_its_own_names() -> None:
    found = read_filter({"origin": "person", "since": "2026-11-01", "format": "votes", "rater": "", "words": None})
    assert found == VoteFilter(origin="person", since="2026-11-01")
    assert found.as_mapping() == {"origin": "person", "since": "2026-11-01"}
    assert read_filter(found.as_mapping()) == found


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"origin": "robot"}, "'origin' is 'robot'; valid: person, program, judge, shared"),
        ({"mode": "hidden"}, "'mode' is 'hidden'; valid: blind, open"),
        ({"since": "yesterday"}, "'since' is 'yesterday'; valid: a day such as 2026-11-29"),
        ({"models": "a,b,c"}, "'models' names 3 models; valid: one, or two that met"),
        ({"words": 7}, "'words' is 7; valid: a text"),
    ],
)
def test_invalid_condition_is_refused(values: dict[str, object], error: str) -> None:
    with pytest.raises(InvalidValue, match="^" + error.replace("?", r"\?") + "$"):
        read_filter(values)


def test_every_condition_has_help() -> None:
    assert all(condition.metadata["help"] for condition in fields(VoteFilter))
