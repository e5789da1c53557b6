"""Lists of names, and ranks."""

from __future__ import annotations

import pytest

from playground.ratings.phrases import listed, rank_range


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


@pytest.mark.parametrize(
    ("rank", "text"), [((2, 2, False), "2"), ((1, 3, False), "1–3"), ((1, 3, True), "–"), ((2, 2, True), "–")]
)
def test_provisional_rating_claims_no_rank(rank: tuple[int, int, bool], text: str) -> None:
    assert rank_range(*rank) == text
