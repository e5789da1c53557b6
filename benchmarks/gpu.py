"""Benchmark G: the five real shapes with random weights on any device; how near to the memory's speed they write.

``python benchmarks/gpu.py [--small] [--seconds S] [--rounds N]``: one process per model, as in the playground. First
each alone with one row, steps replayed and steps computed anew, beside transformers' eager ``generate`` in the same
process; then all at once with one row each (five panes of one visitor); then all at once with 16 visitors, who begin
together and write for the same time. The floor of a token is the bytes of all weights that are read for it, divided by
the bandwidth that is measured here. Where a device cannot hold all five, as many as fit are taken, in the order of the
table. Without a GPU the shapes are small and nothing is replayed, so that the way through it is tried. Fails only when
a model writes other tokens than ``generate``.

Boundary: the decode loop and the checked check as the workers use them; no web process, no checkpoint.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout; the models' processes find it there as well

GB = 1e9
VISITORS = 16
PROMPT_TOKENS = 48
GENERATED_TOKENS = 64
PATIENCE_S = 120.0
CONTEXT = 2048
STEPS_AHEAD = 6  # all prompts of 16 visitors are read after four
FREE_BESIDE_WEIGHTS = 0.12  # of the device: caches, activations, five CUDA contexts


@dataclass(frozen=True, slots=True)
class Shape:
    """One architecture in one size."""

    name: str
    kind: str  # llama, mpt, opt
    layers: int
    hidden: int
    heads: int
    ffn: int
    vocab_size: int

    @property
    def num_parameters(self) -> int:
        """About; norms and biases left out."""
        return self.num_read + (self.vocab_size * self.hidden if self.kind == "llama" else 0)

    @property
    def num_read(self) -> int:
        """Those that a token needs: of an embedding that is no output matrix as well, it takes one row."""
        matrices = 3 if self.kind == "llama" else 2
        per_layer = 4 * self.hidden**2 + matrices * self.hidden * self.ffn
        return self.layers * per_layer + self.vocab_size * self.hidden


REAL = (
    Shape("mamba-gpt-3b", "llama", 26, 3200, 32, 8640, 32000),
    Shape("openalpaca-7b", "llama", 32, 4096, 32, 11008, 32000),
    Shape("minotaur-mpt-7b", "mpt", 32, 4096, 32, 16384, 50432),
    Shape("orca-mini-13b", "llama", 40, 5120, 40, 13824, 32000),
    Shape("galpaca-30b", "opt", 48, 7168, 56, 28672, 50000),
)
SMALL = tuple(
    Shape(f"small {shape.name}", shape.kind, 4, 128, 4, 512 if shape.kind != "llama" else 344, 1000) for shape in REAL
)


def build(shape: Shape, device: str, dtype: str) -> Any:
    """The model with random weights, made on its device."""
    import torch
    import transformers

    common = {"vocab_size": shape.vocab_size, "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads}
    with torch.device(device):
        torch.set_default_dtype(getattr(torch, dtype))
        if shape.kind == "llama":
            config = transformers.LlamaConfig(**common, hidden_size=shape.hidden, intermediate_size=shape.ffn)
            model = transformers.LlamaForCausalLM(config)
        elif shape.kind == "opt":
            config = transformers.OPTConfig(
                **common,
                hidden_size=shape.hidden,
                word_embed_proj_dim=shape.hidden,
                ffn_dim=shape.ffn,
                enable_bias=False,
                layer_norm_elementwise_affine=False,
            )
            model = transformers.OPTForCausalLM(config)
        else:
            config = transformers.MptConfig(
                vocab_size=shape.vocab_size, d_model=shape.hidden, n_layers=shape.layers, n_heads=shape.heads
            )
            model = transformers.MptForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    return model.eval()


class Pane:
    """One model in its process: checks itself, then writes when it is told to."""

    def __init__(self, shape: Shape, device: str, dtype: str, all_ready: Barrier) -> None:
        import torch
        import transformers

        from playground.engines.local.worker.loading.model import LoadedModel
        from playground.engines.protocol import EngineFacts

        torch.set_num_threads(1)
        torch.manual_seed(0)
        transformers.utils.logging.set_verbosity(50)
        torch.backends.cuda.enable_cudnn_sdp(False)  # as the worker loads it
        self._torch = torch
        self._all_ready = all_ready
        self._model = build(shape, device, dtype)
        facts = EngineFacts("local", device, dtype, "random", {})
        self._loaded = LoadedModel(self._model, torch.device(device), CONTEXT, shape.vocab_size, facts, 0.0)

    def check(self) -> tuple[str, str]:
        """How a worker would write, and why its rows are not written together; empty when they are ``generate``'s."""
        from playground.engines.local.worker.decoding.self_check import run_self_check

        checked = run_self_check(self._loaded)
        return checked.facts(self._loaded.facts).versions["decoding"], checked.problem

    def write(self, recorded: bool, rows: int, seconds: float, together: bool = False) -> float:
        """Tokens per second of `rows` rows; prompts, first steps and what is recorded in them left out.

        Args:
            together: begin when all panes are at this point.
        """
        from playground.engines.local.worker.decoding.decoder import BatchDecoder
        from playground.engines.protocol import Job
        from playground.records import SamplingParams

        decoder = BatchDecoder(self._loaded, rows, recorded=recorded)
        for row in range(rows):
            ids = tuple((7 + row + 31 * i) % self._loaded.vocab_size for i in range(PROMPT_TOKENS))
            decoder.admit(Job(str(row), ids, SamplingParams(max_new_tokens=CONTEXT), row, (), 0.0))
        for _ in range(STEPS_AHEAD):
            step(decoder)
        if together:
            self._all_ready.wait(PATIENCE_S)  # one that is gone ends the others too
        began, written = self._now(), 0
        while decoder.rows and time.perf_counter() - began < seconds:
            written += step(decoder)
        return written / (self._now() - began)

    def generate(self) -> float:
        """Tokens per second of transformers' own ``generate``, eager, one row."""
        tokens = GENERATED_TOKENS
        torch = self._torch
        ids = torch.tensor([[(7 + 31 * i) % self._loaded.vocab_size for i in range(PROMPT_TOKENS)]])
        ids = ids.to(self._loaded.device)
        began = self._now()
        self._model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=tokens, max_new_tokens=tokens
        )
        return tokens / (self._now() - began)

    def _now(self) -> float:
        if self._loaded.device.type == "cuda":
            self._torch.cuda.synchronize()
        return time.perf_counter()


