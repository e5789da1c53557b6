"""Apply a counting policy to all votes: the pairs that count with their weights, and how many do not by reason.

Boundary: judged pairs in, judged pairs out. Decided at reading time over all votes: another policy tomorrow reads the
same votes.

A vote is left out whole. A rater with more than the policy's share of what counts is not left out: each of their
votes weighs less, so that all of them together have that share. To keep their first votes and drop the others would
give them the same weight with less information, and would leave the models that came later without them. Sixteen
raters with tastes of their own, one of whom gave 91 of 166 votes on five models: the ratings are off by 44 points
(root mean square), by 48 with that rater's first votes alone, and by 51 if every vote counts in full.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from playground.raters import FREE_PROGRAMS, is_keyed
from playground.ratings.policy import CountingPolicy, Reason
from playground.records import JudgedPair, Origin

KINDS: Mapping[str, str] = {
    "people": "people",
    "programs": "programs",
    "judges": "judging models",
    "guests": "guests",
    "chosen_pairs": "chosen pairs",
    "changed_sampling": "changed sampling",
    "open_mode": "open mode",
    "imported": "imported",
}
"""Kinds of votes and their names on the board; each vote is of one: "people 60 · programs 150 · chosen pairs 12"."""
_KIND_OF_ORIGIN: Mapping[Origin, str] = {
    Origin.PROGRAM: "programs",
    Origin.JUDGE: "judges",
    Origin.SHARED: "guests",
}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The number of votes that do not count for one reason."""

    reason: Reason
    words: str
    votes: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The pairs that count, and a summary of the others."""

    pairs: tuple[JudgedPair, ...]  # in the order given; those of a model with itself too
    exclusions: tuple[Exclusion, ...]  # in the order of `Reason`, none of 0 votes
    votes: int  # all of them, counted or not
    flagged: int  # votes that count or would, but for their flags
    weights: Mapping[str, float]  # by rater, of each vote, if their share would be too large; of all others 1
    kinds: Mapping[str, int]  # votes of each of `KINDS`, counted or not

    @property
    def num_counted(self) -> int:
        """The number of votes that count."""
        return len({pair.vote_id for pair in self.pairs})


def count(pairs: Iterable[JudgedPair], policy: CountingPolicy, *, category: str = "") -> Counted:
    """Return the pairs of the votes that count; the order of `pairs` changes only the order of the result.

    Args:
        category: report only votes on its instructions; all votes decide which of them count.
    """
    judged = list(pairs)
    reasons = reasons_of(judged, policy)
    if category:
        judged = [pair for pair in judged if pair.category == category]
    votes = {pair.vote_id: pair for pair in judged}
    kept = tuple(_of_one_rater(pair) for pair in judged if reasons.get(pair.vote_id) in (None, Reason.SAME_MODEL))
    left_out = Counter(reasons[vote_id] for vote_id in votes if vote_id in reasons)
    rated = {pair.vote_id: pair.rater_id for pair in kept if pair.weight > 0}
    with_flagged = policy.with_flagged(True)
    kinds = Counter(kind_of(vote) for vote in votes.values())
    return Counted(
        pairs=kept,
        exclusions=tuple(
            Exclusion(reason, policy.words(reason), left_out[reason]) for reason in Reason if left_out[reason]
        ),
        votes=len(votes),
        flagged=sum((v.names_itself or v.seen_before) and with_flagged.reason(v) is None for v in votes.values()),
        weights=weights_of_raters(Counter(rated.values()), policy.max_share_per_rater),
        kinds={kind: kinds[kind] for kind in KINDS if kinds[kind]},
    )


def reasons_of(pairs: Sequence[JudgedPair], policy: CountingPolicy) -> Mapping[str, Reason]:
    """Return the reason of each vote that does not count; `pairs` has every vote of a rater's day."""
    votes = {pair.vote_id: pair for pair in pairs}
    reasons = {vote_id: reason for vote_id, vote in votes.items() if (reason := policy.reason(vote)) is not None}
    rated = {pair.vote_id for pair in pairs if pair.weight > 0}
    reasons |= {vote_id: Reason.SAME_MODEL for vote_id in votes if vote_id not in rated and vote_id not in reasons}
    if policy.max_votes_per_rater_and_day:
        others = [_of_one_rater(vote) for vote_id, vote in votes.items() if vote_id not in reasons]
        reasons |= {vote.vote_id: Reason.DAILY_CAP for vote in _beyond(others, policy.max_votes_per_rater_and_day)}
    return reasons


def kind_of(pair: JudgedPair) -> str:
    """Return the kind, one of `KINDS`, of a pair's vote."""
    if pair.imported is not None:
        return "imported"
    if pair.origin in _KIND_OF_ORIGIN:
        return _KIND_OF_ORIGIN[pair.origin]
    if not pair.blind:
        return "open_mode"
    if not pair.drawn:
        return "chosen_pairs"
    return "people" if pair.own_sampling else "changed_sampling"


def weights_of_raters(votes: Mapping[str, int], share: float) -> Mapping[str, float]:
    """Return the weight of each vote of the raters who would otherwise have more than a share of the total weight.

    All of them end with the same total weight, the largest that keeps them within the share.
    """
    if len(votes) * share < 2:
        return {}
    most = sorted(votes.values(), reverse=True)
    rest, limit = sum(most), float(most[0])
    for above, number in enumerate(most):
        limit = share * rest / (1 - share * above)  # limit = share · (above · limit + rest)
        if number <= limit:
            break
        rest -= number
    return {rater: limit / number for rater, number in votes.items() if number > limit}


def _of_one_rater(pair: JudgedPair) -> JudgedPair:
    """Return the pair with its rater; all programs without a key are one."""
    if pair.origin is not Origin.PROGRAM or pair.rater_id == FREE_PROGRAMS or is_keyed(pair.rater_id):
        return pair
    return replace(pair, rater_id=FREE_PROGRAMS)


def _beyond(votes: Sequence[JudgedPair], cap: int) -> Iterator[JudgedPair]:
    """Yield the votes after each rater's first `cap` of a day."""
    busy = {rater for rater, number in Counter(vote.rater_id for vote in votes).items() if number > cap}
    days: defaultdict[tuple[str, str], list[JudgedPair]] = defaultdict(list)
    for vote in votes:
        if vote.rater_id in busy:
            days[vote.rater_id, vote.created_at[:10]].append(vote)
    for of_one_day in days.values():
        yield from sorted(of_one_day, key=lambda vote: (vote.created_at, vote.vote_id))[cap:]
