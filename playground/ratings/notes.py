"""Notes below the leaderboard: groups, provisional ratings, models without a vote, and the basis.

Boundary: takes plain numbers and names and returns sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.ratings.phrases import listed, number_of
from playground.ratings.verdict import Verdict

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


def never_lost(name: str) -> str:
    return f"{name} has won every battle: only the prior keeps its rating finite, it may be far ahead."


def never_won(name: str) -> str:
    return f"{name} has lost every battle: only the prior keeps its rating finite, it may be far behind."


def few_raters(names: Sequence[str], min_raters: int) -> str:
    return f"Fewer than {min_raters} raters judged {listed(names)}: that interval takes each vote by itself."


def left_out_same(pairs: int) -> str:
    return f"{number_of('pair', pairs)} of a model with itself: stored, not rated."


def basis(
    *,
    which: str,
    category: str,
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
        "all-bad votes left out" if both_bad == "omit" else "all-bad votes count as ties",
        f"{100 * level:g} % intervals, {'bootstrap' if resamples else 'jackknife'}, each {unit} a unit",
        f"ranks hold together at {100 * level:g} %",
        f"prior: {prior:g} × (models − 1) ties, spread evenly over the pairs that met",
    )
    return " · ".join(parts)
