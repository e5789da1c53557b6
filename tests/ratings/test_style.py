"""Style and position in the fit: against the likelihood written out, and on votes with known preferences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, fit
from playground.ratings.pairs import FIRST, SECOND, FloatArray, PairTable
from playground.ratings.parts import rows_of
from playground.ratings.style import (
    FEATURES,
    FEWEST_DIFFERENT,
    FEWEST_PAIRS,
    PRIOR_SD,
    StyleFit,
    differences,
    fit_style,
)
from playground.ratings.style_words import effect, odds, order
from tests.support.judged import simulated

STRENGTHS = np.array([0.8, 0.3, -0.3, -0.8])
NONE = np.zeros(len(FEATURES))
LONGER_FIRST = np.array([1.5, 0, 0, 0.4, 0, 0.3])  # longer, bold and first answers are preferred


def styled(
    votes: int, betas: FloatArray, rng: np.random.Generator, raters: int = 0, taste: float = 0.0
) -> tuple[PairTable, FloatArray]:
    """Votes of raters who prefer `betas`, on models of which the better ones write longer; and the differences."""
    table = simulated(STRENGTHS, num_votes=votes, num_raters=raters, taste=0, ties=0, rng=rng)
    sides = table.first, table.second
    length = [np.exp(5 + STRENGTHS[side] + 0.5 * rng.normal(size=votes)).round() for side in sides]
    marks = [rng.poisson(1.5, size=(votes, 4)) for _ in sides]
    apart = differences(*(np.column_stack([n, m]).astype(np.float64) for n, m in zip(length, marks, strict=True)))
    liked = STRENGTHS + taste * rng.normal(size=(table.num_raters, len(STRENGTHS)))
    margin = liked[table.rater, sides[0]] - liked[table.rater, sides[1]] + apart @ betas
    won = rng.random(votes) < 1 / (1 + np.exp(-margin))
    return replace(table, outcome=np.where(won, FIRST, SECOND)), apart


def estimates(found: StyleFit | None) -> FloatArray:
    assert found is not None
    return np.array([coefficient.estimate for coefficient in found.coefficients])


def test_the_fit_is_the_maximum_of_the_likelihood_written_out() -> None:
    table, apart = styled(400, LONGER_FIRST, np.random.default_rng(1), raters=20)
    prior = fit(table.wins).prior_wins
    won = table.outcome == FIRST

    def minus_likelihood(values: FloatArray) -> float:
        strengths, betas = values[:4], values[4:]
        margin = strengths[table.first] - strengths[table.second] + apart @ betas
        data = np.log1p(np.exp(np.where(won, -margin, margin))).sum()
        ties = sum(
            prior[i, j] * math.log1p(math.exp(strengths[j] - strengths[i]))
            for i in range(4)
            for j in range(4)
            if i != j
        )
        return float(data + ties + betas @ betas / (2 * PRIOR_SD**2))

    best = minimize(minus_likelihood, np.zeros(4 + len(FEATURES)), method="BFGS", options={"gtol": 1e-7}).x
    found = fit_style(table, apart)
    assert found is not None
    assert np.abs(found.log_odds - (best[:4] - best[:4].mean())).max() < 1e-5
    assert np.abs(estimates(found) - best[4:]).max() < 1e-5


def test_without_differences_the_fit_is_that_of_the_board() -> None:
    table, _ = styled(400, NONE, np.random.default_rng(2))
    both = replace(
        table,
        first=np.concatenate([table.first, table.second]),
        second=np.concatenate([table.second, table.first]),
        outcome=np.concatenate([table.outcome, 1 - table.outcome]),
        weight=np.ones(800),
        vote=np.arange(800),
        rater=np.arange(800),
    )
    found = fit_style(both, np.column_stack([np.zeros((800, 5)), np.ones(800)]))
    assert found is not None
    assert [coefficient.feature for coefficient in found.coefficients] == ["position"]
    assert abs(estimates(found)[0]) < 1e-9
    assert np.allclose(POINTS * found.log_odds, fit(both.wins).ratings - 1000, atol=1e-6)


def test_swapping_sides_changes_the_sign_of_the_position_alone() -> None:
    table, apart = styled(500, LONGER_FIRST, np.random.default_rng(3), raters=25)
    swapped = replace(table, first=table.second, second=table.first, outcome=1 - table.outcome)
    there, back = fit_style(table, apart), fit_style(swapped, np.column_stack([-apart[:, :5], apart[:, 5]]))
    assert there is not None
    assert back is not None
    signs = np.array([1, 1, 1, 1, 1, -1])
    assert np.allclose(estimates(there), signs * estimates(back), atol=1e-7)
    assert np.allclose(there.log_odds, back.log_odds, atol=1e-7)
    errors = [[c.standard_error for c in found.coefficients] for found in (there, back)]
    assert np.allclose(errors[0], errors[1], rtol=1e-6)


def test_better_models_that_write_longer_are_no_preference_for_length() -> None:
    table, apart = styled(4000, NONE, np.random.default_rng(4))
    longer_won = np.mean((apart[:, 0] > 0) == (table.outcome == FIRST))
    assert longer_won > 0.55  # the marginal share would say so
    found = fit_style(table, apart)
    assert found is not None
    assert found.coefficients[0].lower < 0 < found.coefficients[0].upper


def test_preferred_length_is_taken_off_the_strengths() -> None:
    table, apart = styled(6000, np.array([3.0, 0, 0, 0, 0, 0]), np.random.default_rng(5))
    found, plain = fit_style(table, apart), fit(table.wins)
    assert found is not None
    assert found.coefficients[0].lower > 2
    assert np.abs(found.log_odds - STRENGTHS).max() < 0.25
    assert (plain.ratings[0] - plain.ratings[-1]) / POINTS > 2.2  # 1.6 and the length


def test_raters_with_tastes_widen_the_intervals() -> None:
    """One person's votes are alike: with as many raters fewer than votes, errors grow with what raters share."""
    rng = np.random.default_rng(6)
    table, apart = styled(2000, NONE, rng, raters=10)
    own = rng.normal(size=10)[table.rater]  # each has a favourite place
    won = rng.random(2000) < 1 / (1 + np.exp(-own))
    table = replace(table, outcome=np.where(won, FIRST, SECOND))
    by_rater, by_vote = (fit_style(table, apart, unit=unit) for unit in ("rater", "vote"))
    assert by_rater is not None
    assert by_vote is not None
    assert by_rater.coefficients[-1].standard_error > 3 * by_vote.coefficients[-1].standard_error
    assert by_rater.degrees < 10


