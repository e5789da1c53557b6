"""Files of LLM Comparator: one JSON document of two models and their examples.

Boundary: field names only. A score above 0 prefers model A, below 0 model B, and 0 is a tie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.errors import InvalidValue
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import Answer, Pair, judged_pair
from playground.exchange.imports.rows import ReadOptions


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
    score = fields.number("score")
    if score is None:
        fields.refuse("score", "a number")
    pair = Pair(
        key=fields.name("index", ""),
        a=Answer(fields.name("model_a"), fields.text("output_text_a")),
        b=Answer(fields.name("model_b"), fields.text("output_text_b")),
        winner="model_a" if score > 0 else "model_b" if score < 0 else "tie",
        instruction=fields.text("input_text"),
    )
    return judged_pair("llm-comparator", pair, origins)


LLM_COMPARATOR = ImportFormat(
    name="llm-comparator",
    read=read,
    needed=("input_text", "output_text_a", "output_text_b", "score"),
    options=ReadOptions(documents=examples),
)
