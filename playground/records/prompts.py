"""Prompts: the instruction that a visitor typed, the format of a model, and the ids that the model is fed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from playground.documents import strict_keys
from playground.errors import InvalidValue

PLACES = ("instruction", "input", "system")
"""Names that a segment's text may have in braces."""
PLACE = re.compile(r"\{(\w+)\}")

Text = Annotated[str, Field(min_length=1)]
Variables = tuple[tuple[str, bool | str], ...]
"""Variables of a chat template by name: special tokens and switches, such as ``(("enable_thinking", False),)``."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """The visitor's text after normalising; the text that the models get."""

    instruction: str
    input: str = ""
    system: str = ""
    category: str = ""  # of the starter it came from; empty when typed


@strict_keys
@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt: either literal special ids or text with ``{instruction} {input} {system}`` in it."""

    text: str = ""
    ids: tuple[NonNegativeInt, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.text) == bool(self.ids):
            raise InvalidValue("a segment has either 'text' or 'ids', and one that is not empty")
        for name in self.places:
            if name not in PLACES:
                raise InvalidValue(f"unknown place {{{name}}}; valid: {', '.join(f'{{{place}}}' for place in PLACES)}")

    @property
    def places(self) -> frozenset[str]:
        """The names in braces."""
        return frozenset(PLACE.findall(self.text))


@strict_keys
@dataclass(frozen=True, slots=True)
class PromptFormat:
    """A prompt format with the rules for ending and reading its answers; the keys of a template file."""

    id: str
    source: str  # the origin of the format, a sentence
    without_input: tuple[Segment, ...]
    with_input: tuple[Segment, ...]
    default_system: str = ""  # the card's own; empty: the card has no place for system text
    stop_ids: tuple[NonNegativeInt, ...] = ()
    stop_strings: tuple[Text, ...] = ()
    drop_ids: tuple[NonNegativeInt, ...] = ()  # never part of the text
    strip: Literal["none", "both", "one_leading_space"] = "none"
    max_prompt_tokens: PositiveInt | None = None
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptTemplate(PromptFormat):
    """A prompt format (`prompts/templates/<id>.toml`) with its hash, or a repository's own chat template."""

    hash: str = ""  # sha256 of the file's bytes, hex; of `chat` and its switches for a chat template
    chat: str = ""  # source of a repository's own chat template; the segments are then the contents of its messages
    chat_names: Variables = ()  # special tokens as the source calls them, ("eos_token", "</s>"), and switches

    @property
    def takes_system(self) -> bool:
        """True if the format has a place for system text."""
        return any("system" in segment.places for segment in self.without_input)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The exact input of a model: `text` as a person reads it, `token_ids` as the model gets it."""

    text: str
    token_ids: tuple[int, ...]
    template_id: str
    template_hash: str

    @property
    def num_tokens(self) -> int:
        """Length in tokens, special ids included."""
        return len(self.token_ids)
