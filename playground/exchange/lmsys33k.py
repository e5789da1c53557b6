"""The field names of FastChat's clean battles (`lmsys/chatbot_arena_conversations`), one row per judged pair.

Boundary: spelling only. A battle of N columns gives several rows with the same `question_id`, the battle's id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from playground.exchange.formats import ExportFormat, ExportOptions, Raters, Row, prompt_text
from playground.exchange.judged import judged_texts
from playground.records import JudgedTexts
from playground.storage.database.statements import Reading

WINNERS: Mapping[str, str] = {
    "model_a": "model_a",
    "model_b": "model_b",
    "tie": "tie",
    "both_bad": "tie (bothbad)",
}


def rows(reading: Reading, options: ExportOptions) -> Iterator[Row]:
    """One row per judged pair, in time."""
    raters = Raters(options.anonymous)
    return (_row(texts, raters) for texts in judged_texts(reading, options))


def _row(texts: JudgedTexts, raters: Raters) -> dict[str, Any]:
    pair, prompt = texts.pair, prompt_text(texts.instruction)
    return {
        "question_id": pair.battle_id,
        "model_a": pair.model_a,
        "model_b": pair.model_b,
        "winner": WINNERS[pair.winner],
        "judge": f"arena_user_{raters.name(pair.rater_id)}",
        "conversation_a": _conversation(prompt, texts.text_a),
        "conversation_b": _conversation(prompt, texts.text_b),
        "turn": 1,
        "anony": pair.blind,
        "language": "unknown",
        "tstamp": datetime.fromisoformat(pair.created_at).timestamp(),
    }


def _conversation(prompt: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


LMSYS_33K = ExportFormat(
    name="lmsys-33k",
    description="FastChat's clean battles: one row per judged pair, with both conversations",
    columns=(
        "question_id",
        "model_a",
        "model_b",
        "winner",
        "judge",
        "conversation_a",
        "conversation_b",
        "turn",
        "anony",
        "language",
        "tstamp",
    ),
    rows=rows,
)
