"""Agreement, against published examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from playground.errors import InvalidValue
from playground.ratings.agreement import cohen_kappa, krippendorff_alpha, share_equal
from playground.ratings.student import student_quantile

O = -1  # noqa: E741  # of an item that a rater did not judge
EXAMPLE = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, O, O, O],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, O, 3],
        [O, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, O],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, O],
    ]
).T
"""Four observers and twelve items (Krippendorff 2011, section D): nominal alpha 0.743."""


def counted(codes: np.ndarray) -> np.ndarray:
    """Return the judgements of each item by code, from codes (items, raters)."""
    return np.stack([(codes == code).sum(axis=1) for code in range(6)], axis=1)


def test_alpha_of_the_published_example() -> None:
    found = krippendorff_alpha(counted(EXAMPLE))
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert found.items == 11
    assert found.lower < found.value < found.upper <= 1


def test_alpha_equals_the_package_s() -> None:
    oracle = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(20250131)
    for _ in range(30):
        codes = rng.integers(O, 4, size=(rng.integers(3, 30), rng.integers(2, 6)))
        expected = oracle.alpha(np.where(codes == O, np.nan, codes).T, level_of_measurement="nominal")
        assert krippendorff_alpha(counted(codes)).value == pytest.approx(expected, abs=1e-12)


@given(arrays(np.int64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(O, 2)))
def test_alpha_ignores_names_and_order(codes: np.ndarray) -> None:
    found = krippendorff_alpha(counted(codes))
    renamed = np.where(codes == O, O, 2 - codes)[::-1, ::-1]
    other = krippendorff_alpha(counted(renamed))
    assert other.value == pytest.approx(found.value, nan_ok=True)
    assert math.isnan(found.value) or found.value <= 1


def test_perfect_agreement_is_1_and_one_code_is_nothing() -> None:
    assert krippendorff_alpha(np.array([[2, 0, 0], [0, 2, 0], [0, 0, 2]])).value == 1
    assert math.isnan(krippendorff_alpha(np.array([[0, 2], [0, 2]])).value)
    assert math.isnan(krippendorff_alpha(np.array([[1, 0], [0, 1]])).value)
    assert math.isnan(cohen_kappa(np.array([1, 1]), np.array([1, 1])).value)
    assert cohen_kappa(np.array([], dtype=np.int64), np.array([], dtype=np.int64)).items == 0


def kappa_of(table: list[list[int]], level: float = 0.95):
    cells = [(i, j) for i, row in enumerate(table) for j, number in enumerate(row) for _ in range(number)]
    first, second = np.array(cells).T
    return cohen_kappa(first, second, level=level)


def test_kappa_of_two_raters() -> None:
    """50 proposals, 20 and 15 agreed on: kappa 0.4 (the example of the encyclopedia article on Cohen's kappa)."""
    found = kappa_of([[20, 5], [10, 15]])
    assert (found.value, found.items) == (pytest.approx(0.4), 50)


def test_the_interval_of_kappa_is_that_of_its_sampling_distribution() -> None:
    share = np.array([[0.4, 0.1], [0.2, 0.3]])
    rng, covered, runs = np.random.default_rng(20250131), 0, 600
    for _ in range(runs):
        found = kappa_of(rng.multinomial(200, share.ravel()).reshape(2, 2).tolist())
        covered += found.lower <= 0.4 <= found.upper
    assert abs(covered / runs - 0.95) < 4 * math.sqrt(0.95 * 0.05 / runs)


def test_the_jackknife_is_that_of_alpha_without_each_unit() -> None:
    """Leaving items out one at a time, or two at a time, gives the variance of the alphas of the rest."""
    counts = counted(np.random.default_rng(5).integers(0, 3, size=(30, 3)))
    for unit in (np.arange(30), np.arange(30) // 2):
        rest = [krippendorff_alpha(counts[unit != left_out]).value for left_out in np.unique(unit)]
        found = krippendorff_alpha(counts, unit=unit)
        error = math.sqrt((len(rest) - 1) * float(np.var(rest)))
        assert found.value - found.lower == pytest.approx(student_quantile(0.975, len(rest) - 1) * error)


def test_equal_judgements_are_a_share_of_all() -> None:
    assert share_equal(np.array([[2, 0], [1, 1], [2, 0], [2, 0]])) == 0.75
    assert share_equal(np.array([[2, 1]])) == pytest.approx(1 / 3)  # one of the three pairs of raters
    assert math.isnan(share_equal(np.array([[1, 0]])))


@pytest.mark.parametrize(
    ("counts", "message"),
    [(np.array([0, 1]), r"counts have shape \(2,\)"), (np.array([[0, -2]]), "each 0 or more")],
)
def test_other_counts_are_refused(counts: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        krippendorff_alpha(counts)


def test_judgements_of_different_items_are_refused() -> None:
    with pytest.raises(InvalidValue, match="valid: one of each for each item"):
        cohen_kappa(np.array([0, 1]), np.array([0]))
