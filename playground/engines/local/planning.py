"""Plan which models fit where, from what they need and what the machine has.

A model is resident if it fits beside the others of the line-up, and in turns if it fits only once others have given up
their memory. If a card asks for `offload`, the CPU's memory keeps the layers that its GPU cannot hold.

Boundary: a pure function; asks neither disk nor device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from playground.engines.local.placement import (
    CPU,
    MAX_ROWS,
    QUANTIZED_BYTES,
    Device,
    How,
    Need,
    Placement,
    Share,
    Shares,
    need_of,
)
from playground.records import ModelCard
from playground.settings import variable

OFFLOADED_ROWS = 4
"""Rows that a GPU keeps memory for beside an offloaded model: weights that travel for one row serve several."""


def plan(cards: Sequence[ModelCard], devices: Sequence[Device]) -> dict[str, Placement]:
    """Place each card's model; where there are GPUs only they count, and earlier cards come first."""
    on_cpu = all(device.is_cpu for device in devices)
    needs = {card.id: need_of(card, on_cpu) for card in cards}
    resident: dict[str, Shares] = {}
    for card in cards:
        resident = _packed({known: needs[known] for known in (*resident, card.id)}, devices) or resident
    placements = [_placement(card, needs[card.id], resident, devices) for card in cards]
    return {placed.model_id: placed for placed in _with_rows(placements, devices)}


# -- memory -----------------------------------------------------------------------------------------------------------


def _computing(devices: Sequence[Device]) -> Sequence[Device]:
    """The GPUs; the CPU if there are none."""
    return [device for device in devices if not device.is_cpu] or devices


def _packed(needs: Mapping[str, Need], devices: Sequence[Device]) -> dict[str, Shares] | None:
    """Give each model its shares: evenly if that works, else tightly; None if they do not all fit."""
    evenly, tightly = -1, 1
    return _filled(needs, devices, evenly) or _filled(needs, devices, tightly)


def _filled(needs: Mapping[str, Need], devices: Sequence[Device], order: int) -> dict[str, Shares] | None:
    """Place the largest models first, each on the device with the most (`order` -1) or least (1) free memory."""
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
    """Take one device if any is large enough, else several, else a GPU and the CPU; nothing if memory is short."""
    size = {device.name: device.usable_bytes for device in _computing(devices)}
    if max(size.values(), default=0) >= need.least_bytes:
        fitting = sorted((name for name in size if free[name] >= need.least_bytes), key=lambda name: order * free[name])
        return {name: Share(need.weights_bytes, need.least_bytes) for name in fitting[:1]}
    if need.offload and not _spread(need, size):
        return _offloaded(need, free, devices)
    return _spread(need, {name: free[name] for name in size})