def test_few_pairs_and_rare_marks_are_left_out() -> None:
    table, apart = styled(FEWEST_PAIRS, NONE, np.random.default_rng(7))
    few = np.arange(FEWEST_PAIRS) < FEWEST_PAIRS - 1
    assert fit_style(rows_of(table, few), apart[few]) is None
    apart[FEWEST_DIFFERENT - 1 :, 4] = 0
    found = fit_style(table, apart)
    assert found is not None
    assert [c.feature for c in found.coefficients] == ["length", "headers", "lists", "bold", "position"]


def test_a_feature_that_decides_every_vote_has_a_finite_coefficient() -> None:
    table, apart = styled(300, NONE, np.random.default_rng(8))
    decided = replace(table, outcome=np.where(apart[:, 0] > 0, FIRST, SECOND))
    found = fit_style(decided, apart)
    assert found is not None
    assert 5 < found.coefficients[0].estimate < 10 * PRIOR_SD


def test_strengths_without_a_finite_maximum_are_refused() -> None:
    table, apart = styled(300, NONE, np.random.default_rng(8))
    unbeaten = np.where(table.first == 0, FIRST, np.where(table.second == 0, SECOND, table.outcome))
    with pytest.raises(InvalidValue, match="set the prior"):
        fit_style(replace(table, outcome=unbeaten), apart, prior=0)


def test_differences_of_another_shape_are_refused() -> None:
    table, apart = styled(100, NONE, np.random.default_rng(9))
    with pytest.raises(InvalidValue, match=r"shape \(99, 6\); it has to be \(100, 6\)"):
        fit_style(table, apart[1:])


def test_twice_as_long_is_a_third_of_the_largest_difference() -> None:
    assert differences(np.array([[200.0, 0, 3, 0, 1]]), np.array([[100.0, 0, 0, 2, 1]])).tolist() == [
        [pytest.approx(1 / 3), 0, 1, -1, 0, 1]
    ]


def test_sentences_say_the_effect_or_that_there_is_none() -> None:
    table, apart = styled(4000, LONGER_FIRST, np.random.default_rng(10))
    found = fit_style(table, apart)
    assert found is not None
    length, headers, *_, position = found.coefficients
    assert odds(length)[0] == pytest.approx(math.exp(length.estimate / 3))
    assert odds(position)[0] == pytest.approx(math.exp(position.estimate))
    assert effect(length, 0.95).startswith("Twice the length raises an answer's odds of winning: times 1.")
    assert effect(length, 0.95).endswith("; p < 0.001).")
    assert effect(headers, 0.95).startswith("Twice as many headers has no effect that these votes show")


@pytest.mark.parametrize(
    ("with_style", "text"),
    [
        (["A", "B", "C"], "the order of the models is the same (1 judged pair)."),
        (["B", "A", "C"], "B would be first, not A (1 judged pair)."),
        (["A", "C", "B"], "A is first as well; C and B change places (1 judged pair)."),
    ],
)
def test_the_order_with_style_is_compared(with_style: list[str], text: str) -> None:
    assert order(with_style, ["A", "B", "C"], 1) == f"With style and position held equal, {text}"


@pytest.mark.slow
@pytest.mark.parametrize(("votes", "raters"), [(600, 0), (600, 60)])
@pytest.mark.parametrize("betas", [NONE, LONGER_FIRST], ids=["no style is preferred", "length is preferred"])
def test_intervals_of_coefficients_cover(votes: int, raters: int, betas: FloatArray) -> None:
    """93 to 97 %, give or take three Monte Carlo standard errors of 300 boards with six coefficients each."""
    rng = np.random.default_rng(11)
    covered = []
    for _ in range(300):
        found = fit_style(*styled(votes, betas, rng, raters=raters))
        assert found is not None
        covered += [c.lower <= b <= c.upper for c, b in zip(found.coefficients, betas, strict=True)]
    error = math.sqrt(0.05 * 0.95 / len(covered))
    assert 0.93 - 3 * error < np.mean(covered) < 0.97 + 3 * error
