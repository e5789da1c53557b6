"""The standing of one vote: whether it counts now, as far as its rater may know.

Boundary: asks for stored votes through `Reading`; no SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from playground.ratings.counting import reasons_of
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.records import Battle, BattleState, JudgedPair, Standing
from playground.storage.database.statements import Reading

TELLS_MODELS = frozenset(
    {
        ExclusionReason.SAME_MODEL,
        ExclusionReason.NAMES_ITSELF,
        ExclusionReason.SEEN_BEFORE,
        ExclusionReason.SEEN_ELSEWHERE,
        ExclusionReason.DAILY_CAP,
    }
)
"""Reasons that depend on the models, the last one because it comes after the others: hidden while a battle is blind."""


def reason_of_battle(reading: Reading, battle_id: str, policy: CountingPolicy) -> ExclusionReason | None:
    """Return the reason why a battle's current vote does not count; None if it counts, or there is none."""
    pairs = list(reading.judged_pairs(battle_id=battle_id))
    policy = _with_fallback(reading, pairs, policy)
    reason = next(iter(reasons_of(pairs, policy).values()), None)
    cap = policy.max_votes_per_rater_and_day
    if reason is not None or not pairs or not cap:
        return reason
    vote, day = pairs[0], pairs[0].created_at[:10]
    if reading.count_votes_of(vote.rater_id, day) <= cap:
        return None
    return ExclusionReason.DAILY_CAP if _is_beyond_cap(reading, vote, policy) else None


def _is_beyond_cap(reading: Reading, vote: JudgedPair, policy: CountingPolicy) -> bool:
    """Return True if as many votes of the rater's day as may count were given before.

    It reads the day from its beginning to the last vote that counts, so that a vote costs no more after the cap.
    """
    of_day = reading.judged_pairs(rater_id=vote.rater_id, day=vote.created_at[:10])
    counted = 0
    for vote_id, judged in groupby(of_day, attrgetter("vote_id")):
        if vote_id == vote.vote_id:
            return False
        pairs = list(judged)
        counted += policy.reason(pairs[0]) is None and any(pair.weight > 0 for pair in pairs)
        if counted == policy.max_votes_per_rater_and_day:
            return True
    return False


def reasons_of_rater(reading: Reading, rater_id: str, policy: CountingPolicy) -> Mapping[str, ExclusionReason | None]:
    """Return the same for every vote of a rater, by battle id."""
    pairs = list(reading.judged_pairs(rater_id=rater_id))
    reasons = reasons_of(pairs, _with_fallback(reading, pairs, policy))
    return {pair.battle_id: reasons.get(pair.vote_id) for pair in pairs}


def standing_of(reading: Reading, battle: Battle, policy: CountingPolicy) -> Standing | None:
    """Return whether a battle's current vote counts now; None if its rater may not know yet."""
    policy = told_policy(policy, battle.study is not None)
    return visible_standing(reason_of_battle(reading, battle.id, policy), battle.state, battle.blind, policy)


def told_policy(policy: CountingPolicy, of_study: bool) -> CountingPolicy:
    """Return the policy by which a rater is told whether their vote counts.

    Whether a battle of a study is an item, a repeat or a check is not to be seen from the answer.
    """
    if not of_study:
        return policy
    return replace(policy, keep_running_studies=True, keep_study_extras=True, pairs="all", sampling="all")


def visible_standing(
    reason: ExclusionReason | None, state: BattleState, blind: bool, policy: CountingPolicy
) -> Standing | None:
    """Return a reason in words; None before the reveal if it, or that there is none, depends on the models."""
    if blind and state is not BattleState.REVEALED and (reason is None or reason in TELLS_MODELS):
        return None
    return Standing(True) if reason is None else Standing(False, policy.why_not(reason))


def _with_fallback(reading: Reading, pairs: Sequence[JudgedPair], policy: CountingPolicy) -> CountingPolicy:
    """Return the policy with its fallback, asking the database only if that decides about one of `pairs`."""
    if policy.pairs != "drawn" or all(policy.reason(pair) is not ExclusionReason.CHOSEN_PAIR for pair in pairs):
        return policy
    return policy if reading.has_drawn_vote(policy.min_decision_s) else replace(policy, pairs="all")
