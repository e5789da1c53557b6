"""Models: the sampling parameters, the card in the registry, the state in an engine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt

from playground.documents import read_values, strict_keys
from playground.errors import InvalidValue
from playground.messages import Message
from playground.records.licenses import spdx
from playground.records.prompts import Text

Dtype = Literal["float32", "float16", "bfloat16"]
Quantization = Literal["", "8bit", "4bit"]
Feed = Literal["ids", "text", "messages"]
"""The form in which a server is sent a prompt: exact ids, the same prompt as text, or messages for its own template."""


def _filled(text: str) -> str:
    if not text.strip():
        raise InvalidValue(Message("is empty; fill it in"))
    return text


Filled = Annotated[str, AfterValidator(_filled)]
"""Text with more in it than white space."""


def _whole(value: object) -> object:
    """Return 50 for 50.0: programs that know only floating point numbers send that."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]


def _switch(value: object) -> object:
    if not isinstance(value, bool | str):
        raise InvalidValue(Message("is {value!r}; valid: true, false or text", value=value))
    return value


def _link(address: str) -> str:
    if not address.startswith("https://") or any(char.isspace() for char in address):
        raise InvalidValue(Message("is {address!r}; valid: an address that begins with https://", address=address))
    return address


Link = Annotated[str, AfterValidator(_link)]
Switch = Annotated[bool | str, BeforeValidator(_switch)]
MOST_NEW_TOKENS = 32_768
"""Tokens of one answer, with its reasoning; models that reason at length ask for as many."""


def _parameter(default: Any, valid: str, low: float = 0, high: float = 1, *, when_sampling: bool = False) -> Any:
    """Return the field of a sampling parameter with its range and its range's words; `low` and `high` are valid."""
    return field(default=default, metadata={"valid": valid, "range": (low, high), "when_sampling": when_sampling})


@strict_keys
@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Parameters of choosing the next token, with the argument names of transformers' ``generate``.

    This is the only list of them: cards, the API, the database, the page and both engines read it. Those that are
    marked `when_sampling` have no effect with ``do_sample=False``.
    """

    max_new_tokens: Whole = _parameter(256, f"1 to {MOST_NEW_TOKENS}", 1, MOST_NEW_TOKENS)
    min_new_tokens: Whole = _parameter(0, "0 to max_new_tokens", 0, MOST_NEW_TOKENS)
    do_sample: bool = _parameter(False, "true, false")
    temperature: float = _parameter(1.0, "0.01 to 5", 0.01, 5, when_sampling=True)
    top_k: Whole = _parameter(0, "0 (off) to 1000", 0, 1000, when_sampling=True)
    top_p: float = _parameter(1.0, "above 0, to 1", sys.float_info.min, 1, when_sampling=True)
    min_p: float = _parameter(0.0, "0 (off) to 1", 0, 1, when_sampling=True)
    repetition_penalty: float = _parameter(1.0, "0.5 to 3", 0.5, 3)
    renormalize_logits: bool = _parameter(False, "true, false")

    def __post_init__(self) -> None:
        for parameter in fields(self):
            value, (low, high) = getattr(self, parameter.name), parameter.metadata["range"]
            if not low <= value <= (self.max_new_tokens if parameter.name == "min_new_tokens" else high):
                raise InvalidValue(
                    Message(
                        "{name!r} is {value!r}; valid: {valid}",
                        name=parameter.name,
                        value=value,
                        valid=parameter.metadata["valid"],
                    )
                )

    def changed(self, overrides: Mapping[str, Any]) -> SamplingParams:
        """Return these parameters with some replaced; names must be fields of this record, types must fit.

        Raises:
            InvalidValue: an unknown name, a wrong type or a value out of range.
        """
        return read_values(SamplingParams, {**asdict(self), **overrides}, "")


WHEN_SAMPLING = tuple(f.name for f in fields(SamplingParams) if f.metadata["when_sampling"])
"""Names of the sampling parameters that have no effect with ``do_sample=False``."""
TAKEN: Mapping[str, str] = {
    "max_new_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
}
"""Parameters that every server of text or messages is expected to take -> their names in OpenAI's API."""
NEUTRAL = SamplingParams()
"""Each parameter with the value that has no effect."""
EXTRA = ("min_new_tokens", "top_k", "min_p", "repetition_penalty")
"""Parameters that such a server takes only if its card says under which name."""


