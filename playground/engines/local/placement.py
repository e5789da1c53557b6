"""Which models fit where: a pure function of what they need and what the machine has.

A model is *resident* when it fits beside the others of the line-up, *in turns* when it fits only after others have made
room, and does not fit when no device, nor all of them together, can hold it; unless its card asks for `offload`: then
the CPU's memory keeps the layers that its GPU cannot.

Boundary: numbers in, a plan out; asks neither disk nor device. Bytes throughout; 1 GB is 10^9 of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from playground.records import ModelCard, Quantization

DTYPE_BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0}
# What bitsandbytes leaves of a 16-bit weight, embeddings and norms (which stay as they are) included.
QUANTIZED_BYTES: Mapping[Quantization, float] = {"8bit": 1.1, "4bit": 0.65}
MAX_ROWS = 32
ROW_TOKENS = 1024
"""What a row takes as a rule, prompt and answer; a longer one that finds no memory ends alone, in words."""

OFFLOADED_ROWS = 4
"""What a GPU keeps room for beside an offloaded model: weights that travel for one row travel for several as well."""

_CUDA_PROCESS = 1_000_000_000  # context, libraries and the largest activations of a process on a GPU
_CPU_PROCESS = 100_000_000
_KV_UNKNOWN = 1 / 20_000  # of the weights, per token: above what any of the known large models needs
_CPU = "cpu"
_LAYER = 1 / 24  # of the weights, at the most; no known large model has fewer layers


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
        return self.name == _CPU


@dataclass(frozen=True, slots=True)
class Need:
    """What one model takes."""

    weights_bytes: int
    row_bytes: int  # keys and values of one row of full length
    usual_row_bytes: int
    process_bytes: int
    offload: bool = False  # what does not fit a GPU may stay in the CPU's memory

    @property
    def layer_bytes(self) -> int:
        """What several devices need beyond their shares: layers are not cut, and offloaded ones visit the GPU."""
        return int(self.weights_bytes * _LAYER)

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
class Share:
    """What a model takes of one device."""

    weights_bytes: int
    total_bytes: int  # with all that goes with them, and one row


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one model goes."""

    model_id: str
    how: How
    need: Need
    shares: Mapping[str, Share] = field(default_factory=dict)  # by device; several: its layers are spread over them
    rows: int = 0  # answers written together
    words: str = ""  # for people

    @property
    def devices(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(self.shares)

    @property
    def room(self) -> Mapping[str, int]:
        """Bytes of its weights by device."""
        return {name: share.weights_bytes for name, share in self.shares.items()}

    @property
    def is_offloaded(self) -> bool:
        """Whether the CPU's memory keeps layers that a GPU computes."""
        return len(self.shares) > 1 and _CPU in self.shares

    @property
    def computing(self) -> Mapping[str, int]:
        """Bytes of its weights by device, without memory in which they only wait."""
        return {name: size for name, size in self.room.items() if name != _CPU or not self.is_offloaded}

    def usual_row_bytes_on(self, device: str) -> int:
        """Keys and values lie where their layer is computed: in proportion to its weights, never where those wait."""
        parts = self.computing
        if len(parts) == 1:
            return self.need.usual_row_bytes if device in parts else 0
        return self.need.usual_row_bytes * parts.get(device, 0) // sum(parts.values())

    def rows_in(self, spare: Mapping[str, int]) -> int:
        """How many usual rows find room in so many bytes of each of its devices."""
        return min((spare[name] // max(1, self.usual_row_bytes_on(name)) for name in self.computing), default=0)


Shares = Mapping[str, Share]


@dataclass(frozen=True, slots=True)
class Held:
    """What a model's process has taken."""

    placement: Placement
    rows: int

    def bytes_on(self, device: str) -> int:
        """Of one device, with all its rows."""
        more = (self.rows - 1) * self.placement.usual_row_bytes_on(device)
        return self.placement.shares[device].total_bytes + more


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
    weights = int((card.num_parameters or card.size_bytes // 2) * bytes_per_weight(card))
    kv = card.kv_bytes_per_token * DTYPE_BYTES[card.dtype] / 2 or weights * _KV_UNKNOWN
    usual = min(ROW_TOKENS, card.context_length)
    process = _CPU_PROCESS if on_cpu else _CUDA_PROCESS
    return Need(weights, int(kv * card.context_length), int(kv * usual), process, card.offload)


def bytes_per_weight(card: ModelCard) -> float:
    """In memory, as the card wants them loaded."""
    return QUANTIZED_BYTES.get(card.quantization) or DTYPE_BYTES[card.dtype]


def plan(cards: Sequence[ModelCard], devices: Sequence[Device]) -> Plan:
    """Where each card goes; GPUs alone count where there are any, and earlier cards come first."""
    on_cpu = all(device.is_cpu for device in devices)
    needs = {card.id: need_of(card, on_cpu) for card in cards}
    resident: dict[str, Shares] = {}
    for card in cards:
        tried = _packed({**{known: needs[known] for known in resident}, card.id: needs[card.id]}, devices)
        resident = tried if tried is not None else resident
    placements = [_placement(card, needs, resident, devices) for card in cards]
    return Plan({placed.model_id: placed for placed in _with_rows(placements, devices)}, tuple(devices))


def rows_beside(wanted: Placement, held: Iterable[Held], devices: Sequence[Device]) -> int:
    """How many rows a model can write beside those whose processes hold memory now; 0: it finds no room."""
    free = {device.name: device.usable_bytes for device in devices}
    for other in held:
        for name in other.placement.shares:
            free[name] -= other.bytes_on(name)
    spare = {name: free[name] - share.total_bytes for name, share in wanted.shares.items()}
    if min(spare.values(), default=0) < 0:
        return 0
    return min(wanted.rows, 1 + wanted.rows_in(spare))


def _computing(devices: Sequence[Device]) -> Sequence[Device]:
    """The GPUs; where there are none, the CPU."""
    return [device for device in devices if not device.is_cpu] or devices


def _packed(needs: Mapping[str, Need], devices: Sequence[Device]) -> dict[str, Shares] | None:
    """What each model takes of which devices; evenly if that works, else tightly; None when they do not all fit."""
    evenly, tightly = -1, 1
    return _filled(needs, devices, evenly) or _filled(needs, devices, tightly)


def _filled(needs: Mapping[str, Need], devices: Sequence[Device], order: int) -> dict[str, Shares] | None:
    """Largest models first, each to the device with the most (`order` -1) or the least (1) room that holds it."""
    free = {device.name: device.usable_bytes for device in devices}
    packed: dict[str, Shares] = {}
    for model_id in sorted(needs, key=lambda known: -needs[known].least_bytes):
        shares = _shares(needs[model_id], free, devices, order)
        if not shares:
            return None
        for name, share in shares.items():
            free[name] -= share.total_bytes
        packed[model_id] = shares
    return packed


def _shares(need: Need, free: Mapping[str, int], devices: Sequence[Device], order: int) -> Shares:
    """One device where any is large enough, else several, else a GPU and the CPU; nothing while there is no room."""
    size = {device.name: device.usable_bytes for device in _computing(devices)}
    if max(size.values(), default=0) >= need.least_bytes:
        fitting = sorted((name for name in size if free[name] >= need.least_bytes), key=lambda name: order * free[name])
        return {name: Share(need.weights_bytes, need.least_bytes) for name in fitting[:1]}
    if need.offload and not _spread(need, size):
        return _offloaded(need, free, devices)
    return _spread(need, {name: free[name] for name in size})


def _spread(need: Need, free: Mapping[str, int]) -> Shares:
    """Of as few devices as can share a model that none of them holds alone, as much as each has room for."""
    wanted, beside = need.weights_bytes + need.row_bytes, need.process_bytes + need.layer_bytes
    rooms: dict[str, int] = {}
    for name in sorted(free, key=lambda name: -free[name]):
        if free[name] > beside and sum(rooms.values()) < wanted:
            rooms[name] = free[name] - beside
    total = sum(rooms.values())
    if total < wanted:
        return {}
    return {
        name: Share(need.weights_bytes * rooms[name] // total, beside + wanted * rooms[name] // total)
        for name in free
        if name in rooms
    }


def _offloaded(need: Need, free: Mapping[str, int], devices: Sequence[Device]) -> Shares:
    """Of the largest GPU what it has, of the CPU's memory the rest; nothing when that is not enough."""
    gpus = [device for device in devices if not device.is_cpu]
    if not gpus or _CPU not in free:
        return {}
    gpu = max(gpus, key=lambda device: device.usable_bytes).name
    beside = need.process_bytes + need.row_bytes + need.layer_bytes
    room = free[gpu] - beside
    spare = free[_CPU] - (need.weights_bytes - room) - need.layer_bytes
    if room < need.layer_bytes or spare < 0:
        return {}
    there = room - min((OFFLOADED_ROWS - 1) * need.usual_row_bytes, room - need.layer_bytes, spare)
    kept = need.weights_bytes - there
    return {gpu: Share(there, there + beside), _CPU: Share(kept, kept + need.layer_bytes)}


def _placement(
    card: ModelCard, needs: Mapping[str, Need], resident: Mapping[str, Shares], devices: Sequence[Device]
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


def _where(shares: Shares, devices: Sequence[Device]) -> str:
    titles = [device.title for device in devices if device.name in shares]
    if _CPU in shares and len(shares) > 1:
        there, kept = (_gigabytes(share.total_bytes) for share in shares.values())
        return f"{there} on {titles[0]}, {kept} in the CPU's memory (slow)"
    return titles[0] if len(titles) == 1 else f"spread over {len(titles)} devices ({', '.join(titles)})"


def _too_large(card: ModelCard, need: Need, devices: Sequence[Device]) -> str:
    """What is missing, and the smaller form that would fit."""
    has = sum(device.usable_bytes for device in _computing(devices))
    words = f"needs {_gigabytes(need.least_bytes)}, and there are {_gigabytes(has)} for models"
    if all(device.is_cpu for device in devices):  # bitsandbytes wants a GPU
        return words
    if need.offload:
        return f"{words}; with the CPU's memory {_gigabytes(sum(device.usable_bytes for device in devices))}"
    for form in (form for form in QUANTIZED_BYTES if not card.quantization):
        smaller = need_of(replace(card, quantization=form), on_cpu=False)
        if _packed({card.id: smaller}, devices) is not None:
            return f'{words}; quantization = "{form}" in its card would take {_gigabytes(smaller.least_bytes)}'
    shares = (_packed({card.id: replace(need, offload=True)}, devices) or {}).get(card.id)
    if shares and not card.quantization:
        kept = _gigabytes(shares[_CPU].total_bytes)
        return f"{words}; offload = true in its card would keep {kept} in the CPU's memory, and be slow"
    return words


def _with_rows(placements: Sequence[Placement], devices: Sequence[Device]) -> list[Placement]:
    """Rows for each: what is left of its device, shared equally by the models that stay on it."""
    left = {device.name: device.usable_bytes for device in devices}
    sharing = dict.fromkeys(left, 0)
    for placed in placements:
        if placed.how is How.RESIDENT:
            for name, taken in placed.shares.items():
                left[name] -= taken.total_bytes
                sharing[name] += 1
    return [replace(placed, rows=_rows(placed, left, sharing, devices)) for placed in placements]


def _rows(placed: Placement, left: Mapping[str, int], sharing: Mapping[str, int], devices: Sequence[Device]) -> int:
    if placed.how is How.TOO_LARGE:
        return 0
    if placed.how is How.IN_TURNS:
        usable = {device.name: device.usable_bytes for device in devices}
        spare = {name: usable[name] - share.total_bytes for name, share in placed.shares.items()}
    else:
        spare = {name: left[name] // sharing[name] for name in placed.devices}
    return max(1, min(MAX_ROWS, 1 + placed.rows_in(spare)))


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
