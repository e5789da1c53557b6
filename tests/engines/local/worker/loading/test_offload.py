"""A model with offloaded layers is checked like, and writes the same tokens as, one on a single device.

The CPU stands in for a GPU: "cpu:0" is another device than "cpu", which holds the offloaded layers. Hooks and empty
parameters are the same as with a GPU; the copies are not.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import accelerate
import pytest
import torch
from accelerate.utils import OffloadedWeightsLoader
from transformers import MambaConfig, MambaForCausalLM

from playground.engines.local.worker.decoding.decoder import BatchDecoder, Decoder
from playground.engines.local.worker.decoding.generate import GenerateDecoder
from playground.engines.local.worker.decoding.self_check import checked_decoder, run_self_check
from playground.engines.local.worker.errors import OutOfMemory
from playground.engines.local.worker.loading.device_map import pieces_of, weight, weights
from playground.engines.local.worker.loading.model import LoadedModel, load
from playground.engines.protocol import Job
from playground.errors import CheckpointError
from playground.records import ModelCard, SamplingParams
from tests.support.checkpoints import ARCHITECTURES, FORMS, VOCAB_SIZE, rewrite, write_checkpoint

CPU = torch.device("cpu")
NUM_LAYERS = 4
LAYERS = {"llama": "model.layers", "mpt": "transformer.blocks", "opt": "model.decoder.layers"}
EMBEDDINGS = {"mpt": "transformer.wte", "opt": "model.decoder.embed_tokens"}
PROMPTS = ((5, 6, 7), (9, 8, 7, 6, 5), (300,))


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelCard]:
    folder = tmp_path_factory.mktemp("offload")
    return {kind: write_checkpoint(folder / kind, kind, layers=NUM_LAYERS) for kind in ARCHITECTURES}


@pytest.fixture(scope="module")
def whole(cards: dict[str, ModelCard]) -> dict[str, LoadedModel]:
    return {kind: load(card, threads=1) for kind, card in cards.items()}


@pytest.fixture
def poisoned(tmp_path: Path) -> Callable[[str, Callable[[dict[str, torch.Tensor]], None]], ModelCard]:
    """Return a function that writes a checkpoint with changed weights."""

    def make(kind: str, change: Callable[[dict[str, torch.Tensor]], None]) -> ModelCard:
        card = write_checkpoint(tmp_path / kind, kind, layers=NUM_LAYERS)
        rewrite(Path(card.repo), "safetensors", lambda held: (change(held), held)[1])
        return card

    return make


def room(model: LoadedModel, layers: int) -> dict[str, int]:
    """Return room for this many layers on the first device; the others are offloaded."""
    pieces = pieces_of(model.model, 4.0)
    sizes = [piece.size_bytes for piece in pieces if piece.is_layer]
    first = sum(piece.size_bytes for piece in pieces if not piece.is_layer) + sum(sizes[:layers])
    return {"cpu:0": first, "cpu": sum(sizes[layers:])}


def offloaded(model: LoadedModel) -> set[str]:
    """Return the numbers of the offloaded layers."""
    prefix = next(prefix for prefix in LAYERS.values() if any(prefix in name for name, _ in weights(model.model)))
    empty = [name for name, parameter in model.model.named_parameters() if parameter.is_meta]
    assert all(name.startswith(prefix) for name in empty)
    return {name.removeprefix(f"{prefix}.").split(".")[0] for name in empty}


def write_all(decoder: Decoder, params: SamplingParams) -> dict[str, list[int]]:
    """Return the tokens of three rows, admitted as soon as possible."""
    jobs = [Job(str(number), ids, params, 7, (), 60.0) for number, ids in enumerate(PROMPTS)]
    written: dict[str, list[int]] = {job.row: [] for job in jobs}
    ended = 0
    while ended < len(PROMPTS):
        while jobs and decoder.can_admit:
            decoder.admit(jobs.pop(0))
        for token in decoder.step():
            assert token.token_id is not None, token.error
            written[token.row].append(token.token_id)
            ended += token.finish_reason is not None
    return written


@pytest.mark.parametrize("here", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, NUM_LAYERS - 1))])
@pytest.mark.parametrize("kind", ["llama", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("mpt", "opt"))])
def test_offloaded_layers_hold_the_same_weights_and_write_the_same_tokens(
    cards: dict[str, ModelCard], whole: dict[str, LoadedModel], kind: str, here: int
) -> None:
    model = load(cards[kind], threads=1, room=room(whole[kind], here))
    assert offloaded(model) == {str(number) for number in range(here, NUM_LAYERS)}
    assert model.facts.device.endswith("layers in the CPU's memory")
    expected = dict(weights(whole[kind].model))
    found = dict(weights(model.model))
    assert [*found] == [*expected]
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert not any(numbers.is_meta for numbers in found.values())
    decoder, found = checked_decoder(model)
    assert isinstance(decoder, BatchDecoder)
    assert found.problem == ""
    for params in (SamplingParams(max_new_tokens=16), SamplingParams(max_new_tokens=16, do_sample=True)):
        together = write_all(decoder, params)
        assert together == write_all(BatchDecoder(whole[kind]), params)
        assert (
            together == write_all(GenerateDecoder(model), params) == write_all(BatchDecoder(model, max_rows=1), params)
        )


@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_model_with_enough_room_is_not_offloaded(
    cards: dict[str, ModelCard], whole: dict[str, LoadedModel], kind: str
) -> None:
    model = load(cards[kind], threads=1, room=room(whole[kind], NUM_LAYERS))
    assert offloaded(model) == set()
    assert model.facts.device == whole[kind].facts.device


@pytest.mark.parametrize("form", [form for form in FORMS if "legacy" not in form])
def test_every_form_of_weights_can_be_offloaded(tmp_path: Path, whole: dict[str, LoadedModel], form: str) -> None:
    card = write_checkpoint(tmp_path, "llama", layers=NUM_LAYERS)
    rewrite(tmp_path, form)
    model = load(replace(card, dtype="bfloat16"), threads=1, room={"cpu:0": room(whole["llama"], 1)["cpu:0"], "cpu": 1})
    assert {numbers.dtype for _, numbers in weights(model.model)} == {torch.bfloat16}
    assert offloaded(model)
    assert run_self_check(model).problem == ""


@pytest.mark.parametrize("layer", [0, NUM_LAYERS - 1])
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_nan_is_found_in_offloaded_and_other_layers(
    poisoned: Callable[..., ModelCard], whole: dict[str, LoadedModel], kind: str, layer: int
) -> None:
    names = [name for name, _ in weights(whole[kind].model) if name.startswith(f"{LAYERS[kind]}.{layer}.")]

    def spoil(held: dict[str, torch.Tensor]) -> None:
        held[names[-1]].view(-1)[3] = float("nan")

    with pytest.raises(CheckpointError, match=f"the weights {names[-1]} contain NaN or infinity"):
        load(poisoned(kind, spoil), threads=1, room=room(whole[kind], 1))


@pytest.mark.parametrize("kind", list(EMBEDDINGS))
def test_broken_tie_is_refused_with_offloaded_layers(
    poisoned: Callable[..., ModelCard], whole: dict[str, LoadedModel], kind: str
) -> None:
    def untie(held: dict[str, torch.Tensor]) -> None:
        held["lm_head.weight"] = held[f"{EMBEDDINGS[kind]}.weight"] + 1

    with pytest.raises(CheckpointError, match="ties the output matrix to the embedding, and the weights hold two"):
        load(poisoned(kind, untie), threads=1, room=room(whole[kind], 1))


@pytest.mark.parametrize("kind", list(EMBEDDINGS))
def test_offloaded_tied_matrices_are_compared(cards: dict[str, ModelCard], kind: str) -> None:
    model = load(cards[kind], threads=1).model
    accelerate.cpu_offload(model, CPU)
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    assert head.weight.is_meta
    assert embedding.weight.is_meta
    assert torch.equal(weight(head), weight(embedding))
    weight(head)[0] += 1  # one matrix: they are still tied
    assert torch.equal(weight(head), weight(embedding))


def test_one_matrix_is_loaded_at_a_time(
    cards: dict[str, ModelCard], whole: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(cards["llama"], threads=1, room=room(whole["llama"], 1))
    layers, linear, there = model.model.model.layers[1:], torch.nn.functional.linear, set[int]()

    def seen(*given: torch.Tensor | None) -> torch.Tensor:
        there.add(sum(not parameter.is_meta for parameter in layers.parameters()))
        return linear(*given)

    monkeypatch.setattr("torch.nn.functional.linear", seen)
    write_all(BatchDecoder(model), SamplingParams(max_new_tokens=2))
    assert there == {0, 1}  # 0: in the layer that is not offloaded
    assert all(parameter.is_meta for parameter in layers.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_weights_copied_at_each_use_write_the_same_tokens(
    cards: dict[str, ModelCard], whole: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    model = load(cards[kind], threads=1, room=room(whole[kind], 1))
    fetch, visits = OffloadedWeightsLoader.__getitem__, list[str]()

    def fetch_wider(waiting: OffloadedWeightsLoader, name: str) -> torch.Tensor:
        visits.append(name)
        return fetch(waiting, name).double()  # narrowing it again makes a copy, as moving to a GPU does

    monkeypatch.setattr(OffloadedWeightsLoader, "__getitem__", fetch_wider)
    assert run_self_check(model).problem == ""
    params = SamplingParams(max_new_tokens=8)
    expected = write_all(BatchDecoder(whole[kind]), params)
    assert [
        write_all(decoder, params) for decoder in (BatchDecoder(model), GenerateDecoder(model), BatchDecoder(model))
    ] == [expected] * 3
    assert set(visits) == {name for name, parameter in model.model.named_parameters() if parameter.is_meta}


def test_offloaded_model_can_be_written_one_row_at_a_time(cards: dict[str, ModelCard], tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=VOCAB_SIZE, hidden_size=64, num_hidden_layers=3, state_size=8, initializer_range=0.3
    )
    MambaForCausalLM(config).save_pretrained(tmp_path)
    shutil.copy(Path(cards["opt"].repo) / "tokenizer.json", tmp_path)
    card = replace(cards["opt"], repo=str(tmp_path), architecture="MambaForCausalLM")
    whole = load(card, threads=1)
    model = load(card, threads=1, room=room(whole, 1))
    assert any(parameter.is_meta for parameter in model.model.parameters())
    decoder, found = checked_decoder(model)
    assert isinstance(decoder, GenerateDecoder)
    assert found.note.startswith("answers one visitor at a time")
    params = SamplingParams(max_new_tokens=8)
    assert write_all(decoder, params) == write_all(checked_decoder(whole)[0], params)


def test_error_of_a_small_first_device_names_the_model(cards: dict[str, ModelCard]) -> None:
    with pytest.raises(OutOfMemory, match=r"^Tiny llama: embedding and head take .* bytes, and 10 of cpu:0 are for"):
        load(cards["llama"], threads=1, room={"cpu:0": 10, "cpu": 10**9})
