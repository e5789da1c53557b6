"""Leaderboards with known strengths, and how often what is said about them is wrong.

Boundary: counts; the rows, limits and the table are in `simulated_boards`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from playground.ratings.bradley_terry import (
    DEFAULT_PRIOR,
    MEAN,
    POINTS,
    fit,
    laplacian_of,
    maximise,
    pseudo_inverse,
    win_probability,
)
from playground.ratings.claims import ClaimRules, Claims, boundary, look, looks
from playground.ratings.covariance import choose_unit, difference_variance, spread
from playground.ratings.intervals import DEFAULT_LEVEL, estimate_intervals
from playground.ratings.misfit import find_misfit
from playground.ratings.pairs import FIRST, SECOND, FloatArray, IntArray, PairTable
from playground.ratings.parts import until
from playground.ratings.power import gap_between, votes_needed
from playground.ratings.student import student_quantile
from tests.support.judged import simulated, true_ratings

Count = Callable[[int], tuple[int, int]]
"""A number of simulated boards to how often something is so, of how many."""
SEED = 20250131
RULES = ClaimRules(prior=DEFAULT_PRIOR, level=DEFAULT_LEVEL, unit="auto", min_battles=30)


@dataclass(frozen=True, slots=True)
class Arena:
    """Models, raters and votes of a simulated board."""

    strengths: tuple[float, ...]  # log-odds
    votes: int
    raters: int = 0  # 0: each vote by another one
    taste: float = 0.0  # log-odds: standard deviation of a rater's own opinion of each model

    def tables(self, runs: int, seed: int = SEED) -> Iterator[PairTable]:
        """Yield boards, the same for the same seed."""
        rng = np.random.default_rng(seed)
        for _ in range(runs):
            yield simulated(
                np.array(self.strengths),
                num_votes=self.votes,
                num_raters=self.raters,
                taste=self.taste,
                ties=0.0,
                rng=rng,
            )

    @property
    def truth(self) -> FloatArray:
        """Ratings (m,) in the population."""
        return true_ratings(np.array(self.strengths), taste=self.taste, ties=0.0)


def covered(arena: Arena) -> Count:
    """Count boards on which the interval of the first model has its true rating."""

    def count(runs: int) -> tuple[int, int]:
        truth, inside = arena.truth[0], 0
        for table in arena.tables(runs):
            found = estimate_intervals(table, fit(table.wins))
            inside += bool(found.lower[0] <= truth <= found.upper[0])
        return inside, runs

    return count


def claims_over_time(table: PairTable) -> Iterator[Claims]:
    """Yield the claims at each look."""
    claims = Claims.none(len(table.models))
    for votes in looks(table.num_votes):
        claims = look(claims, until(table, votes), RULES, votes)
        yield claims


def ever_leads(arena: Arena) -> Count:
    """Count boards of equal models on which one is said to lead at some time."""
    models = range(len(arena.strengths))

    def count(runs: int) -> tuple[int, int]:
        tables = arena.tables(runs)
        return sum(any(c.leads(i, models) for c in claims_over_time(t) for i in models) for t in tables), runs

    return count


def ever_ordered(arena: Arena) -> Count:
    """Count boards on which some model is at some time said to be above one that is not worse."""
    truth = arena.truth
    false = truth[:, None] - truth < 1e-6

    def count(runs: int) -> tuple[int, int]:
        return sum(any((c.above & false).any() for c in claims_over_time(t)) for t in arena.tables(runs)), runs

    return count


def wrong_about_these_raters(raters: int, votes_each: int, taste: float, models: int = 5) -> Count:
    """Count boards with a claim about their raters, at any time, that endless votes of the same raters would refute."""

    def count(runs: int) -> tuple[int, int]:
        rng, wrong = np.random.default_rng(SEED), 0
        for _ in range(runs):
            liked = taste * rng.normal(size=(raters, models))
            table = of_tastes(liked, raters * votes_each, rng)
            truth = ratings_of(liked)
            wrong += any(is_false(claims, truth) or claims.unit != "vote" for claims in claims_over_time(table))
        return wrong, runs

    return count


def is_false(claims: Claims, truth: FloatArray) -> bool:
    """Return True if a claim contradicts the true ratings (m,), or names a leader that does not lead."""
    not_better = truth[:, None] - truth < 1e-6
    models = range(len(truth))
    return bool((claims.above & not_better).any()) or any(
        claims.leads(i, models) and not_better[i].sum() > 1 for i in models
    )


def of_tastes(liked: FloatArray, votes: int, rng: np.random.Generator) -> PairTable:
    """Return votes of raters with these opinions (raters, m) on random pairs."""
    table = simulated(np.zeros(liked.shape[1]), num_votes=votes, num_raters=0, taste=0.0, ties=0.0, rng=rng)
    rater = np.arange(votes) % len(liked)
    p = 1 / (1 + np.exp(liked[rater, table.second] - liked[rater, table.first]))
    return replace(table, rater=rater, outcome=np.where(rng.random(votes) < p, FIRST, SECOND))


def ratings_of(liked: FloatArray) -> FloatArray:
    """Return the ratings (m,) that endless votes of these raters would give."""
    expected = np.mean([1 / (1 + np.exp(own[None, :] - own[:, None])) for own in liked], axis=0)
    np.fill_diagonal(expected, 0)
    return MEAN + POINTS * maximise(expected, np.zeros(liked.shape[1], dtype=np.int64))


def ever_leads_adaptively(votes: int) -> Count:
    """Count boards of equal models with a leader at some time, the two best meeting most often."""

    def count(runs: int) -> tuple[int, int]:
        rng, models, false = np.random.default_rng(SEED), 4, 0
        for _ in range(runs):
            table = simulated(np.zeros(models), num_votes=looks(votes)[0], num_raters=0, taste=0.0, ties=0.0, rng=rng)
            claims, claimed = Claims.none(models), False
            for number, following in zip(looks(votes), [*looks(votes)[1:], 0], strict=True):
                claims = look(claims, table, RULES, number)
                claimed = (
                    claimed or bool(claims.above.any()) or any(claims.leads(i, range(models)) for i in range(models))
                )
                best = np.argsort(-fit(table.wins).ratings)[:2]
                table = more_votes(table, max(following - number, 0), best, rng)
            false += claimed
        return false, runs

    return count


def more_votes(table: PairTable, votes: int, best: IntArray, rng: np.random.Generator) -> PairTable:
    """Return a table of equal models with more votes, half of them on the two best."""
    if not votes:
        return table
    new = simulated(np.zeros(len(table.models)), num_votes=votes, num_raters=0, taste=0.0, ties=0.0, rng=rng)
    often = rng.random(votes) < 0.5
    new = replace(new, first=np.where(often, best[0], new.first), second=np.where(often, best[1], new.second))
    return joined(table, new)


def joined(table: PairTable, more: PairTable) -> PairTable:
    """Return one table; the votes and raters of the second are others than those of the first."""
    more = replace(more, vote=more.vote + table.num_votes, rater=more.rater + table.num_raters)
    names = ("first", "second", "outcome", "weight", "vote", "rater")
    return replace(table, **{name: np.concatenate([getattr(table, name), getattr(more, name)]) for name in names})


def enough_votes(likely: bool) -> Count:
    """Count boards on which the votes that are said to separate first from second do, of those that state a number."""

    def count(runs: int) -> tuple[int, int]:
        rng, enough, stated = np.random.default_rng(SEED), 0, 0
        for _ in range(runs):
            strengths = 0.35 * rng.normal(size=5)
            table = simulated(strengths, num_votes=300, num_raters=0, taste=0.0, ties=0.0, rng=rng)
            fitted = fit(table.wins)
            first, second = np.argsort(-fitted.ratings)[:2]
            spreads = spread(table, fitted, choose_unit(table))
            needed = votes_needed(gap_between(fitted, spreads, first, second), 1 - DEFAULT_LEVEL)
            votes = needed.likely if likely else needed.even
            claims = look(Claims.none(5), table, RULES, table.num_votes)
            if votes > 5000 or claims.ahead[first, second]:
                continue
            stated += 1
            p = 1 / (1 + math.exp(strengths[second] - strengths[first]))
            two = replace(
                simulated(np.zeros(2), num_votes=int(votes), num_raters=0, taste=0.0, ties=0.0, rng=rng),
                first=np.full(int(votes), first),
                second=np.full(int(votes), second),
                outcome=np.where(rng.random(int(votes)) < p, FIRST, SECOND),
            )
            claims = look(claims, joined(table, two), RULES, table.num_votes + int(votes))
            enough += bool(claims.ahead[first, second] or claims.ahead[second, first])
        return enough, stated

    return count


def false_alarms(arena: Arena) -> Count:
    """Count boards whose votes are said not to fit, although they do."""

    def count(runs: int) -> tuple[int, int]:
        tables = arena.tables(runs)
        return sum(find_misfit(t, fit(t.wins), choose_unit(t)) is not None for t in tables), runs

    return count


def power_by_votes(
    gap: float, runs: int, models: int = 5, most: int = 20_000
) -> tuple[list[int], FloatArray, FloatArray]:
    """Return looks, and the shares of boards that name a leader this many points ahead: in one look, and at any time.

    The others are equal, every vote is by another rater, and estimates are taken as normal, which many votes make them.
    """
    strengths = np.zeros(models)
    strengths[0] = gap / POINTS
    p = win_probability(strengths)
    each = p * p.T / (models * (models - 1) / 2)  # information of a vote on a random pair
    covariance = pseudo_inverse(laplacian_of(each), np.zeros(models, dtype=np.int64))
    variance = difference_variance(covariance)[0, 1:]
    rng, numbers = np.random.default_rng(SEED), looks(most)
    total, ahead = np.zeros((runs, models)), np.zeros((runs, models - 1), dtype=bool)
    one_look, any_time = np.zeros(len(numbers)), np.zeros(len(numbers))
    for k, (votes, more) in enumerate(zip(numbers, np.diff([0, *numbers]), strict=True)):
        total += more * strengths + math.sqrt(more) * rng.multivariate_normal(np.zeros(models), covariance, size=runs)
        apart = (total[:, :1] - total[:, 1:]) / votes
        errors = apart / np.sqrt(variance / votes)
        needed = boundary(votes / variance / POINTS**2, 1 - DEFAULT_LEVEL)
        ahead = (ahead | (errors > needed)) & (apart > 0)
        one_look[k] = (errors > student_quantile((1 + DEFAULT_LEVEL) / 2, math.inf)).all(axis=1).mean()
        any_time[k] = ahead.all(axis=1).mean()
    return numbers, one_look, any_time
