"""Findings on whether the votes can be trusted: exclusions, flags, influence, bias, raters.

Boundary: takes plain numbers and names and returns sentences; computes no rating.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.ratings.bias import Share, Sides
from playground.ratings.phrases import number_of

FEWEST_DECIDED = 20
"""Decided pairs below which nothing is said about bias."""
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
        reasons = ", ".join(f"{number:,} {words}" for number, words in left_out)
        count = "none counts" if number == 0 else "1 counts" if number == 1 else f"{number:,} count"
        text = f"{number_of('vote', votes)}: {count}; {reasons}."
    else:
        text = f"All {number_of('vote', votes)} count." if votes > 1 else f"{number_of('vote', votes)}."
    if lighter_raters:
        whose = f"{lighter_raters:,} raters" if lighter_raters > 1 else "one rater"
        text += f" Those of {whose} weigh less, so that nobody weighs more than {100 * share:g} %."
    return Finding("Counted", text, number / votes if votes else None)


def kinds(votes: Sequence[tuple[str, int]]) -> Finding:
    return Finding("Votes", " · ".join(f"{name} {number:,}" for name, number in votes) + ".")


def flagged(votes: int, order: Sequence[str], other: Sequence[str], *, counted: bool) -> Finding:
    """Compare the order with flagged votes to the one without; `counted`: `order` is the one with them."""
    these = f"{'Without' if counted else 'With'} the {number_of('flagged vote', votes)}"
    return Finding("Flagged", _order_changes(these, order, other))


def seen_elsewhere(votes: int, order: Sequence[str], other: Sequence[str]) -> Finding:
    """Compare the order to the one without votes on answers that an open run has shown."""
    count, them = ("counts", "it") if votes == 1 else ("count", "them")
    text = f"{number_of('vote', votes)} on answers that an open run has shown {count}."
    return Finding("Seen elsewhere", f"{text} {_order_changes(f'Without {them}', order, other)}")


def _order_changes(these: str, order: Sequence[str], other: Sequence[str]) -> str:
    if not order:
        return f"{these} there is no ranking."
    if order == other:
        return f"{these} the order is the same."
    if order[0] != other[0]:
        return f"{these} {other[0]} would be first, not {order[0]}."
    return f"{these} {order[0]} is first as well, but the order below is another."


def network(votes: int, share: float, headline: str, *, holds: bool) -> Finding:
    """Return the share of the busiest network, and whether the headline holds without it."""
    text = f"The busiest network gave {number_of('vote', votes)} in one day, {100 * share:.0f} % of those that count."
    without = "Without it the headline is the same." if holds else f"Without it the headline is: {headline}"
    return Finding("Network", f"{text} {without}", share)


def robustness(dishonest: int, votes: int, name: str) -> Finding:
    """Return how few dishonest votes would change the leader; there are at most as many as votes."""
    share = dishonest / votes
    part = f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
    text = f"{number_of('dishonest vote', dishonest)} ({part} of {votes:,}) would put {name} first."
    return Finding("Robustness", text, share)


def position(wins: Share, *, two_sides: bool) -> Finding:
    """Return how often the earlier side won. Sides are drawn, but that share alone is no measure of a preference."""
    if wins.total < FEWEST_DECIDED:
        return Finding("Position", _too_few_decided(wins.total))
    who, what = ("first answer", "votes") if two_sides else ("answer further left", "pairs")
    judgement = (
        "as expected if the position plays no part" if wins.lower <= 0.5 <= wins.upper else "not the 50 % of chance"
    )
    return _with_share(
        "Position", f"The {who} won {_percent(wins)} of decided {what} {_range(wins)}, {judgement}.", wins
    )


def position_of_models(models: Sequence[tuple[str, Sides]]) -> Finding | None:
    """Return which models win more often on one side than chance explains; None if no model has enough pairs."""
    known = [(name, sides) for name, sides in models if min(sides.earlier, sides.later) >= FEWEST_DECIDED]
    if not known:
        return None
    apart = [(name, sides) for name, sides in known if not sides.lower <= 0 <= sides.upper]
    if not apart:
        return Finding("Position by model", "No model wins more often on one side than chance explains.")
    said = ", ".join(
        f"{name} won {100 * sides.won_earlier / sides.earlier:.0f} % of decided pairs when its answer stood first or "
        f"further left, and {100 * sides.won_later / sides.later:.0f} % when it did not"
        for name, sides in apart
    )
    return Finding("Position by model", f"{said}: more than chance explains.")


def length(wins: Share) -> Finding:
    """Return how often the longer answer won, which good models that write more produce without any preference."""
    if wins.total < FEWEST_DECIDED:
        return Finding("Length", _too_few_decided(wins.total, " on answers of different length"))
    text = f"The longer answer won {_percent(wins)} {_range(wins)}"
    if not wins.lower <= 0.5 <= wins.upper:
        text += ": for its length, or because the better models write " + ("more" if wins.share > 0.5 else "less")
    return _with_share("Length", f"{text}.", wins)


def cycle(names: Sequence[str]) -> Finding:
    """Return the models of which each beats the next, and the last one the first."""
    beats = ", ".join(f"{a} beats {b}" for a, b in zip(names, (*names[1:], names[0]), strict=True))
    return Finding("Fit", f"These votes go in a circle: {beats}. No order of ratings can show that.")


def misfit(winner: str, loser: str, share: float, expected: float) -> Finding:
    """Return the pair that is furthest from what the ratings say."""
    found, rated = f"{100 * share:.0f} %", f"{100 * expected:.0f} %"
    return Finding("Fit", f"The ratings do not explain these votes: {winner} got {found} against {loser}, not {rated}.")


def raters(votes_by_rater: Sequence[int], unit: str) -> Finding:
    """Return the number of raters, and whether the intervals allow for them."""
    votes, people = sum(votes_by_rater), len(votes_by_rater)
    busiest = max(votes_by_rater, default=0) / max(votes, 1)
    if people == 0:
        return Finding("Raters", "Nobody has voted yet.")
    if people == 1:
        return Finding("Raters", f"{number_of('vote', votes)} by one rater: the ranking of one person.", busiest)
    text = f"{votes:,} votes by {people:,} raters; the busiest gave {busiest:.0%}".replace("%", " %")
    text += ", so the result depends strongly on one person." if busiest > LARGE_SHARE else "."
    if unit == "vote":
        text += " Ratings, ranks and claims are about these raters only."
    return Finding("Raters", text, busiest)


def _with_share(topic: str, text: str, share: Share) -> Finding:
    return Finding(topic, text, share.share, share.lower, share.upper)


def _too_few_decided(total: int, kind: str = "") -> str:
    return f"{number_of('decided vote', total)}{kind}: too few to say."


def _percent(share: Share) -> str:
    return f"{100 * share.share:.0f} %"


def _range(share: Share) -> str:
    return f"({100 * share.lower:.0f}–{100 * share.upper:.0f} %)"
