"""Generations at the edges of a battle's life: interrupted, flagged for naming their model, without words.

Boundary: one insertion, otherwise pure; `life` decides when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from playground.battles.self_naming import names_itself
from playground.records import Battle, BattleSide, FinishReason, Generation, Instruction, ModelCard, Prompt
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store


def interrupted(generation_id: str, battle: Battle, side: BattleSide, card: ModelCard) -> Generation:
    """Return the failed, empty generation of a column whose process ended."""
    return Generation(
        id=generation_id,
        model_id=card.id,
        model_revision=card.revision,
        repo=card.public_repo,
        license=card.license,
        instruction=battle.instruction,
        prompt=Prompt("", (), card.template, ""),
        params=side.params,
        seed=side.seed,
        text="",
        token_ids=(),
        finish_reason=FinishReason.ERROR,
        error="interrupted by a restart",
        engine=card.engine,
        device="",
        dtype=card.dtype,
        versions={},
        faithful=False,
        created_at=battle.created_at,
        first_token_s=None,
        duration_s=0.0,
    )


def find_names(store: Store, generations: Iterable[Generation]) -> Mapping[str, str]:
    """Return the words with which generations name their own models, by generation id.

    Call it before the transaction: it takes milliseconds, during which votes would wait.
    """
    ended = list(generations)
    if not ended:
        return {}
    with store.reading() as reading:
        cards = reading.cards({generation.model_id for generation in ended})
    names = {known.id: _name_in(known, cards[known.model_id]) for known in ended if known.model_id in cards}
    return {generation_id: name for generation_id, name in names.items() if name}


def insert_generation(writing: Writing, generation: Generation, names: Mapping[str, str]) -> None:
    """Store a generation, with a flag if it is in `names`."""
    writing.insert_generation(generation)
    if generation.id in names:
        writing.flag_generation(generation.id, "names_itself", names[generation.id])


def without_withheld_words(battle: Battle) -> Battle:
    """Return an erased or hidden battle without its texts.

    Another rater's battle may still hold the texts of an erased one; those of a hidden one are kept.
    """
    if not battle.withheld:
        return battle
    instruction = Instruction("", category=battle.instruction.category)
    sides = tuple(replace(side, generation=_emptied(side.generation)) for side in battle.sides)
    return replace(battle, instruction=instruction, sides=sides)


def _name_in(generation: Generation, card: ModelCard) -> str:
    asked = generation.instruction
    return names_itself(generation.text, card, f"{asked.system}\n{asked.instruction}\n{asked.input}")


def _emptied(generation: Generation | None) -> Generation | None:
    if generation is None:
        return None
    prompt = replace(generation.prompt, text="", token_ids=())
    return replace(generation, instruction=Instruction(""), prompt=prompt, text="", reasoning="", token_ids=())
