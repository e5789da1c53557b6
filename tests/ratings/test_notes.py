"""The sentences of the notes."""

from __future__ import annotations

import pytest

from playground.ratings import notes
from playground.ratings.verdict import Verdict
from playground.records import VoteFilter


def test_groups_that_have_not_met() -> None:
    groups = [["Galpaca", "Minotaur"], ["orca-mini", "OpenAlpaca"]]
    assert notes.not_met(groups) == (
        "No battles between these groups yet: Galpaca and Minotaur · orca-mini and OpenAlpaca."
    )
    assert notes.within(groups[0], Verdict("Galpaca leads.", "Every place is settled.")) == (
        "Among Galpaca and Minotaur: Galpaca leads. Every place is settled."
    )


def test_notes() -> None:
    assert notes.provisional(30, [("Galpaca", 4), ("Minotaur", 12)]) == (
        "Provisional, below 30 battles: Galpaca (4) and Minotaur (12)."
    )
    assert notes.not_rated(["Galpaca"]) == "No vote that counts yet: Galpaca."
    assert notes.far_ahead("Galpaca", "orca-mini", 210.4, always=True) == (
        "Galpaca has won every battle: at least 210 points ahead of orca-mini; how much more cannot be told."
    )
    assert notes.far_behind("Galpaca", "orca-mini", 90.0, always=False) == (
        "Galpaca has lost nearly everything: at least 90 points behind orca-mini; how much more cannot be told."
    )
    assert notes.far_ahead("Galpaca", "orca-mini", 0.0, always=True) == (
        "Galpaca has won every battle so far: too few battles to say how far it is ahead."
    )
    assert notes.far_behind("Galpaca", "orca-mini", -3.0, always=True) == (
        "Galpaca has lost every battle so far: too few battles to say how far it is behind."
    )
    assert notes.few_raters(["Galpaca", "Minotaur"], 8) == (
        "Galpaca and Minotaur: judged by fewer than 8 raters, or mostly by fewer; so few make the interval wide."
    )
    assert notes.one_of_many() == ("One of many views; its claims are not corrected for having looked at several.")
    assert notes.left_out_same(2) == "2 pairs of a model with itself: stored, not rated."


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {},
            "Blind votes of people · all categories · all-bad votes count as ties · 95 % intervals, jackknife, "
            "each rater a unit · ranks hold together at 95 % for one look, the verdict at any time · "
            "prior: 1 × (models − 1) ties, spread evenly over the pairs that met",
        ),
        (
            {
                "which": "Blind and open votes",
                "category": "coding",
                "both_bad": "omit",
                "level": 0.995,
                "unit": "vote",
                "resamples": 9,
                "filtered": True,
            },
            "Blind and open votes · category coding · all-bad votes left out · 99.5 % intervals, "
            "bootstrap, each vote a unit · ranks and verdict hold at 99.5 % for one look, and for no other views · "
            "prior: 1 × (models − 1) ties, spread evenly over the pairs that met",
        ),
    ],
)
def test_basis(changes, line: str) -> None:
    usual = {
        "which": "Blind votes of people",
        "category": "",
        "filter": VoteFilter(),
        "both_bad": "half",
        "prior": 1.0,
        "level": 0.95,
        "unit": "rater",
        "resamples": 0,
        "filtered": False,
    }
    assert notes.basis(**(usual | changes)) == line
