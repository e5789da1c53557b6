"""The file of Google's LLM Comparator: the pairs of two models, in one JSON document.

Boundary: field names only. A score is 1 if the first model won, −1 if the second did, else 0; LLM Comparator expects
−1.5 to 1.5. The outcome as given, which tells a tie from both-bad, is a custom field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.exchange.containers import to_json
from playground.exchange.formats import Context, ExportFormat, Source, Values, prompt_text
from playground.records import ExportedPair

SCORES: Mapping[str, float] = {"model_a": 1.0, "model_b": -1.0, "tie": 0.0, "both_bad": 0.0}
SWAPPED: Mapping[str, str] = {"model_a": "model_b", "model_b": "model_a", "tie": "tie", "both_bad": "both_bad"}
CUSTOM_FIELDS = {"battle_id": "string", "outcome": "category", "rater": "category"}


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the example of a pair, turned so that the file's first model comes first."""
    flipped = pair.a.model_id != context.models[0]
    outcome = SWAPPED[pair.winner] if flipped else pair.winner
    texts = (pair.b.text, pair.a.text) if flipped else (pair.a.text, pair.b.text)
    score = SCORES[outcome]
    row = (
        prompt_text(pair.vote.asked),
        [pair.vote.asked.category] if pair.vote.asked.category else [],
        *texts,
        score,
        [{"is_flipped": flipped, "score": score, "rationale": ""}],
        {"battle_id": pair.vote.battle_id, "outcome": outcome, "rater": context.rater(pair.vote.rater_id)},
    )
    return (row,)


def document(models: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Return the beginning and the end of the file."""
    schema = [{"name": name, "type": kind} for name, kind in CUSTOM_FIELDS.items()]
    head = {
        "metadata": {"source_path": "playground", "custom_fields_schema": schema},
        "models": [{"name": model} for model in models],
    }
    return to_json(head)[:-1] + b',"examples":', b"}"


LLM_COMPARATOR = ExportFormat(
    name="llm-comparator",
    description="Google's LLM Comparator: the pairs of two models in one document",
    source=Source.PAIRS,
    containers=(".json",),
    columns={
        "input_text": "text",
        "tags": ["text"],
        "output_text_a": "text",
        "output_text_b": "text",
        "score": "float",
        "individual_rater_scores": [{"is_flipped": "bool", "score": "float", "rationale": "text"}],
        "custom_fields": dict.fromkeys(CUSTOM_FIELDS, "text"),
    },
    rows=rows,
    two_models=True,
    document=document,
)
