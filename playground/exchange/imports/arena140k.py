"""LMArena's battles with human preferences (`lmarena-ai/arena-human-preference-140k`).

Boundary: field names only.
"""

from __future__ import annotations

from playground.exchange.imports.conversations import read_turn, same_question
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import CHOICES, ImportedAnswer, Pair, judged_pair


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of a row."""
    id, winner = fields.name("id"), fields.one_of("winner", CHOICES)
    a, b = read_turn(fields, "conversation_a"), read_turn(fields, "conversation_b")
    turn = same_question(a, b)
    pair = Pair(
        key=id,
        a=ImportedAnswer(fields.name("model_a"), a.answer),
        b=ImportedAnswer(fields.name("model_b"), b.answer),
        winner=winner,
        instruction=turn.instruction,
        system=turn.system,
        category=Fields(fields.table("category_tag"), "category_tag.").text("category", ""),
        created_at=fields.time("timestamp", ""),
    )
    return judged_pair("arena-140k", pair, origins, (id, id[:-2]))  # of ours the vote's, then both sides


ARENA_140K = ImportFormat(
    name="arena-140k",
    read=read,
    needed=("id", "model_a", "model_b", "winner", "conversation_a", "conversation_b"),
)
