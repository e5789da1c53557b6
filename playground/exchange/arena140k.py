"""LMArena's `arena-human-preference-140k`: one row per judged pair, with counts of tokens and Markdown per side.

Boundary: field names only. Categories are annotations that nobody made here: `category_tag` has our own category, and
`is_code` says whether an answer has a code block.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from playground.exchange.formats import Context, ExportFormat, Source, Values, prompt_text
from playground.records import ExportedPair

_CODE = re.compile(r"^[ \t]*```.*?^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(r"^(#{1,6})\s", re.MULTILINE)
_ORDERED = re.compile(r"^\s*\d+\.\s", re.MULTILINE)
_UNORDERED = re.compile(r"^\s*[-*+]\s", re.MULTILINE)
_BOLD = {"**": re.compile(r"\*\*[^*\n]+\*\*"), "__": re.compile(r"__[^_\n]+__")}

_TURN = {"role": "text", "content": [{"type": "text", "text": "text", "image": "text", "mimeType": "text"}]}
_COUNTS = {
    "header_count": {f"h{level}": "int" for level in range(1, 7)},
    "list_count": {"ordered": "int", "unordered": "int"},
    "bold_count": {"**": "int", "__": "int"},
}
_METADATA = {
    name: shape
    for side in "ab"
    for name, shape in (
        (f"sum_assistant_{side}_tokens", "int"),
        *((f"{count}_{side}", shape) for count, shape in _COUNTS.items()),
        (f"context_{side}_tokens", "int"),
    )
} | {"sum_user_tokens": "int", "turns": "int"}


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the row of a pair; its values stand in the order of the columns below."""
    user = turn("user", prompt_text(pair.vote.asked))
    a, b = turn("assistant", pair.a.text), turn("assistant", pair.b.text)
    row = (
        f"{pair.vote.vote_id}{pair.side_a}{pair.side_b}",
        pair.a.model_id,
        pair.b.model_id,
        pair.winner,
        pair.vote.battle_id,
        1,
        [user, a],
        [user, b],
        [{"user": user, "model_side_a": a, "model_side_b": b}],
        metadata(pair),
        {"category": pair.vote.asked.category},
        "unknown",
        bool(_CODE.search(pair.a.text) or _CODE.search(pair.b.text)),
        pair.vote.created_at,
    )
    return (row,)


def turn(role: str, text: str) -> dict[str, Any]:
    """Return one message."""
    return {"role": role, "content": [{"type": "text", "text": text, "image": None, "mimeType": None}]}


def metadata(pair: ExportedPair) -> dict[str, Any]:
    """Return the counts of both sides; the prompt's tokens are the first model's."""
    return {
        "sum_assistant_a_tokens": num_tokens(pair.a.token_ids),
        **markdown(pair.a.text, "a"),
        "context_a_tokens": num_tokens(pair.a.prompt_ids),
        "sum_assistant_b_tokens": num_tokens(pair.b.token_ids),
        **markdown(pair.b.text, "b"),
        "context_b_tokens": num_tokens(pair.b.prompt_ids),
        "sum_user_tokens": num_tokens(pair.a.prompt_ids),
        "turns": 1,
    }


def num_tokens(ids: bytes) -> int:
    """Return the length of a JSON array of numbers."""
    return 0 if ids == b"[]" else ids.count(b",") + 1


def markdown(text: str, side: str) -> dict[str, dict[str, int]]:
    """Return the numbers of headers, list items and bold texts outside of code blocks."""
    prose = _CODE.sub("", text) if "```" in text else text
    headers = [len(found) for found in _HEADER.findall(prose)]
    return {
        f"header_count_{side}": {f"h{level}": headers.count(level) for level in range(1, 7)},
        f"list_count_{side}": {
            "ordered": len(_ORDERED.findall(prose)),
            "unordered": len(_UNORDERED.findall(prose)),
        },
        f"bold_count_{side}": {mark: len(bold.findall(prose)) for mark, bold in _BOLD.items()},
    }


ARENA_140K = ExportFormat(
    name="arena-140k",
    description="LMArena's arena-human-preference-140k: one row per judged pair",
    source=Source.PAIRS,
    containers=(".jsonl", ".json", ".parquet"),
    columns={
        "id": "text",
        "model_a": "text",
        "model_b": "text",
        "winner": "text",
        "evaluation_session_id": "text",
        "evaluation_order": "int",
        "conversation_a": [_TURN],
        "conversation_b": [_TURN],
        "full_conversation": [{"user": _TURN, "model_side_a": _TURN, "model_side_b": _TURN}],
        "conv_metadata": _METADATA,
        "category_tag": {"category": "text"},
        "language": "text",
        "is_code": "bool",
        "timestamp": "text",
    },
    rows=rows,
    provenance=True,
)
