from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.publishing.hub import Dataset
from tests.support.hub_server_datasets import STORE, WRITE, DatasetServer, datasets_for


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatasetServer]:
    """Run a hub; tests name address and token themselves."""
    with datasets_for(monkeypatch, tmp_path) as server:
        monkeypatch.delenv("HF_TOKEN")
        yield server


@pytest.fixture
def dataset(hub: DatasetServer) -> Dataset:
    """A private dataset with nothing in it."""
    hub.make()
    return Dataset(STORE, WRITE, hub.url)
