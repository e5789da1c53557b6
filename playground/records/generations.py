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


EXACT_DTYPE = "float32"
"""Numbers in which no token depends on the way of computing it; in 16 bit the rounding of a sum may turn a near tie."""


class Exactness(StrEnum):
    """The degree to which an answer is the one that the model itself gives to its prompt."""

    EXACT = "exactly"
    ROUNDED = "up to rounding"  # in 16 bit, written alone too: the sizes of the blocks in a step differ
    UNKNOWN = "unknown"  # the model may have got another prompt


def exactness(faithful: bool, dtype: str) -> Exactness:
    """Return the degree to which an answer is what its model gives to the prompt alone; see `Generation`."""
    if not faithful:
        return Exactness.UNKNOWN
    return Exactness.EXACT if dtype == EXACT_DTYPE else Exactness.ROUNDED


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
    written_together: int | None = None  # most answers in one step of its model, itself included; None: not known

    @property
    def good(self) -> bool:
        """True if it may be judged: it ended without an error and has text."""
        return self.finish_reason is not FinishReason.ERROR and bool(self.text.strip())

    @property
    def exactness(self) -> Exactness:
        """The degree to which it is what the model gives to its prompt alone."""
        return exactness(self.faithful, self.dtype)

    @property
    def num_tokens(self) -> int:
        """Tokens of the answer, the stop id included if there is one."""
        return len(self.token_ids)
