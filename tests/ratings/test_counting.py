"""Votes that count, the reasons of others, and the weights of busy raters."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.ratings.bradley_terry import POINTS, fit
from playground.ratings.counting import reasons_of, weights_of_raters
from playground.ratings.pairs import FloatArray, IntArray, PairTable
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, ExclusionReason, filtered
from playground.records import JudgedPair, Origin
from tests.support.counting_oracle import count_list as count
from tests.support.counting_oracle import count_pairs
from tests.support.judged import GALPACA, MAMBA, ORCA, pair, simulated, true_ratings

POLICY = CountingPolicy()
DAY = "2026-11-20"


def vote(number: int, **changes: Any) -> JudgedPair:
    return pair(GALPACA, ORCA, "model_a", number, **changes)


def counted_votes(pairs: list[JudgedPair], policy: CountingPolicy) -> set[str]:
    """The ids of the votes that count."""
    return {pair.vote_id for pair in pairs} - reasons_of(pairs, policy).keys()


def reasons(*pairs: JudgedPair, policy: CountingPolicy = POLICY) -> dict[ExclusionReason, int]:
    return {exclusion.reason: exclusion.votes for exclusion in count(pairs, policy).exclusions}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"blind": False}, ExclusionReason.OPEN_MODE),
        ({"decision_s": 0.99}, ExclusionReason.TOO_QUICK),
        ({"decision_s": 1.0}, None),
        ({"decision_s": None}, None),
        ({"names_itself": True}, ExclusionReason.NAMES_ITSELF),
        ({"seen_before": True}, ExclusionReason.SEEN_BEFORE),
        ({"seen_before": True, "names_itself": True}, ExclusionReason.NAMES_ITSELF),
        ({"blind": False, "decision_s": 0.0, "seen_before": True}, ExclusionReason.OPEN_MODE),
    ],
)
def test_a_vote_is_left_out_for_the_first_reason_that_applies(
    changes: dict[str, Any], reason: ExclusionReason | None
) -> None:
    assert reasons(vote(1, **changes)) == ({} if reason is None else {reason: 1})
    assert len(count([vote(1, **changes)], EVERY_VOTE).pairs) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"imported": "votes.csv 0123456789ab"}, ExclusionReason.IMPORTED),
        ({"imported": "votes.csv 0123456789ab", "origin": Origin.PROGRAM}, ExclusionReason.IMPORTED),
        ({"origin": Origin.PROGRAM}, ExclusionReason.BY_PROGRAM),
        ({"origin": Origin.JUDGE}, ExclusionReason.BY_JUDGE),
        ({"origin": Origin.SHARED}, ExclusionReason.BY_GUEST),
        ({"blind": False}, ExclusionReason.OPEN_MODE),
        ({"drawn": False}, ExclusionReason.CHOSEN_PAIR),
        ({"own_sampling": False}, ExclusionReason.CHANGED_SAMPLING),
        ({"capped": True}, ExclusionReason.CAPPED),
        ({"decision_s": 0.99}, ExclusionReason.TOO_QUICK),
        ({"names_itself": True}, ExclusionReason.NAMES_ITSELF),
        ({"seen_before": True}, ExclusionReason.SEEN_BEFORE),
        ({"weight": 0.0}, ExclusionReason.SAME_MODEL),
        ({"seen_elsewhere": True}, None),
        ({}, None),
    ],
)
def test_the_default_board_counts_people_on_drawn_pairs(
    changes: dict[str, Any], reason: ExclusionReason | None
) -> None:
    drawn = vote(1)
    assert reasons_of([drawn, vote(2, **changes)], POLICY).get("vote-2") is reason
    assert "vote-2" in counted_votes([drawn, vote(2, **changes)], EVERY_VOTE) or "weight" in changes


def test_chosen_pairs_count_without_drawn_ones() -> None:
    chosen = [vote(1, drawn=False), vote(2, drawn=False)]
    assert counted_votes(chosen, POLICY.with_fallback(chosen)) == {"vote-1", "vote-2"}
    with_one_drawn = [*chosen, vote(3)]
    assert counted_votes(with_one_drawn, POLICY.with_fallback(with_one_drawn)) == {"vote-3"}
    by_a_program = [*chosen, vote(3, origin=Origin.PROGRAM)]
    assert counted_votes(by_a_program, POLICY.with_fallback(by_a_program)) == {"vote-1", "vote-2"}


def test_programs_without_a_key_are_one_rater() -> None:
    programs = filtered(POLICY, origin="program")
    names = ["ann", "bob", "api", "program/nightly"]
    found = count([vote(n, rater_id=name, origin=Origin.PROGRAM) for n, name in enumerate(names)], programs)
    assert [pair.rater_id for pair in found.pairs] == ["api", "api", "api", "program/nightly"]


def test_the_daily_cap_is_one_for_all_programs_without_a_key() -> None:
    policy = replace(filtered(POLICY, origin="program"), max_votes_per_rater_and_day=2)
    pairs = [vote(number, rater_id=f"name-{number}", origin=Origin.PROGRAM) for number in range(5)]
    assert reasons(*pairs, policy=policy) == {ExclusionReason.DAILY_CAP: 3}


def test_every_vote_is_of_one_kind() -> None:
    votes = [
        vote(1),
        vote(2, origin=Origin.PROGRAM, blind=False),
        vote(3, origin=Origin.PROGRAM),
        vote(4, drawn=False),
        vote(5, own_sampling=False),
        vote(6, blind=False, drawn=False),
        vote(7, origin=Origin.SHARED),
        vote(8, origin=Origin.JUDGE),
    ]
    assert count(votes, POLICY).kinds == {
        "people": 1,
        "programs": 2,
        "judges": 1,
        "guests": 1,
        "chosen_pairs": 1,
        "changed_sampling": 1,
        "open_mode": 1,
    }


def test_daily_cap_counts_first_votes_and_ignores_excluded_ones() -> None:
    policy = CountingPolicy(max_votes_per_rater_and_day=2)
    pairs = [
        vote(4, rater_id="ada", created_at=f"{DAY}T12:00:04Z"),
        vote(1, rater_id="ada", created_at=f"{DAY}T12:00:01Z"),
        vote(2, rater_id="ada", created_at=f"{DAY}T12:00:02Z", blind=False),
        vote(3, rater_id="ada", created_at=f"{DAY}T12:00:03Z"),
        vote(5, rater_id="ben", created_at=f"{DAY}T12:00:05Z"),
        vote(6, rater_id="ada", created_at="2026-11-21T00:00:00Z"),
    ]
    assert counted_votes(pairs, policy) == {"vote-1", "vote-3", "vote-5", "vote-6"}
    assert reasons(*pairs, policy=policy) == {ExclusionReason.OPEN_MODE: 1, ExclusionReason.DAILY_CAP: 1}


def test_a_vote_on_three_answers_is_one_vote() -> None:
    three = [pair(a, b, number=1, blind=False) for a, b in [(GALPACA, ORCA), (GALPACA, MAMBA), (ORCA, MAMBA)]]
    assert reasons(*three) == {ExclusionReason.OPEN_MODE: 1}
    assert count(three, POLICY).votes == 1


def test_category_reports_its_votes_but_all_votes_decide_which_count() -> None:
    policy = CountingPolicy(max_votes_per_rater_and_day=1)
    first = vote(1, rater_id="ada", created_at=f"{DAY}T12:00:01Z")
    second = vote(2, rater_id="ada", created_at=f"{DAY}T12:00:02Z", category="coding")
    found = count([first, second], policy, category="coding")
    assert (found.pairs, found.votes, [e.votes for e in found.exclusions]) == ((), 1, [1])


def test_flagged_votes_would_count_without_their_flags() -> None:
    pairs = [vote(1), vote(2, names_itself=True), vote(3, seen_before=True), vote(4, seen_before=True, blind=False)]
    assert count(pairs, POLICY).flagged == count(pairs, POLICY.with_flagged(True)).flagged == 2
    assert len(count(pairs, POLICY.with_flagged(True)).pairs) == 3


def test_a_rater_with_too_large_a_share_weighs_less_for_each_vote() -> None:
    votes = {"ada": 100} | {f"rater-{n}": 10 for n in range(9)}
    weights = weights_of_raters(votes, 0.25)
    assert weights == {"ada": pytest.approx(0.30)}  # 30 of 120
    two = weights_of_raters({"ada": 100, "ben": 60} | {f"rater-{n}": 10 for n in range(6)}, 0.25)
    assert two == {"ada": pytest.approx(0.30), "ben": pytest.approx(0.50)}  # 30 each, of 120


def test_same_model_pairs_do_not_add_to_a_raters_share() -> None:
    same = [pair(GALPACA, GALPACA, "tie", number, rater_id="ada", weight=0.0) for number in range(100)]
    others = [vote(100 + number, rater_id=f"rater-{number % 10}") for number in range(30)]
    found = count([*same, *others, vote(200, rater_id="ada")], POLICY)
    assert (found.weights, len(found.pairs)) == ({}, 131)


def test_share_cap_needs_twice_as_many_raters() -> None:
    assert weights_of_raters({"ada": 100} | {f"rater-{n}": 1 for n in range(6)}, 0.25) == {}
    assert weights_of_raters({"ada": 100} | {f"rater-{n}": 1 for n in range(7)}, 0.25) != {}
    assert weights_of_raters({}, 0.25) == {}


VOTES = st.lists(
    st.builds(
        lambda rater, day, second, **changes: {
            "rater_id": f"rater-{rater}",
            "created_at": f"2026-11-{day:02}T12:00:{second:02}.000+00:00",
            **changes,
        },
        st.integers(0, 12),
        st.integers(1, 3),
        st.integers(0, 59),
        blind=st.booleans(),
        origin=st.sampled_from(Origin),
        drawn=st.booleans(),
        own_sampling=st.booleans(),
        capped=st.booleans(),
        seen_elsewhere=st.booleans(),
        decision_s=st.none() | st.floats(0, 3),
        names_itself=st.booleans(),
        seen_before=st.booleans(),
    ),
    max_size=60,
).map(lambda found: [vote(number, **changes) for number, changes in enumerate(found)])


POLICIES = st.builds(
    CountingPolicy,
    origins=st.sampled_from([(Origin.PERSON,), (Origin.PERSON, Origin.PROGRAM), tuple(Origin)]),
    pairs=st.sampled_from(["drawn", "chosen", "all"]),
    sampling=st.sampled_from(["card", "all"]),
    keep_capped=st.booleans(),
    leave_out_seen_elsewhere=st.booleans(),
    blind_only=st.booleans(),
    min_decision_s=st.sampled_from([0.0, 1.0]),
    max_votes_per_rater_and_day=st.integers(0, 4),
    max_share_per_rater=st.sampled_from([0.1, 0.2, 0.25, 1.0]),
    leave_out_flagged=st.booleans(),
)


SEVERAL = VOTES.flatmap(
    lambda votes: (
        st.lists(
            st.tuples(
                st.sampled_from(votes), st.sampled_from([GALPACA, ORCA, MAMBA]), st.sampled_from([GALPACA, ORCA])
            ),
            max_size=60,
        )
        if votes
        else st.just([])
    )
).map(
    lambda found: [
        replace(vote, model_a=a, model_b=b, weight=float(a != b), category=("", "coding")[len(vote.vote_id) % 2])
        for vote, a, b in found
    ]
)
"""Votes of several pairs each, in any order, some of a model with itself."""


@settings(max_examples=25)
@given(SEVERAL, POLICIES, st.sampled_from(["", "coding"]))
def test_counting_by_arrays_is_counting_one_by_one(
    pairs: list[JudgedPair], policy: CountingPolicy, category: str
) -> None:
    found, expected = count(pairs, policy, category=category), count_pairs(pairs, policy, category=category)
    assert Counter(found.pairs) == Counter(expected.pairs)
    assert replace(found, pairs=()) == replace(expected, pairs=())


@given(VOTES, POLICIES)
def test_every_vote_counts_or_is_left_out_for_one_reason(pairs: list[JudgedPair], policy: CountingPolicy) -> None:
    found = count(pairs, policy)
    assert len(found.pairs) + sum(exclusion.votes for exclusion in found.exclusions) == found.votes == len(pairs)
    assert [e.reason for e in found.exclusions] == [
        r for r in ExclusionReason if r in {e.reason for e in found.exclusions}
    ]
    assert all(exclusion.votes > 0 for exclusion in found.exclusions)


@given(VOTES, POLICIES)
def test_counting_is_idempotent(pairs: list[JudgedPair], policy: CountingPolicy) -> None:
    found = count(pairs, policy)
    again = count(found.pairs, policy)
    assert (again.pairs, again.weights, again.exclusions) == (found.pairs, found.weights, ())


@given(VOTES, POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_the_votes_changes_nothing(
    pairs: list[JudgedPair], policy: CountingPolicy, chance: random.Random
) -> None:
    shuffled = chance.sample(pairs, len(pairs))
    found, other = count(pairs, policy), count(shuffled, policy)
    assert {p.vote_id for p in found.pairs} == {p.vote_id for p in other.pairs}
    assert found.exclusions == other.exclusions
    assert found.weights == pytest.approx(other.weights)


@given(VOTES, POLICIES)
def test_no_cap_is_ever_exceeded(pairs: list[JudgedPair], policy: CountingPolicy) -> None:
    found = count(pairs, policy)
    days = Counter((p.rater_id, p.created_at[:10]) for p in found.pairs)
    assert max(days.values(), default=0) <= (policy.max_votes_per_rater_and_day or len(pairs))
    weigh = Counter[str]()
    for p in found.pairs:
        weigh[p.rater_id] += found.weights.get(p.rater_id, 1.0)  # type: ignore[assignment]
    if len(weigh) * policy.max_share_per_rater >= 2:
        assert max(weigh.values()) <= policy.max_share_per_rater * sum(weigh.values()) + 1e-9
    assert all(0 < weight < 1 for weight in found.weights.values())


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 1000), max_size=30), st.floats(0.01, 1))
def test_capped_raters_have_exactly_the_share(votes: dict[str, int], share: float) -> None:
    weights = weights_of_raters(votes, share)
    weigh = {rater: number * weights.get(rater, 1.0) for rater, number in votes.items()}
    for rater in weights:
        assert weigh[rater] == pytest.approx(share * sum(weigh.values()))


def test_lighter_votes_beat_first_votes_only_and_no_cap() -> None:
    strengths = np.arange(5)[::-1] * 40 / POINTS
    truth = true_ratings(strengths, taste=0.5, ties=0.1)
    errors: list[list[float]] = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        table = simulated(strengths, num_votes=1600, num_raters=16, taste=0.5, ties=0.1, rng=rng)
        busy = np.flatnonzero(table.rater == 0)
        others = np.concatenate([np.flatnonzero(table.rater == rater)[:5] for rater in range(1, 16)])
        lighter = weights_of_raters({"busy": len(busy)} | {f"rater-{n}": 5 for n in range(15)}, 0.25)["busy"]
        ways = ((busy, lighter), (busy[:25], 1.0), (busy, 1.0))
        errors.append([_off(table, truth, others, mine, weight) for mine, weight in ways])
    by_lighter, by_first, by_all = np.sqrt(np.mean(errors, axis=0))
    assert by_lighter < by_first < by_all


def _off(table: PairTable, truth: FloatArray, others: IntArray, busy: IntArray, weight: float) -> float:
    """Return the mean squared error in points² if one rater's votes have this weight."""
    weights = np.zeros(len(table.vote))
    weights[others], weights[busy] = 1.0, weight
    return float(np.square(fit(table.wins_with(weights)).ratings - truth).mean())
