"""One flat row per judged pair, for a spreadsheet or a data frame.

Boundary: field names only. `study`, `study_hash` and `study_kind` are empty for a vote outside any study.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.exchange.formats import ALL_CONTAINERS, Context, ExportFormat, Source, Values, prompt_text
from playground.records import ExportedPair


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the row of a pair; its values stand in the order of the columns below."""
    vote, a, b = pair.vote, pair.a, pair.b
    row = (
        vote.vote_id,
        vote.battle_id,
        context.rater(vote.rater_id),
        vote.origin,
        vote.study or "",
        vote.study_hash or "",
        vote.study_kind or "",
        bool(vote.own_words),
        vote.asked.category,
        prompt_text(vote.asked),
        a.model_id,
        b.model_id,
        a.text,
        b.text,
        pair.winner,
        vote.strength,
        vote.decision_s,
        vote.created_at,
        not context.why_not,
        context.why_not,
        context.license(a.license, a.model_id),
        context.license(b.license, b.model_id),
    )
    return (row,)


PAIRS = ExportFormat(
    name="pairs",
    description="one flat row per judged pair, for a spreadsheet or a data frame",
    source=Source.PAIRS,
    containers=ALL_CONTAINERS,
    columns={
        "vote_id": "text",
        "battle_id": "text",
        "rater": "text",
        "origin": "text",
        "study": "text",
        "study_hash": "text",
        "study_kind": "text",
        "own_words": "bool",
        "category": "text",
        "instruction": "text",
        "model_a": "text",
        "model_b": "text",
        "answer_a": "text",
        "answer_b": "text",
        "winner": "text",
        "strength": "float",
        "decision_s": "float",
        "created_at": "text",
        "counts": "bool",
        "why_not": "text",
        "license_a": "text",
        "license_b": "text",
    },
    rows=rows,
    counts=True,
    for_spreadsheets=True,
)
