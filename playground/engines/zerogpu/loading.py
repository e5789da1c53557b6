"""Load a model for calls with a GPU: read and checked on the CPU, then put on the device.

On ZeroGPU there is no GPU before the first call; `spaces` remembers what was put on it, and copies it when a call
begins. So a model is compared with ``generate`` on the CPU.

Boundary: imports torch into this process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from playground.engines.local.worker.decoding.self_check import SelfCheck, run_self_check
from playground.engines.local.worker.loading.model import LoadedModel, best_device, load
from playground.records import ModelCard


@dataclass(frozen=True, slots=True)
class GpuModel:
    """A loaded model and the result of its check."""

    loaded: LoadedModel
    checked: SelfCheck
    weights_bytes: int


def load_model(card: ModelCard, threads: int) -> GpuModel:
    """Load a card's checkpoint; raises `CheckpointError` or `OutOfMemory`."""
    loaded = load(card, threads, room={"cpu": 0})
    checked = run_self_check(loaded, recorded=False)
    size = sum(parameter.numel() * parameter.element_size() for parameter in loaded.model.parameters())
    device = best_device()
    loaded.model.to(device)
    return GpuModel(replace(loaded, device=device), checked, size)


def set_threads(threads: int) -> None:
    """Set the threads of torch on a CPU, where loading takes more than writing may."""
    torch.set_num_threads(threads)
