"""A stored answer beside the same one written again: whether they are equal, from where on not, and what has changed.

Boundary: pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from playground.records import EXACT_DTYPE, FinishReason, Generation

CUT_OFF = (FinishReason.CANCELLED, FinishReason.ERROR)
"""Ends that came from outside: the same tokens may be followed by more."""
HALF_A_CHARACTER = "\ufffd"
"""The end of a text that was cut off between the bytes of a character."""


class ReplayOutcome(StrEnum):
    """The result of writing an answer again."""

    SAME = "same"
    SAME_SO_FAR = "same_so_far"  # the stored one was stopped, and the other begins with its tokens
    DIFFERENT = "different"
    NOT_WRITTEN = "not_written"


@dataclass(frozen=True, slots=True)
class Change:
    """A fact of an answer's provenance that is another one now."""

    name: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A stored answer, the same one written again, and the reason if that failed."""

    stored: Generation
    again: Generation | None
    why_not: str = ""

    @property
    def outcome(self) -> ReplayOutcome:
        if self.again is None or self.why_not:
            return ReplayOutcome.NOT_WRITTEN
        stored, again = self.stored, self.again
        if not self.has_same_tokens:
            return ReplayOutcome.DIFFERENT
        if stored.finish_reason in CUT_OFF:
            begun = stored.text.rstrip(HALF_A_CHARACTER)
            return ReplayOutcome.SAME_SO_FAR if again.text.startswith(begun) else ReplayOutcome.DIFFERENT
        read = (stored.text, stored.reasoning, stored.finish_reason)
        return (
            ReplayOutcome.SAME
            if read == (again.text, again.reasoning, again.finish_reason)
            else ReplayOutcome.DIFFERENT
        )

    @property
    def has_same_tokens(self) -> bool:
        """True if the tokens are equal, as far as the stored answer was written if it was cut off."""
        if self.again is None:
            return False
        is_cut_off = self.stored.finish_reason in CUT_OFF
        ids = self.again.token_ids
        return (ids[: len(self.stored.token_ids)] if is_cut_off else ids) == self.stored.token_ids

    @property
    def first_different(self) -> int | None:
        """The place of the first token that differs, from 0; None if all that both have are equal."""
        if self.again is None:
            return None
        pairs = zip(self.stored.token_ids, self.again.token_ids, strict=False)
        equal = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return equal if equal < min(len(self.stored.token_ids), len(self.again.token_ids)) else None

    @property
    def changes(self) -> tuple[Change, ...]:
        """The facts about the place of writing that differ between both."""
        if self.again is None:
            return ()
        then, now = _facts(self.stored), _facts(self.again)
        names = dict.fromkeys((*then, *now))
        found = (Change(name, then.get(name, ""), now.get(name, "")) for name in names)
        return tuple(change for change in found if change.then != change.now)

    def reasons(self) -> Iterator[str]:
        """Yield what may explain a difference, in words."""
        if self.again is None or self.outcome is not ReplayOutcome.DIFFERENT:
            return
        yield from (f"{c.name} was {c.then or 'unknown'}, is {c.now or 'unknown'}" for c in self.changes)
        if self.has_same_tokens:
            yield "the tokens are equal: the model's format or tokenizer reads them in another way now"
        elif not self.changes and self.stored.dtype != EXACT_DTYPE:
            yield _rounding_words(self.stored.dtype, self.stored.written_together, self.again.written_together)
        elif not self.changes:
            yield "nothing that is stored with it has changed: the files of the model may have"


def _rounding_words(dtype: str, then: int | None, now: int | None) -> str:
    pairs = (("then", then), ("now", now))
    counts = " ".join(f"{when} at most {count}," if count else f"{when} an unknown number," for when, count in pairs)
    return (
        f"in {dtype} rounding depends on the answers that are written together, and on those before: "
        f"{counts.removesuffix(',')}"
    )


def _facts(generation: Generation) -> Mapping[str, str]:
    return {
        "engine": generation.engine,
        "device": generation.device,
        "dtype": generation.dtype,
        "revision": generation.model_revision,
        **generation.versions,
    }
