"""The verdict: the leader, the models that cannot be told apart, or what is missing.

Boundary: takes plain numbers and names in the order of the ratings and returns sentences; computes no rating.
No sentence says more than the numbers do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.ratings.phrases import listed, number_of
from playground.ratings.power import VotesNeeded

MOST_VOTES = 5000
"""Votes between two models above which their number is not worth stating."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headline and a line of detail below it."""

    headline: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.headline} {self.detail}".strip()


def nothing_yet(min_battles: int, *, only_open: bool, left_out: str, same_model: bool, category: str) -> Verdict:
    """Return the verdict when no pair can be rated; `left_out` says why the votes there are do not count."""
    detail = f"Compare answers blind and vote: {min_battles} battles per model make a first ranking."
    if same_model:
        return Verdict("No two different models have met yet.", "A ranking needs battles between at least two models.")
    if only_open:
        return Verdict("No blind votes yet.", detail)
    if left_out:
        return Verdict("No vote counts yet.", f"{left_out} {detail}")
    return Verdict(f"No votes in the category {category} yet." if category else "No votes yet.", detail)


def nobody_won(num_votes: int, num_all_bad: int) -> Verdict:
    """Return the verdict when every vote is a tie or all bad."""
    if num_all_bad == 0:
        return Verdict(
            "Only ties so far.",
            f"{number_of('vote', num_votes)}; a ranking needs votes for one answer.",
        )
    if num_all_bad == num_votes:
        return Verdict("No answer was good enough so far.", f'{number_of("vote", num_votes)}, each for "all bad".')
    return Verdict(
        "Nobody has won yet.",
        f"{number_of('vote', num_votes)}: {number_of('tie', num_votes - num_all_bad)}, the others all bad.",
    )


def too_few(min_battles: int, battles: Sequence[int]) -> Verdict:
    """Return the verdict when at most one model has enough battles."""
    missing = missing_votes(min_battles, battles)
    needed = f"{number_of('more vote', missing)} {'is' if missing == 1 else 'are'} needed"
    return Verdict(
        "Too few votes for a ranking yet.",
        f"Ratings are provisional below {min_battles} battles per model: at least {needed}.",
    )


def unconnected(groups: int) -> Verdict:
    """Return the verdict when some models have not met, not even through others."""
    return Verdict(
        f"The models form {groups} groups that have not met.",
        "Each group has a scale of its own; battles between them would join them.",
    )


def not_known_yet() -> Verdict:
    """Return the verdict while the claims are being made from many votes."""
    return Verdict(
        "The verdict is being computed.",
        "The ratings below are complete. The verdict goes through all votes in order of time, and appears here when "
        "it is ready.",
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """The models and the raters that a claim is about."""

    among: str = ""  # "the models with 30 battles or more" if there are others
    raters: int = 0  # so few that the claim is about them alone; 0: all who might vote

    def sentence(self, text: str) -> str:
        """Return "For these 3 raters, nobody leads." from "Nobody leads."; `text` is about one name or nobody."""
        if not self.raters:
            return text
        whose = "this one rater" if self.raters == 1 else f"these {self.raters} raters"
        return f"For {whose}, {text.replace('Nobody', 'nobody', 1) if text.startswith('Nobody') else text}"


def told_apart(
    names: Sequence[str],
    ahead: Sequence[Sequence[bool]],
    above: Sequence[Sequence[bool]],
    needed: Callable[[int, int], VotesNeeded],
    *,
    scope: Scope = Scope(),  # frozen
    misfit: str = "",
) -> Verdict:
    """Name the leader and the models that cannot be told apart; arguments are in the order of the ratings, best first.

    Args:
        ahead: claims that i is ahead of j, of which the leader needs one for each other model.
        above: claims that i is above j, which hold together.
        needed: the votes between i and j that would separate them.
        misfit: the reason why the ratings do not explain the votes; then no number of votes is stated.
    """
    rivals = [j for j in range(1, len(names)) if not ahead[0][j]]
    top = list(range(max(rivals, default=0) + 1))  # a model between them may be told apart from the first one
    runs = [
        run for run in _runs(range(len(top), len(names)) if rivals else range(1, len(names)), above) if len(run) > 1
    ]
    open_pairs = [(0, rivals[0]), *(run[:2] for run in runs)] if rivals else [run[:2] for run in runs]
    open_runs = [top, *runs] if rivals else runs
    where = f" among {scope.among}" if scope.among else ""
    sentences = [] if rivals else [scope.sentence(f"{names[0]} leads{where}.")]
    for run in open_runs[:2]:
        some = any(above[i][j] for i in run for j in run) or (0 in run and any(ahead[0][j] for j in run))
        apart = f"{listed([names[i] for i in run])} {'cannot all' if some else 'cannot'} be told apart"
        sentences.append(scope.sentence(f"Nobody leads yet{where}: {apart}.") if 0 in run else f"{apart} yet.")
    if len(open_runs) > 2:
        sentences.append("Some lower places are undecided too.")
    alone = len(open_runs) == 1 and len(open_runs[0]) == 2
    details = [_votes(names, first, second, needed, alone=alone) for first, second in open_pairs[:2]]
    settled = "" if open_runs else "Every place among them is settled." if scope.among else "Every place is settled."
    return Verdict(" ".join(sentences), misfit or settled or " ".join(details))


def _runs(order: Sequence[int], above: Sequence[Sequence[bool]]) -> list[list[int]]:
    """Return runs of neighbours that cannot be told apart."""
    runs: list[list[int]] = []
    for i in order:
        if runs and not above[runs[-1][-1]][i]:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _votes(
    names: Sequence[str], first: int, second: int, needed: Callable[[int, int], VotesNeeded], *, alone: bool
) -> str:
    """State the votes that would separate two models; `alone`: no others are undecided."""
    pair = "them" if alone else listed([names[first], names[second]])
    votes = needed(first, second)
    if votes.even > MOST_VOTES:
        who = "They" if pair == "them" else pair
        return f"{who} are too close to separate by more votes."
    places = "first from second" if (first, second) == (0, 1) else "the two"
    if votes.likely > MOST_VOTES:
        return f"Even {MOST_VOTES:,} more votes between {pair} may not separate {places}."
    low, high = round_up(votes.even), round_up(votes.likely)
    number = f"{low:,} to {high:,}" if low < high else f"About {high:,}"
    return f"{number} more votes between {pair} would probably separate {places}."


def round_up(votes: float) -> int:
    """Round up to tens, and to two digits from 100 on."""
    step = int(10 ** max(1, int(math.log10(max(votes, 1))) - 1))
    return max(1, math.ceil(votes / step)) * step


def missing_votes(min_battles: int, battles: Sequence[int]) -> int:
    """Return the fewest votes on two models each that bring every model to `min_battles`."""
    lacking = [max(0, min_battles - n) for n in battles]
    return max(max(lacking, default=0), math.ceil(sum(lacking) / 2))
