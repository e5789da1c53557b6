"""Arithmetic on many small matrices at once: arrays (m, m, u) whose last axis counts the matrices.

Boundary: numbers only. `numpy.linalg` handles one matrix after another, and a matrix of five models takes most of its
time for the call; along the last axis each step is one operation on all of them.
"""

from __future__ import annotations

import numpy as np

from playground.ratings.pairs import FloatArray


def diagonals(matrices: FloatArray) -> FloatArray:
    """Return the diagonals (m, u) of matrices (m, m, u)."""
    return np.asarray(np.einsum("iiu->iu", matrices))


def products(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the products (m, m, u) of matrices (m, m, u), each with its own."""
    found = left[:, 0, None] * right[None, 0]
    for k in range(1, len(right)):
        found += left[:, k, None] * right[None, k]
    return np.asarray(found)


def times_vectors(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return the products (m, u) of matrices (m, m, u) and vectors (m, u)."""
    return np.asarray((matrices * vectors).sum(axis=1))


def inverses(matrices: FloatArray) -> FloatArray:
    """Return the inverses (m, m, u) of positive definite matrices, by elimination without pivots."""
    found = matrices.copy()
    for k in range(len(found)):
        pivot = 1 / found[k, k]
        row, column = found[k] * pivot, found[:, k].copy()
        found -= column[:, None] * row
        found[k], found[:, k], found[k, k] = row, -column * pivot, pivot
    return found
