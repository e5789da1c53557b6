"""Many small matrices at once give what numpy gives one by one."""

from __future__ import annotations

import numpy as np
import pytest

from playground.ratings.small_matrices import diagonals, inverses, products, times_vectors

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("size", [1, 2, 5, 23])
def test_arithmetic_is_that_of_each_matrix(size: int) -> None:
    roots = RNG.normal(size=(4, size, size))
    left, right = roots @ roots.transpose(0, 2, 1) + np.eye(size), RNG.normal(size=(4, size, size))
    last, vectors = left.transpose(1, 2, 0), roots[:, 0]
    assert np.allclose(inverses(last).transpose(2, 0, 1), np.linalg.inv(left))
    assert np.allclose(products(last, right.transpose(1, 2, 0)).transpose(2, 0, 1), left @ right)
    assert np.allclose(times_vectors(last, vectors.T).T, (left @ vectors[:, :, None])[:, :, 0])
    assert np.allclose(diagonals(last).T, np.diagonal(left, axis1=1, axis2=2))
