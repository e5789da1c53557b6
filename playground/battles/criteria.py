"""The check of answers to a study's criteria, before a vote is written.

Boundary: pure; criteria and answers in, an error or nothing out.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.errors import InvalidValue
from playground.messages import Message
from playground.records import MOST_REASON_CHARS, Criterion, CriterionAnswer


def check_criteria(answers: Sequence[CriterionAnswer], criteria: Sequence[Criterion]) -> None:
    """Check the answers that are given with a vote.

    Raises:
        InvalidValue: an unknown criterion or choice, an answer or a reason that is missing, one that is not asked, or
            one that is too long.
    """
    asked = {criterion.id: criterion for criterion in criteria}
    for answer in answers:
        if answer.criterion not in asked:
            raise InvalidValue(
                Message(
                    "{criterion!r} is not a criterion here; valid: {valid}",
                    criterion=answer.criterion[:60],
                    valid=", ".join(asked) or "-",
                )
            )
        _check_answer(answer, asked[answer.criterion])
    given = {answer.criterion for answer in answers}
    for criterion in criteria:
        if criterion.required and criterion.id not in given:
            raise InvalidValue(Message("Answer this first: {question}", question=criterion.question))


def _check_answer(answer: CriterionAnswer, criterion: Criterion) -> None:
    if answer.choice not in criterion.choices:
        raise InvalidValue(
            Message(
                "the answer to {criterion} is {choice!r}; valid: {valid}",
                criterion=criterion.id,
                choice=answer.choice[:60],
                valid=", ".join(criterion.choices),
            )
        )
    if criterion.reason is None and answer.reason:
        raise InvalidValue(Message("{criterion} asks for no reason; leave it out", criterion=criterion.id))
    if criterion.reason == "required" and not answer.reason:
        raise InvalidValue(Message("Give a reason: {question}", question=criterion.question))
    if len(answer.reason) > MOST_REASON_CHARS:
        raise InvalidValue(
            Message(
                "the reason has {chars} characters; valid: up to {most}",
                chars=len(answer.reason),
                most=MOST_REASON_CHARS,
            )
        )
