from __future__ import annotations

from pathlib import Path

import pytest

from playground.hub import is_complete, missing_files
from tests.support.hub_server import SAFE


@pytest.mark.parametrize("absent", ["config.json", "tokenizer.model", "model.safetensors"])
def test_missing_file_is_named(tmp_path: Path, absent: str) -> None:
    for name, data in SAFE.items():
        (tmp_path / name).write_bytes(data)
    assert is_complete(tmp_path)
    (tmp_path / absent).unlink()
    (text,) = missing_files(tmp_path)
    assert absent.split(".")[-1] in text
    assert not is_complete(tmp_path / "nowhere")
