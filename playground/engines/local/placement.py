"""The memory that models need and the places that a plan gives them.

Boundary: values; `planning` decides. Sizes in bytes; 1 GB is 10^9 of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from playground.records import ModelCard, Quantization

DTYPE_BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0}
# What bitsandbytes leaves of a 16-bit weight, embeddings and norms (which stay as they are) included.
QUANTIZED_BYTES: Mapping[Quantization, float] = {"8bit": 1.1, "4bit": 0.65}
MAX_ROWS = 32
ROW_TOKENS = 1024
"""The usual length of a row, prompt and answer; a longer one that finds no memory fails alone."""
READ_TOKENS = 512
"""Tokens of new prompts, padding included, that one step reads: the running rows wait meanwhile. A longer prompt is
read in pieces of this size. Keys and values are there twice until the prompts have joined. In a context of at least
`ROW_TOKENS` more, the memory planned for a full row has space for them beside a usual one; in a shorter context they
may find none, and are then read one by one."""

CPU = "cpu"
_CUDA_PROCESS = 1_000_000_000  # context, libraries and the largest activations of a process on a GPU
_CPU_PROCESS = 100_000_000
_KV_UNKNOWN = 1 / 20_000  # of the weights, per token: more than any of the known large models needs
_LAYER = 1 / 24  # of the weights, at most; no known large model has fewer layers


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, or the memory of the machine."""

    name: str  # as torch spells it: cpu, cuda:0
    title: str  # for people
    total_bytes: int
    usable_bytes: int  # for models
    unlimited_bytes: int = 0  # for models without `Settings.memory_gb`; 0 if that takes nothing away

    @property
    def is_cpu(self) -> bool:
        """Return True if this is the memory of the machine."""
        return self.name == CPU


@dataclass(frozen=True, slots=True)
class Need:
    """The memory that one model takes."""

    weights_bytes: int
    row_bytes: int  # keys and values of one row of full length, or of a usual one and the prompts that are being read
    usual_row_bytes: int
    process_bytes: int
    offload: bool = False  # layers that do not fit a GPU may stay in the CPU's memory

    @property
    def layer_bytes(self) -> int:
        """The size of one layer: layers are not split between devices, and offloaded ones visit the GPU."""
        return int(self.weights_bytes * _LAYER)

    @property
    def least_bytes(self) -> int:
        """The memory for a single row."""
        return self.weights_bytes + self.row_bytes + self.process_bytes


def need_of(card: ModelCard, on_cpu: bool) -> Need:
    """Estimate what a card's model takes on a CPU or on GPUs."""
    weights = int((card.num_parameters or card.size_bytes // 2) * bytes_per_weight(card))
    kv = card.kv_bytes_per_token * DTYPE_BYTES[card.dtype] / 2 or weights * _KV_UNKNOWN
    usual = min(ROW_TOKENS, card.context_length)
    process = _CPU_PROCESS if on_cpu else _CUDA_PROCESS
    return Need(weights, int(kv * card.context_length), int(kv * usual), process, card.offload)


def bytes_per_weight(card: ModelCard) -> float:
    """Return the size of a weight in memory, quantized if the card says so."""
    return QUANTIZED_BYTES.get(card.quantization) or DTYPE_BYTES[card.dtype]


class How(StrEnum):
    """The ways in which a model is placed."""

    RESIDENT = "resident"  # beside the others of the line-up
    IN_TURNS = "in turns"  # once others have given up their memory
    TOO_LARGE = "too large"  # for every device, and for all of them together


@dataclass(frozen=True, slots=True)
class Share:
    """The memory that a model takes of one device."""

    weights_bytes: int
    total_bytes: int  # with everything else, and one row


Shares = Mapping[str, Share]
"""By device; the layers of a model are spread over several."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The place of one model."""

    model_id: str
    how: How
    need: Need
    shares: Shares = field(default_factory=dict)
    rows: int = 0  # written together
    words: str = ""  # for people

    @property
    def weights(self) -> Mapping[str, int]:
        """Bytes of weights by device."""
        return {name: share.weights_bytes for name, share in self.shares.items()}

    @property
    def is_offloaded(self) -> bool:
        """Return True if the CPU's memory keeps layers that a GPU computes."""
        return len(self.shares) > 1 and CPU in self.shares

    @property
    def computing(self) -> Mapping[str, int]:
        """Bytes of weights by device, without memory that only keeps them."""
        return {name: size for name, size in self.weights.items() if name != CPU or not self.is_offloaded}

    def usual_row_bytes_on(self, device: str) -> int:
        """Return the keys and values of a usual row: they lie where their layer is computed."""
        parts = self.computing
        if len(parts) == 1:
            return self.need.usual_row_bytes if device in parts else 0
        return self.need.usual_row_bytes * parts.get(device, 0) // max(1, sum(parts.values()))

    def rows_in(self, spare: Mapping[str, int]) -> int:
        """Return how many usual rows fit into the spare bytes of the model's devices."""
        return min((spare[name] // max(1, self.usual_row_bytes_on(name)) for name in self.computing), default=0)


@dataclass(frozen=True, slots=True)
class Held:
    """The memory that a model's process has taken."""

    placement: Placement
    rows: int

    def bytes_on(self, device: str) -> int:
        """Return its part of one device, with all rows."""
        more = (self.rows - 1) * self.placement.usual_row_bytes_on(device)
        return self.placement.shares[device].total_bytes + more


def rows_beside(wanted: Placement, held: Iterable[Held], devices: Sequence[Device]) -> int:
    """Return the rows that a model can write beside the processes that hold memory now; 0 if it does not fit."""
    free = {device.name: device.usable_bytes for device in devices}
    for other in held:
        for name in other.placement.shares:
            free[name] -= other.bytes_on(name)
    spare = {name: free[name] - share.total_bytes for name, share in wanted.shares.items()}
    if min(spare.values(), default=0) < 0:
        return 0
    return min(wanted.rows, 1 + wanted.rows_in(spare))
