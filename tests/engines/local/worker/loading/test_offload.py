"""A model whose layers wait in the CPU's memory is looked at as closely, and writes the same, as one loaded whole.

The CPU computes here: as "cpu:0" it is another device than "cpu", where the layers wait. Hooks and empty parameters are
those that a GPU has; the way there is not.
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
    """A checkpoint of its own whose weights a function has changed."""

    def make(kind: str, change: Callable[[dict[str, torch.Tensor]], None]) -> ModelCard:
        card = write_checkpoint(tmp_path / kind, kind, layers=NUM_LAYERS)
        rewrite(Path(card.repo), "safetensors", lambda held: (change(held), held)[1])
        return card

    return make


def room(model: LoadedModel, layers: int) -> dict[str, int]:
    """For so many layers and what is none; the others wait."""
    pieces = pieces_of(model.model, 4.0)
    sizes = [piece.size_bytes for piece in pieces if piece.is_layer]
    first = sum(piece.size_bytes for piece in pieces if not piece.is_layer) + sum(sizes[:layers])
    return {"cpu:0": first, "cpu": sum(sizes[layers:])}


def waiting(model: LoadedModel) -> set[str]:
    """Layers with parameters that are empty while nobody computes with them."""
    prefix = next(prefix for prefix in LAYERS.values() if any(prefix in name for name, _ in weights(model.model)))
    empty = [name for name, parameter in model.model.named_parameters() if parameter.is_meta]
    assert all(name.startswith(prefix) for name in empty)
    return {name.removeprefix(f"{prefix}.").split(".")[0] for name in empty}


def write_all(writer: Decoder, params: SamplingParams) -> dict[str, list[int]]:
    """What the rows come to; each is let in as soon as there is room."""
    jobs = [Job(str(number), ids, params, 7, (), 60.0) for number, ids in enumerate(PROMPTS)]
    written: dict[str, list[int]] = {job.row: [] for job in jobs}
    ended = 0
    while ended < len(PROMPTS):
        while jobs and writer.can_admit:
            writer.admit(jobs.pop(0))
        for token in writer.step():
            assert token.token_id is not None, token.error
            written[token.row].append(token.token_id)
            ended += token.finish_reason is not None
    return written


@pytest.mark.parametrize("here", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, NUM_LAYERS - 1))])
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_offloaded_layers_hold_the_same_numbers_and_write_the_same_tokens(
    cards: dict[str, ModelCard], whole: dict[str, LoadedModel], kind: str, here: int
) -> None:
    model = load(cards[kind], threads=1, room=room(whole[kind], here))
    assert waiting(model) == {str(number) for number in range(here, NUM_LAYERS)}
    assert model.facts.device.endswith("layers in the CPU's memory")
    expected = dict(weights(whole[kind].model))
    found = dict(weights(model.model))
    assert [*found] == [*expected]
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert not any(numbers.is_meta for numbers in found.values())
    writer, checked = checked_decoder(model)
    assert isinstance(writer, BatchDecoder)
    assert checked.problem == ""
    for params in (SamplingParams(max_new_tokens=16), SamplingParams(max_new_tokens=16, do_sample=True)):
        together = write_all(writer, params)
        assert together == write_all(BatchDecoder(whole[kind]), params)
        assert (
            together == write_all(GenerateDecoder(model), params) == write_all(BatchDecoder(model, max_rows=1), params)
        )


@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_a_model_for_which_there_is_room_is_loaded_whole(
    cards: dict[str, ModelCard], whole: dict[str, LoadedModel], kind: str
) -> None:
    model = load(cards[kind], threads=1, room=room(whole[kind], NUM_LAYERS))
    assert waiting(model) == set()
    assert model.facts.device == whole[kind].facts.device


@pytest.mark.parametrize("form", [form for form in FORMS if "legacy" not in form])
def test_every_form_of_weights_can_wait(tmp_path: Path, whole: dict[str, LoadedModel], form: str) -> None:
    card = write_checkpoint(tmp_path, "llama", layers=NUM_LAYERS)
    rewrite(tmp_path, form)
    model = load(replace(card, dtype="bfloat16"), threads=1, room={"cpu:0": room(whole["llama"], 1)["cpu:0"], "cpu": 1})
    assert {numbers.dtype for _, numbers in weights(model.model)} == {torch.bfloat16}
    assert waiting(model)
    assert run_self_check(model).problem == ""


@pytest.mark.parametrize("layer", [0, NUM_LAYERS - 1])
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_a_number_that_is_none_is_found_in_a_layer_that_waits_and_in_one_that_does_not(
    poisoned: Callable[..., ModelCard], whole: dict[str, LoadedModel], kind: str, layer: int
) -> None:
    names = [name for name, _ in weights(whole[kind].model) if name.startswith(f"{LAYERS[kind]}.{layer}.")]

    def spoil(held: dict[str, torch.Tensor]) -> None:
        held[names[-1]].view(-1)[3] = float("nan")

    with pytest.raises(CheckpointError, match=f"the weights {names[-1]} contain NaN or infinity"):
        load(poisoned(kind, spoil), threads=1, room=room(whole[kind], 1))


@pytest.mark.parametrize("kind", list(EMBEDDINGS))
def test_a_broken_tie_is_refused_beside_layers_that_wait(
    poisoned: Callable[..., ModelCard], whole: dict[str, LoadedModel], kind: str
) -> None:
    def untie(held: dict[str, torch.Tensor]) -> None:
        held["lm_head.weight"] = held[f"{EMBEDDINGS[kind]}.weight"] + 1

    with pytest.raises(CheckpointError, match="ties the output matrix to the embedding, and the weights hold two"):
        load(poisoned(kind, untie), threads=1, room=room(whole[kind], 1))


@pytest.mark.parametrize("kind", list(EMBEDDINGS))
def test_tied_matrices_that_wait_themselves_are_compared_by_their_numbers(
    cards: dict[str, ModelCard], kind: str
) -> None:
    model = load(cards[kind], threads=1).model
    accelerate.cpu_offload(model, CPU)
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    assert head.weight.is_meta
    assert embedding.weight.is_meta
    assert torch.equal(weight(head), weight(embedding))
    weight(head)[0] += 1  # one matrix: the tie has survived
    assert torch.equal(weight(head), weight(embedding))


def test_one_matrix_at_a_time_is_there_and_only_while_it_is_computed_with(
    cards: dict[str, ModelCard], whole: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(cards["llama"], threads=1, room=room(whole["llama"], 1))
    layers, linear, there = model.model.model.layers[1:], torch.nn.functional.linear, set[int]()

    def seen(*given: torch.Tensor | None) -> torch.Tensor:
        there.add(sum(not parameter.is_meta for parameter in layers.parameters()))
        return linear(*given)

    monkeypatch.setattr("torch.nn.functional.linear", seen)
    write_all(BatchDecoder(model), SamplingParams(max_new_tokens=2))
    assert there == {0, 1}  # 0: of the layer that does not wait
    assert all(parameter.is_meta for parameter in layers.parameters())


@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_weights_that_are_copied_at_each_visit_write_the_same(
    cards: dict[str, ModelCard], whole: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    model = load(cards[kind], threads=1, room=room(whole[kind], 1))
    fetch, visits = OffloadedWeightsLoader.__getitem__, list[str]()

    def fetch_wider(waiting: OffloadedWeightsLoader, name: str) -> torch.Tensor:
        visits.append(name)
        return fetch(waiting, name).double()  # to be narrowed again, which is a copy, as on the way to a GPU

    monkeypatch.setattr(OffloadedWeightsLoader, "__getitem__", fetch_wider)
    assert run_self_check(model).problem == ""
    params = SamplingParams(max_new_tokens=8)
    expected = write_all(BatchDecoder(whole[kind]), params)
    assert [
        write_all(writer, params) for writer in (BatchDecoder(model), GenerateDecoder(model), BatchDecoder(model))
    ] == [expected] * 3
    assert set(visits) == {name for name, parameter in model.model.named_parameters() if parameter.is_meta}


def test_what_is_not_written_together_is_written_one_at_a_time_from_layers_that_wait_too(
    cards: dict[str, ModelCard], tmp_path: Path
) -> None:
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
    writer, checked = checked_decoder(model)
    assert isinstance(writer, GenerateDecoder)
    assert checked.note.startswith("answers one visitor at a time")
    params = SamplingParams(max_new_tokens=8)
    assert write_all(writer, params) == write_all(checked_decoder(whole)[0], params)


def test_room_that_does_not_hold_the_embedding_is_said_with_the_model(cards: dict[str, ModelCard]) -> None:
    with pytest.raises(OutOfMemory, match=r"^Tiny llama: embedding and head take .* bytes, and 10 of cpu:0 are for"):
        load(cards["llama"], threads=1, room={"cpu:0": 10, "cpu": 10**9})
