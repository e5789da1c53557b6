"""The sentences of the notes."""

from __future__ import annotations

import pytest

from playground.ratings import notes
from playground.ratings.verdict import Verdict


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
    assert notes.never_lost("Galpaca") == (
        "Galpaca has won every battle: only the prior keeps its rating finite, it may be far ahead."
    )
    assert notes.never_won("Galpaca") == (
        "Galpaca has lost every battle: only the prior keeps its rating finite, it may be far behind."
    )
    assert notes.few_raters(["Galpaca", "Minotaur"], 5) == (
        "Fewer than 5 raters judged Galpaca and Minotaur: that interval takes each vote by itself."
    )
    assert notes.left_out_same(2) == "2 pairs of a model with itself: stored, not rated."


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {},
            "Blind votes of people · all categories · all-bad votes count as ties · 95 % intervals, jackknife, "
            "each rater a unit · ranks hold together at 95 % · "
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
            },
            "Blind and open votes · category coding · all-bad votes left out · 99.5 % intervals, "
            "bootstrap, each vote a unit · ranks hold together at 99.5 % · "
            "prior: 1 × (models − 1) ties, spread evenly over the pairs that met",
        ),
    ],
)
def test_basis(changes, line: str) -> None:
    usual = {
        "which": "Blind votes of people",
        "category": "",
        "both_bad": "half",
        "prior": 1.0,
        "level": 0.95,
        "unit": "rater",
        "resamples": 0,
    }
    assert notes.basis(**(usual | changes)) == line
