"""Our own format, complete: one row per vote that stands, with a `sides` array of everything that was judged.

Boundary: spelling only. Failed and empty answers were not judged and are not in `sides`; letters keep their places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from playground.exchange.formats import ExportFormat, ExportOptions, Raters, Row
from playground.exchange.judged import judged_battles, why_not
from playground.exchange.licenses import allows_commercial_use
from playground.records import BattleSide, Generation, JudgedBattle
from playground.storage.database.statements import Reading


def rows(reading: Reading, options: ExportOptions) -> Iterator[Row]:
    """One row per vote, in time."""
    raters, reasons = Raters(options.anonymous), why_not(reading, options)
    for judged in judged_battles(reading, options):
        sides = [(s, s.generation) for s in judged.battle.sides if s.generation is not None and s.generation.good]
        if not options.commercial_only or all(allows_commercial_use(g.license) for _, g in sides):
            reason = reasons.get(judged.vote.id)
            words = "" if reason is None else options.policy.why_not(reason)
            yield _row(judged, [_side(side, generation) for side, generation in sides], raters, words)


def _row(judged: JudgedBattle, sides: list[dict[str, Any]], raters: Raters, why_not: str) -> dict[str, Any]:
    vote, battle = judged.vote, judged.battle
    return {
        "vote_id": vote.id,
        "revision": vote.revision,
        "choice": vote.choice,
        "rater_id": raters.name(vote.rater_id),
        "origin": vote.origin.value,
        "counts": not why_not,
        "why_not": why_not,
        "capped": judged.capped,
        "voted_at": vote.created_at,
        "decision_s": vote.decision_s,
        "reasons": list(judged.reasons),
        "comment": judged.comment,
        "battle_id": battle.id,
        "comparison_id": battle.comparison_id,
        "parent_id": battle.parent_id,
        "owner": raters.name(battle.owner),
        "source": battle.source,
        "blind": battle.blind,
        "state": battle.state.value,
        "draw_probability": battle.draw_probability,
        "created_at": battle.created_at,
        "opened_at": battle.opened_at,
        "final_at": battle.final_at,
        "category": battle.instruction.category,
        "instruction": battle.instruction.instruction,
        "input": battle.instruction.input,
        "system": battle.instruction.system,
        "overrides": dict(battle.overrides),
        "sides": sides,
    }


def _side(side: BattleSide, generation: Generation) -> dict[str, Any]:
    return {
        "side": side.side,
        "model": generation.model_id,
        "text": generation.text,
        "license": generation.license,
        "repo": generation.repo,
        "model_revision": generation.model_revision,
        "generation_id": generation.id,
        "finish_reason": generation.finish_reason.value,
        "params": asdict(generation.params),
        "seed": generation.seed,
        "template_id": generation.prompt.template_id,
        "template_hash": generation.prompt.template_hash,
        "prompt_text": generation.prompt.text,
        "prompt_ids": list(generation.prompt.token_ids),
        "token_ids": list(generation.token_ids),
        "engine": generation.engine,
        "device": generation.device,
        "dtype": generation.dtype,
        "versions": dict(generation.versions),
        "faithful": generation.faithful,
        "created_at": generation.created_at,
        "first_token_s": generation.first_token_s,
        "duration_s": generation.duration_s,
    }


VOTES = ExportFormat(
    name="votes",
    description="our own, complete: one row per vote with a sides array",
    columns=(
        "vote_id",
        "revision",
        "choice",
        "rater_id",
        "origin",
        "counts",
        "why_not",
        "capped",
        "voted_at",
        "decision_s",
        "reasons",
        "comment",
        "battle_id",
        "comparison_id",
        "parent_id",
        "owner",
        "source",
        "blind",
        "state",
        "draw_probability",
        "created_at",
        "opened_at",
        "final_at",
        "category",
        "instruction",
        "input",
        "system",
        "overrides",
        "sides",
    ),
    rows=rows,
)
