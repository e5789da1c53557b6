"""The votes that were left out on each of the last days, by reason.

Boundary: draws what the arena watches; the board itself is drawn in `board`.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.ratings.gate_watch import GateCheck, GateDay, GateState, GateWatch
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import leaderboard as texts


def left_out_html(watch: GateWatch | None, policy: CountingPolicy) -> str:
    """Return the votes that were left out on each of the last days, by reason, and whether a gate warns."""
    if watch is None:
        inside = f"<p class='soft'>{escape(texts.LEFT_OUT_UNKNOWN)}</p>"
    else:
        inside = _state(watch, policy) + _days(watch.days, policy)
    title = escape(texts.LEFT_OUT)
    return f"<section class='box box-left-out' aria-label='{title}'><h2>{title}</h2>{inside}</section>"


def _state(watch: GateWatch, policy: CountingPolicy) -> str:
    if watch.warnings:
        return "".join(f"<p><b>{escape(_warning(check, policy))}</b></p>" for check in watch.warnings)
    words = texts.GATE_OK if watch.state is GateState.OK else texts.GATE_UNKNOWN
    return f"<p class='soft'>{escape(words)}</p>"


def _warning(check: GateCheck, policy: CountingPolicy) -> str:
    votes, before = formats.counted(check.votes, formats.VOTES), formats.share(check.share_before or 0.0)
    words = policy.words(check.reason)
    return texts.GATE_WARNING.format(left_out=check.left_out, votes=votes, words=words, before=before)


def _days(days: Sequence[GateDay], policy: CountingPolicy) -> str:
    """Return a table with a line for each day that had votes and a column for each reason that left some out."""
    reasons = [reason for reason in ExclusionReason if any(day.left_out.get(reason) for day in days)]
    if not reasons:
        return f"<p class='soft'>{escape(texts.LEFT_OUT_NONE.format(days=len(days)))}</p>"
    heads = (texts.LEFT_OUT_DAY, texts.LEFT_OUT_VOTES, *(policy.words(reason) for reason in reasons))
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in heads)
    lines = "".join(_line(day, reasons, is_today=day is days[-1]) for day in reversed(days) if day.votes)
    label = escape(texts.LEFT_OUT)
    return (
        f"<div class='scroll' tabindex='0' role='group' aria-label='{label}'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _line(day: GateDay, reasons: Sequence[ExclusionReason], is_today: bool) -> str:
    name = texts.LEFT_OUT_TODAY if is_today else day.day
    cells = "".join(f"<td>{_share(day.left_out.get(reason, 0), day.votes)}</td>" for reason in reasons)
    return f"<tr><th scope='row'>{escape(name)}</th><td>{day.votes:,}</td>{cells}</tr>"


def _share(left_out: int, votes: int) -> str:
    if not left_out:
        return "–"
    return escape(texts.LEFT_OUT_SHARE.format(left_out=left_out, share=formats.share(left_out / votes)))
