"""The devices of a machine, read from nvidia-smi, /proc and the control group."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from playground.engines.local.devices import find_devices

SMI = "0, GPU-aa11, NVIDIA H200, 143771, 143161\n1, GPU-bb22, NVIDIA H200, 143771, 500\n"


def test_gpus_are_read_from_nvidia_smi() -> None:
    first, second, cpu = find_devices(ask=lambda: SMI, environ={})
    assert (first.name, first.title, first.usable_bytes) == ("cuda:0", "GPU 0 (NVIDIA H200)", 143161 << 20)
    assert second.usable_bytes == 500 << 20
    assert cpu.is_cpu


@pytest.mark.parametrize(
    "words", ["", "No devices were found\n", "0, GPU-aa, NVIDIA H200, [N/A], [N/A]\n", "0, a, b\n"]
)
def test_output_that_names_no_gpu_leaves_the_cpu(words: str) -> None:
    (only,) = find_devices(ask=lambda: words, environ={})
    assert only.is_cpu


@pytest.mark.parametrize(
    ("chosen", "titles"),
    [
        ("1", ["GPU 1"]),
        ("1,0", ["GPU 1", "GPU 0"]),
        ("GPU-bb", ["GPU 1"]),
        ("0,7,1", ["GPU 0"]),
        ("", []),
        ("-1", []),
    ],
)
def test_cuda_visible_devices_is_read_as_torch_reads_it(chosen: str, titles: list[str]) -> None:
    *found, _ = find_devices(ask=lambda: SMI, environ={"CUDA_VISIBLE_DEVICES": chosen})
    assert [device.name for device in found] == [f"cuda:{number}" for number in range(len(titles))]
    assert [device.title for device in found] == [f"{title} (NVIDIA H200)" for title in titles]


def test_torch_without_cuda_has_no_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<END\n{SMI}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert len(find_devices()) == (1 if torch.version.cuda is None else 3)


def machine(root: Path, limit: str | None) -> Path:
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(
        "MemTotal:       16000000 kB\nMemAvailable:   10000000 kB\nHugePages_Total:  0\n"
    )
    if limit is not None:
        group = root / "sys/fs/cgroup"
        group.mkdir(parents=True)
        (group / "memory.max").write_text(limit + "\n")
        (group / "memory.current").write_text("3000000000\n")
        (group / "memory.stat").write_text("anon 1000000000\ninactive_file 1500000000\nactive_file 500000000\n")
    return root


@pytest.mark.parametrize(
    ("limit", "total", "usable"),
    [
        (None, 16_384_000_000, 8_192_000_000),
        ("max", 16_384_000_000, 8_192_000_000),
        ("4000000000", 4_000_000_000, 2_400_000_000),
        ("500000000", 500_000_000, 0),
        ("99000000000", 16_384_000_000, 8_192_000_000),
    ],
)
def test_limit_of_a_container_counts(tmp_path: Path, limit: str | None, total: int, usable: int) -> None:
    (cpu,) = find_devices(root=machine(tmp_path, limit), ask=str, environ={})
    assert (cpu.total_bytes, cpu.usable_bytes) == (total, usable)


def test_limit_of_the_settings_counts_on_every_device() -> None:
    found = find_devices(300_000_000, ask=lambda: SMI, environ={})
    assert {device.usable_bytes for device in found} == {300_000_000}
    assert found[0].unlimited_bytes == 143161 << 20
    assert {device.unlimited_bytes for device in find_devices(ask=lambda: SMI, environ={})} == {0}
