"""The battle of an item as a rater of a study gets it, with its sides in an order of its own.

Boundary: reads the answers; `reservation` stores the battle.
"""

from __future__ import annotations

from playground.battles.ballot import Viewer
from playground.battles.steps import found
from playground.errors import StorageError
from playground.records import Battle, BattleSide, BattleState, Generation
from playground.storage.database.statements import Reading
from playground.studies.assignment import Given, Situation
from playground.studies.study_file import StudyFile


def battle_of(reading: Reading, now: Situation, given: Given, viewer: Viewer, battle_id: str, at: str) -> Battle:
    """Return the battle, which is not stored yet."""
    item, plan = given.item, now.plan
    answers = [_generation(reading, name) for name in _order(reading, now, given)]
    sides = tuple(
        BattleSide(side, answer.model_id, answer.seed, answer.params, answer)
        for side, answer in zip("ab", answers, strict=True)
    )
    return Battle(
        id=battle_id,
        comparison_id=f"{plan.study.hash[:24]}{item.number:08x}",
        parent_id=None,
        owner=viewer.rater,
        source=viewer.source,
        blind=True,
        state=BattleState.GENERATING,
        instruction=answers[0].instruction,
        overrides={},
        sides=sides,
        created_at=at,
        draw_probability=_probability(plan.file, given),
        rated=True,
        study=plan.study.id,
        study_hash=plan.study.hash,
        study_kind=given.kind,
        study_rater=now.rater.number,
        own_words=item.rater is not None,
    )


def _order(reading: Reading, now: Situation, given: Given) -> tuple[str, str]:
    """Return the answers by side: drawn, or those of the repeated battle swapped."""
    answers = (given.item.generation_a, given.item.generation_b)
    if given.repeat_of is not None:
        left = found(reading, given.repeat_of).sides[0].generation
        is_swapped = left is not None and left.id == answers[0]
    else:
        is_swapped = now.plan.random("sides", now.rater.number, now.place).random() < 0.5
    return (answers[1], answers[0]) if is_swapped else answers


def _generation(reading: Reading, generation_id: str) -> Generation:
    found = reading.generation(generation_id)
    if found is None:
        raise StorageError(f"the answer {generation_id} of a study is not in the database")
    return found


def _probability(file: StudyFile, given: Given) -> float | None:
    """Return the chance of a battle's pair of models; None if it was not drawn."""
    return (given.probability or 1 / len(file.model_pairs)) if given.kind in ("item", "repeat") else None
