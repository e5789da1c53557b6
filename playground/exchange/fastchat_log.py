"""The log of FastChat's arena, as its `clean_battle_data` reads it: one line per judged pair.

Boundary: field names only. `models` is empty while the battle was blind, as in FastChat; `states` names them always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from playground.exchange.formats import Context, ExportFormat, Source, Values, prompt_text
from playground.records import ExportedPair

TYPES: Mapping[str, str] = {
    "model_a": "leftvote",
    "model_b": "rightvote",
    "tie": "tievote",
    "both_bad": "bothbad_vote",
}
ROLES = ("USER", "ASSISTANT")

STATE = {
    "template_name": "text",
    "system_message": "text",
    "roles": ["text"],
    "messages": [["text"]],
    "offset": "int",
    "conv_id": "text",
    "model_name": "text",
}


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the line of a pair; its values stand in the order of the columns below."""
    row = (
        datetime.fromisoformat(pair.vote.created_at).timestamp(),
        TYPES[pair.winner],
        ["", ""] if pair.vote.blind else [pair.a.model_id, pair.b.model_id],
        [state(pair, pair.a.model_id, pair.a.text), state(pair, pair.b.model_id, pair.b.text)],
        "",
    )
    return (row,)


def state(pair: ExportedPair, model: str, answer: str) -> dict[str, Any]:
    """Return one side's conversation."""
    return {
        "template_name": "raw",
        "system_message": pair.vote.asked.system,
        "roles": ROLES,
        "messages": [[ROLES[0], prompt_text(pair.vote.asked, system=False)], [ROLES[1], answer]],
        "offset": 0,
        "conv_id": pair.vote.battle_id,
        "model_name": model,
    }


FASTCHAT_LOG = ExportFormat(
    name="fastchat-log",
    description="the log of FastChat's arena: one line per judged pair",
    source=Source.PAIRS,
    containers=(".jsonl", ".json"),
    columns={"tstamp": "float", "type": "text", "models": ["text"], "states": [STATE], "ip": "text"},
    rows=rows,
)
