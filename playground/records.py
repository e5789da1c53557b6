"""The product's nouns as frozen records.

Boundary: values only. No file, no clock, no randomness, no model library, no Gradio; only `errors` is known here.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from playground.errors import InvalidValue

SIDES = tuple(string.ascii_lowercase[:6])
"""Positions of a battle from left to right; six at the most."""


class FinishReason(StrEnum):
    """Why a generation ended."""

    STOP = "stop"  # the model ended it: stop id or stop string
    LENGTH = "length"  # max_new_tokens reached
    CANCELLED = "cancelled"  # the visitor stopped it, or left
    ERROR = "error"  # `Generation.error` says why


class BattleState(StrEnum):
    """Where a battle stands; `battles.TABLE` is the table of what leads where."""

    GENERATING = "generating"
    OPEN = "open"
    VOTED = "voted"
    REVEALED = "revealed"
    VOID = "void"


class Origin(StrEnum):
    """Who or what gave a vote."""

    PERSON = "person"  # on the page
    PROGRAM = "program"  # over the API
    JUDGE = "judge"  # a model that judges
    SHARED = "shared"  # a guest of a shared link


class ColumnState(StrEnum):
    """What one column is doing, as the API spells it."""

    WAITING = "waiting"
    LOADING = "loading"
    WRITING = "writing"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is chosen, with the argument names of transformers' ``generate``.

    `top_k` 0 means off. With ``do_sample=False`` temperature, top_k and top_p have no effect.
    """

    max_new_tokens: int = 256
    min_new_tokens: int = 0
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    renormalize_logits: bool = False

    def __post_init__(self) -> None:
        _check("max_new_tokens", self.max_new_tokens, 1 <= self.max_new_tokens <= 4096, "1 to 4096")
        fits = 0 <= self.min_new_tokens <= self.max_new_tokens
        _check("min_new_tokens", self.min_new_tokens, fits, "0 to max_new_tokens")
        _check("temperature", self.temperature, 0.01 <= self.temperature <= 5.0, "0.01 to 5")
        _check("top_k", self.top_k, 0 <= self.top_k <= 1000, "0 (off) to 1000")
        _check("top_p", self.top_p, 0.0 < self.top_p <= 1.0, "above 0, to 1")
        _check("repetition_penalty", self.repetition_penalty, 0.5 <= self.repetition_penalty <= 3.0, "0.5 to 3")

    def changed(self, overrides: Mapping[str, Any]) -> SamplingParams:
        """These parameters with some replaced; names must be fields of this record, types must fit.

        Raises:
            InvalidValue: an unknown name, a wrong type or a value out of range.
        """
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        clean: dict[str, Any] = {}
        for name, value in overrides.items():
            if name not in kinds:
                raise InvalidValue(f"unknown sampling parameter {name!r}; valid are: {', '.join(sorted(kinds))}")
            clean[name] = _cast(name, value, kinds[name])
        return replace(self, **clean)


def _check(name: str, value: object, ok: bool, valid: str) -> None:
    if not ok:
        raise InvalidValue(f"{name} is {value!r}; valid: {valid}")


