"""Models: the sampling parameters, the card in the registry, the state in an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePath
from typing import Any

from playground.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Parameters of choosing the next token, with the argument names of transformers' ``generate``.

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
        """Return these parameters with some replaced; names must be fields of this record, types must fit.

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
class ModelCard:
    """A model of the registry (`cards/<id>.toml`)."""

    id: str
    name: str
    repo: str  # hub id, or an absolute folder
    revision: str  # commit of the hub repository, or "local"
    license: str
    architecture: str  # the config's class, such as LlamaForCausalLM
    num_parameters: int
    size_bytes: int  # of the weights as computed with, before any quantization; of their files if no card says it
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
    servers: tuple[str, ...] = ()  # of a remote card: addresses, private to the engine
    served_name: str = ""  # the model's name on the servers; empty: `repo`
    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    self_names: tuple[str, ...] = ()  # more names of the model and its maker, as its system text has them

    @property
    def public_repo(self) -> str:
        """`repo` without the folders of this machine: of a folder only its name."""
        return PurePath(self.repo).name if PurePath(self.repo).is_absolute() else self.repo


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The state of a model in its engine."""

    model_id: str
    state: str  # off | asleep (not in memory, comes up when asked) | queued | loading | ready | failed
    detail: str = ""  # the reason for waiting or failing
    device: str = ""
    eta_s: float | None = None
    load_s: float | None = None
    running: int = 0  # rows being written
    waiting: int = 0  # rows before the next one that is started
    placement: str = ""  # a sentence: whether it fits, on which device, beside which models
    takes_turns: bool = False  # it fits only after other models have been unloaded
