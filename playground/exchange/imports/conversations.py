"""Conversations of one turn, in the spellings of several formats.

Boundary: lists of messages in, texts out. The playground stores one instruction and one answer per side, so a
conversation of more turns is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.errors import InvalidValue
from playground.exchange.imports.fields import Fields


@dataclass(frozen=True, slots=True)
class ConversationTurn:
    """One instruction with its answer."""

    system: str
    instruction: str
    answer: str


def read_turn(fields: Fields, name: str) -> ConversationTurn:
    """Read a list of ``{role, content}``: user and assistant, perhaps after system.

    Raises:
        InvalidValue: of another form, or of more than one turn.
    """
    messages = [(m.one_of("role", ("system", "user", "assistant")), content_of(m)) for m in fields.tables(name)]
    system = ""
    if messages and messages[0][0] == "system":
        system, messages = messages[0][1], messages[1:]
    roles = [role for role, _ in messages]
    if roles != ["user", "assistant"]:
        raise InvalidValue(f"'{fields.path}{name}' {not_one_turn(roles)}")
    return ConversationTurn(system, messages[0][1], messages[1][1])


def same_question(a: ConversationTurn, b: ConversationTurn) -> ConversationTurn:
    """Refuse two conversations about different instructions."""
    if (a.system, a.instruction) != (b.system, b.instruction):
        raise InvalidValue("the two conversations have different instructions; both sides answer the same one")
    return a


def only_text(fields: Fields, name: str) -> str:
    """Return the text of a list of one turn, such as ``["Hello"]``.

    Raises:
        InvalidValue: more turns than one, or no text.
    """
    turns = fields.items(name)
    if len(turns) != 1:
        raise InvalidValue(f"'{name}' has {len(turns)} turns; the playground stores conversations of one")
    if not isinstance(turns[0], str):
        fields.refuse(name, "a list of one text")
    return turns[0]


def not_one_turn(roles: list[str]) -> str:
    """Return the words for a conversation that is not one turn."""
    turns = roles.count("user")
    if turns > 1:
        return f"has {turns} turns; the playground stores conversations of one"
    return f"has the roles {', '.join(roles) or 'of nobody'}; valid: user, assistant, perhaps after system"


def content_of(message: Fields) -> str:
    """Return the text of a message, which may be a list of parts ``{type: text, text}``.

    Raises:
        InvalidValue: anything else, such as an image.
    """
    content: Any = message.values.get("content")
    if not isinstance(content, list):
        return message.text("content")
    texts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
    if len(texts) != len(content) or not all(isinstance(text, str) for text in texts):
        message.refuse("content", "text, or a list of {type: text, text: ...}; images are not stored")
    return "".join(map(str, texts))
