"""Raters of a live study write instructions: what they are told, and what becomes of the answers.

Boundary: the store and its studies; `arena.live_answers` has the models answer, `reservation` says whose turn it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.battles.blind_errors import blind_error
from playground.errors import InvalidValue
from playground.messages import Message, marked
from playground.records import Instruction, LiveItem, ModelCard
from playground.storage.database.store import Store
from playground.studies.assignment import Situation, decide
from playground.studies.nothing import WHY, Nothing
from playground.studies.wanted import WantedAnswer

ALIKE, EMPTY, ERASED = "alike", "empty", "erased"
"""Reasons, beside the words of an error, why two answers become no item."""
NOT_LIVE = Message("In this study nobody writes instructions.")
JUDGE_FIRST = marked("Judge first what is loaded; then write another instruction.")
_TOLD: Mapping[str, Message] = {
    ALIKE: Message("Both answers to your last instruction were the same, so there is nothing to judge."),
    ERASED: Message("You have erased your last instruction."),
    EMPTY: Message("An answer to your last instruction was empty, so there is nothing to judge."),
}


@dataclass(frozen=True, slots=True)
class Live:
    """The next step of a rater who writes instructions."""

    is_being_answered: bool  # the last one, and the rater waits; else they write one
    why_not: str = ""  # the last one became no battle
    models: tuple[str, ...] = ()  # that are to answer the last one, as long as it is being answered


def live_of(now: Situation, step: Nothing) -> Live | None:
    """Return what a rater is told; None if no instruction of theirs is due or being answered."""
    last = now.written.last
    if step is Nothing.BEING_ANSWERED:
        return Live(True, models=() if last is None else last.models)
    if step is not Nothing.WRITE:
        return None
    return Live(False, "" if last is None or last.failed is None else told(last.failed))


def written_already(now: Situation, instruction: Instruction) -> LiveItem | None:
    """Return the rater's last instruction if it is this one, and not judged yet: it was sent again."""
    last = now.written.last
    if last is None or last.instruction != instruction or last.failed is not None:
        return None
    return None if last.item in now.had() else last


def why_not_write(now: Situation) -> InvalidValue | None:
    """Return the error that tells a rater why they may not write an instruction now; None if they may."""
    if not now.plan.file.live:
        return InvalidValue(NOT_LIVE)
    step = decide(now)
    if step is Nothing.WRITE:
        return None
    if step is Nothing.BEING_ANSWERED:
        return InvalidValue(Message("Your last instruction is still being answered; judge its answers first."))
    words = WHY.get(step) if isinstance(step, Nothing) else None
    return InvalidValue(Message(words or JUDGE_FIRST))


def told(failed: str) -> str:
    """Return why an instruction became no battle, in words that name no model."""
    return _TOLD.get(failed) or blind_error(failed)


def wanted_answers(live: LiveItem, cards: Sequence[ModelCard]) -> list[WantedAnswer]:
    """Return the answers that two models are to write, in the order of the item; no other instruction has their seed.

    Args:
        cards: of the two models.
    """
    by_id = {card.id: card for card in cards}
    return [
        WantedAnswer(live.instruction, "", model, by_id[model].sampling, live.seed, number=1) for model in live.models
    ]


def settle(store: Store, live: LiveItem, wanted: Sequence[WantedAnswer], errors: Sequence[str]) -> bool:
    """Make an item of the answers to an instruction, or store why there is none; return False if one was cut off.

    Args:
        errors: why answers were not written, by the order of `wanted`; empty: they were, or were cut off.

    Raises:
        StorageError: nothing can be stored.
    """
    with store.reading() as reading:
        known = reading.last_attempts(answer.key for answer in wanted)
        answers = [known[answer.key] for answer in wanted if answer.key in known]
        generations = [reading.generation(answer.generation_id) for answer in answers]
    why = next(filter(None, [*(answer.error for answer in answers), *errors]), "")
    if not why and len(answers) < len(wanted):
        return False
    if not why and not all(answer.good for answer in answers):
        why = EMPTY
    if not why and len({generation.text for generation in generations if generation is not None}) == 1:
        why = ALIKE
    if why:
        store.write(lambda writing: writing.fail_live_item(live, why))
    else:
        store.write(lambda writing: writing.add_live_answers(live, *(answer.generation_id for answer in answers)))
    return True
