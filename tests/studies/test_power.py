"""The simulated power of a study, beside simulated studies that go through assignment, looks and claims."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.study_power import CASES, Case, measure, simulate, without_end
from playground.studies.power import Assumptions, power_curve

TWO = Assumptions(2, ((0, 1),), difference=100.0, ties=0.0, raters=25, tastes=0.0, runs=100)


def test_power_of_two_models_is_that_of_the_sign_test() -> None:
    # 100 points: p = 0.64. With 100 votes the two-sided test at 5 % has a power of 0.81 (normal approximation).
    [power] = power_curve(TWO, [100])
    assert power.told_apart == pytest.approx(0.81, abs=0.1)
    assert power.leads == pytest.approx(power.told_apart, abs=0.03)


def test_more_votes_show_more() -> None:
    found = [power.told_apart for power in power_curve(TWO, [25, 400])]
    assert found == sorted(found)
    assert found[-1] > 0.95


def test_few_raters_with_tastes_show_less() -> None:
    few = Assumptions(2, ((0, 1),), difference=100.0, ties=0.0, raters=5, tastes=150.0, runs=40)
    [alone], [many] = power_curve(few, [400]), power_curve(TWO, [400])
    assert alone.told_apart < many.told_apart


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_simulated_studies_keep_the_promise_of_their_plan(case: Case) -> None:
    row, is_kept = measure(case, 200)
    assert is_kept, row


@pytest.mark.slow
def test_study_is_simulated_with_its_own_assignment() -> None:
    case = next(case for case in CASES if case.file.overlap and case.difference)
    [full] = simulate(without_end(case), 1)
    assert (full.votes, full.is_decided) == (case.file.votes, False)
    [ended] = simulate(replace(case, difference=1000.0), 1)
    assert ended.is_decided
    assert ended.is_right
    assert ended.votes < case.file.votes
