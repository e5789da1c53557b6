"""Layers fill the devices in order; everything else goes to the first device."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM

from playground.catalog.catalog import Catalog
from playground.engines.local.placement import Device
from playground.engines.local.planning import plan
from playground.engines.local.worker.errors import OutOfMemory
from playground.engines.local.worker.loading.device_map import Piece, device_map, pieces_of

GB = 10**9
LAYERS = [Piece(f"layer {number}", 10, True) for number in range(8)]
MODEL = [Piece("embedding", 8, False), *LAYERS, Piece("norm", 1, False), Piece("head", 8, False)]


def layers_on(placed: dict[str, str]) -> str:
    """Return the last characters of the layers' devices."""
    return "".join(placed[layer.name][-1] for layer in LAYERS)


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        ({"cuda:0": 97}, "00000000"),
        ({"cuda:0": 57, "cuda:1": 40}, "00001111"),
        ({"cuda:1": 57, "cuda:0": 40}, "11110000"),
        ({"cuda:0": 37, "cuda:1": 30, "cuda:2": 30}, "00111222"),
        ({"cuda:0": 36, "cuda:1": 30, "cuda:2": 31}, "01112222"),
        ({"cuda:0": 17, "cuda:1": 80}, "11111111"),
        ({"cuda:0": 46, "cpu": 51}, "00uuuuuu"),
        ({"cuda:0": 97, "cpu": 5}, "00000000"),
        ({"cuda:0": 20, "cpu": 1}, "uuuuuuuu"),
    ],
)
def test_layers_fill_the_devices_in_order(room: dict[str, int], expected: str) -> None:
    placed = device_map(MODEL, room)
    assert layers_on(placed) == expected
    assert [*placed] == [piece.name for piece in MODEL]
    assert {placed[name] for name in ("embedding", "norm", "head")} == {next(iter(room))}


def test_embedding_and_head_must_fit_the_first_device() -> None:
    with pytest.raises(OutOfMemory, match="embedding and head take 17 bytes, and 16 of cuda:0 are for weights"):
        device_map(MODEL, {"cuda:0": 16, "cpu": 100})


@given(
    layers=st.lists(st.integers(1, 20), min_size=1, max_size=60),
    rest=st.integers(0, 50),
    cuts=st.lists(st.floats(0, 1), max_size=4),
)
def test_no_device_exceeds_its_room_by_more_than_one_layer(layers: list[int], rest: int, cuts: list[float]) -> None:
    pieces = [Piece("rest", rest, False), *(Piece(str(n), size, True) for n, size in enumerate(layers))]
    edges = [0, *sorted(rest + round(cut * sum(layers)) for cut in cuts), rest + sum(layers)]
    room = {f"cuda:{n}": high - low for n, (low, high) in enumerate(pairwise(edges))}
    placed = device_map(pieces, room)
    for device, size in room.items():
        assert sum(piece.size_bytes for piece in pieces if placed[piece.name] == device) < size + max(layers) + 1
    order = [int(placed[piece.name].removeprefix("cuda:")) for piece in pieces[1:]]
    assert order == sorted(order)


def test_real_model_splits_into_its_layers_and_counts_a_tied_matrix_once() -> None:
    card = Catalog.load().card("galpaca-6.7b")
    config = OPTConfig(
        vocab_size=50000,
        hidden_size=4096,
        word_embed_proj_dim=4096,
        ffn_dim=16384,
        num_hidden_layers=32,
        num_attention_heads=32,
        enable_bias=False,
        layer_norm_elementwise_affine=False,
    )
    with torch.device("meta"):
        pieces = pieces_of(OPTForCausalLM(config), 2.0)
    assert sum(piece.size_bytes for piece in pieces) == pytest.approx(card.size_bytes, rel=1e-3)
    assert [piece.name for piece in pieces if piece.is_layer] == [f"model.decoder.layers.{n}" for n in range(32)]
    shared = plan([card], [Device(f"cuda:{n}", f"GPU {n}", 12 * GB, 11 * GB) for n in range(2)])
    placed = device_map(pieces, shared[card.id].weights)
    on = [sum(piece.size_bytes for piece in pieces if placed[piece.name] == f"cuda:{n}") for n in range(2)]
    assert on[0] == pytest.approx(on[1], rel=0.1)


def test_model_without_layer_classes_keeps_all_its_weights() -> None:
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(num_hidden_layers=3, vocab_size=100, hidden_size=64, intermediate_size=64))
    model._no_split_modules = None
    pieces = pieces_of(model, 4.0)
    assert sum(piece.size_bytes for piece in pieces) == 4 * sum(p.numel() for p in model.parameters())
    assert not any(piece.is_layer for piece in pieces)
