"""Quantiles of Student's t."""

from __future__ import annotations

import math

import numpy as np
import pytest

from playground.ratings.student import normal_equivalent, student_quantile


@pytest.mark.parametrize(
    ("probability", "degrees", "expected"),
    [
        (0.975, math.inf, 1.959964),
        (0.975, 1, 12.7062),
        (0.975, 22, 2.0739),
        (0.975, 9, 2.2622),
        (0.975, 4, 2.7764),
        (0.9975, 22, 3.1188),
    ],
)
def test_quantiles_of_student_agree_with_the_tables(probability: float, degrees: float, expected: float) -> None:
    assert student_quantile(probability, degrees) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize("degrees", [1.0, 7.5, 1e9])
def test_a_statistic_becomes_the_normal_quantile_of_its_tail(degrees: float) -> None:
    statistic = student_quantile(0.995, degrees)
    assert normal_equivalent([statistic, -statistic, 0.0], degrees) == pytest.approx([2.575829, 2.575829, 0], abs=1e-5)


def test_a_statistic_beyond_floats_is_still_a_number() -> None:
    assert np.isfinite(normal_equivalent(1e6, 1e9))
