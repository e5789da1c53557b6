"""Notes below the leaderboard: groups, provisional ratings, models without a vote, and the basis.

Boundary: takes plain numbers and names and returns sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.ratings.phrases import listed, number_of
from playground.ratings.verdict import Verdict
from playground.records import VoteFilter

CHOSEN_ONLY = (
    "Nobody has judged models that the arena drew: this board counts pairs that raters chose. "
    "Leave the choice of models to the arena for a board that nobody can steer."
)


def not_met(groups: Sequence[Sequence[str]]) -> str:
    return f"No battles between these groups yet: {' · '.join(listed(group) for group in groups)}."


def within(group: Sequence[str], verdict: Verdict) -> str:
    return f"Among {listed(group)}: {verdict}"


def provisional(min_battles: int, battles: Sequence[tuple[str, int]]) -> str:
    return f"Provisional, below {min_battles} battles: {listed([f'{name} ({n})' for name, n in battles])}."


def not_rated(names: Sequence[str]) -> str:
    return f"No vote that counts yet: {listed(names)}."


def far_ahead(name: str, other: str, points: float, *, always: bool) -> str:
    """Return a one-sided statement on a model that nearly always wins."""
    won = "every battle" if always else "nearly everything"
    if points < 1:
        return f"{name} has won {won} so far: too few battles to say how far it is ahead."
    return f"{name} has won {won}: at least {points:.0f} points ahead of {other}; how much more cannot be told."


def far_behind(name: str, other: str, points: float, *, always: bool) -> str:
    """Return a one-sided statement on a model that nearly always loses."""
    lost = "every battle" if always else "nearly everything"
    if points < 1:
        return f"{name} has lost {lost} so far: too few battles to say how far it is behind."
    return f"{name} has lost {lost}: at least {points:.0f} points behind {other}; how much more cannot be told."


def one_of_many() -> str:
    return "One of many views; its claims are not corrected for having looked at several."


def few_raters(names: Sequence[str], min_raters: int) -> str:
    """Return a note on models judged by effectively fewer raters: there may be more if a few gave most votes."""
    return (
        f"{listed(names)}: fewer than {min_raters} raters, or most votes by fewer; "
        "the interval is as wide as so few make it."
    )


def left_out_same(pairs: int) -> str:
    return f"{number_of('pair', pairs)} of a model with itself: stored, not rated."


def basis(
    *,
    which: str,
    category: str,
    filter: VoteFilter,
    both_bad: str,
    prior: float,
    level: float,
    unit: str,
    resamples: int,
) -> str:
    """Return one line on the votes that count and the method."""
    parts = (
        which,
        f"category {category}" if category else "all categories",
        *(f"{name} {value}" for name, value in filter.as_mapping().items()),
        "all-bad votes left out" if both_bad == "omit" else "all-bad votes count as ties",
        f"{100 * level:g} % intervals, {'bootstrap' if resamples else 'jackknife'}, each {unit} a unit",
        f"ranks hold together at {100 * level:g} % for one look, the verdict at any time",
        f"prior: {prior:g} × (models − 1) ties, spread evenly over the pairs that met",
    )
    return " · ".join(parts)