@strict_keys
@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model of the registry (`cards/<id>.toml`)."""

    id: str
    name: Filled
    repo: Filled  # hub id, or an absolute folder
    revision: Filled  # commit of the hub repository, or "local"
    license: Annotated[Filled, AfterValidator(spdx)]
    architecture: Filled  # the config's class, such as LlamaForCausalLM
    context_length: Annotated[int, Field(ge=2)]  # tokens, prompt and answer together
    dtype: Dtype  # as computed with
    template: Filled
    sampling: SamplingParams
    sampling_source: Literal["card", "ours"]
    num_parameters: NonNegativeInt = 0  # 0: not known
    size_bytes: NonNegativeInt = 0  # of the weights as computed with, unquantized; of their files if no card says it
    description: str = ""
    limitations: tuple[Text, ...] = ()
    stands_in_for: str = ""  # pocket models: the card they imitate
    engine: Literal["local", "remote", "zerogpu"] = "local"
    quantization: Quantization = ""  # loaded so, on a GPU
    offload: bool = False  # layers that do not fit its GPU may stay in the CPU's memory
    kv_bytes_per_token: NonNegativeInt = 0  # keys and values of one token in 16-bit numbers; 0: not known
    servers: tuple[Text, ...] = ()  # of a remote card: addresses, private to the engine
    served_name: str = ""  # the model's name on the servers; empty: `repo`
    feed: Feed = "ids"  # of a remote card
    server_params: Mapping[str, Text] = field(default_factory=dict)  # parameter -> its name on servers of text
    key_variable: str = ""  # the environment variable with the servers' key; empty: `Settings.remote_key`
    daily_tokens: NonNegativeInt = 0  # prompts and answers of a day (UTC); 0: no limit
    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)  # such as paper -> its address
    citation: str = ""  # BibTeX, as the model's own page asks to be cited
    retired: str = ""  # why it does not answer any more; such a card is in no line-up
    untested: bool = False  # its facts were read; its weights were never run with this program
    chat_template_kwargs: Mapping[str, Switch] = field(default_factory=dict)  # switches of its chat template
    self_names: tuple[Text, ...] = ()  # more names of the model and its maker, as its system text has them

    @property
    def public_repo(self) -> str:
        """`repo` without the folders of this machine: of a folder only its name."""
        return PurePath(self.repo).name if PurePath(self.repo).is_absolute() else self.repo

    @property
    def sent_params(self) -> Mapping[str, str]:
        """Parameters that are sent to a server of text or messages, with their names there."""
        return {**TAKEN, **self.server_params}

    def not_taken(self, params: SamplingParams) -> str:
        """Return the first parameter that would have an effect, but that the card's servers do not take; or ""."""
        if self.feed == "ids":
            return ""
        ignored = () if params.do_sample else WHEN_SAMPLING
        used = (name for name in EXTRA if name not in ignored and getattr(params, name) != getattr(NEUTRAL, name))
        return next((name for name in used if name not in self.server_params), "")


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The state of a model in its engine."""

    model_id: str
    state: str  # off | asleep (not in memory, comes up when asked) | queued | loading | ready | spent | failed
    detail: str = ""  # the reason for waiting or failing
    device: str = ""
    eta_s: float | None = None
    load_s: float | None = None
    running: int = 0  # rows being written
    waiting: int = 0  # rows before the next one that is started
    placement: str = ""  # a sentence: whether it fits, on which device, beside which models
    takes_turns: bool = False  # it fits only after other models have been unloaded
    silent_s: float = 0.0  # the time for which it has written nothing although it should
    restarts: bool = False  # its process ended or hung, and is being replaced
