"""FastChat's clean battles (`lmsys/chatbot_arena_conversations`), one row per judged pair.

Boundary: field names only. A battle of more than two answers gives several rows with the same `question_id`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from playground.exchange.formats import ALL_CONTAINERS, MESSAGES, Context, ExportFormat, Source, Values, prompt_text
from playground.records import ExportedPair

WINNERS: Mapping[str, str] = {
    "model_a": "model_a",
    "model_b": "model_b",
    "tie": "tie",
    "both_bad": "tie (bothbad)",
}


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the row of a pair; its values stand in the order of the columns below."""
    user = {"role": "user", "content": prompt_text(pair.vote.asked)}
    row = (
        pair.vote.battle_id,
        pair.a.model_id,
        pair.b.model_id,
        WINNERS[pair.winner],
        f"arena_user_{context.rater(pair.vote.rater_id)}",
        [user, {"role": "assistant", "content": pair.a.text}],
        [user, {"role": "assistant", "content": pair.b.text}],
        1,
        bool(pair.vote.blind),
        "unknown",
        datetime.fromisoformat(pair.vote.created_at).timestamp(),
    )
    return (row,)


LMSYS_33K = ExportFormat(
    name="lmsys-33k",
    description="FastChat's clean battles: one row per judged pair, with both conversations",
    source=Source.PAIRS,
    containers=ALL_CONTAINERS,
    columns={
        "question_id": "text",
        "model_a": "text",
        "model_b": "text",
        "winner": "text",
        "judge": "text",
        "conversation_a": MESSAGES,
        "conversation_b": MESSAGES,
        "turn": "int",
        "anony": "bool",
        "language": "text",
        "tstamp": "float",
    },
    rows=rows,
)
