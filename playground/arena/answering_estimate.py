"""An estimate of a run of answers: tokens and memory from card and prompts, time from a few answers that are measured.

Boundary: loads each model for its sample; stores nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.arena.answering import Answering, AnsweringRow
from playground.errors import PlaygroundError
from playground.studies.wanted import Failure, WantedAnswer

SAMPLE = 8
"""Answers that are measured, together, spread over the file."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """The cost of the missing answers of one model."""

    model_id: str
    answers: int
    prompt_tokens: int
    most_tokens: int  # that answers may have
    weights_bytes: int
    measured: int = 0  # answers
    tokens_per_answer: float = 0.0
    load_s: float = 0.0
    duration_s: float | None = None  # with loading; None: it could not be measured
    failures: tuple[Failure, ...] = ()


def estimate(answering: Answering, missing: Sequence[WantedAnswer]) -> RunEstimate:
    """Make every prompt, and measure a sample."""
    card = answering.card
    prompt_tokens, fitting, failures = 0, [], []
    for wanted in missing:
        try:
            prompt_tokens += answering.catalog.check_fits(card.id, wanted.instruction, wanted.params).num_tokens
            fitting.append(wanted)
        except PlaygroundError as error:
            failures.append(Failure(wanted.place, card.id, str(error)))
    began_s = answering.clock.monotonic()
    rows = list(answering.rows(fitting[:: max(1, len(fitting) // SAMPLE)][:SAMPLE]))
    failures += [Failure(row.wanted.place, card.id, row.error) for row in rows if row.error]
    most = sum(wanted.params.max_new_tokens for wanted in fitting)
    known = (card.id, len(fitting), prompt_tokens, most, card.size_bytes)
    good = [row for row in rows if not row.error]
    if not good:
        return RunEstimate(*known, failures=tuple(failures))
    return _measured(RunEstimate(*known, failures=tuple(failures)), good, began_s)


def _measured(plan: RunEstimate, rows: Sequence[AnsweringRow], began_s: float) -> RunEstimate:
    first_s, last_s = min(row.started_s for row in rows), max(row.ended_s for row in rows)
    load_s = first_s - began_s
    tokens = sum(row.generation.num_tokens for row in rows if row.generation is not None)
    return RunEstimate(
        plan.model_id,
        plan.answers,
        plan.prompt_tokens,
        plan.most_tokens,
        plan.weights_bytes,
        measured=len(rows),
        tokens_per_answer=tokens / len(rows),
        load_s=load_s,
        duration_s=load_s + (last_s - first_s) * plan.answers / len(rows),
        failures=plan.failures,
    )
