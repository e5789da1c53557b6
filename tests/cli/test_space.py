"""The command `space build`, with a hub on the loopback interface."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants

from tests.report.reports import run
from tests.support.hub_server import SAFE, running_hub, use_endpoint

FIRST, SECOND = "HuggingFaceTB/SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-360M-Instruct"


@pytest.mark.slow
def test_space_preloads_the_files_that_the_hub_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    command = ("space", "build", str(tmp_path / "space"), "--models", "smollm2-135m,smollm2-360m")

    def preloaded() -> list[str]:
        return yaml.safe_load((tmp_path / "space" / "README.md").read_text().split("---")[1])["preload_from_hub"]

    with running_hub() as hub:
        use_endpoint(monkeypatch, hub.url)
        hub.push(SECOND, SAFE | {"onnx/model.onnx": b"onnx"})
        status, text = run(*command)
        named = f"{SECOND} {','.join(sorted(SAFE, key=lambda name: (name == 'model.safetensors', name)))}"
        assert (status, preloaded()) == (0, [FIRST, named])
        assert text.startswith(f"{FIRST} is preloaded whole, with files that it does not need: {FIRST}@main cannot be")
        document = json.loads(run(*command, "--json")[1])
        assert list(document["preloaded_whole"]) == [FIRST]
        hub.push(FIRST, SAFE)
        status, text = run(*command)
        assert (status, preloaded()) == (0, [named.replace(SECOND, FIRST), named])
        assert "whole" not in text
        hub.push(FIRST, {"README.md": b"nothing"})
        assert run(*command)[0] == 1
        assert f"{FIRST}@main has no config.json" in capsys.readouterr().err