def step(decoder: Any) -> int:
    """How many tokens a step gave; a row that ended for want of memory is no measurement."""
    drawn = decoder.step()
    trouble = next((token.error for token in drawn if token.error), None)
    if trouble:
        raise RuntimeError(trouble)
    return len(drawn)


def serve(shape: Shape, device: str, dtype: str, orders: Connection, all_ready: Barrier) -> None:
    """Be one model's process: (method, arguments) in, results out, until None comes."""
    import torch  # noqa: F401  # all processes import at once, and build in turns
    import transformers  # noqa: F401

    orders.recv()
    pane = Pane(shape, device, dtype, all_ready)
    orders.send("ready")
    while (order := orders.recv()) is not None:
        method, arguments = order
        orders.send(getattr(pane, method)(*arguments))


def bandwidth(device: str) -> float:
    """Bytes per second that a copy reads and writes; measured in a process of its own, which gives its memory back."""
    import torch

    size = 1 << 30 if device != "cpu" else 1 << 27
    block, target = (torch.empty(size, dtype=torch.uint8, device=device) for _ in range(2))
    seconds = []
    for _ in range(8):
        began = time.perf_counter()
        target.copy_(block)
        if device != "cpu":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return 2 * size / min(seconds)


def device_facts(out: Connection) -> None:
    """The device, its name, its memory and its bandwidth."""
    import torch
    import transformers

    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        out.send(("cuda:0", torch.cuda.get_device_name(), free, bandwidth("cuda:0"), versions))
    else:
        out.send(("cpu", "CPU", 0, bandwidth("cpu"), versions))


