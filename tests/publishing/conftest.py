from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants, file_download
from huggingface_hub.utils import _http

from playground.publishing.hub import Dataset
from tests.support.hub_server_datasets import STORE, WRITE, DatasetServer, running_datasets


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatasetServer]:
    """Run a hub; the library retries without waiting, and uploads large files over HTTP."""
    with running_datasets() as server:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        for module in (file_download, _http):
            monkeypatch.setattr(module, "time", SimpleNamespace(sleep=lambda seconds: None))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


@pytest.fixture
def dataset(hub: DatasetServer) -> Dataset:
    """A private dataset with nothing in it."""
    hub.make()
    return Dataset(STORE, WRITE, hub.url)
