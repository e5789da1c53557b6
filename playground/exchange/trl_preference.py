"""Preference pairs for TRL (`prompt, chosen, rejected` as plain strings), with models and licenses beside them.

Boundary: spelling only. The prompt is what was asked (see `prompt_text`), not a template's text. Ties and both-bad
give no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playground.exchange.formats import ExportFormat, ExportOptions, Row, prompt_text
from playground.exchange.judged import judged_texts
from playground.records import JudgedTexts
from playground.storage.database.statements import Reading


def rows(reading: Reading, options: ExportOptions) -> Iterator[Row]:
    """One row per pair with a winner, in time."""
    decided = ("model_a", "model_b")
    return (_row(texts) for texts in judged_texts(reading, options) if texts.pair.winner in decided)


def _row(texts: JudgedTexts) -> dict[str, Any]:
    pair = texts.pair
    a = (texts.text_a, pair.model_a, texts.license_a)
    b = (texts.text_b, pair.model_b, texts.license_b)
    chosen, rejected = (a, b) if pair.winner == "model_a" else (b, a)
    return {
        "prompt": prompt_text(texts.instruction),
        "chosen": chosen[0],
        "rejected": rejected[0],
        "chosen_model": chosen[1],
        "rejected_model": rejected[1],
        "chosen_license": chosen[2],
        "rejected_license": rejected[2],
    }


TRL_PREFERENCE = ExportFormat(
    name="trl-preference",
    description="TRL's preference pairs: one row per pair with a winner",
    columns=(
        "prompt",
        "chosen",
        "rejected",
        "chosen_model",
        "rejected_model",
        "chosen_license",
        "rejected_license",
    ),
    rows=rows,
)