class Panes:
    """The processes of all models."""

    def __init__(self, shapes: Sequence[Shape], device: str, dtype: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        all_ready = context.Barrier(len(shapes))
        for shape in shapes:
            ours, theirs = context.Pipe()
            context.Process(target=serve, args=(shape, device, dtype, theirs, all_ready), daemon=True).start()
            theirs.close()
            self._pipes.append(ours)
        for pipe in self._pipes:  # one after the other: building takes memory of its own
            pipe.send("build")
            pipe.recv()

    def one(self, index: int, method: str, *arguments: Any) -> Any:
        """What one model answers."""
        self._pipes[index].send((method, arguments))
        return self._pipes[index].recv()

    def all(self, method: str, *arguments: Any) -> list[Any]:
        """What all answer when they are asked at once."""
        for pipe in self._pipes:
            pipe.send((method, arguments))
        return [pipe.recv() for pipe in self._pipes]

    def close(self) -> None:
        """End them."""
        for pipe in self._pipes:
            pipe.send(None)


def fitting(shapes: Sequence[Shape], free_bytes: int, bytes_per_weight: int) -> list[Shape]:
    """As many as the device holds, in order; all of them where its memory is not counted."""
    room, taken = free_bytes * (1 - FREE_BESIDE_WEIGHTS), []
    for shape in shapes:
        size = shape.num_parameters * bytes_per_weight
        if not free_bytes or size <= room:
            taken.append(shape)
            room -= size
    return taken


def facts() -> tuple[str, str, int, float, str]:
    """See `device_facts`; asked in a process that ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=device_facts, args=(theirs,))
    process.start()
    found: tuple[str, str, int, float, str] = ours.recv()
    process.join()
    return found


def main() -> int:
    """Measure and print; exit status 1 when a model writes something else than ``generate``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="small shapes, also on a GPU")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long is written each time")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    device, title, free_bytes, speed, versions = facts()
    small = arguments.small or device == "cpu"
    dtype, width = ("float32", 4) if device == "cpu" else ("bfloat16", 2)
    shapes = fitting(SMALL if small else REAL, 0 if small else free_bytes, width)
    print(f"{title}, {speed / GB:,.0f} GB/s measured, {dtype}; {versions}\n", flush=True)
    panes = Panes(shapes, device, dtype)
    try:
        return measure(panes, shapes, speed, width, arguments.seconds, arguments.rounds)
    finally:
        panes.close()


def measure(panes: Panes, shapes: Sequence[Shape], speed: float, width: int, seconds: float, rounds: int) -> int:
    """Print the tables; 1 when a checked check failed."""
    sizes = [shape.num_read * width for shape in shapes]
    print("| one pane alone, tok/s | GB read | floor | replayed | share of the floor | computed | eager generate |")
    print("|---|---|---|---|---|---|---|")
    ways = [panes.one(index, "check") for index in range(len(shapes))]
    for index, (shape, size) in enumerate(zip(shapes, sizes, strict=True)):
        replayed, computed = (median(panes, index, rounds, "write", way, 1, seconds) for way in (True, False))
        eager = median(panes, index, rounds, "generate")
        floor = speed / size
        ours = f"{floor:.1f} | {replayed:.1f} | {replayed / floor:.2f} | {computed:.1f}"
        print(f"| {shape.name} | {size / GB:.2f} | {ours} | {eager:.1f} |", flush=True)
    for shape, (way, trouble) in zip(shapes, ways, strict=True):
        print(f"{shape.name}: {way}; {trouble or 'the checked tokens are those of generate'}")
    floor = speed / sum(sizes)
    for rows, words in ((1, f"{len(shapes)} panes at once, one visitor"), (VISITORS, f"{VISITORS} visitors")):
        for recorded, how in ((True, "replayed"), (False, "computed")):
            rates = [panes.all("write", recorded, rows, seconds, True) for _ in range(rounds + 1)][1:]
            slowest = statistics.median(min(each) for each in rates) / rows
            total = statistics.median(sum(each) for each in rates)
            share = f"{slowest / floor:.2f} of the floor of {floor:.1f}" if rows == 1 else "compute counts too"
            print(f"{words}, {how}: {total:,.0f} tok/s in all, the slowest row {slowest:.1f} ({share})", flush=True)
    return 1 if any(trouble for _, trouble in ways) else 0


def median(panes: Panes, index: int, rounds: int, method: str, *arguments: Any) -> float:
    """Tokens per second of one model, after a first round that warms up."""
    return statistics.median([panes.one(index, method, *arguments) for _ in range(rounds + 1)][1:])


if __name__ == "__main__":
    sys.exit(main())
