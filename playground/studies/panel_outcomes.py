"""The end of a panel rater's work: which outcome it is, and its words.

Boundary: pure; `panel_raters` stores it. An outcome gives a code and nothing else: no vote is left out for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from playground.messages import marked
from playground.records import Assigned, CheckState, StudyRater
from playground.studies.assignment import MOST_AHEAD
from playground.studies.panel import Outcome, Panel
from playground.studies.study_file import StudyFile

WORDS: Mapping[Outcome, str] = {
    Outcome.COMPLETE: marked("You have rated your share of this study. Thank you."),
    Outcome.SCREENED_OUT: marked("The check was not passed, so the study ends here for you. Thank you for trying."),
    Outcome.ATTENTION_FAILED: marked(
        "You have rated your share of this study. Some of it had a known best answer, and too few of your answers"
        " agreed with that; whoever runs the study will look at it."
    ),
    Outcome.OUR_FAULT: marked(
        "There are no more battles for you in this study. That is not your fault, and this code says so."
    ),
    Outcome.INCOMPLETE: marked(
        "You skipped battles, or left some for too long, and no others are left, so your share is not complete. There"
        " is no code for this; write to whoever runs the study through the panel."
    ),
}


def outcome_of(
    file: StudyFile,
    panel: Panel,
    rater: StudyRater,
    own: Sequence[Assigned],
    expected: Mapping[int, str | None],
    lost: Collection[int],
) -> Outcome:
    """Return the outcome of a rater for whom there is no further battle.

    A battle that was taken back from a rater and given to others counts for them as judged: they were not asked, and
    did everything else that they were offered. So do as many as a page loads ahead, of a rater who judged more than
    they left, and whose attention items can be assessed. One that they skipped does not.

    Args:
        own: the battles that the rater got.
        expected: the best answer of each attention item.
        lost: items of `items_given_back` that others have now.
    """
    if rater.check_state is CheckState.FAILED:
        return Outcome.SCREENED_OUT
    share = file.votes_per_rater or 0
    votes = sum(one.kind == "item" and one.is_judged for one in own)
    credited = min(len(lost), MOST_AHEAD) if votes > len(lost) and _is_assessed(file, panel, own) else 0
    if votes + credited < share:
        skipped = {one.item for one in own if one.kind == "item" and one.dropped == "skipped"}
        let_go = len(skipped.union(lost))
        return Outcome.INCOMPLETE if let_go and votes + let_go >= share else Outcome.OUR_FAULT
    return Outcome.ATTENTION_FAILED if _fails_attention(panel, own, expected) else Outcome.COMPLETE


def items_given_back(own: Sequence[Assigned]) -> set[int]:
    """Return the items that a rater left for too long, or in another browser, and did not get again."""
    given_back = {one.item for one in own if one.kind == "item" and one.is_given_back}
    return given_back - {one.item for one in own if not one.is_given_back}


def _is_assessed(file: StudyFile, panel: Panel, own: Sequence[Assigned]) -> bool:
    """Return True if enough attention items were judged to fail, or none are needed."""
    if file.attention is None or panel.attention_failed is None:
        return True
    return len(_judged_attention(own)) >= panel.attention_items


def _fails_attention(panel: Panel, own: Sequence[Assigned], expected: Mapping[int, str | None]) -> bool:
    judged = _judged_attention(own)
    if panel.attention_failed is None or len(judged) < panel.attention_items:
        return False
    right = sum(one.outcome == expected[one.item] for one in judged)
    return right < panel.attention_right * len(judged)


def _judged_attention(own: Sequence[Assigned]) -> Sequence[Assigned]:
    return [one for one in own if one.kind == "attention" and one.is_judged]
