"""Answers of a battle where they are more than what a column wrote: lost ones, telling ones, erased ones.

Boundary: pure but for one insertion; what a battle's life makes of them is `life`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from playground.battles.self_naming import names_itself
from playground.records import Battle, BattleSide, FinishReason, Generation, Instruction, ModelCard, Prompt
from playground.storage.database.statements import Writing


def interrupted(generation_id: str, battle: Battle, side: BattleSide, card: ModelCard) -> Generation:
    """What is recorded of a column whose process ended: nothing was written, and why."""
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


def insert_generation(writing: Writing, generation: Generation, names: Mapping[str, str]) -> None:
    """Store a finished answer; one that gives its model away is stored all the same, and flagged."""
    writing.insert_generation(generation)
    if generation.id in names:
        writing.flag_generation(generation.id, "names_itself", names[generation.id])


def name_in(generation: Generation, card: ModelCard) -> str:
    """The words of an answer that give its model away; empty where there are none."""
    asked = generation.instruction
    return names_itself(generation.text, card, f"{asked.system}\n{asked.instruction}\n{asked.input}")


def without_erased_words(battle: Battle) -> Battle:
    """The battle as it may be shown: where an answer is still another rater's too, this one shows it no more."""
    if battle.erased_at is None:
        return battle
    return replace(battle, sides=tuple(replace(side, generation=_emptied(side.generation)) for side in battle.sides))


def _emptied(generation: Generation | None) -> Generation | None:
    if generation is None:
        return None
    prompt = replace(generation.prompt, text="", token_ids=())
    return replace(generation, instruction=Instruction(""), prompt=prompt, text="", token_ids=())