def _cast(name: str, value: object, kind: type) -> object:
    """`value` as `kind`, refusing what would be guessed: bools are not numbers, 1.5 is not an int."""
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and not isinstance(value, bool) and isinstance(value, int | float) and value == value // 1:
        return int(value)
    if kind is float and not isinstance(value, bool) and isinstance(value, int | float):
        return float(value)
    raise InvalidValue(f"{name} is {value!r}; it has to be of type {kind.__name__}")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt: either literal special ids or text with ``{instruction} {input} {system}`` in it."""

    text: str = ""
    ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check("segment", self, bool(self.text) != bool(self.ids), "either text or ids, not both, not neither")


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One card's prompt format (`prompts/templates/<id>.toml`), and how its answer is read and stopped."""

    id: str
    source: str  # where the format is from, in words
    without_input: tuple[Segment, ...]
    with_input: tuple[Segment, ...]
    default_system: str = ""  # the card's own; empty: the card has no place for system text
    stop_ids: tuple[int, ...] = ()
    stop_strings: tuple[str, ...] = ()
    drop_ids: tuple[int, ...] = ()  # never part of the text
    strip: str = "none"  # none | both | one_leading_space
    max_prompt_tokens: int | None = None
    notes: tuple[str, ...] = ()
    hash: str = ""  # sha256 of the file's bytes, hex; of `chat`, where there is one
    chat: str = ""  # source of a repository's own chat template; the segments are then what its messages say
    chat_names: tuple[tuple[str, str], ...] = ()  # special tokens as the source calls them: ("eos_token", "</s>")

    @property
    def takes_system(self) -> bool:
        """Whether the format has a place for system text."""
        return any("{system}" in segment.text for segment in self.without_input)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model of the registry (`cards/<id>.toml`)."""

    id: str
    name: str
    repo: str  # hub id, or an absolute folder
    revision: str  # commit of the hub repository, or "local"
    license: str
    architecture: str  # the config's class, such as LlamaForCausalLM
    num_parameters: int
    size_bytes: int  # of the weights as computed with, before any quantization; of their files where no card says it
    context_length: int  # tokens, prompt and answer together
    dtype: str  # as computed with: float32, float16, bfloat16
    template: str
    sampling: SamplingParams
    sampling_source: str  # "card" or "ours"
    description: str = ""
    limitations: tuple[str, ...] = ()
    stands_in_for: str = ""  # pocket models: the card they imitate
    engine: str = "local"
    quantization: str = ""  # "8bit" or "4bit": loaded so, on a GPU
    offload: bool = False  # layers that do not fit its GPU may stay in the CPU's memory
    kv_bytes_per_token: int = 0  # keys and values of one token in 16-bit numbers; 0: not known
    servers: tuple[str, ...] = ()  # of a remote card: addresses, nobody's business but the engine's
    served_name: str = ""  # what the servers call the model; empty: `repo`
    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    self_names: tuple[str, ...] = ()  # more names of the model and its maker, as its system text has them

    @property
    def public_repo(self) -> str:
        """`repo` as others may read it: of a folder only its name."""
        return PurePath(self.repo).name if PurePath(self.repo).is_absolute() else self.repo


@dataclass(frozen=True, slots=True)
class Prompt:
    """Exactly what a model is fed: `text` as a person reads it, `token_ids` as the model gets it."""

    text: str
    token_ids: tuple[int, ...]
    template_id: str
    template_hash: str

    @property
    def num_tokens(self) -> int:
        """Length in tokens, special ids included."""
        return len(self.token_ids)


@dataclass(frozen=True, slots=True)
class Instruction:
    """What the visitor typed, normalised; the text that the models get."""

    instruction: str
    input: str = ""
    system: str = ""
    category: str = ""  # of the starter it came from; empty when typed


@dataclass(frozen=True, slots=True)
class Generation:
    """One model's answer with its whole provenance; written once, never changed."""

    id: str
    model_id: str
    model_revision: str
    repo: str
    license: str
    instruction: Instruction
    prompt: Prompt
    params: SamplingParams
    seed: int
    text: str
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    error: str | None
    engine: str
    device: str
    dtype: str
    versions: Mapping[str, str]
    faithful: bool
    created_at: str  # UTC, ISO 8601
    first_token_s: float | None  # from the request to the first token
    duration_s: float  # from the request to the end

    @property
    def good(self) -> bool:
        """Whether it may be judged: it ended in order and says something."""
        return self.finish_reason is not FinishReason.ERROR and bool(self.text.strip())

    @property
    def num_tokens(self) -> int:
        """Tokens of the answer, the stop id included where there is one."""
        return len(self.token_ids)


