"""The data of Kaggle's contest on LMSYS battles (`lmsys/lmsys-arena-human-preference-55k`).

Boundary: field names only. A tie may have been "both bad": the format does not tell them apart.
"""

from __future__ import annotations

from playground.errors import InvalidValue
from playground.exchange.imports.conversations import only_text
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import ImportedAnswer, Pair, judged_pair

WINNERS = {"winner_model_a": "model_a", "winner_model_b": "model_b", "winner_tie": "tie"}


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of a row."""
    id = fields.name("id")
    won = [winner for column, winner in WINNERS.items() if fields.flag(column)]
    if len(won) != 1:
        raise InvalidValue(f"{len(won)} of {', '.join(map(repr, WINNERS))} are 1; valid: one of them, the others 0")
    pair = Pair(
        key=id,
        a=ImportedAnswer(fields.name("model_a"), only_text(fields, "response_a")),
        b=ImportedAnswer(fields.name("model_b"), only_text(fields, "response_b")),
        winner=won[0],
        instruction=only_text(fields, "prompt"),
    )
    return judged_pair("kaggle-55k", pair, origins, (id, id[:-2]))  # of ours the vote's, then both sides


KAGGLE_55K = ImportFormat(
    name="kaggle-55k",
    read=read,
    needed=("id", "model_a", "model_b", "prompt", "response_a", "response_b", *WINNERS),
)
