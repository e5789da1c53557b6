"""Lists of names."""

from __future__ import annotations

import pytest

from playground.ratings.phrases import listed


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B"], "A and B"),
        (["A", "B", "C", "D"], "A, B, C and D"),
        (["A", "B", "C", "D", "E"], "A, B, C and 2 others"),
    ],
)
def test_lists_of_names(names: list[str], text: str) -> None:
    assert listed(names) == text
