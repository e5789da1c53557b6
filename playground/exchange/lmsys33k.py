"""FastChat's clean battles (`lmsys/chatbot_arena_conversations`), one row per judged pair.

Boundary: field names only. A battle of more than two answers gives several rows with the same `question_id`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from playground.exchange.formats import ExportFormat, ExportOptions, RaterNames, prompt_text
from playground.exchange.judged import judged_texts
from playground.records import JudgedTexts
from playground.storage.database.statements import Reading

WINNERS: Mapping[str, str] = {
    "model_a": "model_a",
    "model_b": "model_b",
    "tie": "tie",
    "both_bad": "tie (bothbad)",
}

Record = tuple[JudgedTexts, str]
"""A judged pair and the rater's name."""


def records(reading: Reading, options: ExportOptions) -> Iterator[Record]:
    """Return the judged pairs in order of time."""
    raters = RaterNames(options.anonymous)
    return ((texts, raters.name(texts.pair.rater_id)) for texts in judged_texts(reading, options))


def conversation(texts: JudgedTexts, answer: str) -> list[dict[str, str]]:
    """Return one turn of user and assistant."""
    prompt = prompt_text(texts.instruction)
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


LMSYS_33K = ExportFormat(
    name="lmsys-33k",
    description="FastChat's clean battles: one row per judged pair, with both conversations",
    records=records,
    values={
        "question_id": lambda record: record[0].pair.battle_id,
        "model_a": lambda record: record[0].pair.model_a,
        "model_b": lambda record: record[0].pair.model_b,
        "winner": lambda record: WINNERS[record[0].pair.winner],
        "judge": lambda record: f"arena_user_{record[1]}",
        "conversation_a": lambda record: conversation(record[0], record[0].text_a),
        "conversation_b": lambda record: conversation(record[0], record[0].text_b),
        "turn": lambda record: 1,
        "anony": lambda record: record[0].pair.blind,
        "language": lambda record: "unknown",
        "tstamp": lambda record: datetime.fromisoformat(record[0].pair.created_at).timestamp(),
    },
)
