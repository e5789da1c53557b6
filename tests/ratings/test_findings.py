"""The sentences of the findings."""

from __future__ import annotations

import pytest

from playground.ratings import findings
from playground.ratings.bias import Sides


@pytest.mark.parametrize(
    ("votes", "left_out", "lighter", "text"),
    [
        (1, [], 0, "1 vote."),
        (480, [], 0, "All 480 votes count."),
        (
            1003,
            [(120, "in open mode"), (31, "decided in under 1 s"), (40, "with an answer that names its model")],
            0,
            "1,003 votes: 812 count; "
            "120 in open mode, 31 decided in under 1 s, 40 with an answer that names its model.",
        ),
        (2, [(1, "in open mode")], 0, "2 votes: 1 counts; 1 in open mode."),
        (2, [(2, "in open mode")], 0, "2 votes: none counts; 2 in open mode."),
        (90, [], 2, "All 90 votes count. Those of 2 raters weigh less, so that nobody weighs more than 25 %."),
    ],
)
def test_counted_states_every_reason(votes, left_out, lighter, text) -> None:
    assert findings.counted(votes, left_out, lighter_raters=lighter, share=0.25).text == text


@pytest.mark.parametrize(
    ("other", "counted", "text"),
    [
        (["a", "b", "c"], False, "With the 4 flagged votes the order is the same."),
        (["a", "c", "b"], False, "With the 4 flagged votes a is first as well, but the order below is another."),
        (["b", "a", "c"], True, "Without the 4 flagged votes b would be first, not a."),
    ],
)
def test_flagged_compares_the_orders(other, counted, text) -> None:
    assert findings.flagged(4, ["a", "b", "c"], other, [], counted=counted).text == text


def test_models_without_a_common_scale_are_not_compared() -> None:
    assert findings.flagged(4, ["a", "b"], ["b", "a"], ["c", "d"], counted=True).text == (
        "Without the 4 flagged votes c and d cannot be compared with the others; among these b would be first, not a."
    )


@pytest.mark.parametrize(
    ("dishonest", "text"),
    [
        (17, "17 dishonest votes (1.7 % of 1,003) would put X first."),
        (1, "1 dishonest vote (0.1 % of 1,003) would put X first."),
        (402, "402 dishonest votes (40 % of 1,003) would put X first."),
    ],
)
def test_how_few_dishonest_votes_are_enough(dishonest, text) -> None:
    assert findings.robustness(dishonest, 1003, "X").text == text


@pytest.mark.parametrize(
    ("votes", "unit", "heaviest", "text", "busiest"),
    [
        ([], "vote", 0.0, "No vote that counts yet.", None),
        ([40], "vote", 1.0, "40 votes by one rater: the ranking of one person.", 1.0),
        ([10] * 10, "rater", 0.1, "100 votes by 10 raters; the busiest gave 10 %.", 0.1),
        ([1] * 200, "rater", 0.005, "200 votes by 200 raters; the busiest gave less than 1 %.", 0.005),
        (
            [8, 2],
            "vote",
            0.8,
            "10 votes by 2 raters; the busiest gave 80 %, so the result depends strongly on one person. "
            "Ratings, ranks and claims are about these raters only.",
            0.8,
        ),
        ([10, *[1] * 10], "rater", 0.25, "20 votes by 11 raters; the busiest gave 50 %, which weigh as 25 %.", 0.5),
    ],
)
def test_raters(votes: list[int], unit: str, heaviest: float, text: str, busiest: float | None) -> None:
    found = findings.raters(votes, unit, heaviest)
    assert (found.text, found.share) == (text, busiest)


def test_a_circle_and_a_pair_that_does_not_fit() -> None:
    assert findings.cycle(["A", "B", "C"]).text == (
        "These votes go in a circle: A beats B, B beats C, C beats A. No order of ratings can show that."
    )
    assert findings.misfit("A", "B", 0.75, 0.5).text == (
        "The ratings do not explain these votes: A got 75 % against B, not 50 %."
    )
    assert findings.misfit("A", "B", 0.326, 0.32).text == (
        "The ratings only nearly explain these votes: A got 32.6 % against B, not 32.0 %."
    )


def test_model_that_wins_from_one_side_is_named() -> None:
    even, first = Sides(30, 60, 29, 60, 0.017, -0.2, 0.2), Sides(45, 60, 20, 60, 0.417, 0.2, 0.6)
    few = Sides(9, 10, 0, 10, 0.9, 0.5, 1.0)
    found = findings.position_of_models([("galpaca", even), ("orca", first), ("new", few)])
    assert found is not None
    assert found.text.startswith("orca won 75 % of decided pairs when its answer stood first")
    assert "galpaca" not in found.text
    assert "new" not in found.text
    none = findings.position_of_models([("galpaca", even)])
    assert none is not None
    assert none.text == "No model wins more often on one side than chance explains."
    assert findings.position_of_models([("new", few)]) is None
