"""Blindness, measured: how much better than chance raters name the model that wrote an answer.

For a model X the index is P(named X | it was X) - P(named X | it was not X): 0 if raters cannot tell, whatever they
like to name, and 1 if they always can. Overall, with a share p of right guesses among m choices, it is
(m p - 1) / (m - 1); where m has changed, the mean of these, weighted by the guesses.

Intervals are 95 %. A share has Wilson's score interval (J. Am. Stat. Assoc. 22, 1927). Guesses of one rater are alike:
their number is divided by the design effect of raters (Rao and Scott, Biometrics 48, 1992), never below 1. A difference
or a mean of shares combines their limits (Newcombe's method 10, Stat. Med. 17, 1998; Zou and Donner, Stat. Med. 27,
2008).

Boundary: counts of guesses in, numbers out; no SQL, no words for visitors.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from playground.records import Guess

Z95 = 1.959963984540054
"""The normal quantile of two-sided 95 %."""
REVEALS = ((0, 0), (1, 9), (10, None))
"""Numbers of reveals that raters had seen before: from, to (None: no limit)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class ModelBlinding:
    """The blinding index of one model: how well raters recognise it."""

    model_id: str
    index: Estimate | None  # None without an answer of this model, or without one of another model
    answers: int  # of this model about which was guessed


@dataclass(frozen=True, slots=True)
class Group:
    """The questions to raters who had seen a number of reveals."""

    least: int  # reveals
    most: int | None  # None: no limit
    asked: int
    answered: int
    index: Estimate | None  # None without a guess

    @property
    def share(self) -> float | None:
        """The share answered of those asked; None if nothing was asked."""
        return self.answered / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Blinding:
    """All questions that were asked."""

    everyone: Group
    groups: tuple[Group, ...]  # by `REVEALS`
    models: tuple[ModelBlinding, ...]  # that wrote an answer or were named, by id
    raters: int  # who answered


def blinding(asked: Sequence[Guess]) -> Blinding:
    """Return how well the models were recognised; a question without an answer only counts as asked."""
    guesses = [guess for guess in asked if guess.named is not None]
    models = sorted({guess.model_id for guess in guesses} | {str(guess.named) for guess in guesses})
    return Blinding(
        _group(asked, 0, None),
        tuple(_group([g for g in asked if _is_within(g, low, high)], low, high) for low, high in REVEALS),
        tuple(_of_model(model, guesses) for model in models),
        len({guess.rater_id for guess in guesses}),
    )


def wilson(right: float, number: float, z: float = Z95) -> Estimate:
    """Return the share `right / number` with Wilson's score interval; both may be fractions, `number` is above 0."""
    share = right / number
    centre = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * math.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def design_effect(hits: Sequence[tuple[str, bool]]) -> float:
    """Return by how much the variance of a share is larger than that of independent guesses; at least 1.

    Args:
        hits: the rater of each guess, and whether it is one of those that the share counts.
    """
    number, right = Counter(rater for rater, _ in hits), Counter(rater for rater, hit in hits if hit)
    raters, total = len(number), len(hits)
    share = right.total() / total
    if raters < 2 or share in (0, 1):
        return 1.0
    spread = math.fsum((right[rater] - number[rater] * share) ** 2 for rater in number)  # in any order the same
    return max(1.0, raters / (raters - 1) * (total - 1) / total * spread / (total * share * (1 - share)))


def combined(terms: Iterable[tuple[float, Estimate]]) -> Estimate:
    """Return a sum of independent estimates, each with its factor."""
    known = list(terms)
    value = sum(factor * found.value for factor, found in known)
    below = [factor * (found.value - (found.lower if factor > 0 else found.upper)) for factor, found in known]
    above = [factor * ((found.upper if factor > 0 else found.lower) - found.value) for factor, found in known]
    return Estimate(value, value - math.hypot(*below), value + math.hypot(*above))


def _is_within(guess: Guess, least: int, most: int | None) -> bool:
    return guess.reveals >= least and (most is None or guess.reveals <= most)


def _group(asked: Sequence[Guess], least: int, most: int | None) -> Group:
    guesses = [guess for guess in asked if guess.named is not None]
    return Group(least, most, len(asked), len(guesses), _overall(guesses) if guesses else None)


def _overall(guesses: Sequence[Guess]) -> Estimate:
    """Return the mean over the numbers of choices of (m p - 1) / (m - 1)."""
    terms = []
    for choices in sorted({guess.choices for guess in guesses}):
        found = [guess for guess in guesses if guess.choices == choices]
        share = _share(found, lambda guess: guess.named == guess.model_id)
        terms.append((len(found) / len(guesses), _above_chance(share, choices)))
    return combined(terms)


def _above_chance(share: Estimate, choices: int) -> Estimate:
    value, lower, upper = ((choices * p - 1) / (choices - 1) for p in (share.value, share.lower, share.upper))
    return Estimate(value, lower, upper)


def _of_model(model_id: str, guesses: Sequence[Guess]) -> ModelBlinding:
    was = [guess for guess in guesses if guess.model_id == model_id]
    was_not = [guess for guess in guesses if guess.model_id != model_id]
    if not was or not was_not:
        return ModelBlinding(model_id, None, len(was))
    named = [_share(found, lambda guess: guess.named == model_id) for found in (was, was_not)]
    return ModelBlinding(model_id, combined(zip((1.0, -1.0), named, strict=True)), len(was))


def _share(guesses: Sequence[Guess], is_hit: Callable[[Guess], bool]) -> Estimate:
    """Return the share of hits among guesses, for as many as independent ones would say the same."""
    hits = [(guess.rater_id, is_hit(guess)) for guess in guesses]
    number = len(hits) / design_effect(hits)
    share = sum(hit for _, hit in hits) / len(hits)
    return wilson(share * number, number)
