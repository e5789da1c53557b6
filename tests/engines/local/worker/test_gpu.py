"""Tests on a real GPU: recorded steps, 8 and 4 bit weights, offloaded layers, full memory, device errors.

``python -m pytest -m gpu`` on a machine with a CUDA device; small random checkpoints and the pocket models.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import GenerationConfig

from playground.catalog.card_files import read_card
from playground.engines.local.engine import LocalEngine
from playground.engines.local.placement import Device
from playground.engines.local.supervisor import WorkerLimits
from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Message
from playground.engines.local.worker.decoding.decoder import RECORDED_COLUMNS_AHEAD, BatchDecoder
from playground.engines.local.worker.decoding.self_check import checked_decoder
from playground.engines.local.worker.errors import OutOfMemory
from playground.engines.local.worker.loading.device_map import pieces_of, weights
from playground.engines.local.worker.loading.model import LoadedModel, load
from playground.engines.local.worker.loading.pinned_memory import BUFFER_BYTES, CopyBuffers
from playground.engines.local.worker.main import Worker
from playground.engines.protocol import Job, Started
from playground.records import FinishReason, ModelCard, SamplingParams
from playground.settings import Settings
from tests.support.checkpoints import ARCHITECTURES, VOCAB_SIZE, write_checkpoint
from tests.support.columns import Column
from tests.support.paths import ROOT
from tests.support.processes import workers

pytestmark = pytest.mark.gpu
POCKET = ROOT / "playground/catalog/cards"
GREEDY = SamplingParams(max_new_tokens=40)
SAMPLED = SamplingParams(max_new_tokens=40, do_sample=True, temperature=0.8, top_k=50, top_p=0.95)


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelCard]:
    folder = tmp_path_factory.mktemp("gpu")
    return {kind: write_checkpoint(folder / kind, kind, hidden=128, layers=4) for kind in ARCHITECTURES}


@pytest.fixture(scope="module")
def models(cards: dict[str, ModelCard]) -> dict[str, LoadedModel]:
    return {kind: load(card, threads=1) for kind, card in cards.items()}


@pytest.fixture(params=list(ARCHITECTURES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def jobs(params: SamplingParams, count: int = 12) -> list[Job]:
    """Return jobs with prompts and answers of different lengths."""
    prompts = [tuple((31 * (n + 2) * (i + 1)) % VOCAB_SIZE for i in range(1 + (n * 7) % 40)) for n in range(count)]
    lengths = [5 + (n * 11) % 60 for n in range(count)]
    return [
        Job(str(n), prompt, replace(params, max_new_tokens=length), n, (), 60.0)
        for n, (prompt, length) in enumerate(zip(prompts, lengths, strict=True))
    ]


def written(decoder: BatchDecoder, requests: list[Job], every: int = 2, at_once: int = 1) -> list[list[int]]:
    """Return the tokens of jobs; after every `every` steps the next `at_once` join."""
    ids: dict[str, list[int]] = {request.row: [] for request in requests}
    waiting, turn = list(requests), 0
    while waiting or decoder.rows:
        for _ in range(at_once if turn % every == 0 else 0):
            if waiting and decoder.can_admit:
                decoder.admit(waiting.pop(0))
        for token in decoder.step():
            assert token.token_id is not None, token.error
            ids[token.row].append(token.token_id)
        turn += 1
    return list(ids.values())


def generated(model: LoadedModel, request: Job) -> list[int]:
    model.model.generation_config = GenerationConfig()  # the checkpoint's own would stop at its end-of-text id
    ids = torch.tensor([request.token_ids], device=model.device)
    out = model.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=request.params.max_new_tokens,
        pad_token_id=0,
    )
    return [int(i) for i in out[0, ids.shape[1] :]]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("buffer_bytes", [1 << 10, BUFFER_BYTES])
def test_weights_on_the_gpu_equal_those_in_the_files(
    cards: dict[str, ModelCard], kind: str, dtype: str, buffer_bytes: int
) -> None:
    card = replace(cards[kind], dtype=dtype)
    there = load(card, threads=1, buffers=CopyBuffers(buffer_bytes)).model.state_dict()
    here = load(card, threads=1, room={"cpu": 1 << 30}).model.state_dict()
    assert {name: numbers.device.type for name, numbers in there.items()} == dict.fromkeys(here, "cuda")
    assert all(torch.equal(there[name].cpu(), numbers) for name, numbers in here.items())


def test_replayed_steps_equal_generate(models: dict[str, LoadedModel], kind: str) -> None:
    model = models[kind]
    decoder, found = checked_decoder(model, max_rows=4)
    assert (found.is_recorded, found.problem) == (True, "")
    assert found.facts(model.facts).versions["decoding"] == "rows together, steps replayed"
    assert isinstance(decoder, BatchDecoder)
    requests = jobs(GREEDY)
    assert written(decoder, requests) == [generated(model, request) for request in requests]
    assert written(decoder, requests, every=5) == [generated(model, request) for request in requests]


def test_sampled_rows_are_the_same_replayed_eager_and_alone(models: dict[str, LoadedModel], kind: str) -> None:
    requests = jobs(SAMPLED)
    together = written(BatchDecoder(models[kind], 4, recorded=True), requests)
    assert together == written(BatchDecoder(models[kind], 16), requests)
    assert together == [written(BatchDecoder(models[kind], 1, recorded=True), [request])[0] for request in requests]


@pytest.mark.parametrize("recorded", [True, False])
def test_prompts_that_are_read_together_equal_generate(
    models: dict[str, LoadedModel], kind: str, recorded: bool
) -> None:
    model, requests = models[kind], jobs(GREEDY)
    expected = [generated(model, request) for request in requests]
    assert written(BatchDecoder(model, recorded=recorded), requests, at_once=12) == expected
    assert written(BatchDecoder(model, 4, recorded=recorded), requests, every=3, at_once=3) == expected


@pytest.mark.parametrize("recorded", [True, False])
def test_prompts_that_are_read_in_pieces_equal_generate(
    models: dict[str, LoadedModel], kind: str, recorded: bool
) -> None:
    model = models[kind]
    prompts = [tuple((31 * (n + 2) * (i + 1)) % VOCAB_SIZE for i in range(n)) for n in (5, 90, 201, 64, 33)]
    requests = [replace(job, token_ids=ids) for job, ids in zip(jobs(GREEDY), prompts, strict=False)]
    expected = [generated(model, request) for request in requests]
    assert written(BatchDecoder(model, recorded=recorded, read_tokens=32), requests) == expected
    assert checked_decoder(model)[1].in_pieces


def test_answer_may_outgrow_its_blocks_repeatedly(tmp_path: Path, kind: str) -> None:
    model = load(write_checkpoint(tmp_path, kind, context=4 * RECORDED_COLUMNS_AHEAD), threads=1)
    new = model.context_length - 3
    request = Job("long", (5, 6, 7), SamplingParams(max_new_tokens=new), 0, (), 60.0)
    assert written(BatchDecoder(model, recorded=True), [request]) == [generated(model, request)]


@pytest.mark.parametrize("form", ["8bit", "4bit"])
def test_quantized_weights_load_and_write(tmp_path: Path, form: str) -> None:
    pytest.importorskip("bitsandbytes")
    card = replace(write_checkpoint(tmp_path, "llama", hidden=512, layers=4), dtype="bfloat16")
    whole, small = load(card, threads=1), load(replace(card, quantization=form), threads=1)
    assert small.facts.dtype == {"8bit": "8bit (bfloat16)", "4bit": "4bit nf4 (bfloat16)"}[form]
    sizes = [sum(p.numel() * p.element_size() for p in model.model.parameters()) for model in (whole, small)]
    assert sizes[1] < 0.75 * sizes[0]
    decoder, found = checked_decoder(small, max_rows=4)
    assert isinstance(decoder, BatchDecoder), found.problem
    assert found.is_recorded == (form == "4bit")
    assert all(written(decoder, jobs(GREEDY)))


def test_offloaded_layers_write_the_same_tokens(
    cards: dict[str, ModelCard], models: dict[str, LoadedModel], kind: str
) -> None:
    pieces = pieces_of(models[kind].model, 4.0)
    layer = next(piece.size_bytes for piece in pieces if piece.is_layer)
    rest = sum(piece.size_bytes for piece in pieces if not piece.is_layer)
    model = load(cards[kind], threads=1, room={"cuda:0": rest + 2 * layer, "cpu": 2 * layer})
    assert model.facts.device.endswith("layers in the CPU's memory")
    assert sum(parameter.is_meta for parameter in model.model.parameters()) > 0
    held = dict(weights(models[kind].model))
    assert all(torch.equal(numbers.cpu(), held[name].cpu()) for name, numbers in weights(model.model))
    decoder, found = checked_decoder(model, max_rows=4)
    assert isinstance(decoder, BatchDecoder), found.problem
    assert not found.is_recorded
    assert written(decoder, jobs(GREEDY)) == [generated(models[kind], request) for request in jobs(GREEDY)]


def test_full_gpu_is_reported(tmp_path: Path) -> None:
    card = write_checkpoint(tmp_path, "llama", hidden=1024, layers=4)  # 170 MB
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    taken = torch.empty(free - (64 << 20), dtype=torch.uint8, device="cuda")
    try:
        with pytest.raises(OutOfMemory, match="out of memory while loading"):
            load(card, threads=1)
    finally:
        del taken
        torch.cuda.empty_cache()
    assert load(card, threads=1).vocab_size == VOCAB_SIZE


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine(Settings(), limits=WorkerLimits(backoff_s=(0.05, 0.05)))
    engine.open([read_card(path) for path in sorted(POCKET.glob("pocket-*.toml"))])
    yield engine
    engine.close()


def ask(engine: LocalEngine, model: str, row: str, params: SamplingParams = GREEDY) -> Column:
    column = Column(engine, row)
    column.begin(model, Job(row, (1, 5, 9, 12, 30), params, 3, (2,), 60.0))
    return column


def test_five_models_share_the_gpu_and_a_killed_one_restarts(engine: LocalEngine) -> None:
    models = [*engine.status()]
    columns = [ask(engine, model, f"{model}-{number}") for model in models for number in range(4)]
    for column in columns:
        assert column.finish().finish_reason in (FinishReason.STOP, FinishReason.LENGTH)
    for column in columns:
        (started,) = [event for event in column.events if isinstance(event, Started)]
        assert started.facts.device.startswith("cuda:0 ")
        assert started.facts.versions["decoding"] == "rows together, steps replayed"
    found = workers(os.getpid(), "pocket")
    assert len(found) == len(models)
    name, pid = next(iter(found.items()))
    model = next(model for model in models if model.startswith(name))
    long = ask(engine, model, "killed", SamplingParams(max_new_tokens=400, min_new_tokens=400))
    long.wait_for(Started)
    os.kill(pid, signal.SIGKILL)
    ended = long.finish()
    assert ended.finish_reason is FinishReason.ERROR
    assert "ended while it was writing; it is being started again" in str(ended.error)
    again = ask(engine, model, "again")
    assert again.finish().finish_reason in (FinishReason.STOP, FinishReason.LENGTH)


def test_model_larger_than_the_plan_is_refused_without_a_process(
    cards: dict[str, ModelCard],
) -> None:
    engine = LocalEngine(Settings(), devices=lambda: [Device("cuda:0", "GPU", 1 << 20, 1 << 20)])
    engine.open([cards["llama"]])
    try:
        column = ask(engine, cards["llama"].id, "row")
        assert "needs" in str(column.finish().error)
    finally:
        engine.close()


def test_device_error_ends_every_row_and_the_process(tmp_path: Path) -> None:
    """Run in a process of its own, because the error leaves the device unusable there."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engines.local.worker.test_gpu", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0, done.stderr
    ends = [line for line in done.stdout.splitlines() if line.startswith("ended")]
    assert len(ends) == 2
    assert all("the model failed" in line for line in ends)


def _exceed_the_embedding(folder: Path) -> None:
    """Run a worker whose model has fewer embedding rows than it claims."""
    model = load(write_checkpoint(folder, "llama"), threads=1)
    decoder = BatchDecoder(replace(model, vocab_size=10 * VOCAB_SIZE), recorded=True)
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def send(*sent: Message) -> None:
        for message in sent:
            if message["kind"] == "ended":
                print("ended", message["error"], flush=True)

    worker = Worker(decoder, inbox, send)
    inbox.put(messages.start(Job("sound", (1, 2, 3), SamplingParams(max_new_tokens=50), 0, (), 60.0)))
    worker.turn()
    inbox.put(messages.start(Job("broken", (9 * VOCAB_SIZE,), SamplingParams(max_new_tokens=50), 0, (), 60.0)))
    for _ in range(3):
        worker.turn()


if __name__ == "__main__":
    _exceed_the_embedding(Path(sys.argv[1]))
