"""Gumbel noise from SplitMix64: reference numbers, distribution, always finite."""

from __future__ import annotations

import math

import pytest
import torch

from playground.engines.local.worker.decoding import gumbel as gumbel_module
from playground.engines.local.worker.decoding.gumbel import gumbel, splitmix64

CPU = torch.device("cpu")
SEED_1234567 = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]
"""First outputs of the reference implementation for this state."""


def test_splitmix64_equals_the_reference_implementation() -> None:
    (found,) = splitmix64(torch.tensor([1234567]), 5).tolist()
    assert [number % 2**64 for number in found] == SEED_1234567


def test_noise_of_a_row_depends_on_its_key_alone() -> None:
    keys = [5, -(2**63), 2**63 - 1, 0]
    together = gumbel(keys, 50, CPU)
    assert torch.equal(together, torch.cat([gumbel([key], 50, CPU) for key in keys]))
    assert len({tuple(row) for row in together.tolist()}) == len(keys)
    assert torch.equal(gumbel([5], 200, CPU)[:, :50], together[:1])


def test_noise_is_gumbel_distributed() -> None:
    generator = torch.Generator().manual_seed(1)
    for sample in (
        gumbel([7], 200_000, CPU).flatten(),
        gumbel(torch.randint(2**62, (50_000,), generator=generator).tolist(), 4, CPU).flatten(),
    ):
        ordered = sample.double().sort().values
        expected = torch.exp(-torch.exp(-ordered))
        observed = torch.arange(1, len(ordered) + 1) / len(ordered)
        distance = float((expected - observed).abs().max())
        assert distance * math.sqrt(len(ordered)) < 1.95  # Kolmogorov and Smirnov, 0.1 %


@pytest.mark.parametrize("bits", [0, -1, 2**63 - 1, -(2**63)])
def test_noise_is_finite(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    monkeypatch.setattr(gumbel_module, "splitmix64", lambda keys, length: torch.full((len(keys), length), bits))
    assert torch.isfinite(gumbel([1], 3, CPU)).all()
