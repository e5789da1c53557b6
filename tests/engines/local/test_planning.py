"""Plans of which models fit where, on tables of machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.catalog.catalog import Catalog
from playground.engines.local.placement import MAX_ROWS, READ_TOKENS, Device, Held, How, Placement, need_of, rows_beside
from playground.engines.local.planning import OFFLOADED_ROWS, plan
from playground.records import ModelCard

GB = 10**9
CATALOG = Catalog.load()
FIVE = [
    CATALOG.card(model)
    for model in ("openalpaca-7b-3bt", "mamba-gpt-3b", "galpaca-30b", "minotaur-mpt-7b", "orca-mini-13b")
]
POCKET = [card for card in CATALOG.cards.values() if card.stands_in_for]


def gpus(number: int, gigabytes: int) -> list[Device]:
    """Empty GPUs; as nvidia-smi shows them, a little less is free than there is."""
    return [Device(f"cuda:{i}", f"GPU {i}", gigabytes * GB, gigabytes * GB * 49 // 50) for i in range(number)]


CPU_16 = [Device("cpu", "this CPU", 16 * GB, 11 * GB)]


def quantized(form: str) -> list[ModelCard]:
    return [replace(card, quantization=form) for card in FIVE]


def asking(*models: str) -> list[ModelCard]:
    """The five cards, with `offload` in those that are named."""
    return [replace(card, offload=card.id in models) for card in FIVE]


def with_ram(devices: list[Device], gigabytes: int) -> list[Device]:
    """Add a server's memory, of which a quarter is in use or left to the system."""
    return [*devices, Device("cpu", "this CPU", gigabytes * GB, gigabytes * GB * 3 // 4)]


def how(found: Mapping[str, Placement]) -> str:
    """R: resident, T: in turns, -: too large; in the order of the line-up."""
    letters = {How.RESIDENT: "R", How.IN_TURNS: "T", How.TOO_LARGE: "-"}
    return "".join(letters[placed.how] for placed in found.values())


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
def test_plan_on_known_machines(machine: list[Device], cards: Sequence[ModelCard], expected: str) -> None:
    assert how(plan(cards, machine)) == expected


def test_five_models_in_half_precision_take_about_120_gigabytes() -> None:
    assert sum(need_of(card, on_cpu=False).weights_bytes for card in FIVE) == pytest.approx(120 * GB, rel=0.02)


@pytest.mark.parametrize("card", FIVE, ids=lambda card: str(card.id))
def test_prompts_that_are_read_together_have_memory(card: ModelCard) -> None:
    need = need_of(card, on_cpu=False)
    assert need.row_bytes - need.usual_row_bytes >= need.row_bytes * READ_TOKENS // card.context_length


def test_model_larger_than_a_gpu_is_spread_over_as_few_as_possible() -> None:
    placed = plan([CATALOG.card("orca-mini-13b")], gpus(4, 24))["orca-mini-13b"]
    assert (placed.how, len(placed.shares)) == (How.RESIDENT, 2)
    assert "spread over 2 devices (GPU 0, GPU 1)" in placed.words


def test_models_are_placed_evenly_if_they_fit() -> None:
    found = plan(FIVE, gpus(8, 80))
    assert len({tuple(placed.shares) for placed in found.values()}) == 5
    assert all(placed.rows > 4 for placed in found.values())


def test_too_large_model_names_the_quantization_that_would_fit() -> None:
    words = plan(FIVE, gpus(1, 48))["galpaca-30b"].words
    assert words == (
        "needs 63.8 GB (weights 59.9 GB, cache 2.8 GB, reserve 1.0 GB), and there are 47.0 GB for models; "
        'quantization = "8bit" in its card would take 36.8 GB'
    )
    assert "quantization" not in plan(FIVE, CPU_16)["orca-mini-13b"].words


SMALL = CATALOG.card("smollm2-135m")


def limited(bytes_: int, unlimited: int) -> list[Device]:
    return [Device("cpu", "this CPU", 16 * GB, bytes_, unlimited)]


def test_model_that_only_the_setting_keeps_out_names_the_value_that_lets_it_in() -> None:
    assert plan([SMALL], limited(GB // 2, 11 * GB))[SMALL.id].words == (
        "needs 557.8 MB (weights 269.0 MB, cache 188.7 MB, reserve 100.0 MB), and there are 500.0 MB for models; "
        "raise PLAYGROUND_MEMORY_GB to 0.56"
    )
    assert plan([SMALL], limited(560_000_000, 11 * GB))[SMALL.id].how is How.RESIDENT
    assert plan([SMALL], limited(GB // 2, GB // 2 + 1))[SMALL.id].words.endswith("500.0 MB for models")


def test_model_in_turns_names_what_would_keep_it_loaded() -> None:
    cards, turns = [SMALL, POCKET[0]], "this CPU in turns: others make room when it is asked; to keep it loaded, "
    words = plan(cards, limited(600_000_000, 11 * GB))[POCKET[0].id].words
    assert words == f"{turns}raise PLAYGROUND_MEMORY_GB to 0.68 or unload smollm2-135m"
    assert all(placed.how is How.RESIDENT for placed in plan(cards, limited(680_000_000, 11 * GB)).values())
    words = plan(cards, [Device("cpu", "this CPU", GB, 600_000_000)])[POCKET[0].id].words
    assert words == f"{turns}unload smollm2-135m"


def test_cpu_is_not_used_beside_a_gpu() -> None:
    found = plan(POCKET, [*gpus(1, 24), *CPU_16])
    assert {tuple(placed.shares) for placed in found.values()} == {("cuda:0",)}


@given(
    cards=st.lists(
        st.sampled_from([*FIVE, *POCKET, *quantized("4bit"), *asking(*(card.id for card in FIVE))]),
        unique_by=lambda card: card.id,
        max_size=8,
    ),
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=4),
    ram=st.integers(0, 100),
)
def test_plan_never_exceeds_a_device(cards: list[ModelCard], sizes: list[int], ram: int) -> None:
    machine = [Device(f"cuda:{i}", f"GPU {i}", size * GB, size * GB) for i, size in enumerate(sizes)]
    machine.append(Device("cpu", "this CPU", ram * GB, ram * GB))
    found = plan(cards, machine)
    resident = [placed for placed in found.values() if placed.how is How.RESIDENT]
    for device in machine:
        assert (
            sum(placed.shares[device.name].total_bytes for placed in resident if device.name in placed.shares)
            <= device.usable_bytes
        )
    for placed in found.values():
        assert (placed.how is How.TOO_LARGE) == (not placed.shares)
        assert 0 <= placed.rows <= MAX_ROWS
        assert placed.words
        assert not placed.is_offloaded or placed.need.offload
        if placed.how is How.RESIDENT:
            others = [Held(other, other.rows) for other in resident if other is not placed]
            assert 0 < rows_beside(placed, others, machine) <= placed.rows
        if placed.how is How.IN_TURNS:
            assert 0 < rows_beside(placed, [], machine) <= placed.rows


def test_rows_fit_beside_the_memory_that_others_hold() -> None:
    small, large = (
        replace(CATALOG.card("mamba-gpt-3b"), id=name, num_parameters=n) for name, n in (("s", 4e9), ("l", 9e9))
    )
    machine = [Device("cuda:0", "GPU 0", 24 * GB, 24 * GB)]
    placements = plan([small, large], machine)
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
def test_only_cards_that_ask_and_fit_nowhere_are_offloaded(
    machine: list[Device], cards: Sequence[ModelCard], expected: str
) -> None:
    found = plan(cards, machine)
    unasked = plan(FIVE, machine)
    assert how(found) == expected
    for card in cards:
        placed, before = found[card.id], unasked[card.id]
        assert placed.is_offloaded == (before.how is How.TOO_LARGE and placed.how is not How.TOO_LARGE)
        if not placed.is_offloaded:
            assert (placed.how, placed.shares) == (before.how, before.shares)


def test_offloaded_model_names_its_parts_and_that_it_is_slow() -> None:
    machine = with_ram(gpus(1, 24), 64)
    (card,) = (card for card in asking("galpaca-30b") if card.offload)
    alone = plan([card], machine)[card.id]
    assert alone.words == "20.7 GB on GPU 0, 48.0 GB in the CPU's memory (slow), alone"
    among = plan(asking(card.id), machine)[card.id]
    assert among.words.endswith("in the CPU's memory (slow) in turns: others make room when it is asked")
    assert sum(alone.weights.values()) == alone.need.weights_bytes
    assert plan(FIVE, with_ram(gpus(1, 16), 80))[card.id].words == (
        "needs 63.8 GB (weights 59.9 GB, cache 2.8 GB, reserve 1.0 GB), and there are 15.7 GB for models; "
        "offload = true in its card would keep 57.3 GB in the CPU's memory, and be slow"
    )
    little = plan([card], with_ram(gpus(1, 24), 32))[card.id]
    assert little.words.endswith("and there are 23.5 GB for models; with the CPU's memory 47.5 GB")


def test_limit_on_memory_counts_for_offloading() -> None:
    (card,) = (card for card in asking("galpaca-30b") if card.offload)
    limited = [replace(device, usable_bytes=min(device.usable_bytes, 30 * GB)) for device in with_ram(gpus(1, 80), 90)]
    assert plan([card], limited)[card.id].how is How.TOO_LARGE
    assert plan([card], with_ram(gpus(1, 80), 90))[card.id].how is How.RESIDENT


def test_rows_of_an_offloaded_model_take_no_cpu_memory() -> None:
    (card,) = (card for card in asking("galpaca-30b") if card.offload)
    machine = with_ram(gpus(1, 24), 80)
    placed = plan([card], machine)[card.id]
    assert placed.rows == OFFLOADED_ROWS
    assert rows_beside(placed, [], machine) == placed.rows
    held = Held(placed, placed.rows)
    assert held.bytes_on("cuda:0") <= machine[0].usable_bytes
    assert held.bytes_on("cpu") == placed.shares["cpu"].total_bytes
    assert rows_beside(placed, [held], machine) == 0


def test_spread_model_has_memory_for_rows_on_each_device() -> None:
    machine = [Device("cuda:0", "GPU 0", 24 * GB, 23 * GB), Device("cuda:1", "GPU 1", 48 * GB, 17 * GB)]
    placed = plan([CATALOG.card("orca-mini-13b")], machine)["orca-mini-13b"]
    held = Held(placed, placed.rows)
    assert placed.rows > 4
    for device in machine:
        assert placed.shares[device.name].total_bytes < held.bytes_on(device.name) <= device.usable_bytes
    first, second = placed.weights.values()
    assert first > second
    assert first + second == pytest.approx(placed.need.weights_bytes)
