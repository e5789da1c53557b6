"""Gates that leave out far more votes than before are warned of; with too few votes nothing is said."""

from __future__ import annotations

import numpy as np
import pytest

from playground.ratings.gate_watch import GATES, GateDay, GateState, day_of, has_jumped, watch
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.records import Origin
from tests.support.judged import pair

QUICK = ExclusionReason.TOO_QUICK


def days(votes: int, left_out: int, number: int = 7) -> list[GateDay]:
    return [GateDay(f"2026-11-{day + 1:02}", votes, {QUICK: left_out}) for day in range(number)]


def state_of(before: list[GateDay], today: GateDay) -> GateState:
    return next(check.state for check in watch(before, today).checks if check.reason is QUICK)


@pytest.mark.parametrize(
    ("before", "votes", "left_out", "state"),
    [
        (days(40, 2), 40, 2, "ok"),
        (days(40, 2), 40, 5, "ok"),
        (days(40, 2), 40, 20, "warning"),
        (days(40, 0), 40, 4, "ok"),
        (days(40, 0), 40, 8, "warning"),
        (days(40, 30), 40, 40, "ok"),
        (days(40, 40), 40, 40, "ok"),
        (days(5, 0), 40, 40, "unknown"),
        (days(40, 2), 19, 19, "unknown"),
        ([], 400, 400, "unknown"),
    ],
)
def test_a_gate_warns_of_a_jump(before: list[GateDay], votes: int, left_out: int, state: str) -> None:
    assert state_of(before, GateDay("2026-11-08", votes, {QUICK: left_out})) is GateState(state)


def test_state_of_all_is_the_worst_that_is_known() -> None:
    today = GateDay("2026-11-08", 40, {QUICK: 20})
    found = watch(days(40, 2), today)
    assert found.state is GateState.WARNING
    assert [(check.reason, check.left_out, check.votes) for check in found.warnings] == [(QUICK, 20, 40)]
    assert found.warnings[0].share_before == pytest.approx(0.05)
    assert watch(days(40, 2), GateDay("2026-11-08", 40, {})).state is GateState.OK
    assert watch([], today).state is GateState.UNKNOWN
    assert found.days[-1] is today


def test_votes_of_another_kind_are_no_part_of_a_share() -> None:
    today = GateDay("2026-11-08", 4000, {ExclusionReason.BY_PROGRAM: 3990})
    assert today.at_gates == 10
    assert state_of(days(40, 2), today) is GateState.UNKNOWN
    assert ExclusionReason.BY_PROGRAM not in GATES


def test_steady_gates_seldom_warn() -> None:
    rng = np.random.default_rng(20250131)
    alarms = 0
    for _ in range(3000):
        share = rng.uniform(0, 0.3)
        earlier, now = rng.binomial([280, 40], share)
        alarms += has_jumped(int(now), 40, int(earlier), 280)
    assert alarms <= 3


def test_a_day_counts_votes_by_their_first_reason() -> None:
    judged = [
        pair("a", "b", number=1),
        pair("a", "b", number=2, decision_s=0.2),
        pair("a", "b", number=3, decision_s=0.2, origin=Origin.PROGRAM),
        pair("a", "b", number=4, imported="file"),
        pair("a", "b", number=5),
        pair("a", "c", number=5),
    ]
    day = day_of("2025-01-31", judged, CountingPolicy())
    assert (day.votes, dict(day.left_out), day.at_gates) == (4, {QUICK: 1, ExclusionReason.BY_PROGRAM: 1}, 3)
