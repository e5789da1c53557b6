"""Counting as a plain loop over records: slow, and the oracle of `playground.ratings.counting`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from playground.ratings.counting import KINDS, Exclusion, count, kind_of, reasons_of, weights_of_raters
from playground.ratings.judged import rater_of
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.records import JudgedPair
from tests.support.judged import judged_votes


@dataclass(frozen=True)
class CountedPairs:
    """The pairs that count, and a summary of the others."""

    pairs: tuple[JudgedPair, ...]  # in the order given; those of a model with itself too
    exclusions: tuple[Exclusion, ...]
    votes: int
    flagged: int
    weights: Mapping[str, float]  # by rater
    kinds: Mapping[str, int]

    @property
    def num_counted(self) -> int:
        return len({pair.vote_id for pair in self.pairs if pair.weight > 0})


def count_pairs(pairs: Iterable[JudgedPair], policy: CountingPolicy, *, category: str = "") -> CountedPairs:
    judged = list(pairs)
    reasons = reasons_of(judged, policy)
    if category:
        judged = [pair for pair in judged if pair.category == category]
    votes = {pair.vote_id: pair for pair in judged}
    kept = tuple(
        replace(pair, rater_id=rater_of(pair))
        for pair in judged
        if reasons.get(pair.vote_id) in (None, ExclusionReason.SAME_MODEL)
    )
    left_out = Counter(reasons[vote_id] for vote_id in votes if vote_id in reasons)
    rated = {pair.vote_id: pair.rater_id for pair in kept if pair.weight > 0}
    with_flagged = policy.with_flagged(True)
    kinds = Counter(kind_of(vote) for vote in votes.values())
    return CountedPairs(
        pairs=kept,
        exclusions=tuple(
            Exclusion(reason, policy.words(reason), left_out[reason]) for reason in ExclusionReason if left_out[reason]
        ),
        votes=len(votes),
        flagged=sum((v.names_itself or v.seen_before) and with_flagged.reason(v) is None for v in votes.values()),
        weights=weights_of_raters(Counter(rated.values()), policy.max_share_per_rater),
        kinds={kind: kinds[kind] for kind in KINDS if kinds[kind]},
    )


def count_list(pairs: Iterable[JudgedPair], policy: CountingPolicy, *, category: str = "") -> CountedPairs:
    """Count a list of pairs by arrays, as the leaderboard does, and name the result as the oracle does."""
    judged = list(pairs)
    first = {vote_id: number for number, vote_id in enumerate(dict.fromkeys(pair.vote_id for pair in judged))}
    judged.sort(key=lambda pair: (pair.created_at, first[pair.vote_id]))  # as the arrays
    of_vote = {pair.vote_id: pair for pair in judged}
    raters = list(dict.fromkeys(rater_of(of_vote[pair.vote_id]) for pair in judged))
    votes = judged_votes(judged, policy)
    rows = np.array([pair.category == category for pair in judged], dtype=bool) if category else None
    found = count(votes, policy, rows)
    kept = zip(judged, found.rows, strict=True)
    result = CountedPairs(
        pairs=tuple(replace(pair, rater_id=rater_of(pair)) for pair, counts in kept if counts),
        exclusions=found.exclusions,
        votes=found.votes,
        flagged=found.flagged,
        weights={raters[number]: weight for number, weight in found.weights.items()},
        kinds=found.kinds,
    )
    assert found.num_counted == result.num_counted
    elsewhere = {pair.vote_id for pair in result.pairs if pair.weight > 0 and pair.seen_elsewhere}
    assert found.seen_elsewhere == len(elsewhere)
    return result
