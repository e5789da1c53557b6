"""Cards of models that only a file knows.

Boundary: pure. A card that the playground has is never replaced by one of these.
"""

from __future__ import annotations

from playground.exchange.imports.pair import IMPORTED, PARAMS, UNKNOWN
from playground.records import Generation, ModelCard


def card_of(generation: Generation, file: str) -> ModelCard:
    """Return a card with what an answer says about its model; the rest is marked as unknown."""
    return ModelCard(
        id=generation.model_id,
        name=generation.model_id,
        repo=_filled(generation.repo, IMPORTED),
        revision=_filled(generation.model_revision, IMPORTED),
        license=_filled(generation.license, UNKNOWN),
        architecture=UNKNOWN,
        context_length=2,
        dtype="float32",
        template=_filled(generation.prompt.template_id, IMPORTED),
        sampling=PARAMS,
        sampling_source="ours",
        description="Known from imported votes only.",
        notes=(f"First met in {file}.",),
    )


def _filled(text: str, default: str) -> str:
    return text if text.strip() else default
