"""Gumbel noise for the scores of many tokens from one number per row, made where the scores are.

Added to scores, the largest sum is a draw from their softmax (the Gumbel-max trick); a token that is left out, or that
differs by rounding, changes no other token's chances to win. SplitMix64 (Steele, Lea and Flood, 2014) is integer
arithmetic: every device makes the same numbers of the same key, and a GPU need not wait for the CPU.

Boundary: worker side; keys in, noise out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def _signed(constant: int) -> int:
    """A 64-bit constant as torch's integers hold it; they wrap around as SplitMix64 wants them to."""
    return constant - (1 << 64) if constant >> 63 else constant


_GAMMA = _signed(0x9E3779B97F4A7C15)
_MIX_1 = _signed(0xBF58476D1CE4E5B9)
_MIX_2 = _signed(0x94D049BB133111EB)


def splitmix64(keys: torch.Tensor, length: int) -> torch.Tensor:
    """The first outputs of generators with these states, shape (keys, length); 64 bits each, read as signed."""
    steps = torch.arange(1, length + 1, device=keys.device) * _GAMMA
    mixed = keys[:, None] + steps
    mixed = (mixed ^ _shifted(mixed, 30)) * _MIX_1
    mixed = (mixed ^ _shifted(mixed, 27)) * _MIX_2
    return mixed ^ _shifted(mixed, 31)


def gumbel(keys: Sequence[int], length: int, device: torch.device) -> torch.Tensor:
    """Standard Gumbel noise, float32, shape (keys, length): minus the logarithm of an exponential."""
    bits = splitmix64(torch.tensor(keys, device=device), length)
    uniform = (_shifted(bits, 11).double() + 0.5) * 2**-53  # neither 0 nor 1, so that no noise is infinite
    exponential = uniform.log_().neg_().to(torch.float32)
    # next to 1 a uniform number's logarithm may round to 0, which would turn a suppressed token's -inf into NaN
    return exponential.clamp_min_(torch.finfo(torch.float32).tiny).log_().neg_()


def _shifted(numbers: torch.Tensor, places: int) -> torch.Tensor:
    """To the right, as if they had no sign."""
    return (numbers >> places) & ((1 << (64 - places)) - 1)
