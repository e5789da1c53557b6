"""Each rater's judging in the first, second and last third of their votes, and beside that of others.

One link is one person, in however many browsers it was opened.

Boundary: pure; battles of raters in, numbers out. For the operator, who decides what they mean: nobody is excluded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from playground.records import Assigned

FEWEST_VOTES = 15
"""Votes of a rater below which thirds tell nothing."""
THIRDS = 3

Outcomes = Mapping[int, Mapping[int, str]]
"""The outcome of each item by the number of the rater."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Judgements of one rater, each beside that of another rater on the same battle."""

    compared: int
    alike: int

    @property
    def share(self) -> float | None:
        return self.alike / self.compared if self.compared else None


@dataclass(frozen=True, slots=True)
class Third:
    """A third of a rater's votes on items, in their order."""

    votes: int
    chose_a: float | None  # share of the votes for a side that were for the left one; None: no such vote
    ties: float  # share of ties and of "none is good"
    median_s: float | None  # of the decisions; None: not known
    others: Comparison


def outcomes_of(raters: Mapping[int, Sequence[Assigned]]) -> Outcomes:
    """Return the judgements of a study's items, without repeats, checks and attention items."""
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for rater, own in raters.items():
        for one in own:
            if one.kind == "item" and one.is_judged and one.outcome is not None:
                found[one.item][rater] = one.outcome
    return found


def compare(rater: int, own: Sequence[Assigned], outcomes: Outcomes) -> Comparison:
    """Compare a rater's judgements with those of each other rater of the same items."""
    pairs = [
        (one.outcome, outcome)
        for one in own
        if one.kind == "item" and one.is_judged
        for other, outcome in outcomes.get(one.item, {}).items()
        if other != rater
    ]
    return Comparison(len(pairs), sum(mine == theirs for mine, theirs in pairs))


def thirds(rater: int, own: Sequence[Assigned], outcomes: Outcomes) -> tuple[Third, ...]:
    """Return the thirds of a rater's votes; none of too few."""
    judged = [one for one in own if one.kind == "item" and one.is_judged]
    if len(judged) < FEWEST_VOTES:
        return ()
    ends = [round(len(judged) * part / THIRDS) for part in range(THIRDS + 1)]
    return tuple(_third(rater, judged[start:end], outcomes) for start, end in pairwise(ends))


def _third(rater: int, judged: Sequence[Assigned], outcomes: Outcomes) -> Third:
    sides = [choice[0] for one in judged if (choice := one.choice or "") in ("a", "b", "a>b", "b>a")]
    times = [one.decision_s for one in judged if one.decision_s is not None]
    return Third(
        votes=len(judged),
        chose_a=sides.count("a") / len(sides) if sides else None,
        ties=1 - len(sides) / len(judged),
        median_s=median(times) if times else None,
        others=compare(rater, judged, outcomes),
    )
