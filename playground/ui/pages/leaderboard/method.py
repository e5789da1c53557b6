"""The computation of a board, with the numbers in use.

Boundary: a string from a `BoardView`.
"""

from __future__ import annotations

from collections.abc import Iterator

from playground.ratings.covariance import MIN_RATERS
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import leaderboard as texts


def method(view: BoardView) -> str:
    """Return a section that is closed at first: how ratings, intervals and claims are made, and which votes count."""
    items = "".join(f"<li>{escape(words)}</li>" for words in sentences(view))
    return f"<details id='board-how'><summary>{escape(texts.HOW)}</summary><ul>{items}</ul></details>"


def sentences(view: BoardView) -> Iterator[str]:
    """Yield a sentence for each rule, with the number in use."""
    options = view.board.options
    policy, level = options.policy, view.level
    yield texts.HOW_FIT.format(prior=f"{options.prior:g}")
    yield texts.HOW_BOTH_BAD[options.both_bad]
    yield texts.HOW_UNIT[view.board.unit].format(level=level)
    if view.board.unit == "rater" and view.board.is_about_these:
        yield texts.HOW_FEW_RATERS.format(least=MIN_RATERS)
    yield (texts.HOW_CLAIMS_VIEW if options.filtered else texts.HOW_CLAIMS).format(level=level)
    yield texts.HOW_PROVISIONAL.format(least=options.min_battles)
    if policy.min_decision_s:
        yield texts.HOW_QUICK.format(seconds=f"{policy.min_decision_s:g}")
    if policy.max_votes_per_rater_and_day:
        yield texts.HOW_DAILY.format(most=f"{policy.max_votes_per_rater_and_day:,}")
    if policy.max_share_per_rater < 1:
        yield texts.HOW_SHARE.format(share=f"{100 * policy.max_share_per_rater:g}")
    yield texts.HOW_FLAGGED if policy.leave_out_flagged else texts.HOW_FLAGGED_COUNT
