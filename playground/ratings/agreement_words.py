"""Sentences on the agreement of raters, with others and with themselves.

Boundary: takes numbers and returns sentences.
"""

from __future__ import annotations

from playground.messages import Counted, Message
from playground.ratings.agreement import Agreement
from playground.ratings.phrases import percent


def between(battles: int, raters: int, equal: float, alpha: Agreement | None, level: float) -> str:
    """Return how often two raters of the same answers judged alike, and how far that is beyond chance."""
    judged = Counted("{count:,} battle has", "{count:,} battles have", count=battles)
    if alpha is None:
        return Message(
            "{battles} judgements of several raters ({raters} in all), and every judgement is the same.",
            battles=judged,
            raters=f"{raters:,}",
        )
    return Message(
        "Two raters of the same answers judged alike in {equal} of cases: Krippendorff's alpha is {alpha} "
        "({level} %: {lower} to {upper}), where 1 is full agreement and 0 that of chance. "
        "{battles} judgements of several raters ({raters} in all).",
        equal=percent(equal),
        battles=judged,
        raters=f"{raters:,}",
        **_numbers("alpha", alpha, level),
    )


def within(repeats: int, raters: int, equal: float, kappa: Agreement | None, level: float) -> str:
    """Return how often raters judged the same answers as they had before."""
    second = Counted("{count:,} judgement", "{count:,} judgements", count=repeats)
    who = Counted("{count:,} rater", "{count:,} raters", count=raters)
    if kappa is None:
        return Message(
            "{repeats} of answers that the same rater had judged before, by {raters}: every one is the same.",
            repeats=second,
            raters=who,
        )
    return Message(
        "Raters who judged the same answers again judged as before in {equal} of cases: Cohen's kappa is {kappa} "
        "({level} %: {lower} to {upper}), from {repeats} by {raters}.",
        equal=percent(equal),
        repeats=second,
        raters=who,
        **_numbers("kappa", kappa, level),
    )


def too_few_battles(battles: int, fewest: int) -> str:
    """Return how many more battles need judgements of several raters before anything is said of their agreement."""
    more = _more(fewest - battles)
    if not battles:
        return Message(
            "Agreement of raters: not enough yet. No battle has judgements of several raters; {more}.", more=more
        )
    judged = Counted("{count:,} battle has", "{count:,} battles have", count=battles)
    return Message(
        "Agreement of raters: not enough yet. {battles} judgements of several raters; {more}.",
        battles=judged,
        more=more,
    )


def too_few_repeats(repeats: int, fewest: int) -> str:
    """Return how many more repeats are needed before anything is said of raters and themselves."""
    more = _more(fewest - repeats)
    if not repeats:
        return Message(
            "Each rater against themselves: not enough yet. Nobody judged the same answers twice; {more}.", more=more
        )
    found = Counted("{count:,} judgement repeats", "{count:,} judgements repeat", count=repeats)
    return Message(
        "Each rater against themselves: not enough yet. {repeats} an earlier one of the same answers; {more}.",
        repeats=found,
        more=more,
    )


def _more(number: int) -> str:
    return Counted("{count:,} more is needed", "{count:,} more are needed", count=number)


def _numbers(name: str, found: Agreement, level: float) -> dict[str, str]:
    numbers = {name: found.value, "lower": found.lower, "upper": found.upper}
    return {**{key: f"{value:.2f}" for key, value in numbers.items()}, "level": f"{100 * level:g}"}
