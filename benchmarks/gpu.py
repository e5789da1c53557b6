"""Benchmark G: tokens per second of the five real model shapes with random weights, against ``generate``.

``python benchmarks/gpu.py [--small] [--seconds S] [--rounds N]``: one process per model, as in the playground. First
each model alone with one row, with recorded and with eager steps, against transformers' eager ``generate`` in the same
process; then all at once with one row each; then all at once with 16 visitors, who begin together and write for the
same time. The lower bound for a token is the bytes of the weights that it needs, divided by the bandwidth measured
here. If the device cannot hold all five models, the first ones of the table are taken. Without a GPU the shapes are
small and nothing is recorded. Exit status 1 if a model writes other tokens than ``generate``.

Boundary: decode loop and self-check as the workers use them; no web process, no checkpoint.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout, in the models' processes too

from benchmarks.shapes import REAL, SMALL, Shape, build

GB = 1e9
VISITORS = 16
PROMPT_TOKENS = 48
GENERATED_TOKENS = 64
PATIENCE_S = 120.0
CONTEXT = 2048
STEPS_AHEAD = 6  # the prompts of 16 visitors are read after two
FREE_BESIDE_WEIGHTS = 0.12  # share of the device for caches, activations, five CUDA contexts


class ModelProcess:
    """One model in its process."""

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
        """Return the worker's way of decoding, and the problem if it is not batch decoding."""
        from playground.engines.local.worker.decoding.self_check import run_self_check

        checked = run_self_check(self._loaded)
        return checked.facts(self._loaded.facts).versions["decoding"], checked.problem

    def write(self, recorded: bool, rows: int, seconds: float, together: bool = False) -> float:
        """Return tokens per second of `rows` rows, without prompts and first steps.

        Args:
            together: begin when all processes are ready.
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
            self._all_ready.wait(PATIENCE_S)  # a process that has ended ends the others too
        began, written = self._now(), 0
        while decoder.rows and time.perf_counter() - began < seconds:
            written += step(decoder)
        return written / (self._now() - began)

    def generate(self) -> float:
        """Return tokens per second of transformers' ``generate``, eager, one row."""
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
    """Return the number of tokens of a step; fail if a row ended for lack of memory."""
    drawn = decoder.step()
    trouble = next((token.error for token in drawn if token.error), None)
    if trouble:
        raise RuntimeError(trouble)
    return len(drawn)


def serve(shape: Shape, device: str, dtype: str, orders: Connection, all_ready: Barrier) -> None:
    """Run one model's process: (method, arguments) in, results out, until None."""
    import torch  # noqa: F401  # all processes import in parallel and build in turn
    import transformers  # noqa: F401

    orders.recv()
    process = ModelProcess(shape, device, dtype, all_ready)
    orders.send("ready")
    while (order := orders.recv()) is not None:
        method, arguments = order
        orders.send(getattr(process, method)(*arguments))


def bandwidth(device: str) -> float:
    """Return the bytes per second that a copy reads and writes; run in a process that ends, to free its memory."""
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
    """Return the device, its name, its memory and its bandwidth."""
    import torch
    import transformers

    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        out.send(("cuda:0", torch.cuda.get_device_name(), free, bandwidth("cuda:0"), versions))
    else:
        out.send(("cpu", "CPU", 0, bandwidth("cpu"), versions))


class ModelProcesses:
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
        for pipe in self._pipes:  # one after another: building needs extra memory
            pipe.send("build")
            pipe.recv()

    def one(self, index: int, method: str, *arguments: Any) -> Any:
        """Call a method of one model."""
        self._pipes[index].send((method, arguments))
        return self._pipes[index].recv()

    def all(self, method: str, *arguments: Any) -> list[Any]:
        """Call a method of all models at once."""
        for pipe in self._pipes:
            pipe.send((method, arguments))
        return [pipe.recv() for pipe in self._pipes]

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.send(None)


def fitting(shapes: Sequence[Shape], free_bytes: int, bytes_per_weight: int) -> list[Shape]:
    """Return as many shapes as the device holds, in order; all if its memory is unknown."""
    room, taken = free_bytes * (1 - FREE_BESIDE_WEIGHTS), []
    for shape in shapes:
        size = shape.num_parameters * bytes_per_weight
        if not free_bytes or size <= room:
            taken.append(shape)
            room -= size
    return taken


def facts() -> tuple[str, str, int, float, str]:
    """Return `device_facts` from a process that ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=device_facts, args=(theirs,))
    process.start()
    found: tuple[str, str, int, float, str] = ours.recv()
    process.join()
    return found


def main() -> int:
    """Measure and print; return 1 if a model writes other tokens than ``generate``."""
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
    processes = ModelProcesses(shapes, device, dtype)
    try:
        return measure(processes, shapes, speed, width, arguments.seconds, arguments.rounds)
    finally:
        processes.close()


def measure(
    processes: ModelProcesses, shapes: Sequence[Shape], speed: float, width: int, seconds: float, rounds: int
) -> int:
    """Print the tables; return 1 if a self-check failed."""
    sizes = [shape.num_read * width for shape in shapes]
    print("| one model alone, tok/s | GB read | floor | replayed | share of the floor | eager | eager generate |")
    print("|---|---|---|---|---|---|---|")
    ways = [processes.one(index, "check") for index in range(len(shapes))]
    for index, (shape, size) in enumerate(zip(shapes, sizes, strict=True)):
        replayed, computed = (median(processes, index, rounds, "write", way, 1, seconds) for way in (True, False))
        eager = median(processes, index, rounds, "generate")
        floor = speed / size
        ours = f"{floor:.1f} | {replayed:.1f} | {replayed / floor:.2f} | {computed:.1f}"
        print(f"| {shape.name} | {size / GB:.2f} | {ours} | {eager:.1f} |", flush=True)
    for shape, (way, trouble) in zip(shapes, ways, strict=True):
        print(f"{shape.name}: {way}; {trouble or 'its tokens are those of generate'}")
    floor = speed / sum(sizes)
    for rows, words in ((1, f"{len(shapes)} models at once, one visitor"), (VISITORS, f"{VISITORS} visitors")):
        for recorded, how in ((True, "replayed"), (False, "computed")):
            rates = [processes.all("write", recorded, rows, seconds, True) for _ in range(rounds + 1)][1:]
            slowest = statistics.median(min(each) for each in rates) / rows
            total = statistics.median(sum(each) for each in rates)
            share = f"{slowest / floor:.2f} of the floor of {floor:.1f}" if rows == 1 else "compute counts too"
            print(f"{words}, {how}: {total:,.0f} tok/s in all, the slowest row {slowest:.1f} ({share})", flush=True)
    return 1 if any(trouble for _, trouble in ways) else 0


def median(processes: ModelProcesses, index: int, rounds: int, method: str, *arguments: Any) -> float:
    """Return tokens per second of one model, after a round that warms up."""
    return statistics.median([processes.one(index, method, *arguments) for _ in range(rounds + 1)][1:])


if __name__ == "__main__":
    sys.exit(main())
