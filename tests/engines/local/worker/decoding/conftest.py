"""Tiny models of three architectures, and caches that cannot grow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from playground.engines.local.worker.decoding import kv_cache
from playground.engines.local.worker.decoding.kv_cache import CacheLimits
from playground.engines.local.worker.loading.model import LoadedModel, load
from tests.support.checkpoints import ARCHITECTURES, tiny_line_up

NO_MEMORY = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"


@pytest.fixture(scope="package")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    cards = tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")
    return {kind: load(card, threads=1) for kind, card in zip(ARCHITECTURES, cards, strict=True)}


@pytest.fixture(params=list(ARCHITECTURES))
def model(request: pytest.FixtureRequest, models: dict[str, LoadedModel]) -> LoadedModel:
    return models[request.param]


FailGrowth = Callable[[pytest.MonkeyPatch, int], None]


@pytest.fixture(scope="session")
def fail_growth() -> FailGrowth:
    """Return a function that lets the cache's blocks grow `times` times, then fail."""

    def patch(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        grown, calls = kv_cache._grown, iter(range(10_000))

        def grow(block: torch.Tensor, num_rows: int, num_columns: int, limits: CacheLimits) -> torch.Tensor:
            if (block.shape[0] < num_rows or block.shape[2] < num_columns) and next(calls) >= times:
                raise RuntimeError(NO_MEMORY)
            return grown(block, num_rows, num_columns, limits)

        monkeypatch.setattr(kv_cache, "_grown", grow)

    return patch
