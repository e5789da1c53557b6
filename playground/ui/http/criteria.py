"""Criteria as the page Rate is told them, and the answers as its votes bring them.

Boundary: JSON values in and out; `battles.criteria` checks the answers against their study.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.errors import InvalidValue
from playground.records import Criterion, CriterionAnswer
from playground.ui.texts import compare as compare_texts
from playground.ui.texts import refusals as texts
from playground.ui.texts.language import said
from playground.validation.texts import clean_comment

SIDE_WORDS: Mapping[str, str] = {"a": "A", "b": "B", "tie": compare_texts.TIE, "both_bad": compare_texts.BOTH_BAD}
"""Choices of a criterion about the two answers that the page has words for."""


def criterion_document(criterion: Criterion) -> dict[str, Any]:
    """Return a criterion as it is sent."""
    known = SIDE_WORDS if criterion.is_of_sides else {}
    return {
        "id": criterion.id,
        "question": criterion.question,
        "choices": [{"id": choice, "words": said(known.get(choice, choice))} for choice in criterion.choices],
        "required": criterion.required,
        "reason": criterion.reason,
    }


def read_criteria(sent: object) -> tuple[CriterionAnswer, ...]:
    """Return the answers in ``{"facts": {"choice": "a", "reason": "…"}, …}``, where a reason may be left out.

    Raises:
        InvalidValue: another form.
    """
    if sent is None:
        return ()
    if not isinstance(sent, dict) or not all(_is_answer(answer) for answer in sent.values()):
        raise InvalidValue(texts.CRITERIA_MALFORMED)
    return tuple(
        CriterionAnswer(criterion, answer["choice"], clean_comment((), answer.get("reason", "")).comment.strip())
        for criterion, answer in sent.items()
    )


def _is_answer(value: object) -> bool:
    """Return True for an object of texts: a choice, and perhaps a reason."""
    if not isinstance(value, dict) or not {"choice"} <= value.keys() <= {"choice", "reason"}:
        return False
    return all(isinstance(text, str) for text in value.values())
