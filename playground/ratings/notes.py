"""Notes below the leaderboard: groups, provisional ratings, models without a vote, and the basis.

Boundary: takes plain numbers and names and returns sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.messages import Message, joined, marked
from playground.ratings.phrases import listed, number_of
from playground.ratings.verdict import Verdict
from playground.records import VoteFilter

CHOSEN_ONLY = Message(
    "Nobody has judged models that the arena drew: this board counts pairs that raters chose. "
    "Leave the choice of models to the arena for a board that nobody can steer."
)


_EVERY, _NEARLY_EVERY = marked("every battle"), marked("nearly everything")
_INTERVALS = {
    ("rater", False): marked("{level:g} % intervals, jackknife, each rater a unit"),
    ("vote", False): marked("{level:g} % intervals, jackknife, each vote a unit"),
    ("rater", True): marked("{level:g} % intervals, bootstrap, each rater a unit"),
    ("vote", True): marked("{level:g} % intervals, bootstrap, each vote a unit"),
}
"""By the unit, and by whether there are resamples."""


def not_met(groups: Sequence[Sequence[str]]) -> str:
    return Message("No battles between these groups yet: {groups}.", groups=joined(" · ", map(listed, groups)))


def within(group: Sequence[str], verdict: Verdict) -> str:
    return Message("Among {models}: {verdict}", models=listed(group), verdict=verdict.words)


def provisional(min_battles: int, battles: Sequence[tuple[str, int]]) -> str:
    few = listed([f"{name} ({n})" for name, n in battles])
    return Message("Provisional, below {battles} battles: {models}.", battles=min_battles, models=few)


def not_rated(names: Sequence[str]) -> str:
    return Message("No vote that counts yet: {models}.", models=listed(names))


def far_ahead(name: str, other: str, points: float, *, always: bool) -> str:
    """Return a one-sided statement on a model that nearly always wins."""
    won = Message(_EVERY if always else _NEARLY_EVERY)
    if points < 1:
        return Message("{name} has won {won} so far: too few battles to say how far it is ahead.", name=name, won=won)
    return Message(
        "{name} has won {won}: at least {points:.0f} points ahead of {other}; how much more cannot be told.",
        name=name,
        won=won,
        points=points,
        other=other,
    )


def far_behind(name: str, other: str, points: float, *, always: bool) -> str:
    """Return a one-sided statement on a model that nearly always loses."""
    lost = Message(_EVERY if always else _NEARLY_EVERY)
    if points < 1:
        return Message(
            "{name} has lost {lost} so far: too few battles to say how far it is behind.", name=name, lost=lost
        )
    return Message(
        "{name} has lost {lost}: at least {points:.0f} points behind {other}; how much more cannot be told.",
        name=name,
        lost=lost,
        points=points,
        other=other,
    )


def one_of_many() -> str:
    return Message("One of many views; its claims are not corrected for having looked at several.")


def ranks_say_more(filtered: bool) -> str:
    """Return a note on ranks that tell models apart while the verdict does not; `filtered`: on one of many views."""
    if filtered:
        return Message(
            "The ranks tell more models apart than the headline, which asks for more evidence, as on a board that is "
            "read again and again."
        )
    return Message(
        "The ranks tell more models apart than the headline: they hold for one look at the board, "
        "the headline for all looks together, which takes more votes."
    )


def few_raters(names: Sequence[str], min_raters: int) -> str:
    """Return a note on models judged by effectively fewer raters: there may be more if a few gave most votes."""
    return Message(
        "{models}: judged by fewer than {raters} raters, or mostly by fewer; so few make the interval wide.",
        models=listed(names),
        raters=min_raters,
    )


def left_out_same(pairs: int) -> str:
    return Message("{pairs} of a model with itself: stored, not rated.", pairs=number_of("pair", pairs))


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
    filtered: bool,
) -> str:
    """Return one line on the votes that count and the method."""
    at_any_time = marked("ranks hold together at {level:g} % for one look, the verdict at any time")
    one_look = marked("ranks and verdict hold at {level:g} % for one look, and for no other views")
    parts = (
        which,
        Message("category {category}", category=category) if category else Message("all categories"),
        *(Message("{name} {value}", name=name, value=value) for name, value in filter.as_mapping().items()),
        Message("all-bad votes left out") if both_bad == "omit" else Message("all-bad votes count as ties"),
        Message(_INTERVALS[unit, bool(resamples)], level=100 * level),
        Message(one_look if filtered else at_any_time, level=100 * level),
        Message("prior: {prior:g} × (models − 1) ties, spread evenly over the pairs that met", prior=prior),
    )
    return joined(" · ", parts)
