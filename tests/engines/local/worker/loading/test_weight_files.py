"""Missing, truncated, foreign and poisoned weight files are refused with their names."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from playground.engines.local.worker.loading.model import load
from playground.engines.local.worker.loading.weight_files import check_torch, weight_files
from playground.errors import CheckpointError
from playground.records import ModelCard
from tests.engines.local.worker.loading.conftest import HTML, POINTER, refused
from tests.support.checkpoints import ARCHITECTURES, FORMS, rewrite

FILE_FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: path.unlink(), "there are no weights in|1 of 3 weight files are missing: NAME"),
    "empty": (lambda path: path.write_bytes(b""), "NAME is empty"),
    "cut in the middle": (lambda path: os.truncate(path, path.stat().st_size // 2), "NAME is cut short|unexpected EOF"),
    "cut at the end": (lambda path: os.truncate(path, path.stat().st_size - 9), "NAME is cut short|unexpected EOF"),
    "a few bytes": (
        lambda path: os.truncate(path, 10),
        "NAME is not a safetensors file|NAME is cut short|NAME was not written by torch.save",
    ),
    "random bytes": (
        lambda path: path.write_bytes(bytes(range(256)) * 40),
        "NAME is not a safetensors file|NAME was not written by torch.save",
    ),
    "a web page": (lambda path: path.write_bytes(HTML), "NAME does not hold weights: it is a web page"),
    "a Git LFS pointer": (
        lambda path: path.write_bytes(POINTER),
        "NAME does not hold weights: it is a Git LFS pointer",
    ),
    "a list": (lambda path: torch.save([1, 2], path), "NAME is not a safetensors file|the checkpoint cannot be read"),
}


@pytest.mark.proves("weights missing, truncated, poisoned, of wrong shape, with missing keys, NaN")
@pytest.mark.parametrize("fault", FILE_FAULTS)
@pytest.mark.parametrize("form", FORMS)
def test_broken_weight_file_is_refused(copy: Callable[[str], ModelCard], form: str, fault: str) -> None:
    card = copy("llama")
    path = rewrite(Path(card.repo), form)[-1]
    break_it, words = FILE_FAULTS[fault]
    break_it(path)
    refused(card, words.replace("NAME", re.escape(path.name)))


INDEX_FAULTS = {
    "half": ('{"weight_map"', "is not an index of weights"),
    "a list": ("[]", "is not an index of weights"),
    "a page": (HTML.decode(), "is not an index of weights: it is a web page"),
    "no files": ('{"weight_map": {}}', "names no files"),
    "elsewhere": (
        '{"weight_map": {"a": "../other/pytorch_model.bin"}}',
        "names '../other/pytorch_model.bin' as a file",
    ),
    "not there": ('{"weight_map": {"a": "b.bin"}}', "1 of 1 weight files are missing: b.bin"),
}


@pytest.mark.parametrize("fault", INDEX_FAULTS)
@pytest.mark.parametrize("form", [form for form in FORMS if "shards" in form])
def test_broken_index_is_refused(copy: Callable[[str], ModelCard], form: str, fault: str) -> None:
    card = copy("llama")
    rewrite(Path(card.repo), form)
    (index,) = Path(card.repo).glob("*.index.json")
    text, words = INDEX_FAULTS[fault]
    index.write_text(text)
    refused(card, words)


class Writes:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.proves("weights missing, truncated, poisoned, of wrong shape, with missing keys, NaN")
@pytest.mark.parametrize("form", [form for form in FORMS if "bin" in form])
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_code_in_a_pickle_is_not_run(copy: Callable[[str], ModelCard], tmp_path: Path, kind: str, form: str) -> None:
    card, written = copy(kind), tmp_path / "written"
    rewrite(Path(card.repo), form, lambda weights: weights | {"zzz": Writes(written)})
    with pytest.raises(
        CheckpointError, match=r"ask for code to be run \(posix.system\), which is never done"
    ) as caught:
        load(card, threads=1)
    assert card.name in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert not written.exists()


def test_bare_pickle_is_not_opened(copy: Callable[[str], ModelCard], tmp_path: Path) -> None:
    card, written = copy("llama"), tmp_path / "written"
    (file,) = rewrite(Path(card.repo), "bin")
    file.write_bytes(pickle.dumps({"a": Writes(written)}, protocol=2))
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin was not written by torch\.save"):
        load(card, threads=1)
    assert not written.exists()
    pickle.loads(file.read_bytes())  # the pickle works
    assert written.exists()


@pytest.mark.parametrize("version", ["2.10.0", "2.13.0+cpu", "3.0.1"])
def test_recent_torch_reads_bin_files(version: str) -> None:
    check_torch(version)


@pytest.mark.parametrize("version", ["1.13.1", "2.9.1+cu128"])
def test_older_torch_reads_no_bin_files(copy: Callable[[str], ModelCard], version: str) -> None:
    folder = Path(copy("llama").repo)
    assert len(weight_files(folder, version)) == 1  # safetensors hold no code
    rewrite(folder, "bin")
    with pytest.raises(CheckpointError, match=rf"torch 2\.10 or later only, this is {re.escape(version)}; update it"):
        weight_files(folder, version)
