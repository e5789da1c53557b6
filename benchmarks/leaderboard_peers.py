"""The peers of the benchmark of the leaderboard, in a Python of their own.

Run by ``benchmarks/leaderboard.py`` as ``PYTHON leaderboard_peers.py PEER DATA RESAMPLES``; imports nothing of the
playground. Data is ready in memory before the clock starts: that is more than the playground gets.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

POINTS, MEAN = 400 / np.log(10), 1000.0
WINNERS = ("model_a", "model_b", "tie", "tie (bothbad)")


def evalica(data: Mapping[str, Any], resamples: int) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Fit without intervals: evalica has none."""
    import evalica as package

    names = np.array(data["models"])
    xs, ys = names[data["first"]].tolist(), names[data["second"]].tolist()
    kinds = [package.Winner.X, package.Winner.Y, package.Winner.Draw, package.Winner.Draw]
    winners = [kinds[outcome] for outcome in data["outcome"].tolist()]
    return (
        lambda: package.bradley_terry(xs, ys, winners, tolerance=1e-12, limit=10_000),
        lambda found: POINTS * np.log(found.scores.reindex(names).to_numpy()),
    )


def arena_rank(data: Mapping[str, Any], resamples: int) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Fit with the package's own intervals, over pairs that it has counted before the clock starts."""
    import pandas as pd
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    names = np.array(data["models"])
    winners = np.array(["model_a", "model_b", "tie", "both_bad"])[data["outcome"]]
    frame = pd.DataFrame({"model_a": names[data["first"]], "model_b": names[data["second"]], "winner": winners})
    dataset = PairDataset.from_pandas(frame)

    def run() -> Any:
        return BradleyTerry(n_competitors=len(dataset.competitors)).compute_ratings_and_cis(dataset)

    def ratings(found: Any) -> Any:
        order = [list(found["competitors"]).index(name) for name in names]
        return np.asarray(found["ratings"])[order]

    return run, ratings


def fastchat(data: Mapping[str, Any], resamples: int) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Fit by FastChat's logistic regression, and the same for each resample."""
    import pandas as pd
    from fastchat.serve.monitor.elo_analysis import compute_elo_mle_with_tie, get_bootstrap_result

    names = np.array(data["models"])
    frame = pd.DataFrame(
        {
            "model_a": names[data["first"]],
            "model_b": names[data["second"]],
            "winner": np.array(WINNERS)[data["outcome"]],
        }
    )

    def run() -> Any:
        fitted = compute_elo_mle_with_tie(frame)
        if resamples:
            get_bootstrap_result(frame, compute_elo_mle_with_tie, resamples)
        return fitted

    return run, lambda found: found.reindex(names).to_numpy()


PEERS = {"evalica": evalica, "arena-rank": arena_rank, "fastchat": fastchat}


def main() -> None:
    name, path, resamples = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with np.load(path) as data:
        run, ratings = PEERS[name]({key: data[key] for key in data.files}, resamples)
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    found = run()
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    points = np.asarray(ratings(found), dtype=float)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb, "ratings": (points - points.mean() + MEAN).tolist()}
        )
    )


if __name__ == "__main__":
    main()
