"""Which models fit where, on tables of machines; and what a machine says of itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.catalog.catalog import Catalog
from playground.engines.local.devices import find_devices
from playground.engines.local.placement import (
    MAX_ROWS,
    OFFLOADED_ROWS,
    Device,
    Held,
    How,
    Plan,
    need_of,
    plan,
    rows_beside,
)
from playground.records import ModelCard

GB = 10**9
CATALOG = Catalog.load()
FIVE = [
    CATALOG.card(model)
    for model in ("openalpaca-7b-3bt", "mamba-gpt-3b", "galpaca-30b", "minotaur-mpt-7b", "orca-mini-13b")
]
POCKET = [card for card in CATALOG.cards.values() if card.stands_in_for]


def gpus(number: int, gigabytes: int) -> list[Device]:
    """As nvidia-smi shows empty ones: a little less is free than there is."""
    return [Device(f"cuda:{i}", f"GPU {i}", gigabytes * GB, gigabytes * GB * 49 // 50) for i in range(number)]


CPU_16 = [Device("cpu", "this CPU", 16 * GB, 11 * GB)]


def quantized(form: str) -> list[ModelCard]:
    return [replace(card, quantization=form) for card in FIVE]


def asking(*models: str) -> list[ModelCard]:
    """The five, with `offload` in the cards of some."""
    return [replace(card, offload=card.id in models) for card in FIVE]


def with_ram(devices: list[Device], gigabytes: int) -> list[Device]:
    """As free as a server's memory is, less what is left to the system."""
    return [*devices, Device("cpu", "this CPU", gigabytes * GB, gigabytes * GB * 3 // 4)]


def how(found: Plan) -> str:
    """R: resident, T: in turns, -: too large; in the order of the line-up."""
    letters = {How.RESIDENT: "R", How.IN_TURNS: "T", How.TOO_LARGE: "-"}
    return "".join(letters[placed.how] for placed in found.placements.values())


@pytest.mark.parametrize(
    ("machine", "cards", "expected"),
    [
        # openalpaca 7B, mamba-gpt 3B, galpaca 30B, minotaur 7B, orca-mini 13B
        (gpus(1, 24), FIVE, "RT-T-"),
        (gpus(1, 48), FIVE, "RR-RT"),
        (gpus(1, 80), FIVE, "RRTRR"),
        (gpus(1, 141), FIVE, "RRRRR"),
        (gpus(2, 24), FIVE, "RR-TT"),
        (gpus(8, 80), FIVE, "RRRRR"),
        (gpus(1, 80), quantized("8bit"), "RRRRR"),
        (gpus(1, 24), quantized("4bit"), "RRTRT"),
        (CPU_16, FIVE, "-R---"),
        (CPU_16, POCKET, "RRRRR"),
    ],
    ids=["24", "48", "80", "141", "2x24", "8x80", "80-8bit", "24-4bit", "cpu16", "cpu16-pocket"],
)
def test_what_fits_where_on_known_machines(machine: list[Device], cards: Sequence[ModelCard], expected: str) -> None:
    assert how(plan(cards, machine)) == expected


def test_the_five_models_in_half_precision_take_about_120_gigabytes() -> None:
    assert sum(need_of(card, on_cpu=False).weights_bytes for card in FIVE) == pytest.approx(120 * GB, rel=0.02)


def test_a_model_that_no_gpu_holds_alone_is_spread_over_as_few_as_can() -> None:
    placed = plan([CATALOG.card("orca-mini-13b")], gpus(4, 24)).placements["orca-mini-13b"]
    assert (placed.how, len(placed.devices)) == (How.RESIDENT, 2)
    assert "spread over 2 devices (GPU 0, GPU 1)" in placed.words


def test_models_are_spread_evenly_while_there_is_room() -> None:
    found = plan(FIVE, gpus(8, 80))
    assert len({placed.devices for placed in found.placements.values()}) == 5
    assert all(placed.rows > 4 for placed in found.placements.values())


def test_what_is_too_large_says_by_how_much_and_which_form_would_fit() -> None:
    words = plan(FIVE, gpus(1, 48)).placements["galpaca-30b"].words
    assert words == (
        'needs 63.8 GB, and there are 47.0 GB for models; quantization = "8bit" in its card would take 36.8 GB'
    )
    assert "quantization" not in plan(FIVE, CPU_16).placements["orca-mini-13b"].words


def test_a_gpu_is_used_alone_where_there_is_one() -> None:
    found = plan(POCKET, [*gpus(1, 24), *CPU_16])
    assert {placed.devices for placed in found.placements.values()} == {("cuda:0",)}


@given(
    cards=st.lists(
        st.sampled_from([*FIVE, *POCKET, *quantized("4bit"), *asking(*(card.id for card in FIVE))]),
        unique_by=lambda card: card.id,
        max_size=8,
    ),
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=4),
    ram=st.integers(0, 100),
)
def test_no_plan_promises_more_than_a_device_has(cards: list[ModelCard], sizes: list[int], ram: int) -> None:
    machine = [Device(f"cuda:{i}", f"GPU {i}", size * GB, size * GB) for i, size in enumerate(sizes)]
    machine.append(Device("cpu", "this CPU", ram * GB, ram * GB))
    found = plan(cards, machine)
    resident = [found.placements[model] for model in found.resident]
    for device in machine:
        assert (
            sum(placed.shares[device.name].total_bytes for placed in resident if device.name in placed.shares)
            <= device.usable_bytes
        )
    for placed in found.placements.values():
        assert (placed.how is How.TOO_LARGE) == (not placed.shares)
        assert 0 <= placed.rows <= MAX_ROWS
        assert placed.words
        assert not placed.is_offloaded or placed.need.offload
        if placed.how is How.RESIDENT:
            others = [Held(other, other.rows) for other in resident if other is not placed]
            assert 0 < rows_beside(placed, others, machine) <= placed.rows
        if placed.how is How.IN_TURNS:
            assert 0 < rows_beside(placed, [], machine) <= placed.rows


def test_rows_are_as_many_as_what_the_others_hold_leaves_room_for() -> None:
    small, large = (
        replace(CATALOG.card("mamba-gpt-3b"), id=name, num_parameters=n) for name, n in (("s", 4e9), ("l", 9e9))
    )
    machine = [Device("cuda:0", "GPU 0", 24 * GB, 24 * GB)]
    placements = plan([small, large], machine).placements
    assert how(plan([small, large], machine)) == "RT"
    alone = rows_beside(placements["l"], [], machine)
    assert alone == placements["l"].rows > 1
    assert rows_beside(placements["l"], [Held(placements["s"], 1)], machine) == 0


@pytest.mark.parametrize(
    ("machine", "cards", "expected"),
    [
        # openalpaca 7B, mamba-gpt 3B, galpaca 30B, minotaur 7B, orca-mini 13B
        (with_ram(gpus(1, 24), 64), FIVE, "RT-T-"),
        (with_ram(gpus(1, 24), 64), asking("galpaca-30b"), "RTTT-"),
        (with_ram(gpus(1, 24), 64), asking("galpaca-30b", "orca-mini-13b"), "RTTTT"),
        (with_ram(gpus(1, 24), 32), asking("galpaca-30b"), "RT-T-"),
        (with_ram(gpus(1, 48), 64), asking("galpaca-30b"), "RRTRT"),
        (with_ram(gpus(1, 80), 64), asking("galpaca-30b"), "RRTRR"),
        (with_ram(gpus(2, 48), 64), asking("galpaca-30b"), "RRTRR"),
        (with_ram([], 64), asking("galpaca-30b"), "RR-RT"),
        (gpus(1, 24), asking("galpaca-30b"), "RT-T-"),
    ],
    ids=["24 unasked", "24", "24 both", "24 little RAM", "48", "80", "2x48", "no GPU", "no RAM"],
)
def test_only_what_asks_and_fits_nowhere_is_offloaded(
    machine: list[Device], cards: Sequence[ModelCard], expected: str
) -> None:
    found = plan(cards, machine)
    unasked = plan(FIVE, machine)
    assert how(found) == expected
    for card in cards:
        placed, before = found.placements[card.id], unasked.placements[card.id]
        assert placed.is_offloaded == (before.how is How.TOO_LARGE and placed.how is not How.TOO_LARGE)
        if not placed.is_offloaded:
            assert (placed.how, placed.shares) == (before.how, before.shares)


def test_an_offloaded_model_says_what_lies_where_and_that_it_is_slow() -> None:
    machine = with_ram(gpus(1, 24), 64)
    (card,) = (card for card in asking("galpaca-30b") if card.offload)
    alone = plan([card], machine).placements[card.id]
    assert alone.words == "20.7 GB on GPU 0, 48.0 GB in the CPU's memory (slow), alone"
    among = plan(asking(card.id), machine).placements[card.id]
    assert among.words.endswith("in the CPU's memory (slow) in turns: others make room when it is asked")
    assert sum(alone.room.values()) == alone.need.weights_bytes
    assert plan(FIVE, with_ram(gpus(1, 16), 80)).placements[card.id].words == (
        "needs 63.8 GB, and there are 15.7 GB for models; "
        "offload = true in its card would keep 57.3 GB in the CPU's memory, and be slow"
    )
    little = plan([card], with_ram(gpus(1, 24), 32)).placements[card.id]
    assert little.words == "needs 63.8 GB, and there are 23.5 GB for models; with the CPU's memory 47.5 GB"


def test_a_limit_on_memory_counts_for_the_cpu_too() -> None:
    (card,) = (card for card in asking("galpaca-30b") if card.offload)
    limited = [replace(device, usable_bytes=min(device.usable_bytes, 30 * GB)) for device in with_ram(gpus(1, 80), 90)]
    assert plan([card], limited).placements[card.id].how is How.TOO_LARGE
    assert plan([card], with_ram(gpus(1, 80), 90)).placements[card.id].how is How.RESIDENT


def test_rows_of_an_offloaded_model_take_nothing_of_the_memory_in_which_its_layers_wait() -> None:
    (card,) = (card for card in asking("galpaca-30b") if card.offload)
    machine = with_ram(gpus(1, 24), 80)
    placed = plan([card], machine).placements[card.id]
    assert placed.rows == OFFLOADED_ROWS
    assert rows_beside(placed, [], machine) == placed.rows
    held = Held(placed, placed.rows)
    assert held.bytes_on("cuda:0") <= machine[0].usable_bytes
    assert held.bytes_on("cpu") == placed.shares["cpu"].total_bytes
    assert rows_beside(placed, [held], machine) == 0


def test_a_model_that_is_spread_leaves_room_for_rows_on_each_of_its_devices() -> None:
    machine = [Device("cuda:0", "GPU 0", 24 * GB, 23 * GB), Device("cuda:1", "GPU 1", 48 * GB, 17 * GB)]
    placed = plan([CATALOG.card("orca-mini-13b")], machine).placements["orca-mini-13b"]
    held = Held(placed, placed.rows)
    assert placed.rows > 4
    for device in machine:
        assert placed.shares[device.name].total_bytes < held.bytes_on(device.name) <= device.usable_bytes
    first, second = placed.room.values()
    assert first > second
    assert first + second == pytest.approx(placed.need.weights_bytes)


SMI = "0, GPU-aa11, NVIDIA H200, 143771, 143161\n1, GPU-bb22, NVIDIA H200, 143771, 500\n"


def test_gpus_are_read_from_the_words_of_nvidia_smi() -> None:
    first, second, cpu = find_devices(ask=lambda: SMI, environ={})
    assert (first.name, first.title, first.usable_bytes) == ("cuda:0", "GPU 0 (NVIDIA H200)", 143161 << 20)
    assert second.usable_bytes == 500 << 20
    assert cpu.is_cpu


@pytest.mark.parametrize(
    "words", ["", "No devices were found\n", "0, GPU-aa, NVIDIA H200, [N/A], [N/A]\n", "0, a, b\n"]
)
def test_words_that_name_no_gpu_leave_the_cpu(words: str) -> None:
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
def test_the_plan_sees_the_gpus_that_torch_will_see(chosen: str, titles: list[str]) -> None:
    *found, _ = find_devices(ask=lambda: SMI, environ={"CUDA_VISIBLE_DEVICES": chosen})
    assert [device.name for device in found] == [f"cuda:{number}" for number in range(len(titles))]
    assert [device.title for device in found] == [f"{title} (NVIDIA H200)" for title in titles]


def test_a_torch_without_cuda_has_no_gpus_whatever_the_machine_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<END\n{SMI}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    has_cuda = torch_has_cuda()
    assert len(find_devices()) == (3 if has_cuda else 1)


def torch_has_cuda() -> bool:
    import torch

    return torch.version.cuda is not None


def machine(root: Path, limit: str | None) -> Path:
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(
        "MemTotal:       16000000 kB\nMemAvailable:   10000000 kB\nHugePages_Total:  0\n"
    )
    if limit is not None:
        (root / "sys/fs/cgroup").mkdir(parents=True)
        (root / "sys/fs/cgroup/memory.max").write_text(limit + "\n")
        (root / "sys/fs/cgroup/memory.current").write_text("3000000000\n")
        (root / "sys/fs/cgroup/memory.stat").write_text(
            "anon 1000000000\ninactive_file 1500000000\nactive_file 500000000\n"
        )
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
def test_a_container_has_what_its_limit_leaves(tmp_path: Path, limit: str | None, total: int, usable: int) -> None:
    (cpu,) = find_devices(root=machine(tmp_path, limit), ask=str, environ={})
    assert (cpu.total_bytes, cpu.usable_bytes) == (total, usable)


def test_a_limit_of_ones_own_counts_on_every_device() -> None:
    assert {device.usable_bytes for device in find_devices(300_000_000, ask=lambda: SMI, environ={})} == {300_000_000}
