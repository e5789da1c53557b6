"""Instructions with the answers that won, as Alpaca's data (`instruction, input, output`).

Boundary: field names only. Alpaca has no system text, so it stands before the instruction.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.exchange.formats import ALL_CONTAINERS, Context, ExportFormat, Source, Values
from playground.exchange.outcomes import best_sides
from playground.records import ExportedVote


def rows(vote: ExportedVote, context: Context) -> Sequence[Values]:
    """Return a row for each answer that won; its values stand in the order of the columns below."""
    instruction = f"{vote.system}\n\n{vote.instruction}" if vote.system else vote.instruction
    best = best_sides(vote.choice)
    return [
        (instruction, vote.input, side.text, side.model_id, context.license(side.license, side.model_id))
        for side in vote.sides
        if side.side in best
    ]


ALPACA = ExportFormat(
    name="alpaca",
    description="Alpaca's data: instructions with the answers that won",
    source=Source.VOTES,
    containers=ALL_CONTAINERS,
    columns={"instruction": "text", "input": "text", "output": "text", "model": "text", "license": "text"},
    rows=rows,
    no_row="no answer won",
)
