"""Prompts: the instruction that a visitor typed, the format of a model, and the ids that the model is fed."""

from __future__ import annotations

from dataclasses import dataclass

from playground.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Instruction:
    """The visitor's text after normalising; the text that the models get."""

    instruction: str
    input: str = ""
    system: str = ""
    category: str = ""  # of the starter it came from; empty when typed


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt: either literal special ids or text with ``{instruction} {input} {system}`` in it."""

    text: str = ""
    ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.text) == bool(self.ids):
            raise InvalidValue(f"segment is {self!r}; valid: either text or ids, not both, not neither")


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt format (`prompts/templates/<id>.toml`), with the rules for ending and reading its answers."""

    id: str
    source: str  # the origin of the format, a sentence
    without_input: tuple[Segment, ...]
    with_input: tuple[Segment, ...]
    default_system: str = ""  # the card's own; empty: the card has no place for system text
    stop_ids: tuple[int, ...] = ()
    stop_strings: tuple[str, ...] = ()
    drop_ids: tuple[int, ...] = ()  # never part of the text
    strip: str = "none"  # none | both | one_leading_space
    max_prompt_tokens: int | None = None
    notes: tuple[str, ...] = ()
    hash: str = ""  # sha256 of the file's bytes, hex; of `chat` for a chat template
    chat: str = ""  # source of a repository's own chat template; the segments are then the contents of its messages
    chat_names: tuple[tuple[str, str], ...] = ()  # special tokens as the source calls them: ("eos_token", "</s>")

    @property
    def takes_system(self) -> bool:
        """True if the format has a place for system text."""
        return any("{system}" in segment.text for segment in self.without_input)


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
