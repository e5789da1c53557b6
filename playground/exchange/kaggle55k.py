"""The table of Kaggle's LMSYS competition (`lmsys-arena-human-preference-55k`), one row per judged pair.

Boundary: field names only. Prompt and answers are JSON arrays of turns, as text; both-bad is a tie.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.exchange.containers import to_json
from playground.exchange.formats import Context, ExportFormat, Source, Values, prompt_text
from playground.records import ExportedPair


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the row of a pair; its values stand in the order of the columns below."""
    row = (
        f"{pair.vote.vote_id}{pair.side_a}{pair.side_b}",
        pair.a.model_id,
        pair.b.model_id,
        turns(prompt_text(pair.vote.asked)),
        turns(pair.a.text),
        turns(pair.b.text),
        int(pair.winner == "model_a"),
        int(pair.winner == "model_b"),
        int(pair.winner in ("tie", "both_bad")),
    )
    return (row,)


def turns(text: str) -> str:
    """Return a conversation of one turn."""
    return to_json([text]).decode()


KAGGLE_55K = ExportFormat(
    name="kaggle-55k",
    description="Kaggle's LMSYS competition: one row per judged pair, turns as JSON text",
    source=Source.PAIRS,
    containers=(".csv", ".parquet"),
    columns={
        "id": "text",
        "model_a": "text",
        "model_b": "text",
        "prompt": "text",
        "response_a": "text",
        "response_b": "text",
        "winner_model_a": "int",
        "winner_model_b": "int",
        "winner_tie": "int",
    },
    rows=rows,
)
