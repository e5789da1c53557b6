"""Head-to-head results as AutoArena has them: prompt, both answers, judge and winner (`A`, `B`, `-`).

Boundary: field names only. AutoArena has one result without a winner, so both-bad is one too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.exchange.formats import Context, ExportFormat, Source, Values, prompt_text
from playground.records import ExportedPair

WINNERS: Mapping[str, str] = {"model_a": "A", "model_b": "B", "tie": "-", "both_bad": "-"}


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the row of a pair; its values stand in the order of the columns below."""
    row = (
        prompt_text(pair.vote.asked),
        pair.a.model_id,
        pair.b.model_id,
        pair.a.text,
        pair.b.text,
        context.rater(pair.vote.rater_id),
        WINNERS[pair.winner],
    )
    return (row,)


AUTOARENA = ExportFormat(
    name="autoarena",
    description="AutoArena's head-to-head results: one row per judged pair",
    source=Source.PAIRS,
    containers=(".csv",),
    columns={
        "prompt": "text",
        "model_a": "text",
        "model_b": "text",
        "response_a": "text",
        "response_b": "text",
        "judge": "text",
        "winner": "text",
    },
    rows=rows,
)
