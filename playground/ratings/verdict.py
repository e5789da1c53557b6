"""What the numbers of a leaderboard say, in words.

Boundary: takes plain numbers and names in the order of the ratings and returns sentences; computes no rating.
No sentence says more than the numbers do: who leads, who cannot be told apart, what is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from playground.ratings.bias import Share

MOST_NAMES = 4
"""Names in a list before the rest becomes a number."""
MOST_VOTES = 5000
"""Votes between two models above which their number is not worth stating."""
FEWEST_DECIDED = 20
"""Decided pairs below which nothing is said about bias."""
LARGE_SHARE = 1 / 3
"""Share of the votes from which one rater is named as a risk."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a visitor reads first: one line, and one below it."""

    headline: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.headline} {self.detail}".strip()


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on whether the votes can be trusted, with its numbers where there are any."""

    topic: str
    text: str
    share: float | None = None
    lower: float | None = None
    upper: float | None = None


# The verdict


def nothing_yet(min_battles: int, *, only_open: bool, left_out: str, same_model: bool, category: str) -> Verdict:
    """No pair can be rated; `left_out` says which votes there are all the same, and why they do not count."""
    detail = f"Compare answers blind and vote: {min_battles} battles per model make a first ranking."
    if same_model:
        return Verdict("No two different models have met yet.", "A ranking needs battles between at least two models.")
    if only_open:
        return Verdict("No blind votes yet.", detail)
    if left_out:
        return Verdict("No vote counts yet.", f"{left_out} {detail}")
    return Verdict(f"No votes in the category {category} yet." if category else "No votes yet.", detail)


def nobody_won(num_votes: int, num_all_bad: int) -> Verdict:
    """Every vote is a tie or all bad."""
    if num_all_bad == 0:
        return Verdict(
            "Only ties so far.",
            f"{_count(num_votes, 'vote')}, and as long as nobody wins, there is no order.",
        )
    if num_all_bad == num_votes:
        return Verdict("No answer was good enough so far.", f"{_count(num_votes, 'vote')}: all answers bad in each.")
    return Verdict(
        "Nobody has won yet.",
        f"{_count(num_votes, 'vote')}: {_count(num_votes - num_all_bad, 'tie')}, the others all bad.",
    )


def too_few(min_battles: int, battles: Sequence[int]) -> Verdict:
    """At most one model has the battles that a rating needs."""
    missing = missing_votes(min_battles, battles)
    needed = f"{_count(missing, 'more vote')} {'is' if missing == 1 else 'are'} needed"
    return Verdict(
        "Too few votes for a ranking yet.",
        f"Ratings are provisional below {min_battles} battles per model: at least {needed}.",
    )


def unconnected(groups: int) -> Verdict:
    """Some models have not met, not even through others."""
    return Verdict(
        f"The models form {groups} groups that have not met.",
        "Each group has a scale of its own; battles between them would join them.",
    )


def told_apart(
    names: Sequence[str],
    better: Sequence[Sequence[bool]],
    votes_needed: Sequence[Sequence[float]],
    *,
    among: str = "",
) -> Verdict:
    """Who leads and who cannot be told apart; all arguments in the order of the ratings, best first.

    `votes_needed` is the number of votes between two models that would tell them apart; `among` says among
    whom ("the models with 30 battles or more") when there are others.
    """
    rivals = [j for j in range(1, len(names)) if not better[0][j]]
    open_runs = [[0, *rivals]] if rivals else []
    below = [i for i in range(1, len(names)) if i not in rivals]
    open_runs += [run for run in _runs(below, better) if len(run) > 1]
    where = f" among {among}" if among else ""
    sentences = [] if rivals else [f"{names[0]} leads{where}."]
    for run in open_runs[:2]:
        negation = "cannot" if _all_open(run, better) else "cannot all"
        apart = f"{listed([names[i] for i in run])} {negation} be told apart"
        sentences.append(f"Nobody leads{where} yet: {apart}." if 0 in run else f"{apart} yet.")
    if len(open_runs) > 2:
        sentences.append("Further down there are more who cannot be told apart.")
    details = [_votes(names, run, votes_needed, alone=len(open_runs) == 1) for run in open_runs[:2]]
    return Verdict(" ".join(sentences), " ".join(details) or "Every place is settled.")


def _runs(order: Sequence[int], better: Sequence[Sequence[bool]]) -> list[list[int]]:
    """Neighbours in the order who are not told apart, chained together."""
    runs: list[list[int]] = []
    for i in order:
        if runs and not better[runs[-1][-1]][i]:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _all_open(run: Sequence[int], better: Sequence[Sequence[bool]]) -> bool:
    return not any(better[i][j] for i in run for j in run)


def _votes(
    names: Sequence[str],
    run: Sequence[int],
    votes_needed: Sequence[Sequence[float]],
    *,
    alone: bool,
) -> str:
    """How many votes would settle the first pair of the run."""
    first, second = run[:2]
    needed = votes_needed[first][second]
    pair = "them" if alone and len(run) == 2 else listed([names[first], names[second]])
    if needed > MOST_VOTES:
        return f"More than {MOST_VOTES:,} votes between {pair} would be needed: they are about equal."
    return f"About {round_up(needed):,} more votes between {pair} would do."


def round_up(votes: float) -> int:
    """A number of votes as one says it: tens, and two digits from 100 on."""
    step = int(10 ** max(1, int(math.log10(max(votes, 1))) - 1))
    return max(1, math.ceil(votes / step)) * step


def missing_votes(min_battles: int, battles: Sequence[int]) -> int:
    """The fewest votes on two models each that bring everybody to `min_battles`."""
    lacking = [max(0, min_battles - n) for n in battles]
    return max(max(lacking, default=0), math.ceil(sum(lacking) / 2))


# Notes


def not_met(groups: Sequence[Sequence[str]]) -> str:
    """Which groups have no common scale."""
    return f"No battles between these groups yet: {' · '.join(listed(group) for group in groups)}."


def within(group: Sequence[str], verdict: Verdict) -> str:
    """The verdict on one group of several."""
    return f"Among {listed(group)}: {verdict}"


def provisional(min_battles: int, battles: Sequence[tuple[str, int]]) -> str:
    """Whose ratings are not to be relied on."""
    return f"Provisional, below {min_battles} battles: {listed([f'{name} ({n})' for name, n in battles])}."


def not_rated(names: Sequence[str]) -> str:
    """Who has no vote that counts."""
    return f"No vote that counts yet: {listed(names)}."


def never_lost(name: str) -> str:
    """An undefeated model."""
    return f"{name} has won every battle: only the prior keeps its rating finite, it may be far ahead."


def never_won(name: str) -> str:
    """A model that lost everything."""
    return f"{name} has lost every battle: only the prior keeps its rating finite, it may be far behind."


def few_raters(names: Sequence[str], min_raters: int) -> str:
    """Whose interval could not be computed from raters."""
    return f"Fewer than {min_raters} raters judged {listed(names)}: that interval takes each vote by itself."


def left_out_same(pairs: int) -> str:
    """Pairs of a model with itself."""
    return f"{_count(pairs, 'pair')} of a model with itself: stored, not rated."


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
    """What was counted and how, in one line."""
    parts = (
        which,
        f"category {category}" if category else "all categories",
        "all-bad votes left out" if both_bad == "omit" else "all-bad votes count as ties",
        f"{100 * level:g} % intervals, {'bootstrap' if resamples else 'sandwich'}, each {unit} a unit",
        f"ranks hold together at {100 * level:g} %",
        f"prior: {prior:g} × (models − 1) ties, spread evenly over the pairs that met",
    )
    return " · ".join(parts)


# Can these votes be trusted?


def counted(votes: int, left_out: Sequence[tuple[int, str]], *, lighter_raters: int, share: float) -> Finding:
    """How many of all votes count, and why the others do not; `left_out` is how many for which reason."""
    number = votes - sum(number for number, _ in left_out)
    if left_out:
        reasons = ", ".join(f"{number:,} {words}" for number, words in left_out)
        text = f"{_count(votes, 'vote')}: {f'{number:,}' if number else 'none'} {_verb(number)}; {reasons}."
    else:
        text = f"All {_count(votes, 'vote')} count." if votes > 1 else f"{_count(votes, 'vote')}."
    if lighter_raters:
        whose = f"{lighter_raters:,} raters" if lighter_raters > 1 else "one rater"
        text += f" Those of {whose} weigh less, so that nobody weighs more than {100 * share:g} %."
    return Finding("Counted", text, number / votes if votes else None)


CHOSEN_ONLY = (
    "Nobody has judged models that the arena drew: this board counts pairs that raters chose. "
    "Leave the choice of models to the arena for a board that nobody can steer."
)


def kinds(votes: Sequence[tuple[str, int]]) -> Finding:
    """How many votes there are of each kind, counted or not."""
    return Finding("Votes", " · ".join(f"{name} {number:,}" for name, number in votes) + ".")


def flagged(votes: int, order: Sequence[str], other: Sequence[str], *, counted: bool) -> Finding:
    """What the order of the models would be with flagged votes where it is without, or the other way round."""
    these = f"{'Without' if counted else 'With'} the {_count(votes, 'flagged vote')}"
    return Finding("Flagged", _order_changes(these, order, other))


def seen_elsewhere(votes: int, order: Sequence[str], other: Sequence[str]) -> Finding:
    """What the order of the models would be without votes on answers that an open run has shown."""
    they = "counts" if votes == 1 else "count"
    text = f"{_count(votes, 'vote')} on answers that an open run has shown {they}."
    return Finding(
        "Seen elsewhere", f"{text} {_order_changes('Without ' + ('it' if votes == 1 else 'them'), order, other)}"
    )


def _order_changes(these: str, order: Sequence[str], other: Sequence[str]) -> str:
    if order == other:
        return f"{these} the order is the same."
    if order[0] != other[0]:
        return f"{these} {other[0]} would be first, not {order[0]}."
    return f"{these} {order[0]} is first as well, but the order below is another."


def network(votes: int, share: float, headline: str, *, holds: bool) -> Finding:
    """How much of the board comes from one network, and whether the headline holds without it."""
    text = f"The busiest network gave {_count(votes, 'vote')} in one day, {100 * share:.0f} % of those that count."
    without = "Without it the headline is the same." if holds else f"Without it the headline is: {headline}"
    return Finding("Network", f"{text} {without}", share)


def robustness(dishonest: int, votes: int, name: str) -> Finding:
    """How many dishonest votes would put somebody else first."""
    share, enough = dishonest / votes, _count(dishonest, "dishonest vote")
    part = f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
    text = f"{enough} ({part} of {votes:,}) would put {name} first."
    if share > 1:
        text = f"{enough} would put {name} first, more than there are votes."
    return Finding("Robustness", text, share)


def position(wins: Share, *, two_sides: bool) -> Finding:
    """Whether the place on the page matters."""
    if wins.total < FEWEST_DECIDED:
        return Finding("Position", _too_few_decided(wins.total))
    who, what = ("first answer", "votes") if two_sides else ("answer further left", "pairs")
    if wins.lower > 0.5:
        judgement = f"the {who} is favoured"
    elif wins.upper < 0.5:
        judgement = f"the {who} is at a disadvantage"
    else:
        judgement = "no sign of bias"
    return _with_share(
        "Position", f"The {who} won {_percent(wins)} of decided {what} {_range(wins)}: {judgement}.", wins
    )


def length(wins: Share) -> Finding:
    """Whether the longer answer wins."""
    if wins.total < FEWEST_DECIDED:
        return Finding("Length", _too_few_decided(wins.total, " on answers of different length"))
    if wins.lower > 0.5:
        judgement = "longer answers are favoured"
    elif wins.upper < 0.5:
        judgement = "shorter answers are favoured"
    else:
        judgement = "no sign of bias"
    return _with_share("Length", f"The longer answer won {_percent(wins)} {_range(wins)}: {judgement}.", wins)


def raters(votes_by_rater: Sequence[int], unit: str) -> Finding:
    """How many people stand behind the votes, and what the intervals took for independent."""
    votes, people = sum(votes_by_rater), len(votes_by_rater)
    busiest = max(votes_by_rater, default=0) / max(votes, 1)
    if people == 0:
        return Finding("Raters", "Nobody has voted yet.")
    if people == 1:
        return Finding("Raters", f"{_count(votes, 'vote')} by one rater: the ranking of one person.", busiest)
    text = f"{votes:,} votes by {people:,} raters; the busiest gave {busiest:.0%}".replace("%", " %")
    text += ", so that much hangs on one person." if busiest > LARGE_SHARE else "."
    if unit == "vote":
        text += " The intervals take each vote for independent: they speak of these raters, not of others."
    return Finding("Raters", text, busiest)


def _with_share(topic: str, text: str, share: Share) -> Finding:
    return Finding(topic, text, share.share, share.lower, share.upper)


def _too_few_decided(total: int, kind: str = "") -> str:
    return f"{_count(total, 'decided vote')}{kind}: too few to say."


def _percent(share: Share) -> str:
    return f"{100 * share.share:.0f} %"


def _range(share: Share) -> str:
    return f"({100 * share.lower:.0f}–{100 * share.upper:.0f} %)"


# Pieces of sentences


def listed(names: Sequence[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``, ``A, B, C and 3 others``."""
    if len(names) > MOST_NAMES:
        return f"{', '.join(names[: MOST_NAMES - 1])} and {len(names) - MOST_NAMES + 1} others"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _verb(number: int) -> str:
    return "counts" if number <= 1 else "count"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
