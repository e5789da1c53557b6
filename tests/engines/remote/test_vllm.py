"""Compare the remote engine on a real vLLM (CPU) with the local engine: greedy ids are equal.

`PLAYGROUND_TEST_VLLM_PYTHON` names the Python of an environment in which vLLM is installed; docs/vllm.md says how.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from playground.catalog.catalog import Catalog
from playground.engines.fleet import Fleet
from playground.engines.protocol import Ended, Started, Tokens
from playground.records import FinishReason, Instruction, ModelCard, SamplingParams
from playground.settings import Settings
from tests.conftest import free_port
from tests.support.patience import wait_until
from tests.support.remote_jobs import Column

PYTHON = os.environ.get("PLAYGROUND_TEST_VLLM_PYTHON", "")
LLAMA, OPT, MPT = "pocket-orca-mini", "pocket-galpaca", "pocket-minotaur"
START_S = 300.0
INSTRUCTIONS = (
    "What is an alpaca?",
    "What is the capital of France?",
    "Name three colours.",
    "What is the opposite of hot?",
    "Write a short poem about rain.",
    "How much is 2 plus 3?",
    "Who are you?",
    "Explain what a llama eats.",
    "Translate 'water' into French.",
    "Spell the word river.",
    "Write a Python function that adds two numbers.",
    "Is ice cold or warm, and why?",
)

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        not PYTHON, reason="PLAYGROUND_TEST_VLLM_PYTHON is not set; docs/vllm.md says how to install vLLM"
    ),
]


@dataclass(frozen=True)
class VLLM:
    """A running server."""

    url: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def running(self) -> float:
        """Return the number of running requests from its metrics."""
        with urllib.request.urlopen(f"{self.url.removesuffix('/v1')}/metrics") as metrics:
            text = metrics.read().decode()
        return sum(map(float, re.findall(r"^vllm:num_requests_running\S* (\S+)$", text, re.MULTILINE)))


def command(card: ModelCard, port: int) -> list[str]:
    return [
        *(PYTHON, "-m", "vllm.entrypoints.openai.api_server"),
        *("--model", card.repo, "--served-model-name", card.id, "--dtype", "float32", "--generation-config", "vllm"),
        *("--host", "127.0.0.1", "--port", str(port), "--enforce-eager", "--max-num-seqs", "8"),
    ]


def environment() -> dict[str, str]:
    return os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}


@contextmanager
def serving(card: ModelCard, folder: Path) -> Iterator[VLLM]:
    """Run a vLLM with the card's model; yield when its process has started."""
    port, log = free_port(), folder / f"{card.id}.log"
    server = VLLM(f"http://127.0.0.1:{port}/v1", log)
    with log.open("wb") as out, subprocess.Popen(command(card, port), env=environment(), stdout=out, stderr=out) as one:
        try:
            yield replace(server, process=one)
        finally:
            one.terminate()


def wait_for(server: VLLM) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.process is not None and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/models"):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"vLLM does not answer; the end of its log:\n{server.log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load()


@pytest.fixture(scope="module")
def servers(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, VLLM]]:
    folder = tmp_path_factory.mktemp("vllm")
    with serving(catalog.card(LLAMA), folder) as llama, serving(catalog.card(OPT), folder) as opt:
        for server in (llama, opt):
            wait_for(server)
        yield {LLAMA: llama, OPT: opt}


@pytest.fixture(scope="module")
def fleet(catalog: Catalog, servers: dict[str, VLLM]) -> Iterator[Fleet]:
    """Both models, local and remote, and two cards that no server can serve."""
    near = [catalog.card(model_id) for model_id in (LLAMA, OPT)]
    far = [remote(card, servers[card.id]) for card in near]
    wrong = replace(far[0], id="wrong-name", served_name="somebody-else")
    mpt = replace(remote(catalog.card(MPT), servers[LLAMA]), id="far-mpt")
    fleet = Fleet(Settings())
    fleet.open([*near, *far, wrong, mpt])
    yield fleet
    fleet.close()


def remote(card: ModelCard, server: VLLM) -> ModelCard:
    return replace(card, id=f"far-{card.id}", engine="remote", servers=(server.url,), served_name=card.id)


Write = Callable[..., Column]


@pytest.fixture
def write(fleet: Fleet, catalog: Catalog, request: pytest.FixtureRequest) -> Write:
    """Return a function that starts an answer, local or remote, in the card's format."""
    numbers = iter(range(1000))

    def start(model_id: str, instruction: str, params: SamplingParams, seed: int = 0, **changes: object) -> Column:
        card = catalog.card(model_id.removeprefix("far-"))
        prompt = catalog.prompt(card.id, Instruction(instruction))
        ids, stop_ids = prompt.token_ids, catalog.template_of(card).stop_ids
        column = Column(fleet, f"{request.node.name}-{next(numbers)}")
        return column.start(model_id, params, seed=seed, ids=ids, **({"stop_ids": stop_ids} | changes))

    return start


