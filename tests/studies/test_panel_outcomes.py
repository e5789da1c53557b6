"""Outcomes of panel raters who left battles for too long: a few count as judged, of who judged more and is assessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from playground.records import Assigned, CheckState, StudyRater
from playground.studies.panel_outcomes import items_given_back, outcome_of
from playground.studies.study_file import Attention
from tests.support.paneling import PROLIFIC
from tests.support.studying import STUDY

RATER = StudyRater("helpful", 1, "rater-1", CheckState.NONE, 0, None)
WITH_ATTENTION = replace(STUDY, attention=Attention("a.jsonl", every=2))


def own(votes: int, left: int, attention: Sequence[str | None] = ()) -> Sequence[Assigned]:
    """Return judged items, items that were given back, and attention items by their outcome; None: not judged."""

    def battles() -> Iterator[tuple[str, str, str | None]]:
        yield from [("item", "voted", "a")] * votes
        yield from [("item", "void", None)] * left
        yield from [("attention", "voted" if outcome else "void", outcome) for outcome in attention]

    return [
        Assigned(f"battle-{place}", place, place, None, kind, state, outcome, None)
        for place, (kind, state, outcome) in enumerate(battles(), start=1)
    ]


@pytest.mark.parametrize(
    ("votes", "left", "expected"),
    [
        (3, 0, "complete"),
        (2, 1, "complete"),
        (4, 3, "complete"),
        (0, 1, "incomplete"),
        (1, 1, "incomplete"),  # not more than they left
        (1, 5, "incomplete"),
        (5, 4, "incomplete"),  # more than a page loads ahead
        (9, 4, "incomplete"),
    ],
)
def test_few_battles_that_were_left_count(votes: int, left: int, expected: str) -> None:
    had = own(votes, left)
    file = replace(STUDY, votes_per_rater=votes + left)
    assert outcome_of(file, PROLIFIC, RATER, had, {}, items_given_back(had)).value == expected


@pytest.mark.parametrize(
    ("attention", "least", "code", "expected"),
    [
        (("a", "a"), 2, "CMISSED", "complete"),
        (("tie", "tie"), 2, "CMISSED", "attention_failed"),
        (("a", None), 2, "CMISSED", "incomplete"),
        ((None, None), 1, "CMISSED", "incomplete"),
        ((None, None), 1, None, "complete"),  # nobody can fail
    ],
)
def test_battles_that_were_left_count_for_who_can_be_assessed(
    attention: Sequence[str | None], least: int, code: str | None, expected: str
) -> None:
    had = own(2, 1, attention)
    file = replace(WITH_ATTENTION, votes_per_rater=3)
    panel = replace(PROLIFIC, attention_items=least, attention_failed=code)
    best = {one.item: "a" for one in had if one.kind == "attention"}
    assert outcome_of(file, panel, RATER, had, best, items_given_back(had)).value == expected


def test_own_votes_are_complete_without_attention_items() -> None:
    had = own(3, 1, (None,))
    file = replace(WITH_ATTENTION, votes_per_rater=3)
    assert outcome_of(file, PROLIFIC, RATER, had, {}, items_given_back(had)).value == "complete"
