"""Head-to-head judgements of AutoArena.

Boundary: field names only.
"""

from __future__ import annotations

from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import ImportedAnswer, Pair, judged_pair

WINNERS = {"A": "model_a", "B": "model_b", "-": "tie"}


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of a row."""
    pair = Pair(
        key="",
        a=ImportedAnswer(fields.name("model_a"), fields.text("response_a")),
        b=ImportedAnswer(fields.name("model_b"), fields.text("response_b")),
        winner=WINNERS[fields.one_of("winner", WINNERS)],
        instruction=fields.text("prompt"),
        rater=fields.name("judge", ""),
    )
    return judged_pair("autoarena", pair, origins)


AUTOARENA = ImportFormat(
    name="autoarena",
    read=read,
    needed=("prompt", "model_a", "model_b", "response_a", "response_b", "winner"),
)
