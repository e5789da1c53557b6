"""Preference pairs for TRL that name their models; without names a row is not a vote on anything.

Boundary: field names only. The format does not say which answer stood left, so the row's own hash draws it.
"""

from __future__ import annotations

from typing import Any

from playground.exchange.imports.conversations import ConversationTurn, read_turn
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import ImportedAnswer, Pair, derived_id, judged_pair


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of a row."""
    chosen, rejected = _turn(fields, "chosen"), _turn(fields, "rejected")
    better = ImportedAnswer(fields.name("chosen_model"), chosen.answer, fields.text("chosen_license", ""))
    worse = ImportedAnswer(fields.name("rejected_model"), rejected.answer, fields.text("rejected_license", ""))
    battle_id = fields.name("battle_id", "")
    content = "\n".join((battle_id, chosen.instruction, better.model, better.text, worse.model, worse.text))
    same_ends = content.replace("\r\n", "\n").replace("\r", "\n")
    is_left = int(derived_id("order", same_ends.encode("utf-8", "surrogatepass")), 16) % 2 == 0
    pair = Pair(
        key=battle_id,
        a=better if is_left else worse,
        b=worse if is_left else better,
        winner="model_a" if is_left else "model_b",
        instruction=chosen.instruction,
        system=chosen.system,
        category=fields.text("category", ""),
        rater=fields.name("rater", ""),
        strength=fields.above_0("margin"),
    )
    return judged_pair("trl-preference", pair, origins, (battle_id,))


def _turn(fields: Fields, name: str) -> ConversationTurn:
    """Return prompt and answer, which are texts or lists of messages."""
    prompt, answer = fields.values["prompt"], fields.values[name]
    if not isinstance(answer, list):
        return ConversationTurn("", fields.text("prompt"), fields.text(name))
    messages: list[Any] = [*prompt, *answer] if isinstance(prompt, list) else answer
    return read_turn(Fields({name: messages}), name)


TRL_PREFERENCE = ImportFormat(
    name="trl-preference",
    read=read,
    needed=("prompt", "chosen", "rejected", "chosen_model", "rejected_model"),
)
