"""FastChat's clean battles (`lmsys/chatbot_arena_conversations`).

Boundary: field names only.
"""

from __future__ import annotations

from playground.exchange.imports.conversations import read_turn, same_question
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import ImportedAnswer, Pair, judged_pair
from playground.exchange.lmsys33k import WINNERS

JUDGE = "arena_user_"


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of a row."""
    question_id, spelled = fields.name("question_id"), {word: winner for winner, word in WINNERS.items()}
    winner = spelled[fields.one_of("winner", spelled)]
    a, b = read_turn(fields, "conversation_a"), read_turn(fields, "conversation_b")
    turn = same_question(a, b)
    pair = Pair(
        key=question_id,
        a=ImportedAnswer(fields.name("model_a"), a.answer),
        b=ImportedAnswer(fields.name("model_b"), b.answer),
        winner=winner,
        instruction=turn.instruction,
        system=turn.system,
        rater=fields.name("judge", "").removeprefix(JUDGE),
        blind=fields.flag("anony", True),
        created_at=fields.time("tstamp", ""),
    )
    return judged_pair("lmsys-33k", pair, origins, (question_id,))


LMSYS_33K = ImportFormat(
    name="lmsys-33k",
    read=read,
    needed=("question_id", "model_a", "model_b", "winner", "conversation_a", "conversation_b"),
)
