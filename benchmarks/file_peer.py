"""A peer that answers a file of instructions with transformers, in a process of its own.

Run by ``instruction_file.py``: loads a checkpoint, renders and tokenises the prompts, writes the answers' ids as one
JSON list for each instruction.

Boundary: reads and writes files and calls `peers`; measures nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

from benchmarks import peers
from benchmarks.peers import Answer
from benchmarks.words import Request

Peer = Callable[[Any, Sequence[Request]], list[Answer]]


def _continuous(model: Any, requests: Sequence[Request]) -> list[Answer]:
    with peers.continuous_batching(model, requests) as write:
        return write(requests)


PEERS: Mapping[str, Peer] = {
    "one": peers.one_at_a_time,
    "padded": peers.padded_batches,
    "continuous": _continuous,
}


def read_requests(folder: Path, file: Path, max_new_tokens: int) -> list[Request]:
    """Return a file's requests as the checkpoint's own tokenizer and settings make them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    stop_ids = tuple(json.loads((folder / "generation_config.json").read_text())["eos_token_id"])
    requests = []
    for line in file.read_text().splitlines():
        asked = json.loads(line)["instruction"]
        said = [{"role": "user", "content": asked}]
        ids = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=True)["input_ids"]
        requests.append(Request(asked, tuple(ids), max_new_tokens, stop_ids))
    return requests


def main() -> None:
    name, folder, file, max_new_tokens, out = sys.argv[1:]
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    requests = read_requests(Path(folder), Path(file), int(max_new_tokens))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    answers = PEERS[name](model, requests)
    Path(out).write_text("".join(f"{json.dumps(answer.token_ids)}\n" for answer in answers))


if __name__ == "__main__":
    main()
