"""Time to load a model whose files are cached onto its device, against transformers' ``from_pretrained``.

Run ``python benchmarks/loading.py [--rounds 5] [--quick]``. A Llama with random weights in four forms: safetensors and
.bin, in the dtype of the computation and in another. Ours also checks every number, and on a GPU copies the weights
through page-locked buffers; without one it maps the files, as transformers does. The files are in the system's cache:
from a disk slower than the bus, both would wait for the disk.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks.models import build, write_checkpoint
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, Spent, in_turns, machine, parse, show
from playground.engines.local.worker.loading.model import DTYPES, best_device, load
from playground.engines.local.worker.loading.pinned_memory import CopyBuffers
from playground.records import ModelCard

OURS = "ours"
COLUMNS = (
    Figure("s", "wall, s", 2, less_is_better=True),
    Figure("gb_s", "GB of files a second", 1, compared=False),
)
DTYPE = "bfloat16"
SIZES = {"cuda": (4096, 10), "cpu": (2048, 12)}  # 1.7 billion weights, and 540 million
PEER = "from_pretrained"


def write(folder: Path, model: Any, form: str) -> ModelCard:
    """A checkpoint in one form, and its card."""
    card = write_checkpoint(folder, "loaded", model)
    if form == ".bin":
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    return replace(card, dtype=DTYPE)


def ours(card: ModelCard, buffers: CopyBuffers | None = None) -> Any:
    """Load the model as a worker does."""
    return load(card, threads=1, buffers=buffers).model


def theirs(card: ModelCard) -> Any:
    """Load the model as a program does that trusts the files."""
    return AutoModelForCausalLM.from_pretrained(card.repo, dtype=DTYPES[card.dtype], device_map={"": best_device()})


def run(way: Callable[[ModelCard], Any], card: ModelCard, right: dict[str, torch.Tensor]) -> Figures:
    """Time one load; the model is freed afterwards."""
    on_gpu = best_device().type == "cuda"
    with Spent() as spent:
        model = way(card)
        if on_gpu:
            torch.cuda.synchronize()
    found = weights(model)
    equal = found.keys() == right.keys() and all(torch.equal(found[name], right[name]) for name in right)
    del model
    if on_gpu:
        torch.cuda.empty_cache()
    size = sum(path.stat().st_size for path in Path(card.repo).iterdir())
    return {"s": spent.wall_s, "gb_s": size / 1e9 / spent.wall_s, EQUAL: float(equal)}


def weights(model: Any) -> dict[str, torch.Tensor]:
    """Return the weights in the CPU's memory."""
    return {name: numbers.cpu() for name, numbers in model.state_dict().items()}


def compare(form: str, stored: str, built: Any, rounds: int) -> bool:
    """Print one table; return True if our weights were right."""
    everyone: dict[str, Callable[[ModelCard], Any]] = {OURS: ours, PEER: theirs}
    if best_device().type == "cpu":
        everyone["ours, through buffers"] = lambda card: ours(card, CopyBuffers(page_locked=False))
    with tempfile.TemporaryDirectory() as folder:
        card = write(Path(folder), deepcopy(built).to(DTYPES[stored]), form)
        right = weights(theirs(card))  # reads the files into the system's cache too
        contenders = [Contender(words, lambda way=way: run(way, card, right)) for words, way in everyone.items()]
        results = in_turns(contenders, rounds)
    print(f"\n{form} of {stored}, to {DTYPE}\n")
    show(results, OURS, COLUMNS)
    return all(one[EQUAL] == 1.0 for name, figures in results.figures.items() if name != PEER for one in figures)


def main() -> None:
    chosen = parse(__doc__)
    device = best_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}; {machine(chosen.rounds, 'torch', 'transformers', 'safetensors')}")
    hidden, layers = SIZES[device.type]
    built = build("llama", hidden=hidden, layers=layers, quick=chosen.quick)
    forms = [(form, stored) for form in ("safetensors", ".bin") for stored in (DTYPE, "float32")]
    right = [compare(form, stored, built, chosen.rounds) for form, stored in forms]
    if not all(right):
        sys.exit("the weights are not those that from_pretrained loads")


if __name__ == "__main__":
    main()
