"""The command `space build`, with a hub on the loopback interface."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants

from tests.report.reports import run
from tests.support.hub_server import SAFE, running_hub, use_endpoint

FIRST, SECOND = "HuggingFaceTB/SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-360M-Instruct"


@pytest.mark.slow
def test_space_preloads_the_files_that_the_hub_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    command = ("space", "build", str(tmp_path / "space"), "--models", "smollm2-135m,smollm2-360m")

    def preloaded() -> list[str]:
        return yaml.safe_load((tmp_path / "space" / "README.md").read_text().split("---")[1])["preload_from_hub"]

    with running_hub() as hub:
        use_endpoint(monkeypatch, hub.url)
        hub.push(FIRST, SAFE | {"onnx/model.onnx": b"onnx"})
        status, text = run(*command)
        named = f"{FIRST} {','.join(sorted(SAFE, key=lambda name: (name == 'model.safetensors', name)))}"
        assert (status, preloaded()) == (0, [named, SECOND])
        assert text.startswith(f"Preloaded whole, with files that are not needed: {SECOND}. {SECOND}@main cannot be")
        hub.push(SECOND, SAFE)
        status, text = run(*command)
        assert (status, preloaded()) == (0, [named, named.replace(FIRST, SECOND)])
        assert "whole" not in text