def _spread(need: Need, free: Mapping[str, int]) -> Shares:
    """Share a model among as few devices as possible, in proportion to their free memory."""
    wanted, beside = need.weights_bytes + need.row_bytes, need.process_bytes + need.layer_bytes
    parts: dict[str, int] = {}
    for name in sorted(free, key=lambda name: -free[name]):
        if free[name] > beside and sum(parts.values()) < wanted:
            parts[name] = free[name] - beside
    total = sum(parts.values())
    if total < wanted:
        return {}
    return {
        name: Share(need.weights_bytes * parts[name] // total, beside + wanted * parts[name] // total)
        for name in free
        if name in parts
    }


def _offloaded(need: Need, free: Mapping[str, int], devices: Sequence[Device]) -> Shares:
    """Fill the largest GPU and keep the rest in the CPU's memory; nothing if that is not enough."""
    gpus = [device for device in devices if not device.is_cpu]
    if not gpus or CPU not in free:
        return {}
    gpu = max(gpus, key=lambda device: device.usable_bytes).name
    beside = need.process_bytes + need.row_bytes + need.layer_bytes
    most = free[gpu] - beside
    spare = free[CPU] - (need.weights_bytes - most) - need.layer_bytes
    if most < need.layer_bytes or spare < 0:
        return {}
    there = most - min((OFFLOADED_ROWS - 1) * need.usual_row_bytes, most - need.layer_bytes, spare)
    kept = need.weights_bytes - there
    return {gpu: Share(there, there + beside), CPU: Share(kept, kept + need.layer_bytes)}


def _with_rows(placements: Sequence[Placement], devices: Sequence[Device]) -> list[Placement]:
    """Add the rows: the memory that is left on a device is shared equally by its resident models."""
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
        spare = {name: left[name] // sharing[name] for name in placed.shares}
    return max(1, min(MAX_ROWS, 1 + placed.rows_in(spare)))


# -- words ------------------------------------------------------------------------------------------------------------


def _placement(card: ModelCard, need: Need, resident: Mapping[str, Shares], devices: Sequence[Device]) -> Placement:
    """Name the place of one model, its rows still to come."""
    if card.id in resident:
        shares = resident[card.id]
        others = [known for known in resident if known != card.id and set(resident[known]) & set(shares)]
        beside = ", ".join(others) if len(others) <= 2 else f"{len(others)} others"
        words = f"{_where(shares, devices)}, " + (f"beside {beside}" if others else "alone")
        return Placement(card.id, How.RESIDENT, need, shares, 1, words)
    alone = _packed({card.id: need}, devices)
    if alone is not None:
        words = f"{_where(alone[card.id], devices)} in turns: others make room when it is asked"
        words += _to_stay(need, resident, devices)
        return Placement(card.id, How.IN_TURNS, need, alone[card.id], 1, words)
    return Placement(card.id, How.TOO_LARGE, need, words=_too_large(card, need, devices))


def _to_stay(need: Need, resident: Mapping[str, Shares], devices: Sequence[Device]) -> str:
    """Say what would keep a model loaded beside the others; nothing where it may be on several devices."""
    if need.offload or len(_computing(devices)) > 1:
        return ""
    (device,) = _computing(devices)
    taken = {known: shares[device.name].total_bytes for known, shares in resident.items() if device.name in shares}
    wanted = sum(taken.values()) + need.least_bytes
    ways = [_raise_limit(wanted)] if device.unlimited_bytes >= wanted else []
    enough = [known for known, size in taken.items() if wanted - size <= device.usable_bytes]
    ways += [f"unload {min(enough, key=taken.__getitem__)}"] if enough else []
    return f"; to keep it loaded, {' or '.join(ways)}" if ways else ""


def _raise_limit(size: int) -> str:
    return f"raise {variable('memory_gb')} to {math.ceil(size / 1e7) / 100:.2f}"


def _parts(need: Need) -> str:
    """Name what a model with one row of full length takes."""
    weights, cache, reserve = map(_gigabytes, (need.weights_bytes, need.row_bytes, need.process_bytes))
    return f"weights {weights}, cache {cache}, reserve {reserve}"


def _where(shares: Shares, devices: Sequence[Device]) -> str:
    titles = [device.title for device in devices if device.name in shares]
    if CPU in shares and len(shares) > 1:
        there, kept = (_gigabytes(share.total_bytes) for share in shares.values())
        return f"{there} on {titles[0]}, {kept} in the CPU's memory (slow)"
    return titles[0] if len(titles) == 1 else f"spread over {len(titles)} devices ({', '.join(titles)})"


def _too_large(card: ModelCard, need: Need, devices: Sequence[Device]) -> str:
    """Say how much is missing, and which smaller form would fit."""
    has = sum(device.usable_bytes for device in _computing(devices))
    words = f"needs {_gigabytes(need.least_bytes)} ({_parts(need)}), and there are {_gigabytes(has)} for models"
    if max(device.unlimited_bytes for device in _computing(devices)) >= need.least_bytes:
        return f"{words}; {_raise_limit(need.least_bytes)}"
    if all(device.is_cpu for device in devices):  # bitsandbytes wants a GPU
        return words
    if need.offload:
        return f"{words}; with the CPU's memory {_gigabytes(sum(device.usable_bytes for device in devices))}"
    if card.quantization:
        return words
    for form in QUANTIZED_BYTES:
        smaller = need_of(replace(card, quantization=form), on_cpu=False)
        if _packed({card.id: smaller}, devices) is not None:
            return f'{words}; quantization = "{form}" in its card would take {_gigabytes(smaller.least_bytes)}'
    offloaded = _packed({card.id: replace(need, offload=True)}, devices)
    if offloaded is None:
        return words
    kept = _gigabytes(offloaded[card.id][CPU].total_bytes)
    return f"{words}; offload = true in its card would keep {kept} in the CPU's memory, and be slow"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
