"""Benchmark: a real model, SmolLM2 135M Instruct, for one visitor and for eight at the same moment.

Run ``python benchmarks/real_model.py FOLDER`` with the folder that ``python -m tests.support.smollm2`` made, perhaps
with ``--llama PYTHON --gguf FILE``: the Python of an environment with tests/llama-requirements.txt, and the same
weights in float16 or float32 as GGUF. Measures tokens per CPU second of the playground's decode loop against
``generate`` for one visitor after another, ``generate`` for all in one padded batch, and llama.cpp for one visitor
after another; greedy answers, one thread.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from transformers import AutoModelForCausalLM

from benchmarks import llama_peer, ours, peers
from benchmarks.peers import Answer
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, Spent, in_turns, machine, show
from benchmarks.words import Request
from playground.catalog.checkpoint_files import read_chat
from playground.prompting.prompt import build_prompt
from playground.prompting.tokenization import ChatTokenizer
from playground.records import Instruction

OURS = "ours"
COLUMNS = (Figure("rate", "tokens per CPU second", 1),)
INSTRUCTIONS = (
    "What is the capital of France?",
    "Write a Python function that adds two numbers.",
    "Make a table of three fruits and their colours.",
    "Explain in two sentences why the sky is blue.",
    "Give me a recipe for pancakes.",
    "Translate to French: The dog sleeps.",
    "What is the derivative of x squared?",
    "Write a short poem about alpacas.",
)


def figures(known: Sequence[Answer], ids: Sequence[Sequence[int]], cpu_s: float) -> Figures:
    """Return the speed of one round, and the share of answers that equal those of `generate`."""
    same = sum(tuple(one) == right.token_ids for one, right in zip(ids, known, strict=True))
    return {"rate": sum(map(len, ids)) / cpu_s, EQUAL: same / len(known)}


def compare(
    model: Any, tokenizer: ChatTokenizer, requests: Sequence[Request], rounds: int, llama: tuple[str, Path] | None
) -> None:
    """Print the table for these visitors."""
    known = peers.one_at_a_time(model, requests)

    def contender(name: str, write: Callable[[], Sequence[Answer]]) -> Contender:
        def run() -> Figures:
            with Spent() as spent:
                answers = write()
            return figures(known, [answer.token_ids or () for answer in answers], spent.cpu_s)

        return Contender(name, run)

    everyone = [
        contender(OURS, lambda: ours.write(model, tokenizer, requests)),
        contender("`generate`, one at a time", lambda: peers.one_at_a_time(model, requests)),
        contender("`generate`, one padded batch", lambda: peers.padded_batches(model, requests)),
    ]
    if llama is not None:
        asked = [(request.token_ids, request.max_new_tokens) for request in requests]
        everyone.append(Contender("llama.cpp, one at a time", lambda: figures(known, *llama_peer.ask(*llama, asked))))
    print(f"\nvisitors: {len(requests)}\n", flush=True)
    show(in_turns(everyone, rounds), OURS, COLUMNS)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="the checkpoint")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="of ours and `generate`")
    parser.add_argument("--llama", metavar="PYTHON", help="with llama-cpp-python")
    parser.add_argument("--gguf", type=Path, help="the same weights for it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64, help="longest answer")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(machine(chosen.rounds, "torch", "transformers"), flush=True)
    model = AutoModelForCausalLM.from_pretrained(chosen.folder, dtype=getattr(torch, chosen.dtype))
    template, tokenizer = read_chat(chosen.folder)
    prompts = [build_prompt(template, tokenizer, Instruction(text)) for text in INSTRUCTIONS]
    requests = [Request(prompt.text, prompt.token_ids, chosen.tokens) for prompt in prompts]
    llama = (chosen.llama, chosen.gguf) if chosen.llama else None
    for visitors in (1, len(requests)):
        compare(model, tokenizer, requests[:visitors], chosen.rounds, llama)


if __name__ == "__main__":
    main()
