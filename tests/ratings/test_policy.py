"""Policies: words for every reason, and refusals of policies that make no sense."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from playground.errors import InvalidValue
from playground.ratings.policy import CountingPolicy, ExclusionReason, filtered

POLICY = CountingPolicy()


def test_every_reason_has_words_with_the_policys_numbers() -> None:
    policy = CountingPolicy(min_decision_s=2.5, max_votes_per_rater_and_day=1000)
    assert [policy.words(reason) for reason in ExclusionReason] == [
        "of studies that are still running",
        "repeats, checks and attention items of studies",
        "imported",
        "by people",
        "by programs",
        "by judging models",
        "by guests of shared links",
        "in open mode",
        "on models that somebody chose",
        "on models that were drawn",
        "with changed sampling parameters",
        "above the daily cap of their network",
        "decided in under 2.5 s",
        "on a model against itself",
        "with an answer that names its model",
        "after the same answers, or an open run of the instruction, were seen",
        "on answers that an open run has shown",
        "above 1,000 of one rater on one day",
    ]


def test_every_reason_has_words_for_one_vote() -> None:
    words = [POLICY.why_not(reason) for reason in ExclusionReason]
    assert len(set(words)) == len(ExclusionReason)
    assert POLICY.why_not(ExclusionReason.BY_PROGRAM) == "a program gave it; the leaderboard counts votes of people"
    assert POLICY.why_not(ExclusionReason.TOO_QUICK) == "decided in under 1 s"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"origin": "robot"}, "origin is 'robot'; valid: person, program, judge, shared, all"),
        ({"pairs": "mine"}, "pairs is 'mine'; valid: drawn, chosen, all"),
        ({"sampling": "hot"}, "sampling is 'hot'; valid: card, all"),
    ],
)
def test_an_unknown_filter_names_the_valid_ones(wanted: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(words)):
        filtered(POLICY, **wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_decision_s": -1.0}, "min_decision_s is -1.0; valid: 0"),
        ({"min_decision_s": math.nan}, "min_decision_s is nan; valid: 0"),
        ({"max_votes_per_rater_and_day": -1}, "max_votes_per_rater_and_day is -1; valid: 0"),
        ({"max_share_per_rater": 0.0}, "max_share_per_rater is 0.0; valid: above 0"),
        ({"max_share_per_rater": 1.5}, "max_share_per_rater is 1.5; valid: above 0, to 1"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        CountingPolicy(**changes)
