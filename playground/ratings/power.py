"""The votes that would separate two models, and how sure that is.

Boundary: numbers only; the words are in `verdict`.

A gap that was measured is too large on average where it was chosen, and too uncertain to plan with: the number of
votes that would make it significant "if it stays" was enough in 26 to 49 % of the boards that stated it. Therefore
the gap is shrunk to what gaps between models are like, and the number is the one after which a claim is made with a
given probability over all gaps that the votes allow (assurance: O'Hagan, Stevens and Campbell 2005, Pharmaceutical
Statistics 4), in either direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from playground.ratings.bradley_terry import POINTS, Fit
from playground.ratings.claims import boundary
from playground.ratings.covariance import Spread
from playground.ratings.pairs import FloatArray
from playground.ratings.student import student_quantile

EVEN, LIKELY = 0.5, 0.8
"""Probabilities of the two ends of a range of votes."""
_USUAL_SPREAD = 60.0  # points: standard deviation of ratings that are usual
_USUAL_MODELS = 2  # what is usual counts as much as this many models
_MOST = 2**24


@dataclass(frozen=True, slots=True)
class VotesNeeded:
    """More votes between two models that separate them; infinite above 16 million."""

    even: float  # in half of the cases
    likely: float  # in four of five


@dataclass(frozen=True, slots=True)
class Gap:
    """The difference between two models as the votes and the spread of all models give it, in points."""

    found: float
    variance: float  # of `found`
    degrees: float  # of freedom
    shrunk: float  # mean of the gaps that are likely
    doubt: float  # their variance
    information: float  # that one more vote between the two adds, 1 / points²


def gap_between(fit: Fit, spreads: Spread, i: int, j: int) -> Gap:
    """Return the gap between two connected models.

    A vote adds the information p (1 - p) / r, with r the ratio of the variance found to the one that the model
    expects: ties, and raters who differ, count as they did until now.
    """
    found, variance = float(fit.ratings[i] - fit.ratings[j]), float(spreads.difference[i, j])
    expected = float(fit.covariance[i, i] + fit.covariance[j, j] - 2 * fit.covariance[i, j])
    group = fit.groups == fit.groups[i]
    usual = 2 * spread_of_models(fit.ratings[group], spreads.rating[group])
    p = float(fit.probability[i, j])
    return Gap(
        found=found,
        variance=variance,
        degrees=float(spreads.difference_degrees[i, j]),
        shrunk=found * usual / (usual + variance),
        doubt=usual * variance / (usual + variance),
        information=p * (1 - p) * expected / variance / POINTS**2,
    )


def spread_of_models(ratings: FloatArray, variances: FloatArray) -> float:
    """Return the variance of true ratings: what is found beyond chance, and what is usual, by the number of models."""
    freedom = len(ratings) - 1
    beyond = max(float(np.var(ratings, ddof=1)) - float(np.mean(variances)), 0.0)
    return (_USUAL_MODELS * _USUAL_SPREAD**2 + freedom * beyond) / (_USUAL_MODELS + freedom)


def votes_needed(gap: Gap, error: float) -> VotesNeeded:
    """Return the votes after which the two are separated by a claim with this error, whichever is ahead then."""
    return VotesNeeded(_fewest(gap, error, EVEN), _fewest(gap, error, LIKELY))


def chance_of_claim(gap: Gap, votes: float, error: float) -> float:
    """Return the probability of a claim after this many more votes."""
    before, more = 1 / gap.variance, votes * gap.information
    after = 1 / (before + more)
    centre = after * (before * gap.found + more * gap.shrunk)
    error_then = after * math.sqrt(more + more**2 * gap.doubt)
    needed = float(student_quantile(ndtr(float(boundary(1 / after, error))), gap.degrees)) * math.sqrt(after)
    if error_then == 0:
        return float(abs(centre) > needed)
    return float(ndtr((centre - needed) / error_then) + ndtr((-centre - needed) / error_then))


def _fewest(gap: Gap, error: float, wanted: float) -> float:
    high = 1
    while chance_of_claim(gap, high, error) < wanted:
        high *= 2
        if high > _MOST:
            return math.inf
    low = high // 2
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if chance_of_claim(gap, middle, error) >= wanted else (middle, high)
    return float(high)
