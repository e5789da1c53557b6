"""Rules of a board: read from an address or a call, and refused."""

from __future__ import annotations

from typing import Any

import pytest

from playground.errors import InvalidValue
from playground.ratings.board_rules import DEFAULT_RULES, MOST_RESAMPLES, BoardRules, read_board_rules


@pytest.mark.parametrize("values", [{}, {"level": "", "unit": ""}, {"level": 0.95, "bootstrap": 0, "unit": "auto"}])
def test_nothing_asked_is_the_default_board(values: dict[str, Any]) -> None:
    assert read_board_rules(values) == DEFAULT_RULES


def test_texts_and_numbers_are_read_alike() -> None:
    texts = {"unit": "rater", "level": "0.9", "both_bad": "omit", "bootstrap": "100"}
    numbers = {"unit": "rater", "level": 0.9, "both_bad": "omit", "bootstrap": 100}
    assert read_board_rules(texts) == read_board_rules(numbers) == BoardRules("rater", 0.9, "omit", 100)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unit", "person"),
        ("unit", ["vote"]),
        ("level", 0.5),
        ("level", "nan"),
        ("level", True),
        ("both_bad", "drop"),
        ("bootstrap", 1),
        ("bootstrap", -5),
        ("bootstrap", MOST_RESAMPLES + 1),
        ("bootstrap", "1e2"),
        ("bootstrap", True),
    ],
)
def test_other_values_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidValue, match=f"'{name}' is .*; valid: "):
        read_board_rules({name: value})
