"""One row of every format that can be imported, in the spelling of the program that it comes from.

Each is the same vote: Ada finds the haiku of "beta" better than that of "alpha".
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ASKED, WAVES, SEA = "Write a haiku about the sea.", "Grey waves, and a gull.", "Sea, sea – 好."
AT = "2026-11-20T19:00:00.000+00:00"
TSTAMP = 1795201200.0


def conversation(answer: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": ASKED}, {"role": "assistant", "content": answer}]


def in_parts(answer: str) -> list[dict[str, Any]]:
    """Return a conversation as newer arenas write it."""
    return [
        {"role": message["role"], "content": [{"type": "text", "text": message["content"], "image": None}]}
        for message in conversation(answer)
    ]


def state(model: str, answer: str) -> dict[str, Any]:
    """Return the state of one side in a log of FastChat, with a message of its template before the offset."""
    return {
        "template_name": "one_shot",
        "system_message": "",
        "roles": ["Human", "Assistant"],
        "messages": [["Human", "Hello"], ["Assistant", "Hi!"], ["Human", ASKED], ["Assistant", answer]],
        "offset": 2,
        "conv_id": f"conversation-of-{model}",
        "model_name": model,
    }


def side(letter: str, model: str, text: str, **changes: Any) -> dict[str, Any]:
    """Return a side of a row of `votes`."""
    return {
        "side": letter,
        "model": model,
        "text": text,
        "license": "mit",
        "generation_id": f"generation-{letter}",
        "created_at": AT,
        **changes,
    }


ROWS: Mapping[str, dict[str, Any]] = {
    "votes": {
        "vote_id": "vote-1",
        "battle_id": "battle-1",
        "choice": "b",
        "rater_id": "ada",
        "voted_at": AT,
        "blind": True,
        "instruction": ASKED,
        "sides": [side("a", "alpha", WAVES), side("b", "beta", SEA)],
    },
    "pairs": {
        "vote_id": "vote-1",
        "battle_id": "battle-1",
        "rater": "ada",
        "instruction": ASKED,
        "model_a": "alpha",
        "model_b": "beta",
        "answer_a": WAVES,
        "answer_b": SEA,
        "winner": "model_b",
        "strength": 2.5,
        "created_at": AT,
        "license_a": "mit",
        "license_b": "apache-2.0",
    },
    "lmsys-33k": {
        "question_id": "58210e39b3fd4441a2bd4a518bb44c2d",
        "model_a": "alpha",
        "model_b": "beta",
        "winner": "model_b",
        "judge": "arena_user_ada",
        "conversation_a": conversation(WAVES),
        "conversation_b": conversation(SEA),
        "turn": 1,
        "anony": True,
        "language": "English",
        "tstamp": TSTAMP,
    },
    "arena-140k": {
        "id": "0f2a",
        "model_a": "alpha",
        "model_b": "beta",
        "winner": "model_b",
        "evaluation_session_id": "s",
        "evaluation_order": 1,
        "conversation_a": in_parts(WAVES),
        "conversation_b": in_parts(SEA),
        "is_code": False,
        "timestamp": AT,
    },
    "kaggle-55k": {
        "id": 30192,
        "model_a": "alpha",
        "model_b": "beta",
        "prompt": json.dumps([ASKED]),
        "response_a": json.dumps([WAVES]),
        "response_b": json.dumps([SEA]),
        "winner_model_a": 0,
        "winner_model_b": 1,
        "winner_tie": 0,
    },
    "fastchat-log": {
        "tstamp": TSTAMP,
        "type": "rightvote",
        "models": ["", ""],
        "states": [state("alpha", WAVES), state("beta", SEA)],
        "ip": "",
    },
    "llm-comparator": {"input_text": ASKED, "tags": [], "output_text_a": WAVES, "output_text_b": SEA, "score": -1.5},
    "autoarena": {
        "prompt": ASKED,
        "model_a": "alpha",
        "model_b": "beta",
        "response_a": WAVES,
        "response_b": SEA,
        "judge": "ada",
        "winner": "B",
    },
    "trl-preference": {
        "prompt": ASKED,
        "chosen": SEA,
        "rejected": WAVES,
        "chosen_model": "beta",
        "rejected_model": "alpha",
        "margin": 2.5,
        "rater": "ada",
    },
}


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows in the container that the path's ending names."""
    table = list(rows)
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
        case ".json":
            path.write_text(json.dumps(table, ensure_ascii=False), "utf-8")
        case ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(table[0]))
                writer.writeheader()
                writer.writerows({name: _cell(value) for name, value in row.items()} for row in table)
        case ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.Table.from_pylist(table), path)
    return path


def write_format(path: Path, format: str, *rows: Mapping[str, Any]) -> Path:
    """Write rows of a format, or its own row, in the document that it has in the path's container."""
    table = list(rows) or [ROWS[format]]
    if format != "llm-comparator":
        return write_rows(path, table)
    models = [{"name": "alpha"}, {"name": "beta"}]
    document = {"metadata": {"source_path": "x", "custom_fields_schema": []}, "models": models, "examples": table}
    path.write_text(json.dumps(document), "utf-8")
    return path


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
