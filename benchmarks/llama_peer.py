"""llama.cpp on the same prompts, in an environment and a process of its own.

Run by ``benchmarks/real_model.py`` as a script, with the Python of tests/llama-requirements.txt: reads requests as JSON
from standard input, writes ids and CPU seconds as JSON. Its time begins when the weights are loaded.

Boundary: calls llama-cpp-python; imports nothing of the playground there.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STOP_ID = 2


def ask(python: str, gguf: Path, requests: Sequence[tuple[Sequence[int], int]]) -> tuple[list[list[int]], float]:
    """Return the ids of each answer, one visitor after another, and the CPU seconds of all.

    Args:
        requests: prompt ids and most new tokens.
    """
    command = [python, str(Path(__file__).resolve()), str(gguf)]
    asked = json.dumps([[list(ids), most] for ids, most in requests])
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    document = json.loads(done.stdout)
    return document["ids"], document["cpu_s"]


def _answer(llama: Any, prompt: Sequence[int], most: int) -> list[int]:
    llama.reset()
    ids: list[int] = []
    for token_id in llama.generate(prompt, temp=0.0, repeat_penalty=1.0, reset=False):
        ids.append(int(token_id))
        if token_id == STOP_ID or len(ids) == most:
            break
    return ids


def _main() -> None:
    llama = importlib.import_module("llama_cpp").Llama(  # absent from the project's own environment
        sys.argv[1], n_ctx=512, n_threads=1, n_threads_batch=1, verbose=False
    )
    asked = json.load(sys.stdin)
    _answer(llama, asked[0][0], 1)  # the first call allocates
    began = time.process_time()
    ids = [_answer(llama, prompt, most) for prompt, most in asked]
    print(json.dumps({"ids": ids, "cpu_s": time.process_time() - began}))


if __name__ == "__main__":
    _main()
