"""Weights of layers that wait in the CPU's memory until the device that computes needs them.

accelerate's hooks fetch and drop them around each forward. In between, a module's own parameters are empty ("meta"):
whoever wants to see numbers asks here.

Boundary: worker side; which layers those are is `layers`', that they have hooks is `loading`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch


def weights(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """All parameters by name, of offloaded layers those that wait; shared ones once."""
    for name, parameter in model.named_parameters():
        owner, _, own_name = name.rpartition(".")
        yield name, weight(model.get_submodule(owner), own_name) if parameter.is_meta else parameter


def weight(module: Any, name: str = "weight") -> torch.Tensor:
    """A module's own parameter, wherever it waits."""
    parameter: torch.Tensor = getattr(module, name)
    if not parameter.is_meta:
        return parameter
    waiting: torch.Tensor = module._hf_hook.weights_map[name]
    return waiting
