"""The verdict: the leader, the models that cannot be told apart, or what is missing.

Boundary: takes plain numbers and names in the order of the ratings and returns sentences; computes no rating.
No sentence says more than the numbers do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from playground.messages import Counted, Message, joined, marked
from playground.ratings.phrases import listed, number_of
from playground.ratings.power import VotesNeeded

MOST_VOTES = 5000
"""Votes between two models above which their number is not worth stating."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headline and a line of detail below it."""

    headline: str
    detail: str = ""

    @property
    def words(self) -> str:
        """The headline and the detail as one message."""
        return joined(" ", (self.headline, self.detail))

    def __str__(self) -> str:
        return str(self.words)


def nothing_yet(min_battles: int, *, only_open: bool, left_out: str, same_model: bool, category: str) -> Verdict:
    """Return the verdict when no pair can be rated; `left_out` says why the votes there are do not count."""
    detail = Message(
        "Compare answers blind and vote: {battles} battles per model make a first ranking.", battles=min_battles
    )
    if same_model:
        return Verdict(
            Message("No two different models have met yet."),
            Message("A ranking needs battles between at least two models."),
        )
    if only_open:
        return Verdict(Message("No blind votes yet."), detail)
    if left_out:
        return Verdict(Message("No vote counts yet."), joined(" ", (left_out, detail)))
    if category:
        return Verdict(Message("No votes in the category {category} yet.", category=category), detail)
    return Verdict(Message("No votes yet."), detail)


def nobody_won(num_votes: int, num_all_bad: int) -> Verdict:
    """Return the verdict when every vote is a tie or all bad."""
    votes = number_of("vote", num_votes)
    if num_all_bad == 0:
        detail = Message("{votes}; a ranking needs votes for one answer.", votes=votes)
        return Verdict(Message("Only ties so far."), detail)
    if num_all_bad == num_votes:
        detail = Message('{votes}, each for "all bad".', votes=votes)
        return Verdict(Message("No answer was good enough so far."), detail)
    ties = number_of("tie", num_votes - num_all_bad)
    return Verdict(
        Message("Nobody has won yet."), Message("{votes}: {ties}, the others all bad.", votes=votes, ties=ties)
    )


def too_few(min_battles: int, battles: Sequence[int]) -> Verdict:
    """Return the verdict when at most one model has enough battles."""
    missing = missing_votes(min_battles, battles)
    needed = Counted("{count:,} more vote is needed", "{count:,} more votes are needed", count=missing)
    return Verdict(
        Message("Too few votes for a ranking yet."),
        Message(
            "Ratings are provisional below {battles} battles per model: at least {needed}.",
            battles=min_battles,
            needed=needed,
        ),
    )


def unconnected(groups: int) -> Verdict:
    """Return the verdict when some models have not met, not even through others."""
    return Verdict(
        Message("The models form {groups} groups that have not met.", groups=groups),
        Message("Each group has a scale of its own; battles between them would join them."),
    )


def not_known_yet() -> Verdict:
    """Return the verdict while the claims are being made from many votes."""
    return Verdict(
        Message("The verdict is being computed."),
        Message(
            "The ratings below are complete. The verdict goes through all votes in order of time, and appears here "
            "when it is ready."
        ),
    )


def at_level(found: Verdict, level: float, usual: float) -> Verdict:
    """Return a verdict whose headline names the level of its claims, which is another than the usual one."""
    named = Message("Claims here need {level:g} %, not the usual {usual:g} %.", level=100 * level, usual=100 * usual)
    return replace(found, headline=joined(" ", (found.headline, named)))


@dataclass(frozen=True, slots=True)
class Scope:
    """The models and the raters that a claim is about."""

    among: str = ""  # "the models with 30 battles or more" if there are others
    raters: int = 0  # so few that the claim is about them alone; 0: all who might vote

    def leads(self, name: str) -> str:
        """Return that one model leads."""
        if self.raters:
            template = (
                marked("For {raters}, {name} leads among {models}.")
                if self.among
                else marked("For {raters}, {name} leads.")
            )
        else:
            template = marked("{name} leads among {models}.") if self.among else marked("{name} leads.")
        return Message(template, raters=self._whose, name=name, models=self.among)

    def nobody_leads(self, apart: str) -> str:
        """Return that nobody leads, with the models that cannot be told apart."""
        if self.raters:
            template = (
                marked("For {raters}, nobody leads yet among {models}: {apart}.")
                if self.among
                else marked("For {raters}, nobody leads yet: {apart}.")
            )
        else:
            template = (
                marked("Nobody leads yet among {models}: {apart}.")
                if self.among
                else marked("Nobody leads yet: {apart}.")
            )
        return Message(template, raters=self._whose, models=self.among, apart=apart)

    @property
    def _whose(self) -> str:
        return Counted("this one rater", "these {count} raters", count=self.raters)


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
    below = range(len(top), len(names)) if rivals else range(1, len(names))
    runs = [run for run in _runs(below, above) if len(run) > 1]
    open_pairs = [(0, rivals[0]), *((run[0], run[1]) for run in runs)] if rivals else [(run[0], run[1]) for run in runs]
    open_runs = [top, *runs] if rivals else runs
    sentences = [] if rivals else [scope.leads(names[0])]
    for run in open_runs[:2]:
        some = any(above[i][j] for i in run for j in run) or (0 in run and any(ahead[0][j] for j in run))
        template = marked("{names} cannot all be told apart") if some else marked("{names} cannot be told apart")
        apart = Message(template, names=listed([names[i] for i in run]))
        sentences.append(scope.nobody_leads(apart) if 0 in run else Message("{apart} yet.", apart=apart))
    if len(open_runs) > 2:
        sentences.append(Message("Some lower places are undecided too."))
    alone = len(open_runs) == 1 and len(open_runs[0]) == 2
    details = [_votes(names, first, second, needed, alone=alone) for first, second in open_pairs[:2]]
    settled = Message(
        marked("Every place among them is settled.") if scope.among else marked("Every place is settled.")
    )
    return Verdict(joined(" ", sentences), misfit or joined(" ", details if open_runs else [settled]))


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
    both = listed([names[first], names[second]])
    votes = needed(first, second)
    if votes.even > MOST_VOTES:
        if alone:
            return Message("They are too close to separate by more votes.")
        return Message("{pair} are too close to separate by more votes.", pair=both)
    pair = Message("them") if alone else both
    places = Message(marked("first from second") if (first, second) == (0, 1) else marked("the two"))
    if votes.likely > MOST_VOTES:
        return Message(
            "Even {votes:,} more votes between {pair} may not separate {places}.",
            votes=MOST_VOTES,
            pair=pair,
            places=places,
        )
    low, high = round_up(votes.even), round_up(votes.likely)
    template = (
        marked("{low:,} to {high:,} more votes between {pair} would probably separate {places}.")
        if low < high
        else marked("About {high:,} more votes between {pair} would probably separate {places}.")
    )
    return Message(template, low=low, high=high, pair=pair, places=places)


def round_up(votes: float) -> int:
    """Round up to tens, and to two digits from 100 on."""
    step = int(10 ** max(1, int(math.log10(max(votes, 1))) - 1))
    return max(1, math.ceil(votes / step)) * step


def missing_votes(min_battles: int, battles: Sequence[int]) -> int:
    """Return the fewest votes on two models each that bring every model to `min_battles`."""
    lacking = [max(0, min_battles - n) for n in battles]
    return max(max(lacking, default=0), math.ceil(sum(lacking) / 2))
