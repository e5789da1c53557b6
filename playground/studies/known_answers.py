"""Items whose best answer is known, for checks and attention: two answers that somebody wrote.

Boundary: a file in, items with generations out. Both answers are of one model, `hand-written`, so that no vote on them
can be rated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playground.errors import InvalidStudy, InvalidValue
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.texts import Cleaner, long_texts
from playground.records import FinishReason, Generation, Instruction, ModelCard, Prompt, SamplingParams
from playground.settings import Settings
from playground.studies.instruction_files import BadRow, open_file

BEST = ("a", "b", "tie", "both_bad")
PARAMS = SamplingParams()
WRITER = ModelCard(
    id="hand-written",
    name="Hand-written",
    repo="unknown",
    revision="unknown",
    license="unknown",
    architecture="unknown",
    context_length=2,
    dtype="float32",
    template="unknown",
    sampling=PARAMS,
    sampling_source="ours",
    description="Answers that somebody wrote for the checks of a study.",
)
"""The model of such answers."""


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """One item."""

    instruction: Instruction
    answer_a: str
    answer_b: str
    expected: str  # one of BEST

    def generation(self, text: str, id: str, at: str) -> Generation:
        """Return one of the answers as a generation."""
        return Generation(
            id=id,
            model_id=WRITER.id,
            model_revision=WRITER.revision,
            repo=WRITER.repo,
            license=WRITER.license,
            instruction=self.instruction,
            prompt=Prompt("", (), WRITER.template, ""),
            params=PARAMS,
            seed=0,
            text=text,
            token_ids=(),
            finish_reason=FinishReason.STOP,
            error=None,
            engine="hand-written",
            device="",
            dtype="",
            versions={},
            faithful=False,
            created_at=at,
            first_token_s=None,
            duration_s=0.0,
        )


def read_known_answers(path: Path, limits: Settings) -> list[KnownAnswers]:
    """Read an instruction file with the columns `answer_a`, `answer_b` and `expected`.

    Raises:
        InvalidStudy: a row that cannot be used, named with its line; or no row.
    """
    found = list(_rows(path, limits))
    if not found:
        raise InvalidStudy(f"{path} has no row; write {{instruction, answer_a, answer_b, expected}} per line")
    return found


def _rows(path: Path, limits: Settings) -> Iterator[KnownAnswers]:
    with open_file(path) as file:
        for row in file.rows():
            if isinstance(row, BadRow):
                raise InvalidStudy(f"{path}, {row.place}: {row.error}")
            cleaner, fields = Cleaner(long_texts(limits)), Fields(dict(row.metadata))
            asked = row.instruction
            try:
                instruction = cleaner.instruction(asked.instruction, asked.input, asked.system, asked.category)
                a, b = (cleaner.answer(name, fields.text(name)) for name in ("answer_a", "answer_b"))
                expected = fields.one_of("expected", BEST)
            except InvalidValue as error:
                raise InvalidStudy(f"{path}, {row.place}: {error}") from error
            if a == b:
                raise InvalidStudy(f"{path}, {row.place}: both answers are the same")
            yield KnownAnswers(instruction, a, b, expected)
