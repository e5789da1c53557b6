"""Single answers with a label for TRL's KTO (`prompt, completion, label`).

Boundary: field names only. The best answers of a vote, and all of a tie, are labelled true, the others false.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.exchange.formats import ALL_CONTAINERS, Context, ExportFormat, Source, Values, prompt_text
from playground.exchange.outcomes import good_sides
from playground.records import ExportedVote


def rows(vote: ExportedVote, context: Context) -> Sequence[Values]:
    """Return a row for each judged answer; its values stand in the order of the columns below."""
    prompt, rater = prompt_text(vote.asked), context.rater(vote.rater_id)
    good = good_sides(vote.choice, "".join(side.side for side in vote.sides))
    return [
        (
            prompt,
            side.answer.text,
            side.side in good,
            side.answer.model_id,
            context.license(side.answer.license, side.answer.model_id),
            vote.battle_id,
            rater,
            vote.asked.category,
        )
        for side in vote.sides
    ]


TRL_UNPAIRED = ExportFormat(
    name="trl-unpaired",
    description="TRL's unpaired preferences (KTO): one row per judged answer, labelled good or not",
    source=Source.VOTES,
    containers=ALL_CONTAINERS,
    columns={
        "prompt": "text",
        "completion": "text",
        "label": "bool",
        "model": "text",
        "license": "text",
        "battle_id": "text",
        "rater": "text",
        "category": "text",
    },
    rows=rows,
)
