"""Which models fit where: a pure function of what they need and what the machine has.

A model is *resident* when it fits beside the others of the line-up, *in turns* when it fits only after others have made
room, and does not fit when no device, nor all of them together, can hold it.

Boundary: numbers in, a plan out; asks neither disk nor device. Bytes throughout; 1 GB is 10^9 of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from playground.records import ModelCard

DTYPE_BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0}
# What bitsandbytes leaves of a 16-bit weight, embeddings and norms (which stay as they are) included.
QUANTIZED_BYTES = {"8bit": 1.1, "4bit": 0.65}
MAX_ROWS = 32
ROW_TOKENS = 1024
"""What a row takes as a rule, prompt and answer; a longer one that finds no memory ends alone, in words."""

_CUDA_PROCESS = 1_000_000_000  # context, libraries and the largest activations of a process on a GPU
_CPU_PROCESS = 100_000_000
_KV_UNKNOWN = 1 / 20_000  # of the weights, per token: above what any of the known large models needs


@dataclass(frozen=True, slots=True)
class Device:
    """Something that holds models."""

    name: str  # as torch spells it: cpu, cuda:0
    title: str  # for people
    total_bytes: int
    usable_bytes: int  # what models may take of it

    @property
    def is_cpu(self) -> bool:
        """Whether this is the machine's own memory."""
        return self.name == "cpu"


@dataclass(frozen=True, slots=True)
class Need:
    """What one model takes."""

    weights_bytes: int
    row_bytes: int  # keys and values of one row of full length
    usual_row_bytes: int
    process_bytes: int

    @property
    def least_bytes(self) -> int:
        """With a single row."""
        return self.weights_bytes + self.row_bytes + self.process_bytes


class How(StrEnum):
    """How a model is held."""

    RESIDENT = "resident"
    IN_TURNS = "in turns"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one model goes."""

    model_id: str
    how: How
    need: Need
    shares: Mapping[str, int] = field(default_factory=dict)  # bytes by device; several: its layers are spread over them
    rows: int = 0  # answers written together
    words: str = ""  # for people

    @property
    def devices(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(self.shares)


@dataclass(frozen=True, slots=True)
class Held:
    """What a model's process has taken."""

    placement: Placement
    rows: int

    def bytes_on(self, device: str) -> int:
        """Of one device, with all its rows."""
        more = (self.rows - 1) * self.placement.need.usual_row_bytes // len(self.placement.shares)
        return self.placement.shares[device] + more


@dataclass(frozen=True, slots=True)
class Plan:
    """Where every model of a line-up goes."""

    placements: Mapping[str, Placement]
    devices: tuple[Device, ...]

    @property
    def resident(self) -> tuple[str, ...]:
        """Models that are held all the time."""
        return tuple(m for m, placed in self.placements.items() if placed.how is How.RESIDENT)


