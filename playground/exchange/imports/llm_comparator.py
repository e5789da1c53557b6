"""Files of LLM Comparator: one JSON document of two models and their examples.

Boundary: field names only. A score above 0 prefers model A, below 0 model B, and 0 is a tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.errors import InvalidValue
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import ImportedAnswer, Pair, judged_pair
from playground.exchange.imports.rows import ReadOptions
from playground.exchange.llm_comparator import SWAPPED


def examples(document: Any) -> list[Any]:
    """Return the examples of a document, each with the names of both models.

    Raises:
        InvalidValue: it has another form.
    """
    if not isinstance(document, Mapping):
        raise InvalidValue("is not a document of LLM Comparator: {metadata, models, examples}")
    fields = Fields(document)
    models = [model.name("name") for model in fields.tables("models")]
    if len(models) != 2:
        raise InvalidValue(f"'models' names {len(models)} models; valid: 2")
    names = dict(zip(("model_a", "model_b"), models, strict=True))
    return [names | example if isinstance(example, dict) else example for example in fields.items("examples")]


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of an example."""
    own = Fields(fields.table("custom_fields"), "custom_fields.")  # of a file that a playground wrote
    battle_id, tags = own.name("battle_id", ""), fields.items("tags", [])
    a = ImportedAnswer(fields.name("model_a"), fields.text("output_text_a"))
    b = ImportedAnswer(fields.name("model_b"), fields.text("output_text_b"))
    winner, flipped = _winner(fields, own), _was_flipped(fields)
    pair = Pair(
        key=battle_id or fields.name("index", ""),
        a=b if flipped else a,
        b=a if flipped else b,
        winner=SWAPPED[winner] if flipped else winner,
        instruction=fields.text("input_text"),
        category=tags[0] if len(tags) == 1 and isinstance(tags[0], str) else "",
        rater=own.name("rater", ""),
    )
    return judged_pair("llm-comparator", pair, origins, (battle_id,))


def _winner(fields: Fields, own: Fields) -> str:
    score = fields.number("score")
    if score is None:
        fields.refuse("score", "a number")
    if score:
        return "model_a" if score > 0 else "model_b"
    return "both_bad" if own.text("outcome", "") == "both_bad" else "tie"


def _was_flipped(fields: Fields) -> bool:
    """Return True if the only rater saw model B first."""
    scores = fields.tables("individual_rater_scores") if fields.given("individual_rater_scores") else []
    return len(scores) == 1 and scores[0].flag("is_flipped", False)


LLM_COMPARATOR = ImportFormat(
    name="llm-comparator",
    read=read,
    needed=("input_text", "output_text_a", "output_text_b", "score"),
    options=ReadOptions(documents=examples),
)