@dataclass(frozen=True, slots=True)
class BattleSide:
    """One position of a battle: drawn when the battle is made, filled when its column has ended."""

    side: str
    model_id: str
    seed: int
    params: SamplingParams
    generation: Generation | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """One judgement, or its undoing (``choice='undo'``); rows are only ever added."""

    id: str
    battle_id: str
    revision: int  # 1 for the first; an undo is a revision of its own
    choice: str
    rater_id: str
    created_at: str
    decision_s: float | None  # from open to the vote, server time
    origin: Origin = Origin.PERSON


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the default leaderboard counts a vote now, and if not, why."""

    counts: bool
    why_not: str = ""  # in words; empty where it counts


@dataclass(frozen=True, slots=True)
class Battle:
    """Two or more generations shown to one rater in a stored order."""

    id: str
    comparison_id: str
    parent_id: str | None
    owner: str
    source: str  # page | api
    blind: bool
    state: BattleState
    instruction: Instruction
    overrides: Mapping[str, Any]  # sampling parameters set for all sides; empty: as each card says
    sides: tuple[BattleSide, ...]
    created_at: str
    opened_at: str | None = None
    final_at: str | None = None
    void_reason: str | None = None
    vote: Vote | None = None  # the latest revision, None when undone or never cast
    revision: int = 0  # of the latest vote row, undo included
    draw_probability: float | None = None  # of this set of models when the arena drew them; None: chosen
    erased_at: str | None = None  # when its rater had her words erased; instruction and answers are empty then

    @property
    def good_sides(self) -> tuple[str, ...]:
        """Sides that may be judged."""
        return tuple(s.side for s in self.sides if s.generation is not None and s.generation.good)


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """What is known about one column while it is being written."""

    side: str
    state: ColumnState
    text: str = ""
    status: str = ""  # in words: "loading, about 4 s", "2 before you"
    error: str | None = None
    num_tokens: int = 0
    first_token_s: float | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class ColumnView:
    """What one viewer may see of one column; the only form in which a column leaves the server."""

    side: str
    state: ColumnState
    text: str
    status: str
    error: str | None
    finish_reason: FinishReason | None = None  # None while blind
    card: ModelCard | None = None  # None while blind
    generation: Generation | None = None  # None while blind, and while writing
    num_tokens: int | None = None
    tokens_per_s: float | None = None
    first_token_s: float | None = None


@dataclass(frozen=True, slots=True)
class BattleView:
    """What one viewer may see of a battle; page and API render nothing else."""

    battle_id: str
    state: BattleState
    blind: bool
    revision: int
    instruction: Instruction
    overrides: Mapping[str, Any]
    columns: tuple[ColumnView, ...]
    good_sides: tuple[str, ...]  # empty until the battle is open
    may_vote: bool
    mine: bool
    stored: bool  # False: kept in memory only, counts nowhere
    choice: str | None = None
    final_in_s: float | None = None  # while voted: until the reveal
    open_for_s: float | None = field(default=None, compare=False)  # while open: since the last answer ended
    void_reason: str | None = None
    reasons: tuple[str, ...] = ()
    comment: str = ""
    erased: bool = False  # its rater had its words erased
    standing: Standing | None = None  # of the vote; None where there is none, or it is not the viewer's


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """One row of the view `pairs`: two models judged against each other by one vote."""

    vote_id: str
    battle_id: str
    rater_id: str
    model_a: str  # stood on the earlier side, further left
    model_b: str
    winner: str  # model_a | model_b | tie | both_bad
    weight: float  # 0 for a pair of the same model: stored, not rated
    blind: bool
    category: str
    chars_a: int
    chars_b: int
    decision_s: float | None
    created_at: str
    names_itself: bool = False  # an answer of its battle gives its model away
    seen_before: bool = False  # its rater, or that day's network, has seen the answers with their models' names
    seen_elsewhere: bool = False  # somebody else's open run has shown one of these answers
    capped: bool = False  # given after the daily cap of its network
    origin: Origin = Origin.PERSON
    drawn: bool = True  # the arena drew the models; else somebody chose them
    own_sampling: bool = True  # as each card says; else parameters were changed


@dataclass(frozen=True, slots=True)
class JudgedTexts:
    """A judged pair with what was asked and answered, as exports need it."""

    pair: JudgedPair
    instruction: Instruction
    text_a: str
    text_b: str
    license_a: str
    license_b: str


@dataclass(frozen=True, slots=True)
class JudgedBattle:
    """A vote that stands, with its battle and what was noted about it."""

    vote: Vote
    battle: Battle
    reasons: tuple[str, ...]
    comment: str
    capped: bool = False  # given after the daily cap of its network


@dataclass(frozen=True, slots=True)
class Belongings:
    """How much of one rater is stored."""

    battles: int  # with their words
    erased: int  # battles of which only the judgement is left
    votes: int  # that stand, those on erased battles too
    notes: int  # comments and reports


@dataclass(frozen=True, slots=True)
class OwnBattle:
    """One battle in the list of what a rater's is."""

    battle_id: str
    created_at: str
    state: BattleState
    start: str  # of the instruction; empty once erased
    choice: str | None
    erased: bool
    blind: bool = True
    standing: Standing | None = None  # of its vote; None: there is none, or its rater may not know yet


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took the words out of."""

    battles: int
    notes: int


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Where a model stands in its engine."""

    model_id: str
    state: str  # off | asleep (not in memory, comes up when asked) | queued | loading | ready | failed
    detail: str = ""  # in words: what it waits for, why it failed
    device: str = ""
    eta_s: float | None = None
    load_s: float | None = None
    running: int = 0  # rows being written
    waiting: int = 0  # rows before the next one that is started
    placement: str = ""  # in words: whether it fits, where, beside what
    takes_turns: bool = False  # it fits only after others have made room
