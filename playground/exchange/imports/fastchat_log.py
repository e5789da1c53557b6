"""The log of FastChat's arena, one line per vote.

Boundary: field names only. Lines of other events (chat, regenerate, share) are no votes and are refused.
"""

from __future__ import annotations

from typing import Any

from playground.errors import InvalidValue
from playground.exchange.fastchat_log import TYPES
from playground.exchange.imports.conversations import ConversationTurn, not_one_turn, same_question
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import ImportedAnswer, Pair, judged_pair

WINNERS = {word: winner for winner, word in TYPES.items()}
ROLES = ("user", "assistant")


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of a line."""
    winner, states = WINNERS[fields.one_of("type", WINNERS)], fields.tables("states")
    if len(states) != 2:
        raise InvalidValue(f"'states' has {len(states)} entries; valid: 2, one for each side")
    a, b = (_turn(state) for state in states)
    turn = same_question(a, b)
    ids = tuple(state.name("conv_id", "") for state in states)
    pair = Pair(
        key=" ".join(ids),
        a=ImportedAnswer(_model(fields, states, 0), a.answer),
        b=ImportedAnswer(_model(fields, states, 1), b.answer),
        winner=winner,
        instruction=turn.instruction,
        system=turn.system,
        blind=not any(fields.items("models", [])),
        created_at=fields.time("tstamp"),
    )
    return judged_pair("fastchat-log", pair, origins, ids)


def _model(fields: Fields, states: list[Fields], side: int) -> str:
    """Return a model's name; the log of a blind battle leaves it out of `models`."""
    name = states[side].name("model_name", "")
    if name:
        return name
    models = fields.items("models", [])
    if len(models) != 2 or not models[side] or not isinstance(models[side], str):
        raise InvalidValue(f"'states[{side}].model_name' and 'models[{side}]' are empty; one of them names the model")
    return str(models[side])


def _turn(state: Fields) -> ConversationTurn:
    messages = state.items("messages")[state.whole("offset", 0, 0, 10_000) :]
    roles = state.items("roles", list(ROLES))
    said = [_message(state, message, roles) for message in messages]
    spoken = [role for role, _ in said]
    if spoken != list(ROLES):
        raise InvalidValue(f"'{state.path}messages' {not_one_turn(spoken)}")
    return ConversationTurn(state.text("system_message", ""), said[0][1], said[1][1])


def _message(state: Fields, message: Any, roles: list[Any]) -> tuple[str, str]:
    """Return who speaks (user or assistant) and the text of ``[role, text]``; roles may have other names."""
    if not (isinstance(message, list) and len(message) == 2 and all(isinstance(part, str) for part in message)):
        state.refuse("messages", "a list of [role, text]")
    name, text = message
    return ROLES[roles.index(name)] if name in roles[:2] else str(name), text


FASTCHAT_LOG = ImportFormat(
    name="fastchat-log",
    read=read,
    needed=("tstamp", "type", "states"),
)
