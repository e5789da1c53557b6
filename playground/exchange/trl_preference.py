"""Preference pairs for TRL (`prompt, chosen, rejected` as plain strings), with models and licenses.

Boundary: field names only. The prompt is what was typed (see `prompt_text`). Ties and both-bad give no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from playground.exchange.formats import ExportFormat, ExportOptions, prompt_text
from playground.exchange.judged import judged_texts
from playground.records import Instruction, JudgedTexts
from playground.storage.database.statements import Reading


class Answer(NamedTuple):
    """One side of a pair."""

    text: str
    model: str
    license: str


class Preference(NamedTuple):
    """A pair with a winner."""

    instruction: Instruction
    chosen: Answer
    rejected: Answer


def records(reading: Reading, options: ExportOptions) -> Iterator[Preference]:
    """Return the pairs with a winner in order of time."""
    decided = ("model_a", "model_b")
    return (_preference(texts) for texts in judged_texts(reading, options) if texts.pair.winner in decided)


def _preference(texts: JudgedTexts) -> Preference:
    a = Answer(texts.text_a, texts.pair.model_a, texts.license_a)
    b = Answer(texts.text_b, texts.pair.model_b, texts.license_b)
    chosen, rejected = (a, b) if texts.pair.winner == "model_a" else (b, a)
    return Preference(texts.instruction, chosen, rejected)


TRL_PREFERENCE = ExportFormat(
    name="trl-preference",
    description="TRL's preference pairs: one row per pair with a winner",
    records=records,
    values={
        "prompt": lambda pair: prompt_text(pair.instruction),
        "chosen": lambda pair: pair.chosen.text,
        "rejected": lambda pair: pair.rejected.text,
        "chosen_model": lambda pair: pair.chosen.model,
        "rejected_model": lambda pair: pair.rejected.model,
        "chosen_license": lambda pair: pair.chosen.license,
        "rejected_license": lambda pair: pair.rejected.license,
    },
)
