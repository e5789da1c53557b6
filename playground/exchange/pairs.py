"""One flat row per judged pair, for a spreadsheet or a data frame.

Boundary: field names only. `study` is empty until studies exist.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.exchange.formats import ALL_CONTAINERS, Context, ExportFormat, Source, Values, prompt_text
from playground.records import ExportedPair


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the row of a pair; its values stand in the order of the columns below."""
    row = (
        pair.vote_id,
        pair.battle_id,
        context.rater(pair.rater_id),
        pair.origin,
        "",
        pair.category,
        prompt_text(pair),
        pair.model_a,
        pair.model_b,
        pair.text_a,
        pair.text_b,
        pair.winner,
        pair.strength,
        pair.decision_s,
        pair.created_at,
        not context.why_not,
        context.why_not,
        context.license(pair.license_a, pair.model_a),
        context.license(pair.license_b, pair.model_b),
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
