"""Instructions with the answers that won, as Alpaca's data (`instruction, input, output`).

Boundary: field names only. Alpaca has no system text, so it stands before the instruction.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.exchange.formats import ALL_CONTAINERS, Context, ExportFormat, Source, Values
from playground.exchange.outcomes import best_sides
from playground.messages import marked
from playground.records import ExportedVote


def rows(vote: ExportedVote, context: Context) -> Sequence[Values]:
    """Return a row for each answer that won; its values stand in the order of the columns below."""
    instruction = f"{vote.asked.system}\n\n{vote.asked.instruction}" if vote.asked.system else vote.asked.instruction
    best = best_sides(vote.choice)
    answers = [side.answer for side in vote.sides if side.side in best]
    return [
        (instruction, vote.asked.input, answer.text, answer.model_id, context.license(answer.license, answer.model_id))
        for answer in answers
    ]


ALPACA = ExportFormat(
    name="alpaca",
    description="Alpaca's data: instructions with the answers that won",
    source=Source.VOTES,
    containers=ALL_CONTAINERS,
    columns={"instruction": "text", "input": "text", "output": "text", "model": "text", "license": "text"},
    rows=rows,
    no_row=marked("no answer won"),
)
