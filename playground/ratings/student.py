"""Student's t with any degrees of freedom: quantiles, and the normal quantile of the same tail.

Boundary: scipy's special functions on arrays; `scipy.stats` takes a second to import.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, ndtri_exp, stdtr, stdtrit

from playground.ratings.pairs import FloatArray


def student_quantile(probability: ArrayLike, degrees: ArrayLike) -> FloatArray:
    """Return the quantile of Student's t; the normal one for infinite degrees."""
    return np.asarray(np.where(np.isinf(degrees), ndtri(probability), stdtrit(degrees, probability)))


def normal_equivalent(statistic: ArrayLike, degrees: ArrayLike) -> FloatArray:
    """Return the normal quantile with the tail of |t|; at most 37, where a tail is 0 in floats."""
    tail = np.maximum(stdtr(degrees, -np.abs(statistic)), np.finfo(float).tiny)
    return np.asarray(-ndtri_exp(np.log(tail)))
