"""The answers that are wanted for a file of instructions, and those of them that the database has.

Boundary: instructions and models in, keys and what is missing out; starts no model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice

from playground.records import Instruction, ModelCard, SamplingParams
from playground.storage.database.rows import instruction_id, to_json
from playground.storage.database.statements import Reading
from playground.storage.database.tables.generated import LastAttempt

BATCH = 500
"""Keys that are looked up together."""


@dataclass(frozen=True, slots=True)
class WantedAnswer:
    """One answer of one model."""

    instruction: Instruction
    place: str  # of the instruction in its file
    model_id: str
    params: SamplingParams
    run_seed: int
    number: int  # from 1; of several answers to the same instruction
    attempt: int = 1

    @property
    def key(self) -> str:
        """The identity: 64 hexadecimal digits, the same for the same question to the same model."""
        about = (instruction_id(self.instruction), self.model_id, asdict(self.params), self.run_seed, self.number)
        return hashlib.sha256(to_json(about).encode()).hexdigest()

    @property
    def seed(self) -> int:
        """The seed of the answer, 32 bits, which follows from the key."""
        return int(self.key[:8], 16)


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that could not be written, and why."""

    place: str
    model_id: str
    error: str


@dataclass(slots=True)
class Standing:
    """The stored and the missing ones of the answers that are wanted of one model."""

    there: int = 0
    failed: list[Failure] = field(default_factory=list)  # stored as failed, and not to be tried again
    missing: list[WantedAnswer] = field(default_factory=list)


def wanted_of(
    card: ModelCard,
    params: SamplingParams,
    instructions: Mapping[Instruction, str],
    count: int,
    run_seed: int,
) -> list[WantedAnswer]:
    """Return the answers that are wanted of a model.

    Args:
        instructions: each with its place.
        count: of answers to each.
    """
    return [
        WantedAnswer(instruction, place, card.id, params, run_seed, number)
        for number in range(1, count + 1)
        for instruction, place in instructions.items()
    ]


def standing_of(reading: Reading, wanted: Sequence[WantedAnswer], *, retry_failed: bool = False) -> Standing:
    """Compare wanted answers with the database.

    Args:
        retry_failed: a failed answer is missing, and its next attempt is wanted.
    """
    standing = Standing()
    for batch in _batches(wanted):
        known = reading.last_attempts(answer.key for answer in batch)
        for answer in batch:
            _sort(answer, known.get(answer.key), standing, retry_failed)
    return standing


def stored_answers(reading: Reading, wanted: Sequence[WantedAnswer]) -> dict[Instruction, LastAttempt]:
    """Return the last stored answer to each instruction, for wanted answers of one model; without those missing."""
    found: dict[Instruction, LastAttempt] = {}
    for batch in _batches(wanted):
        known = reading.last_attempts(answer.key for answer in batch)
        found |= {answer.instruction: known[answer.key] for answer in batch if answer.key in known}
    return found


def _sort(answer: WantedAnswer, last: LastAttempt | None, standing: Standing, retry_failed: bool) -> None:
    if last is None:
        standing.missing.append(answer)
    elif not last.error:
        standing.there += 1
    elif retry_failed:
        standing.missing.append(replace(answer, attempt=last.attempt + 1))
    else:
        standing.failed.append(Failure(answer.place, answer.model_id, last.error))


def _batches(wanted: Sequence[WantedAnswer]) -> Iterable[list[WantedAnswer]]:
    answers = iter(wanted)
    while batch := list(islice(answers, BATCH)):
        yield batch
