"""Findings on whether the votes can be trusted: exclusions, flags, influence, bias, raters.

Boundary: takes plain numbers and names and returns sentences; computes no rating.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.messages import Counted, Message, joined, marked
from playground.ratings.bias import Sides
from playground.ratings.phrases import listed, number_of, percent

FEWEST_DECIDED = 20
"""Decided pairs below which nothing is said about bias."""
SMALL_MISFIT = 0.02
"""Share of the votes on a pair by which ratings may be wrong and still nearly right."""
LARGE_SHARE = 1 / 3
"""Share of the votes from which one rater is named as a risk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on whether the votes can be trusted, with its numbers if there are any."""

    topic: str
    text: str
    share: float | None = None
    lower: float | None = None
    upper: float | None = None


def counted(votes: int, left_out: Sequence[tuple[int, str]], *, lighter_raters: int, share: float) -> Finding:
    """Return how many votes count, and why others do not; `left_out` has numbers and reasons."""
    number = votes - sum(number for number, _ in left_out)
    if left_out:
        reasons = joined(", ", (Message("{votes:,} {words}", votes=n, words=words) for n, words in left_out))
        count = Counted("1 counts", "{count:,} count", count=number) if number else Message("none counts")
        text = Message("{votes}: {count}; {reasons}.", votes=number_of("vote", votes), count=count, reasons=reasons)
    else:
        template = marked("All {votes} count.") if votes > 1 else "{votes}."
        text = Message(template, votes=number_of("vote", votes))
    if lighter_raters:
        whose = Counted("one rater", "{count:,} raters", count=lighter_raters)
        template = marked("Those of {raters} weigh less, so that nobody weighs more than {share:g} %.")
        text = joined(" ", (text, Message(template, raters=whose, share=100 * share)))
    return Finding(Message("Counted"), text, number / votes if votes else None)


def kinds(votes: Sequence[tuple[str, int]]) -> Finding:
    each = joined(" · ", (Message("{kind} {votes:,}", kind=kind, votes=number) for kind, number in votes))
    return Finding(Message("Votes"), Message("{kinds}.", kinds=each))


def flagged(votes: int, order: Sequence[str], other: Sequence[str], apart: Sequence[str], *, counted: bool) -> Finding:
    """Compare the order with flagged votes to the one without; `counted`: `order` is the one with them."""
    without = marked("Without the {votes}")
    these = Message(without if counted else marked("With the {votes}"), votes=number_of("flagged vote", votes))
    return Finding(Message("Flagged"), _order_changes(these, order, other, apart))


def seen_elsewhere(votes: int, order: Sequence[str], other: Sequence[str], apart: Sequence[str]) -> Finding:
    """Compare the order to the one without votes on answers that an open run has shown."""
    count = Counted(
        "{count:,} vote on answers that an open run has shown counts.",
        "{count:,} votes on answers that an open run has shown count.",
        count=votes,
    )
    these = Message(marked("Without it") if votes == 1 else marked("Without them"))
    return Finding(Message("Seen elsewhere"), joined(" ", (count, _order_changes(these, order, other, apart))))


def _order_changes(these: str, order: Sequence[str], other: Sequence[str], apart: Sequence[str]) -> str:
    """Return how the order changes; `apart`: models that the other votes do not compare with these."""
    if not order:
        return Message("{these} there is no ranking.", these=these)
    if apart:
        template = marked("{these} {models} cannot be compared with the others; among these")
        these = Message(template, these=these, models=listed(apart))
    if order == other:
        return Message("{these} the order is the same.", these=these)
    if order[0] != other[0]:
        return Message("{these} {other} would be first, not {first}.", these=these, other=other[0], first=order[0])
    return Message("{these} {first} is first as well, but the order below is another.", these=these, first=order[0])


def network(votes: int, share: float, headline: str, *, holds: bool) -> Finding:
    """Return the share of the busiest network, and whether the headline holds without it."""
    text = Message(
        "The busiest network gave {votes} in one day, {share} of those that count.",
        votes=number_of("vote", votes),
        share=percent(share),
    )
    if holds:
        without = Message("Without it the headline is the same.")
    else:
        without = Message("Without it the headline is “{headline}”", headline=headline)
    return Finding(Message("Network"), joined(" ", (text, without)), share)


def robustness(dishonest: int, votes: int, name: str) -> Finding:
    """Return how few dishonest votes would change the leader; there are at most as many as votes."""
    share = dishonest / votes
    text = Message(
        "{dishonest} ({share} of {votes:,}) would put {name} first.",
        dishonest=number_of("dishonest vote", dishonest),
        share=percent(share, digits=0 if share >= 0.1 else 1),
        votes=votes,
        name=name,
    )
    return Finding(Message("Robustness"), text, share)


def position_of_models(models: Sequence[tuple[str, Sides]]) -> Finding | None:
    """Return which models win more often on one side than chance explains; None if no model has enough pairs."""
    known = [(name, sides) for name, sides in models if min(sides.earlier, sides.later) >= FEWEST_DECIDED]
    if not known:
        return None
    apart = [(name, sides) for name, sides in known if not sides.lower <= 0 <= sides.upper]
    if not apart:
        text = Message("No model wins more often on one side than chance explains.")
        return Finding(Message("Position by model"), text)
    each = (
        Message(
            "{model} won {first} of decided pairs when its answer stood first or further left, and {other} when it "
            "did not",
            model=name,
            first=percent(sides.won_earlier / sides.earlier),
            other=percent(sides.won_later / sides.later),
        )
        for name, sides in apart
    )
    text = Message("{models}: a larger difference than chance explains.", models=joined(", ", each))
    return Finding(Message("Position by model"), text)


def cycle(names: Sequence[str]) -> Finding:
    """Return the models of which each beats the next, and the last one the first."""
    pairs = zip(names, (*names[1:], names[0]), strict=True)
    beats = joined(", ", (Message("{winner} beats {loser}", winner=a, loser=b) for a, b in pairs))
    text = Message("These votes go in a circle: {circle}. No order of ratings can show that.", circle=beats)
    return Finding(Message("Fit"), text)


def misfit(winner: str, loser: str, share: float, expected: float) -> Finding:
    """Return the pair that is furthest from what the ratings say."""
    if abs(share - expected) < SMALL_MISFIT:  # which many votes can tell
        template, digits = (
            marked(
                "The ratings only nearly explain these votes: {winner} got {share} against {loser}, not {expected}."
            ),
            1,
        )
    else:
        template, digits = (
            marked("The ratings do not explain these votes: {winner} got {share} against {loser}, not {expected}."),
            0,
        )
    text = Message(
        template,
        winner=winner,
        share=percent(share, digits=digits),
        loser=loser,
        expected=percent(expected, digits=digits),
    )
    return Finding(Message("Fit"), text)


def raters(votes_by_rater: Sequence[int], unit: str, heaviest: float) -> Finding:
    """Return the number of raters, and whether the intervals allow for them.

    Args:
        heaviest: the largest share of the weight that one rater has.
    """
    votes, people = sum(votes_by_rater), len(votes_by_rater)
    busiest = max(votes_by_rater, default=0) / max(votes, 1)
    if people == 0:
        return Finding(Message("Raters"), Message("No vote that counts yet."))
    if people == 1:
        one = Message("{votes} by one rater: the ranking of one person.", votes=number_of("vote", votes))
        return Finding(Message("Raters"), one, busiest)
    share: str = _share(busiest)
    if heaviest < busiest - 0.005:
        share = Message("{share}, which weigh as {weight}", share=share, weight=_share(heaviest))
    template = (
        marked(
            "{votes:,} votes by {raters:,} raters; the busiest gave {share}, so the result depends strongly on one "
            "person."
        )
        if heaviest > LARGE_SHARE
        else marked("{votes:,} votes by {raters:,} raters; the busiest gave {share}.")
    )
    text: str = Message(template, votes=votes, raters=people, share=share)
    if unit == "vote":
        text = joined(" ", (text, Message("Ratings, ranks and claims are about these raters only.")))
    return Finding(Message("Raters"), text, busiest)


def _share(share: float) -> str:
    return percent(share) if share >= 0.01 else Message("less than 1 %")
