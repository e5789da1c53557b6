"""Judged pairs for the tests of ratings and leaderboard: written by hand, or simulated with known strengths."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from playground.ratings.board import LeaderboardOptions, Named
from playground.ratings.bradley_terry import MEAN, POINTS, maximise
from playground.ratings.chosen import Chosen
from playground.ratings.gathered import gather
from playground.ratings.judged import JudgedVotes, VoteNetworks
from playground.ratings.leaderboard import Leaderboard, rate
from playground.ratings.pairs import FIRST, SECOND, TIE, FloatArray, IntArray, PairTable
from playground.ratings.policy import CountingPolicy
from playground.records import JudgedPair

GALPACA, ORCA, MINOTAUR, OPENALPACA, MAMBA = (
    "pocket-galpaca",
    "pocket-orca-mini",
    "pocket-minotaur",
    "pocket-openalpaca",
    "pocket-mamba-gpt",
)


def pair(model_a: str, model_b: str, winner: str = "model_a", number: int = 0, **changes: object) -> JudgedPair:
    """One judged pair, by a rater of its own unless told otherwise."""
    fields: dict[str, object] = {
        "vote_id": f"vote-{number}",
        "battle_id": f"battle-{number}",
        "rater_id": f"rater-{number}",
        "model_a": model_a,
        "model_b": model_b,
        "winner": winner,
        "weight": 0.0 if model_a == model_b else 1.0,
        "blind": True,
        "category": "",
        "chars_a": 100,
        "chars_b": 100,
        "decision_s": 8.0,
        "created_at": "2025-01-31T12:00:00Z",
    }
    return JudgedPair(**(fields | changes))  # type: ignore[arg-type]


def votes(*games: tuple[str, str, str, int], raters: int = 12, **changes: object) -> list[JudgedPair]:
    """Votes from (model_a, model_b, winner, how many); `raters` people take turns."""
    singles = [(a, b, winner) for a, b, winner, times in games for _ in range(times)]
    return [
        pair(a, b, winner, number, **({"rater_id": f"rater-{number % raters}"} | changes))
        for number, (a, b, winner) in enumerate(singles)
    ]


def judged_votes(
    pairs: Iterable[JudgedPair],
    policy: CountingPolicy = CountingPolicy(),  # noqa: B008  # frozen
    networks: Mapping[str, str] | None = None,
) -> JudgedVotes:
    """The arrays of pairs in any order; `networks`: vote id -> tag, as far as they are known."""
    judged = list(pairs)
    number = {vote: number for number, vote in enumerate(dict.fromkeys(pair.vote_id for pair in judged))}
    judged.sort(key=lambda pair: (pair.created_at, number[pair.vote_id]))
    found = gather(judged, policy)
    if not networks:
        return found
    tags = tuple(sorted({tag for vote, tag in networks.items() if vote in number}))
    of_vote = [tags.index(networks[v]) if v in networks else -1 for v in dict.fromkeys(p.vote_id for p in judged)]
    return replace(found, networks=VoteNetworks(np.array(of_vote, dtype=np.int64), tags) if tags else None)


def table_from(
    pairs: Iterable[JudgedPair],
    *,
    both_bad: str = "half",
    models: Collection[str] = (),
    weights: Mapping[str, float] | None = None,
) -> PairTable:
    """The table of pairs that all count; `weights`: of each vote, by rater."""
    found = judged_votes(replace(p, weight=p.weight * (weights or {}).get(p.rater_id, 1.0)) for p in pairs)
    return PairTable.of(found, np.ones(len(found.vote), dtype=bool), both_bad=both_bad, models=models)


def table_of(*games: tuple[str, str, str, int], raters: int = 12, **options: str) -> PairTable:
    """The table of `votes`."""
    return table_from(votes(*games, raters=raters), **options)


def build_leaderboard(
    pairs: Iterable[JudgedPair],
    cards: Mapping[str, Named],
    *,
    category: str = "",
    options: LeaderboardOptions = LeaderboardOptions(),  # noqa: B008  # frozen
    models: Collection[str] = (),
    categories: Collection[str] = (),
    networks: Mapping[str, str] | None = None,
) -> Leaderboard:
    """The leaderboard of a list of pairs; see `rate`."""
    found = judged_votes(pairs, options.policy, networks)
    chosen = Chosen.of(found, cards, category=category, options=options, models=models, categories=categories)
    return rate(chosen, category)


# Simulated arenas. Strengths in log-odds; each rater adds a taste of his own to each model; a share of the close
# battles ends in ties.


def simulated(
    strengths: FloatArray,
    *,
    num_votes: int,
    num_raters: int,
    taste: float,
    ties: float,
    rng: np.random.Generator,
) -> PairTable:
    """A table of votes on random pairs by random raters (0: every vote by another one)."""
    m = len(strengths)
    first = rng.integers(m, size=num_votes)
    second = (first + rng.integers(1, m, size=num_votes)) % m
    rater = rng.integers(num_raters, size=num_votes) if num_raters else np.arange(num_votes)
    rater = np.unique(rater, return_inverse=True)[1].astype(np.int64)
    liked = strengths + taste * rng.normal(size=(int(rater.max()) + 1, m))
    p = 1 / (1 + np.exp(liked[rater, second] - liked[rater, first]))
    decided = np.where(rng.random(num_votes) < p, FIRST, SECOND)
    return PairTable(
        models=tuple(f"model-{i:02}" for i in range(m)),
        first=first,
        second=second,
        outcome=np.where(rng.random(num_votes) < ties * 4 * p * (1 - p), TIE, decided),
        weight=np.ones(num_votes),
        vote=np.arange(num_votes),
        rater=rater,
        unrated=0,
    )


def true_ratings(strengths: FloatArray, *, taste: float, ties: float) -> FloatArray:
    """The ratings (m,) that endless votes of such raters would give: Bradley–Terry fitted to expected scores."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    expected = np.zeros((len(strengths), len(strengths)))
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        apart = strengths[:, None] - strengths + np.sqrt(2) * taste * node
        p = 1 / (1 + np.exp(-apart))
        tie = ties * 4 * p * (1 - p)
        expected += weight * ((1 - tie) * p + tie / 2)
    np.fill_diagonal(expected, 0)
    return MEAN + POINTS * maximise(expected, np.zeros(len(strengths), dtype=np.int64))


def wins_of(rows: Sequence[Sequence[float]]) -> FloatArray:
    """A matrix of wins from lists."""
    return np.array(rows, dtype=np.float64)


def group_of(*numbers: int) -> IntArray:
    """Groups of models."""
    return np.array(numbers, dtype=np.int64)
