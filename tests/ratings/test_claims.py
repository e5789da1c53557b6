"""Claims that hold however often a board is looked at."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.ratings.bradley_terry import DEFAULT_PRIOR, Fit, fit
from playground.ratings.claims import (
    FIRST_LOOK,
    SHARPEST_AT,
    ClaimMemory,
    ClaimReplay,
    ClaimRules,
    Claims,
    advance,
    any_time_p_value,
    boundary,
    holm,
    look,
    looks,
    prefix_keys,
)
from playground.ratings.covariance import Spread, choose_unit, spread
from playground.ratings.pairs import FloatArray, PairTable
from playground.ratings.parts import until
from tests.support.judged import GALPACA, MINOTAUR, ORCA, pair, simulated, table_from, table_of, votes

RULES = ClaimRules(prior=DEFAULT_PRIOR, level=0.95, unit="auto", min_battles=30)


def spread_of(errors: FloatArray | float, m: int = 2, unit: str = "vote", degrees: float = 1e9) -> Spread:
    """Variances of differences with these standard errors."""
    return Spread(
        unit=unit,
        effective_raters=50.0,
        few_raters=np.zeros(m, dtype=bool),
        rating=np.ones(m),
        difference=np.square(np.broadcast_to(errors, (m, m))),
        rating_degrees=np.full(m, degrees),
        difference_degrees=np.full((m, m), degrees),
    )


def after(claims: Claims, ratings: list[float], spreads: Spread, number: int) -> Claims:
    allowed = ~np.eye(len(ratings), dtype=bool)
    return advance(claims, np.array(ratings), spreads, allowed, number, 0.95)


# The bound


def test_the_bound_is_that_of_the_normal_mixture() -> None:
    """Howard et al. 2021, equation 14 with ρ: |S_v| < sqrt((v + ρ) log((v + ρ) / (ρ α²))), in standard errors."""
    scale = -2 * math.log(0.05)
    rho = 1 / SHARPEST_AT**2 / (scale + math.log(1 + scale))
    v = 1 / 20.0**2
    expected = math.sqrt((v + rho) * math.log((v + rho) / (rho * 0.05**2))) / math.sqrt(v)
    assert boundary(v, 0.05) == pytest.approx(expected)
    assert boundary(1 / SHARPEST_AT**2, 0.05) == pytest.approx(3.03, abs=0.01)


def test_the_bound_is_lowest_near_the_standard_error_that_it_is_tuned_for() -> None:
    at = {error: float(boundary(1 / error**2, 0.05) * error) for error in (45.0, 50.0, 55.0)}
    other = {
        error: min(
            float(np.sqrt((1 + rho * error**2) * (np.log1p(1 / (rho * error**2)) + 2 * math.log(20)))) * error
            for rho in np.geomspace(1e-6, 1e-2, 400)
        )
        for error in at
    }
    assert at[50.0] == pytest.approx(other[50.0], rel=1e-3)


@given(st.floats(0.1, 10), st.floats(1e-6, 1.0))
def test_the_p_value_is_5_percent_at_the_bound(z: float, information: float) -> None:
    p = float(any_time_p_value(np.array(z), np.array(information), 0.05))
    assert (p <= 0.05) == (z >= float(boundary(information, 0.05)) - 1e-9) or p == pytest.approx(0.05)
    assert 0 < p <= 1


def test_holm_accepts_what_remains_after_the_smallest() -> None:
    p_value = np.ones((3, 3))
    p_value[0, 1], p_value[0, 2], p_value[1, 2] = 0.016, 0.024, 0.06
    allowed = ~np.eye(3, dtype=bool)
    found = holm(p_value, allowed, 0.05)
    assert found.tolist() == [[False, True, True], [False, False, False], [False, False, False]]
    p_value[0, 1] = 0.018
    assert not holm(p_value, allowed, 0.05).any()


# Claims over looks


def test_a_claim_lasts_until_the_estimate_changes_sign() -> None:
    claims = after(Claims.none(2), [1100, 900], spread_of(40.0), 60)
    assert (claims.ahead_at[0, 1], claims.above_at[0, 1], claims.ahead_at[1, 0]) == (60, 60, 0)
    assert claims.leads(0, range(2))
    weaker = after(claims, [1010, 990], spread_of(39.0), 90)
    assert weaker.ahead_at[0, 1] == 60
    turned = after(weaker, [999, 1001], spread_of(38.0), 120)
    assert not turned.ahead.any()
    again = after(turned, [1010, 990], spread_of(37.0), 150)
    assert not again.ahead.any()


def test_a_look_between_may_end_a_claim_and_makes_none() -> None:
    assert not after(Claims.none(2), [1100, 900], spread_of(40.0), 0).ahead.any()
    claims = after(Claims.none(2), [1100, 900], spread_of(40.0), 60)
    assert after(claims, [1001, 999], spread_of(40.0), 0).ahead[0, 1]
    assert not after(claims, [999, 1001], spread_of(40.0), 0).ahead.any()


def test_a_claim_about_these_raters_is_none_about_all() -> None:
    claims = after(Claims.none(2), [1100, 900], spread_of(40.0, unit="vote"), 60)
    assert not after(claims, [1050, 950], spread_of(60.0, unit="rater"), 90).ahead.any()


def test_few_degrees_of_freedom_need_more() -> None:
    assert after(Claims.none(2), [1080, 920], spread_of(45.0), 60).ahead[0, 1]
    assert not after(Claims.none(2), [1080, 920], spread_of(45.0, degrees=3.0), 60).ahead[0, 1]


def test_the_leader_needs_no_correction_and_other_orders_do() -> None:
    apart = 3.2 * 50
    claims = after(Claims.none(4), [1000 + apart, 1000, 999, 998], spread_of(50.0, 4), 60)
    assert claims.leads(0, range(4))
    assert not claims.above.any()


def test_the_clock_does_not_run_backwards() -> None:
    claims = after(Claims.none(2), [1001, 999], spread_of(20.0), 60)
    later = after(claims, [1001, 999], spread_of(30.0), 70)
    assert later.information[0, 1] == pytest.approx(1 / 400)


# Replay


def replay(table: PairTable, rules: ClaimRules, how: ClaimReplay = ClaimReplay()) -> Claims:  # noqa: B008  # frozen
    """The claims of a table, with its fit as the board has it."""
    now = fit(table.wins, prior=rules.prior)
    claims = how.claims(table, rules, now, spread(table, now, choose_unit(table, rules.unit)))
    assert claims is not None
    return claims


def test_looks_are_fixed_and_a_tenth_apart() -> None:
    assert looks(FIRST_LOOK - 1) == []
    assert looks(60)[:3] == [30, 33, 37]
    assert looks(1_000_000)[: len(looks(5000))] == looks(5000)
    assert len(looks(1_000_000)) < 110


def arena(seed: int = 7, num_votes: int = 400) -> PairTable:
    rng = np.random.default_rng(seed)
    return simulated(np.array([1.0, 0.0, -0.2]), num_votes=num_votes, num_raters=0, taste=0.0, ties=0.2, rng=rng)


def test_replay_makes_the_claims_of_earlier_looks() -> None:
    table = arena()
    claims = replay(table, RULES)
    assert claims.leads(0, range(3))
    made_at = int(claims.ahead_at[0, 1])
    assert made_at in looks(400)
    assert replay(until(table, made_at), RULES).ahead_at[0, 1] == made_at
    assert not replay(until(table, made_at - 1), RULES).ahead[0, 1]


def test_more_votes_never_change_when_a_claim_was_made() -> None:
    table = arena()
    before, now = replay(until(table, 250), RULES), replay(table, RULES)
    kept = before.ahead & now.ahead
    assert kept.any()
    assert (before.ahead_at[kept] == now.ahead_at[kept]).all()


def test_erased_votes_take_their_claims_with_them() -> None:
    won = votes((GALPACA, ORCA, "model_a", 60), raters=60)
    even = [pair(GALPACA, ORCA, "model_a" if k % 2 else "model_b", 500 + k) for k in range(40)]
    assert replay(table_from([*won, *even]), RULES).ahead.any()
    assert not replay(table_from(even), RULES).ahead.any()


def test_models_with_few_battles_or_of_other_groups_are_not_compared() -> None:
    table = table_of((GALPACA, ORCA, "model_a", 60), (GALPACA, MINOTAUR, "model_a", 20), raters=80)
    claims = replay(table, RULES)
    galpaca, minotaur, orca = (table.models.index(model) for model in (GALPACA, MINOTAUR, ORCA))
    assert claims.ahead[galpaca, orca]
    assert not claims.ahead[galpaca, minotaur]
    apart = table_of(("a", "b", "model_a", 60), ("c", "d", "model_a", 60), raters=120)
    assert not replay(apart, RULES).ahead[0, 3]


def test_omitted_all_bad_votes_are_no_battles() -> None:
    games = ((GALPACA, ORCA, "model_a", 20), (GALPACA, ORCA, "both_bad", 60))
    counted = replay(table_of(*games, raters=80), replace(RULES, min_battles=40))
    omitted = replay(table_of(*games, raters=80, both_bad="omit"), replace(RULES, min_battles=40))
    assert counted.information[0, 1] > 0
    assert omitted.information[0, 1] == 0


def test_no_votes_make_no_claims() -> None:
    table = table_from([])
    assert replay(table, RULES).ahead.shape == (0, 0)
    assert look(Claims.none(0), table, RULES, 0).above.shape == (0, 0)


# Replay from what is known of earlier looks

Stream = list[tuple[int, int, int, int]]
"""Votes: a pair of models, the winner, the rater, and whether the vote is on three answers."""
PAIRS = ((GALPACA, ORCA), (ORCA, GALPACA), (GALPACA, MINOTAUR), (MINOTAUR, ORCA))
A_VOTE = st.tuples(
    st.integers(0, len(PAIRS) - 1),
    st.sampled_from([0, 0, 0, 1, 2, 3]),
    st.integers(0, 60),
    st.sampled_from([0, 0, 0, 1]),
)
A_STEP = st.tuples(
    st.sampled_from(["more", "more", "more", "erase", "undo", "late"]),
    st.lists(A_VOTE, min_size=1, max_size=40),
    st.integers(0, 60),
)


def table_of_stream(stream: Stream) -> PairTable:
    pairs = []
    for number, (which, winner, rater, of_three) in enumerate(stream):
        a, b = PAIRS[which]
        [third] = {GALPACA, ORCA, MINOTAUR} - {a, b}
        won = ("model_a", "model_b", "tie", "both_bad")[winner]
        pairs.append(pair(a, b, won, number, rater_id=f"rater-{rater}"))
        pairs += [pair(a, third, "model_a", number, rater_id=f"rater-{rater}")] * of_three
    return table_from(pairs)


def changed(stream: Stream, kind: str, some: Stream, where: int) -> Stream:
    match kind:
        case "more":
            return [*stream, *some]
        case "erase":
            return [vote for vote in stream if vote[2] != where]
        case "undo":
            return stream[:-1]
    place = max(len(stream) - where // 20, 0)  # a vote that could be undone until now
    return [*stream[:place], *some[:1], *stream[place:]]


def same(one: Claims, other: Claims) -> bool:
    return one.unit == other.unit and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("information", "p_value", "ahead_at", "above_at")
    )


def check_stream(steps: list[tuple[str, Stream, int]]) -> None:
    memory, stream = ClaimMemory(), Stream()
    for step in steps:
        stream = changed(stream, *step)
        table = table_of_stream(stream)
        assert same(replay(table, RULES, ClaimReplay(memory)), replay(table, RULES))


def random_steps(seed: int, number: int) -> list[tuple[str, Stream, int]]:
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["more", "more", "erase", "undo", "late"], size=number)
    return [
        (
            str(kind),
            [(int(a), int(b), int(c), int(d)) for a, b, c, d in rng.integers([4, 2, 40, 2], size=(30, 4))],
            int(rng.integers(40)),
        )
        for kind in kinds
    ]


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(st.lists(A_STEP, min_size=2, max_size=8))
def test_known_looks_change_no_claim(steps: list[tuple[str, Stream, int]]) -> None:
    check_stream(steps)


def test_known_looks_change_no_claim_of_one_stream() -> None:
    check_stream(random_steps(3, 4))


def test_only_new_looks_are_made() -> None:
    table, memory = arena(), ClaimMemory()
    replay(until(table, 300), RULES, ClaimReplay(memory))
    assert ClaimReplay(memory, most_votes=0).claims(until(table, 300), RULES, *fit_of(until(table, 300))) is not None
    new = [number for number in looks(400) if number > 300]
    assert ClaimReplay(memory, most_votes=sum(new) - 1).claims(table, RULES, *fit_of(table)) is None
    assert ClaimReplay(memory, most_votes=sum(new)).claims(table, RULES, *fit_of(table)) is not None


def fit_of(table: PairTable) -> tuple[Fit, Spread]:
    now = fit(table.wins, prior=RULES.prior)
    return now, spread(table, now, choose_unit(table))


def test_numbers_of_raters_do_not_matter_to_known_looks() -> None:
    table = arena()
    shuffled = replace(table, rater=np.random.default_rng(1).permutation(400)[table.rater])
    assert prefix_keys(table, RULES, [30, 400]) == prefix_keys(shuffled, RULES, [30, 400])


@pytest.mark.parametrize("name", ["first", "second", "outcome", "weight", "rater"])
def test_each_column_matters_to_known_looks(name: str) -> None:
    table = arena()
    column = getattr(table, name).copy()
    column[40] = column[39] if name == "rater" else column[40] + 1
    [before, after] = prefix_keys(table, RULES, [30, 41])
    assert prefix_keys(replace(table, **{name: column}), RULES, [30, 41])[0] == before
    assert prefix_keys(replace(table, **{name: column}), RULES, [30, 41])[1] != after
    assert prefix_keys(table, replace(RULES, level=0.9), [30])[0] != before


def test_memory_forgets_the_oldest() -> None:
    memory = ClaimMemory(most=2)
    for key in (b"1", b"2", b"3"):
        memory.keep(key, Claims.none(1))
    assert memory.latest([b"1"]) == (0, None)
    assert memory.latest([b"2", b"3", b"4"])[0] == 2
