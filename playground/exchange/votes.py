"""The playground's own format, complete: one row per vote with a `sides` array of every judged answer.

Boundary: field names only. Failed and empty answers were not judged and are not in `sides`; letters are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground.exchange.formats import ALL_CONTAINERS, Context, ExportFormat, Source, Values
from playground.exchange.outcomes import winner_of_two
from playground.records import ExportedSide, ExportedVote, exactness

SIDE = {
    "side": "text",
    "model": "text",
    "text": "text",
    "license": "text",
    "repo": "text",
    "model_revision": "text",
    "generation_id": "text",
    "finish_reason": "text",
    "params": "json",
    "seed": "int",
    "template_id": "text",
    "template_hash": "text",
    "prompt_text": "text",
    "prompt_ids": ["int"],
    "token_ids": ["int"],
    "engine": "text",
    "device": "text",
    "dtype": "text",
    "versions": "json",
    "faithful": "bool",
    "created_at": "text",
    "first_token_s": "float",
    "duration_s": "float",
    "reasoning": "text",
    "written_together": "int",
    "exactness": "text",
}
"""An element of `sides`."""


CRITERION = {"criterion": "text", "choice": "text", "reason": "text"}
"""An element of `criteria`: an answer to a further question of a study."""


def side_row(side: ExportedSide, context: Context) -> dict[str, Any]:
    """Return an element of `sides`; the columns of the record have its order."""
    answer = side.answer
    is_exact = exactness(bool(answer.faithful), answer.dtype)
    row = dict(zip(SIDE, (side.side, *answer, is_exact.value), strict=True))
    row["license"] = context.license(answer.license, answer.model_id)
    row["faithful"] = bool(answer.faithful)
    return row


def rows(vote: ExportedVote, context: Context) -> Sequence[Values]:
    """Return the row of a vote; its values stand in the order of the columns below."""
    return ((*_judgement(vote, context), *_battle(vote, context)),)


def _judgement(vote: ExportedVote, context: Context) -> Values:
    model_a, model_b, winner = winner_of_two(vote)
    return (
        vote.vote_id,
        vote.revision,
        vote.choice,
        model_a,
        model_b,
        winner,
        vote.strength,
        context.rater(vote.rater_id),
        vote.origin,
        vote.imported,
        vote.study or "",
        vote.study_hash or "",
        vote.study_kind or "",
        bool(vote.own_words),
        not context.why_not,
        context.why_not,
        "capped" in (vote.flags or ""),
        vote.created_at,
        vote.decision_s,
        vote.reasons,
        vote.comment,
        vote.criteria,
    )


def _battle(vote: ExportedVote, context: Context) -> Values:
    return (
        vote.battle_id,
        vote.comparison_id,
        vote.parent_id,
        context.rater(vote.owner),
        vote.source,
        bool(vote.blind),
        vote.state,
        vote.draw_probability,
        vote.battle_created_at,
        vote.opened_at,
        vote.final_at,
        vote.asked.category,
        vote.asked.instruction,
        vote.asked.input,
        vote.asked.system,
        vote.overrides,
        [side_row(side, context) for side in vote.sides],
    )


VOTES = ExportFormat(
    name="votes",
    description="our own, complete: one row per vote with a sides array",
    source=Source.VOTES,
    containers=ALL_CONTAINERS,
    columns={
        "vote_id": "text",
        "revision": "int",
        "choice": "text",
        "model_a": "text",
        "model_b": "text",
        "winner": "text",
        "strength": "float",
        "rater_id": "text",
        "origin": "text",
        "imported": "text",
        "study": "text",
        "study_hash": "text",
        "study_kind": "text",
        "own_words": "bool",
        "counts": "bool",
        "why_not": "text",
        "capped": "bool",
        "voted_at": "text",
        "decision_s": "float",
        "reasons": ["text"],
        "comment": "text",
        "criteria": [CRITERION],
        "battle_id": "text",
        "comparison_id": "text",
        "parent_id": "text",
        "owner": "text",
        "source": "text",
        "blind": "bool",
        "state": "text",
        "draw_probability": "float",
        "created_at": "text",
        "opened_at": "text",
        "final_at": "text",
        "category": "text",
        "instruction": "text",
        "input": "text",
        "system": "text",
        "overrides": "json",
        "sides": [SIDE],
    },
    rows=rows,
    counts=True,
    provenance=True,
    for_spreadsheets=True,
)