def need_of(card: ModelCard, on_cpu: bool) -> Need:
    """What a card's model takes on a CPU or on GPUs."""
    per_weight = QUANTIZED_BYTES.get(card.quantization) or DTYPE_BYTES[card.dtype]
    weights = int((card.num_parameters or card.size_bytes // 2) * per_weight)
    kv = card.kv_bytes_per_token * DTYPE_BYTES[card.dtype] / 2 or weights * _KV_UNKNOWN
    usual = min(ROW_TOKENS, card.context_length)
    return Need(weights, int(kv * card.context_length), int(kv * usual), _CPU_PROCESS if on_cpu else _CUDA_PROCESS)


def plan(cards: Sequence[ModelCard], devices: Sequence[Device]) -> Plan:
    """Where each card goes; GPUs alone count where there are any, and earlier cards come first."""
    used = [device for device in devices if not device.is_cpu] or list(devices)
    on_cpu = all(device.is_cpu for device in used)
    needs = {card.id: need_of(card, on_cpu) for card in cards}
    resident: dict[str, Mapping[str, int]] = {}
    for card in cards:
        tried = _packed({**{known: needs[known] for known in resident}, card.id: needs[card.id]}, used)
        resident = tried if tried is not None else resident
    placements = [_placement(card, needs, resident, used) for card in cards]
    return Plan({placed.model_id: placed for placed in _with_rows(placements, used)}, tuple(devices))


def rows_beside(wanted: Placement, held: Iterable[Held], devices: Sequence[Device]) -> int:
    """How many rows a model can write beside those whose processes hold memory now; 0: it finds no room."""
    free = {device.name: device.usable_bytes for device in devices}
    for other in held:
        for name in other.placement.shares:
            free[name] -= other.bytes_on(name)
    spare = min((free[name] - taken for name, taken in wanted.shares.items()), default=0)
    if spare < 0:
        return 0
    return min(wanted.rows, 1 + spare * len(wanted.shares) // max(1, wanted.need.usual_row_bytes))


def _packed(needs: Mapping[str, Need], devices: Sequence[Device]) -> dict[str, Mapping[str, int]] | None:
    """Bytes by device for each model; evenly if that works, else tightly; None when they do not all fit."""
    evenly, tightly = -1, 1
    return _filled(needs, devices, evenly) or _filled(needs, devices, tightly)


def _filled(needs: Mapping[str, Need], devices: Sequence[Device], order: int) -> dict[str, Mapping[str, int]] | None:
    """Largest models first, each to the device with the most (`order` -1) or the least (1) room that holds it."""
    free = {device.name: device.usable_bytes for device in devices}
    packed: dict[str, Mapping[str, int]] = {}
    for model_id in sorted(needs, key=lambda known: -needs[known].least_bytes):
        need = needs[model_id]
        fitting = sorted((name for name in free if free[name] >= need.least_bytes), key=lambda name: order * free[name])
        whole = any(device.usable_bytes >= need.least_bytes for device in devices)
        places = dict.fromkeys(fitting[:1], need.least_bytes) if whole else _spread(need, free)
        if not places:
            return None
        for name, taken in places.items():
            free[name] -= taken
        packed[model_id] = places
    return packed


def _spread(need: Need, free: Mapping[str, int]) -> dict[str, int]:
    """Bytes on each of as few devices as can share a model that none of them holds alone; nothing when all cannot."""
    shares: dict[str, int] = {}
    left = need.weights_bytes + need.row_bytes
    for name in sorted(free, key=lambda name: -free[name]):
        room = free[name] - need.process_bytes
        if room <= 0 or left <= 0:
            break
        shares[name] = min(room, left) + need.process_bytes
        left -= min(room, left)
    return shares if left <= 0 else {}


def _placement(
    card: ModelCard, needs: Mapping[str, Need], resident: Mapping[str, Mapping[str, int]], devices: Sequence[Device]
) -> Placement:
    need = needs[card.id]
    if card.id in resident:
        others = [known for known in resident if known != card.id and set(resident[known]) & set(resident[card.id])]
        where = _where(resident[card.id], devices)
        words = f"{where}, beside {_names(others)}" if others else f"{where}, alone"
        return Placement(card.id, How.RESIDENT, need, resident[card.id], 1, words)
    alone = _packed({card.id: need}, devices)
    if alone is not None:
        words = f"{_where(alone[card.id], devices)} in turns: others make room when it is asked"
        return Placement(card.id, How.IN_TURNS, need, alone[card.id], 1, words)
    return Placement(card.id, How.TOO_LARGE, need, words=_too_large(card, need, devices))


def _names(models: Sequence[str]) -> str:
    return ", ".join(models) if len(models) <= 2 else f"{len(models)} others"


def _where(names: Collection[str], devices: Sequence[Device]) -> str:
    titles = [device.title for device in devices if device.name in names]
    return titles[0] if len(titles) == 1 else f"spread over {len(titles)} devices ({', '.join(titles)})"


def _too_large(card: ModelCard, need: Need, devices: Sequence[Device]) -> str:
    """What is missing, and the smaller form that would fit."""
    has = sum(device.usable_bytes for device in devices)
    words = f"needs {_gigabytes(need.least_bytes)}, and there are {_gigabytes(has)} for models"
    if all(device.is_cpu for device in devices):  # bitsandbytes wants a GPU
        return words
    for form in (form for form in QUANTIZED_BYTES if not card.quantization):
        smaller = need_of(replace(card, quantization=form), on_cpu=False)
        if _packed({card.id: smaller}, devices) is not None:
            return f'{words}; quantization = "{form}" in its card would take {_gigabytes(smaller.least_bytes)}'
    return words


def _with_rows(placements: Sequence[Placement], devices: Sequence[Device]) -> list[Placement]:
    """Rows for each: what is left of its device, shared equally by the models that stay on it."""
    left = {device.name: device.usable_bytes for device in devices}
    sharing = dict.fromkeys(left, 0)
    for placed in placements:
        if placed.how is How.RESIDENT:
            for name, taken in placed.shares.items():
                left[name] -= taken
                sharing[name] += 1
    return [replace(placed, rows=_rows(placed, left, sharing, devices)) for placed in placements]


def _rows(placed: Placement, left: Mapping[str, int], sharing: Mapping[str, int], devices: Sequence[Device]) -> int:
    if placed.how is How.TOO_LARGE:
        return 0
    if placed.how is How.IN_TURNS:
        spare = sum(device.usable_bytes for device in devices if device.name in placed.devices)
        spare -= placed.need.least_bytes
    else:
        spare = sum(left[name] // sharing[name] for name in placed.devices)
    return max(1, min(MAX_ROWS, 1 + spare // max(1, placed.need.usual_row_bytes)))


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
