"""Benchmark 3: one visitor, one prompt, four models side by side.

Run ``python benchmarks/side_by_side.py [--rounds 5] [--no-fastchat]``. Two models of 20 million parameters and two of 6
million write the same number of tokens. Ours are worker processes behind the local engine, as in the app; FastChat and
``generate`` have all four models in one process. Measures tokens of all four per second of wall time, and the time
until each has shown its first token, also as a multiple of the slowest model's reading of the prompt. Exit status 1 if
one of our answers differs from ``generate``'s.
"""

from __future__ import annotations

import queue
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from a checkout

import torch

from benchmarks import ours, peers
from benchmarks.fastchat_peer import Stream, at_once, fastchat, one_after_another
from benchmarks.models import build, write_checkpoint
from benchmarks.oracle import Oracle
from benchmarks.peers import Answer
from benchmarks.rounds import EQUAL, Contender, Figure, Figures, NotHere, Spent, in_turns, machine, parse, show
from benchmarks.words import Request, Vocabulary, request, write_vocabulary
from playground.engines.local.engine import LocalEngine
from playground.engines.protocol import Ended, Event, Tokens
from playground.settings import Settings

SIZES: Mapping[str, tuple[str, int, int]] = {
    "llama-20m": ("llama", 384, 9),
    "mpt-20m": ("mpt", 384, 9),
    "opt-6m": ("opt", 256, 4),
    "llama-6m": ("llama", 256, 4),
}
"""Name to architecture, width and layers."""

PROMPT_TOKENS = 120
PATIENCE_S = 120.0
OURS = "ours: a process for each model"
COLUMNS = (
    Figure("rate", "tokens per second"),
    Figure("first", "worst first token, s", 2, less_is_better=True),
    Figure("prefills", "worst first token, slowest prefills", 1, less_is_better=True, compared=False),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Input of every contender."""

    models: Sequence[Any]
    vocabulary: Vocabulary
    requests: Sequence[Request]  # the same one for each model
    oracle: Oracle

    def prefill_s(self) -> float:
        """Return the wall seconds in which the slowest model alone reads the prompt."""
        return max(_prefill_s(model, one) for model, one in zip(self.models, self.requests, strict=True))


@torch.inference_mode()
def _prefill_s(model: Any, one: Request) -> float:
    with Spent() as spent:
        model(input_ids=torch.tensor([one.token_ids]), use_cache=True, logits_to_keep=1)
    return spent.wall_s


@contextmanager
def workers(folder: Path, models: Mapping[str, Any]) -> Iterator[LocalEngine]:
    """Yield the local engine with all models loaded."""
    engine = LocalEngine(Settings())
    try:
        engine.open([write_checkpoint(folder / name, name, model) for name, model in models.items()])
        wait_until_ready(engine)
        yield engine
    finally:
        engine.close()


def wait_until_ready(engine: LocalEngine) -> None:
    """Wait until every model can answer."""
    end = time.monotonic() + PATIENCE_S
    while not all(status.state == "ready" for status in engine.status().values()):
        if time.monotonic() > end:
            raise RuntimeError(f"not all models came up: {engine.status()}")
        time.sleep(0.05)


def side_by_side(engine: LocalEngine, names: Sequence[str], scene: Scene) -> list[Answer]:
    """Run all models at once, as a battle does."""
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    columns = {name: ours.Column(scene.vocabulary.ours.stream()) for name in names}
    began = time.perf_counter()
    for name, one in zip(names, scene.requests, strict=True):
        engine.start(name, ours.job(name, one), events.put)
    num_ended = 0
    while num_ended < len(names):
        event = events.get(timeout=PATIENCE_S)
        if isinstance(event, Tokens):
            columns[event.row].take(event.token_ids, time.perf_counter() - began)
        elif isinstance(event, Ended):
            if event.error:
                raise RuntimeError(event.error)
            num_ended += 1
    return [column.answer() for column in columns.values()]


def raw(scene: Scene) -> list[Answer]:
    """Run ``generate`` with one model after another."""
    began = time.perf_counter()
    answers = []
    for model, one in zip(scene.models, scene.requests, strict=True):
        before_s = time.perf_counter() - began
        answer = peers.one_at_a_time(model, [one])[0]
        answers.append(Answer(answer.token_ids, answer.text, before_s + answer.first_s))
    return answers


def figures(scene: Scene, write: Callable[[], Sequence[Answer]]) -> Figures:
    """Run one round of one contender."""
    prefill_s = scene.prefill_s()
    with Spent() as spent:
        answers = write()
    worst = max(answer.first_s for answer in answers)
    return {
        "rate": scene.oracle.num_tokens / spent.wall_s,
        "first": worst,
        "prefills": worst / prefill_s,
        EQUAL: scene.oracle.share(answers),
    }


def contenders(scene: Scene, engine: LocalEngine, stream: Stream | NotHere) -> list[Contender]:
    """Return the contenders, with the same four models."""
    models, vocabulary, requests = scene.models, scene.vocabulary, scene.requests

    def contender(name: str, write: Callable[[], Sequence[Answer]]) -> Contender:
        return Contender(name, lambda: figures(scene, write))

    return [
        contender(OURS, lambda: side_by_side(engine, tuple(SIZES), scene)),
        contender("`generate`, one after another", lambda: raw(scene)),
        contender("`generate` in threads, TextIteratorStreamer", lambda: peers.threads(models, vocabulary, requests)),
        contender(
            "FastChat's `generate_stream`, one after another",
            lambda: one_after_another(stream, models, vocabulary, requests),
        ),
        contender("FastChat's `generate_stream` in threads", lambda: at_once(stream, models, vocabulary, requests)),
    ]


def main() -> None:
    chosen = parse(__doc__, fastchat=True)
    print(machine(chosen.rounds, "torch", "transformers"))
    with tempfile.TemporaryDirectory() as place, fastchat(not chosen.no_fastchat) as stream:
        folder = Path(place)
        vocabulary = write_vocabulary(folder)
        models = {name: build(kind, hidden=hidden, layers=layers) for name, (kind, hidden, layers) in SIZES.items()}
        requests = [request(vocabulary, PROMPT_TOKENS, 32 if chosen.quick else 128, seed=0)] * len(models)
        oracle = Oracle(list(models.values()), vocabulary, requests)
        scene = Scene(list(models.values()), vocabulary, requests, oracle)
        print(f"\n{len(models)} models, a prompt of {len(requests[0].token_ids)} tokens, {oracle.num_tokens} tokens\n")
        with workers(folder, models) as engine:
            side_by_side(engine, tuple(SIZES), scene)  # warms the processes
            results = in_turns(contenders(scene, engine, stream), chosen.rounds)
    show(results, OURS, COLUMNS)
    if any(one[EQUAL] < 1.0 for one in results.figures[OURS]):
        sys.exit("our answers are not those of model.generate")


if __name__ == "__main__":
    main()
