"""The answers to the criteria of a study, counted.

Boundary: reads a snapshot, numbers out. No answer to a criterion is rated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.storage.database.statements import Reading


@dataclass(frozen=True, slots=True)
class CriterionStatus:
    """The answers to one criterion on the items of a study."""

    id: str
    question: str  # the id, if only the votes of the study were restored
    answers: Mapping[str, int]  # votes by choice, most frequent first; in place of a side the model that it was

    @property
    def votes(self) -> int:
        return sum(self.answers.values())


def criteria_of(reading: Reading, study_id: str) -> tuple[CriterionStatus, ...]:
    """Return the criteria of a study in their order, with the answers of the votes that stand."""
    counts = reading.criterion_counts(study_id)
    questions = {count.criterion: count.criterion for count in counts}
    questions = {one.id: one.question for one in reading.criteria(study_id)} or questions
    return tuple(
        CriterionStatus(id, question, {count.answer: count.votes for count in counts if count.criterion == id})
        for id, question in questions.items()
    )
