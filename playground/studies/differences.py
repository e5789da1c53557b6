"""The adjudication list: battles of a study on which its raters differ, for the operator to judge.

Boundary: reads a snapshot, records out. The operator's judgement is stored beside the votes and is none: no board and
no agreement counts it. Nothing of it is shown to raters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from playground.errors import InvalidValue, StorageError, Unknown
from playground.records import Adjudication, Assigned, Generation, Instruction, StoredStudy, StudyItem
from playground.storage.database.statements import Reading, Writing

OUTCOMES = ("a", "b", "tie", "both_bad")
"""Valid judgements; `a` and `b` are the answers of a difference in their order."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The vote of one rater on a battle of the list."""

    rater: int  # number of the link
    battle: str
    outcome: str  # a | b | tie | both_bad, by the order of the answers
    decision_s: float | None
    reasons: tuple[str, ...]
    comment: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the two answers."""

    model: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Two answers on which raters differ."""

    item: int
    instruction: Instruction
    a: Answer
    b: Answer
    judgements: tuple[Judgement, ...]  # in the order of the links
    own: Adjudication | None  # the operator's


def differences(reading: Reading, study: StoredStudy, *, unresolved: bool = False) -> Iterator[Difference]:
    """Yield the items on which raters differ, in their order.

    Args:
        unresolved: only those that the operator has not judged.
    """
    items = {item.number: item for item in reading.study_items(study.id) if item.kind == "item"}
    own = reading.adjudications(study.id)
    for number, judged in sorted(_judged(reading, study).items()):
        if len({one.outcome for one in judged.values()}) > 1 and not (unresolved and number in own):
            yield _difference(reading, items[number], judged, own.get(number))


def adjudicate(writing: Writing, study: StoredStudy, item: int, outcome: str, at: str) -> None:
    """Store the operator's judgement on a battle of the list; a later one replaces it.

    Raises:
        InvalidValue: no such judgement.
        Unknown: no battle of the list.
    """
    if outcome not in OUTCOMES:
        raise InvalidValue(f"the judgement is {outcome!r}; valid: {', '.join(OUTCOMES)}")
    judged = _judged(writing, study).get(item, {})
    if len({one.outcome for one in judged.values()}) < 2:
        raise Unknown(f"raters of {study.id} do not differ on a battle {item}; see the list of differences")
    writing.adjudicate(study.id, Adjudication(item, outcome, at))


def _judged(reading: Reading, study: StoredStudy) -> Mapping[int, Mapping[int, Assigned]]:
    """Return the judgement of each rater on each item."""
    found: defaultdict[int, dict[int, Assigned]] = defaultdict(dict)
    for rater in reading.study_raters(study.id):
        for one in reading.assigned(study.id, rater.number):
            if one.kind == "item" and one.is_judged:
                found[one.item][rater.number] = one
    return found


def _difference(
    reading: Reading, item: StudyItem, judged: Mapping[int, Assigned], own: Adjudication | None
) -> Difference:
    a, b = (_generation(reading, name) for name in (item.generation_a, item.generation_b))
    judgements = tuple(_judgement(reading, rater, one) for rater, one in sorted(judged.items()))
    answers = (Answer(a.model_id, a.text), Answer(b.model_id, b.text))
    return Difference(item.number, a.instruction, *answers, judgements, own)


def _judgement(reading: Reading, rater: int, one: Assigned) -> Judgement:
    battle = reading.battle(one.battle)
    vote = None if battle is None or battle.vote is None else battle.vote.id
    return Judgement(
        rater=rater,
        battle=one.battle,
        outcome=one.outcome or "",
        decision_s=one.decision_s,
        reasons=tuple(reading.notes(one.battle, "reason", vote)),
        comment="".join(reading.notes(one.battle, "comment", vote)),
    )


def _generation(reading: Reading, generation_id: str) -> Generation:
    found = reading.generation(generation_id)
    if found is None:
        raise StorageError(f"the answer {generation_id} of a study is not in the database")
    return found
