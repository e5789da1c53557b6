"""Gumbel noise for the scores of a row's tokens, computed from one key on the device of the scores.

The token with the largest sum of score and noise is a draw from the softmax of the scores (the Gumbel-max trick). A
suppressed token, or rounding in its score, does not change the noise of the others. SplitMix64 (Steele, Lea and Flood,
2014) is integer arithmetic: every device computes the same numbers, and a GPU does not wait for the CPU.

Boundary: keys in, noise out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def _signed(constant: int) -> int:
    """Return a 64-bit constant as torch's signed integer; torch's integers wrap around as SplitMix64 requires."""
    return constant - (1 << 64) if constant >> 63 else constant


_GAMMA = _signed(0x9E3779B97F4A7C15)
_MIX_1 = _signed(0xBF58476D1CE4E5B9)
_MIX_2 = _signed(0x94D049BB133111EB)


def splitmix64(keys: torch.Tensor, length: int) -> torch.Tensor:
    """Return the first outputs of generators with these states, shape (keys, length), as signed 64-bit numbers."""
    steps = torch.arange(1, length + 1, device=keys.device) * _GAMMA
    mixed = keys[:, None] + steps
    mixed = (mixed ^ _shifted(mixed, 30)) * _MIX_1
    mixed = (mixed ^ _shifted(mixed, 27)) * _MIX_2
    return mixed ^ _shifted(mixed, 31)


def gumbel(keys: Sequence[int], length: int, device: torch.device) -> torch.Tensor:
    """Return standard Gumbel noise, float32, shape (keys, length): minus the logarithm of an exponential."""
    bits = splitmix64(torch.tensor(keys, device=device), length)
    uniform = (_shifted(bits, 11).double() + 0.5) * 2**-53  # neither 0 nor 1: no noise is infinite
    exponential = uniform.log_().neg_().to(torch.float32)
    # the logarithm of a number next to 1 may round to 0; infinite noise plus a suppressed token's -inf would be NaN
    return exponential.clamp_min_(torch.finfo(torch.float32).tiny).log_().neg_()


def _shifted(numbers: torch.Tensor, places: int) -> torch.Tensor:
    """Shift right without extending the sign."""
    return (numbers >> places) & ((1 << (64 - places)) - 1)
