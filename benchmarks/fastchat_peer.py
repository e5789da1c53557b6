"""FastChat's ``generate_stream``, installed from the package index for one run.

It is installed into a temporary folder without its dependencies, which include an older pydantic and a web server. Of
its imports the playground's requirements lack only `requests` and the four packages that it needs. FastChat's code is
unchanged and runs with the playground's transformers.

Boundary: installs and calls; measures only the time of each first text.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.models import CONTEXT_LENGTH
from benchmarks.peers import Answer, run_together
from benchmarks.rounds import NotHere
from benchmarks.words import Request, Vocabulary

PACKAGES = ("fschat==0.2.36", "requests", "urllib3", "idna", "certifi", "charset-normalizer")

AT_ONCE = 5
"""Default of --limit-worker-concurrency of FastChat's model worker: visitors served at once."""

Stream = Callable[..., Iterator[dict[str, Any]]]


@contextmanager
def fastchat(wanted: bool) -> Iterator[Stream | NotHere]:
    """Yield `generate_stream`, or the reason why it is missing."""
    if not wanted:
        yield NotHere("left out by --no-fastchat")
        return
    with tempfile.TemporaryDirectory(prefix="fastchat-") as folder:
        try:
            yield _load(folder)
        finally:
            if folder in sys.path:
                sys.path.remove(folder)


def _load(folder: str) -> Stream | NotHere:
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return NotHere(f"pip could not install it ({' '.join(done.stderr.split())[-120:]})")
    sys.path.append(folder)  # last: the playground's packages take precedence
    try:
        from fastchat.serve.inference import generate_stream
    except ImportError as error:
        return NotHere(f"it cannot be imported ({error})")
    stream: Stream = generate_stream
    return stream


def one_after_another(
    stream: Stream | NotHere, models: Sequence[Any], vocabulary: Vocabulary, requests: Sequence[Request]
) -> list[Answer]:
    """Serve one visitor after another, with a model for each request."""
    began = time.perf_counter()
    return [_visit(stream, model, vocabulary, one, began) for model, one in zip(models, requests, strict=True)]


def at_once(
    stream: Stream | NotHere,
    models: Sequence[Any],
    vocabulary: Vocabulary,
    requests: Sequence[Request],
    limit: int = AT_ONCE,
) -> list[Answer]:
    """Serve visitors like its model worker: a thread for each, of which `limit` may write at once."""
    if isinstance(stream, NotHere):
        raise stream
    began = time.perf_counter()
    limiter = threading.Semaphore(limit)
    answers: dict[int, Answer] = {}

    def visit(number: int) -> None:
        with limiter:
            answers[number] = _visit(stream, models[number], vocabulary, requests[number], began)

    run_together([lambda number=number: visit(number) for number in range(len(requests))])
    return [answers[number] for number in range(len(requests))]


def _visit(stream: Stream | NotHere, model: Any, vocabulary: Vocabulary, request: Request, began: float) -> Answer:
    if isinstance(stream, NotHere):
        raise stream
    params = {
        "prompt": request.text,
        "temperature": 0.0,
        "max_new_tokens": request.max_new_tokens,
        "echo": False,
    }
    text, first_s = "", 0.0
    for output in stream(model, vocabulary.theirs, params, "cpu", CONTEXT_LENGTH):
        first_s = first_s or time.perf_counter() - began
        text = output["text"]
    return Answer(None, text, first_s)