@pytest.mark.parametrize("model_id", [LLAMA, OPT])
@pytest.mark.parametrize(
    "params",
    [
        SamplingParams(max_new_tokens=96),
        SamplingParams(max_new_tokens=48, min_new_tokens=40),
        SamplingParams(max_new_tokens=48, repetition_penalty=1.2),
    ],
    ids=["plain", "at least 40", "with a penalty"],
)
def test_greedy_ids_equal_those_of_the_local_engine(write: Write, model_id: str, params: SamplingParams) -> None:
    pairs = [(write(model_id, text, params), write(f"far-{model_id}", text, params)) for text in INSTRUCTIONS]
    ends = set()
    for near, far in pairs:
        assert far.finish().finish_reason is near.finish().finish_reason
        assert far.ids == near.ids
        ends.add(far.events[-1].finish_reason)
    assert FinishReason.STOP in ends, "some answers must end with a stop id"


def test_seed_repeats_an_answer(write: Write) -> None:
    params = SamplingParams(max_new_tokens=48, do_sample=True, temperature=1.5, top_k=50, top_p=0.95)
    columns = [write(f"far-{LLAMA}", INSTRUCTIONS[4], params, seed) for seed in (7, 2**32 - 1, 7)]
    for column in columns:
        assert column.finish().error is None
    assert columns[0].ids == columns[2].ids != columns[1].ids


@pytest.mark.parametrize("model_id", [LLAMA, OPT])
def test_only_the_given_stop_ids_end_an_answer(write: Write, model_id: str) -> None:
    params = SamplingParams(max_new_tokens=60)
    free = write(f"far-{model_id}", INSTRUCTIONS[0], params, stop_ids=())
    assert free.finish().finish_reason is FinishReason.LENGTH, "the checkpoint's end id does not count"
    stopped = write(f"far-{model_id}", INSTRUCTIONS[0], params, stop_ids=(free.ids[5],))
    assert stopped.finish() == Ended(stopped.row, FinishReason.STOP)
    assert stopped.ids == free.ids[: free.ids.index(free.ids[5]) + 1]


def test_provenance_names_the_server_and_its_version(write: Write) -> None:
    column = write(f"far-{OPT}", INSTRUCTIONS[0], SamplingParams(max_new_tokens=2))
    column.finish()
    facts = next(event for event in column.events if isinstance(event, Started)).facts
    assert (facts.engine, facts.faithful, facts.versions["server"]) == ("remote", True, "vLLM")
    assert facts.device == f"remote: vLLM {facts.versions['version']}"


def test_cancel_reaches_the_server(write: Write, fleet: Fleet, servers: dict[str, VLLM]) -> None:
    params = SamplingParams(max_new_tokens=400)
    columns = [write(f"far-{LLAMA}", text, params, stop_ids=()) for text in INSTRUCTIONS[:3]]
    for column in columns:
        column.wait_for(Tokens)
    wait_until(lambda: servers[LLAMA].running() > 0)
    for column in columns:
        fleet.cancel(column.row)
        assert column.finish() == Ended(column.row, FinishReason.CANCELLED)
        assert 0 < len(column.ids) < 400
    wait_until(lambda: servers[LLAMA].running() == 0)


def test_unknown_served_name_is_refused(write: Write) -> None:
    column = Column(write(f"far-{LLAMA}", "x", SamplingParams(max_new_tokens=1)).engine, "wrong")
    error = column.start("wrong-name").finish().error or ""
    assert "does not have Pocket orca-mini under its card's name; check 'served_name' in the card" in error


def test_mpt_is_refused_as_by_vllm(fleet: Fleet, catalog: Catalog) -> None:
    error = Column(fleet, "mpt").start("far-mpt").finish().error or ""
    assert "vLLM served MptForCausalLM until 0.28; use such a server, or the local engine" in error
    done = subprocess.run(
        command(catalog.card(MPT), free_port()), env=environment(), capture_output=True, text=True, timeout=START_S
    )
    assert done.returncode != 0
    assert re.search(r"MptForCausalLM was supported in vLLM until v0\.28", done.stderr + done.stdout)


def test_invalid_temperature_is_refused(write: Write) -> None:
    params = SamplingParams(max_new_tokens=2, do_sample=True, temperature=4.0)
    error = write(f"far-{LLAMA}", INSTRUCTIONS[0], params).finish().error
    assert error == "the model's server does not take this temperature; choose another"
