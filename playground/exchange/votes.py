"""The playground's own format, complete: one row per vote with a `sides` array of every judged answer.

Boundary: field names only. Failed and empty answers were not judged and are not in `sides`; letters are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from playground.exchange.formats import ExportFormat, ExportOptions, RaterNames
from playground.exchange.judged import exclusions, judged_battles
from playground.exchange.licenses import allows_commercial_use
from playground.records import Generation, JudgedBattle
from playground.storage.database.statements import Reading


@dataclass(frozen=True, slots=True)
class Record:
    """A vote with its battle, its judged answers, and why it does not count (empty if it does)."""

    judged: JudgedBattle
    sides: dict[str, Generation]
    raters: RaterNames
    why_not: str


def records(reading: Reading, options: ExportOptions) -> Iterator[Record]:
    """Yield the votes in order of time."""
    raters, reasons = RaterNames(options.anonymous), exclusions(reading, options)
    for judged in judged_battles(reading, options):
        sides = {side.side: side.generation for side in judged.battle.sides if side.generation and side.generation.good}
        if not options.commercial_only or all(allows_commercial_use(answer.license) for answer in sides.values()):
            reason = reasons.get(judged.vote.id)
            yield Record(judged, sides, raters, "" if reason is None else options.policy.why_not(reason))


def side_row(side: str, generation: Generation) -> dict[str, Any]:
    """Return an element of `sides`."""
    return {
        "side": side,
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
    records=records,
    values={
        "vote_id": lambda record: record.judged.vote.id,
        "revision": lambda record: record.judged.vote.revision,
        "choice": lambda record: record.judged.vote.choice,
        "rater_id": lambda record: record.raters.name(record.judged.vote.rater_id),
        "origin": lambda record: record.judged.vote.origin.value,
        "counts": lambda record: not record.why_not,
        "why_not": lambda record: record.why_not,
        "capped": lambda record: record.judged.capped,
        "voted_at": lambda record: record.judged.vote.created_at,
        "decision_s": lambda record: record.judged.vote.decision_s,
        "reasons": lambda record: list(record.judged.reasons),
        "comment": lambda record: record.judged.comment,
        "battle_id": lambda record: record.judged.battle.id,
        "comparison_id": lambda record: record.judged.battle.comparison_id,
        "parent_id": lambda record: record.judged.battle.parent_id,
        "owner": lambda record: record.raters.name(record.judged.battle.owner),
        "source": lambda record: record.judged.battle.source,
        "blind": lambda record: record.judged.battle.blind,
        "state": lambda record: record.judged.battle.state.value,
        "draw_probability": lambda record: record.judged.battle.draw_probability,
        "created_at": lambda record: record.judged.battle.created_at,
        "opened_at": lambda record: record.judged.battle.opened_at,
        "final_at": lambda record: record.judged.battle.final_at,
        "category": lambda record: record.judged.battle.instruction.category,
        "instruction": lambda record: record.judged.battle.instruction.instruction,
        "input": lambda record: record.judged.battle.instruction.input,
        "system": lambda record: record.judged.battle.instruction.system,
        "overrides": lambda record: dict(record.judged.battle.overrides),
        "sides": lambda record: [side_row(side, generation) for side, generation in record.sides.items()],
    },
)
