"""Reasons why a rater of a study gets no battle, and the words for them.

Boundary: words; `assignment` decides which reason it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from playground.messages import marked


class Nothing(StrEnum):
    """A reason why a rater gets no battle."""

    JUDGE_FIRST = "judge_first"  # what is loaded decides what comes next
    FAILED_CHECK = "failed_check"
    ALL_JUDGED = "all_judged"  # by this rater
    SHARE_DONE = "share_done"  # the votes that each rater gives
    ENOUGH = "enough"  # votes in the study
    OTHERS_RATE = "others_rate"  # what is left is reserved for others
    NOT_SHOWN = "not_shown"  # the answers of what came next are hidden or erased; there may be more
    CLOSED = "closed"
    DECIDED = "decided"  # the claim at which the study ends
    WRITE = "write"  # an instruction: the study is live
    BEING_ANSWERED = "being_answered"  # the instruction that the rater wrote last
    WROTE_ENOUGH = "wrote_enough"  # instructions that came to nothing


WHY: Mapping[Nothing, str] = {
    Nothing.FAILED_CHECK: marked("The check was not passed, so this link gives no more to rate. Thank you for trying."),
    Nothing.ALL_JUDGED: marked("You have rated everything that this study has for you. Thank you."),
    Nothing.SHARE_DONE: marked("You have rated your share of this study. Thank you."),
    Nothing.ENOUGH: marked("This study has all the ratings that it needs. Thank you."),
    Nothing.OTHERS_RATE: marked("Others are rating what is left. Thank you; there may be more for you later."),
    Nothing.NOT_SHOWN: marked("The battles that came next for you cannot be shown any more. Look again for others."),
    Nothing.CLOSED: marked("This study is closed. Thank you."),
    Nothing.DECIDED: marked("This study has found its answer, and needs no more ratings. Thank you."),
    Nothing.WROTE_ENOUGH: marked(
        "Too many of your instructions came to nothing, so this link gives no more to rate. Thank you for trying."
    ),
}
"""The words for a rater who gets none; without words there may be one soon."""
