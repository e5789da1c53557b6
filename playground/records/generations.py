"""Generations: one model's answer with its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from playground.records.models import SamplingParams
from playground.records.prompts import Instruction, Prompt


class FinishReason(StrEnum):
    """The reason why a generation ended."""

    STOP = "stop"  # the model ended it: stop id or stop string
    LENGTH = "length"  # max_new_tokens reached
    CANCELLED = "cancelled"  # the visitor stopped it, or left
    ERROR = "error"  # `Generation.error` says why


@dataclass(frozen=True, slots=True)
class Generation:
    """One model's answer with its whole provenance; written once, never changed."""

    id: str
    model_id: str
    model_revision: str
    repo: str
    license: str
    instruction: Instruction
    prompt: Prompt
    params: SamplingParams
    seed: int
    text: str
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    error: str | None
    engine: str
    device: str
    dtype: str
    versions: Mapping[str, str]
    faithful: bool
    created_at: str  # UTC, ISO 8601
    first_token_s: float | None  # from the request to the first token
    duration_s: float  # from the request to the end
    reasoning: str = ""  # written before the answer, which is `text`; `token_ids` cover both

    @property
    def good(self) -> bool:
        """True if it may be judged: it ended without an error and has text."""
        return self.finish_reason is not FinishReason.ERROR and bool(self.text.strip())

    @property
    def num_tokens(self) -> int:
        """Tokens of the answer, the stop id included if there is one."""
        return len(self.token_ids)
