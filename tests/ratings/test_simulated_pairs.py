"""The benchmark of informative pairs on few boards: they order 20 models better, and intervals cover as before."""

from __future__ import annotations

import math

import pytest

from benchmarks.pair_choice import COVERED, LOOKS, simulate, votes_for

RUNS = 24
SHORT = tuple(look for look in LOOKS if look <= 1000)


@pytest.mark.slow
def test_informative_pairs_order_models_in_fewer_votes() -> None:
    uniform, informative = (simulate(RUNS, kind, SHORT) for kind in (False, True))
    better = (informative.in_order - uniform.in_order)[:, SHORT.index(600) :].mean(axis=1)
    assert better.mean() > 0
    needed = votes_for(float(uniform.in_order.mean(axis=0)[-1]), informative.in_order.mean(axis=0), SHORT)
    assert needed < 0.95 * SHORT[-1]
    covered = informative.covered[:, COVERED.index(600)]
    error = covered.std(ddof=1) / math.sqrt(RUNS)
    assert 0.94 - 3 * error <= covered.mean() <= 0.96 + 3 * error
