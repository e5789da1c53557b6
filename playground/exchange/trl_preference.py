"""Preference pairs for TRL: `prompt, chosen, rejected` as plain strings, models, licenses, columns to split by.

Boundary: field names only. The prompt is what was typed (see `prompt_text`). `margin` is the strength of preference,
which TRL's reward trainer takes; rows of votes without one have no such field, and files without any no such column.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.exchange.formats import ALL_CONTAINERS, Context, ExportFormat, Source, Values, prompt_text
from playground.messages import marked
from playground.records import ExportedPair


def rows(pair: ExportedPair, context: Context) -> Sequence[Values]:
    """Return the row of a pair with a winner; its values stand in the order of the columns below."""
    a = (pair.a.text, pair.a.model_id, context.license(pair.a.license, pair.a.model_id))
    b = (pair.b.text, pair.b.model_id, context.license(pair.b.license, pair.b.model_id))
    if pair.winner == "model_a":
        chosen, rejected = a, b
    elif pair.winner == "model_b":
        chosen, rejected = b, a
    else:
        return ()
    row = (
        prompt_text(pair.vote.asked),
        chosen[0],
        rejected[0],
        chosen[1],
        rejected[1],
        chosen[2],
        rejected[2],
        pair.vote.battle_id,
        context.rater(pair.vote.rater_id),
        pair.vote.asked.category,
        pair.vote.strength,
    )
    return (row,)


TRL_PREFERENCE = ExportFormat(
    name="trl-preference",
    description="TRL's preference pairs: one row per pair with a winner",
    source=Source.PAIRS,
    containers=ALL_CONTAINERS,
    columns={
        "prompt": "text",
        "chosen": "text",
        "rejected": "text",
        "chosen_model": "text",
        "rejected_model": "text",
        "chosen_license": "text",
        "rejected_license": "text",
        "battle_id": "text",
        "rater": "text",
        "category": "text",
        "margin": "float",
    },
    rows=rows,
    no_row=marked("neither answer is better"),
    optional=frozenset({"margin"}),
)
