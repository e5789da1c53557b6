"""An answer is exactly the ids that the server sends for the exact request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.engines.protocol import Ended, Queued, Started, Tokens
from playground.records import FinishReason, SamplingParams
from tests.engines.remote.conftest import Open
from tests.support.patience import wait_until
from tests.support.remote_jobs import (
    ANSWER,
    PROMPT,
    Column,
    remote,
)
from tests.support.remote_server import FakeServer, Fault


def test_answer_has_the_servers_ids_and_provenance(opened: Open, server: FakeServer) -> None:
    engine = opened(remote(server))
    column = Column(engine).start()
    assert column.finish() == Ended("row", FinishReason.LENGTH)
    assert column.ids == ANSWER
    kinds = [type(event) for event in column.events]
    assert kinds == [Queued, Started, *[Tokens] * 12, Ended]
    facts = column.started.facts
    assert (facts.engine, facts.device, facts.dtype) == ("remote", "remote: vLLM 0.32.0", "float32")
    assert (facts.revision, facts.faithful) == ("0123abc", True)
    assert facts.versions == {"server": "vLLM", "version": "0.32.0"}
    status = engine.status()["far"]
    assert (status.state, status.detail, status.device) == ("ready", "", "remote: vLLM 0.32.0")


def test_request_sets_every_parameter(opened: Open, server: FakeServer) -> None:
    engine = opened(remote(server, served_name="org/tiny"))
    params = SamplingParams(20, 3, True, 0.7, 50, 0.9, 0.05, 1.2, True)
    Column(engine).start(params=params, seed=2**32 - 1, stop_ids=(2, 3)).finish()
    Column(engine).start(params=replace(params, do_sample=False)).finish()
    sampled, greedily = server.asked
    assert sampled == {
        "model": "org/tiny",
        "prompt": list(PROMPT),
        "stream": True,
        "return_token_ids": True,
        "max_tokens": 20,
        "min_tokens": 3,
        "seed": 2**32 - 1,
        "stop_token_ids": [2, 3],
        "ignore_eos": True,
        "skip_special_tokens": False,
        "repetition_penalty": 1.2,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "min_p": 0.05,
        "temperature": 0.7,
        "top_k": 50,
        "top_p": 0.9,
    }
    assert [greedily[name] for name in ("temperature", "top_k", "top_p", "min_p")] == [0.0, 0, 1.0, 0.0]


@pytest.mark.parametrize("last_frame", [{}, {"token_ids": []}], ids=["sent", "kept by the server"])
def test_stop_id_is_part_of_the_answer(opened: Open, server: FakeServer, last_frame: dict[str, object]) -> None:
    server.faults.append(Fault(last_frame=last_frame))
    column = Column(opened(remote(server))).start(stop_ids=(ANSWER[4],))
    assert column.finish() == Ended("row", FinishReason.STOP)
    assert column.ids == ANSWER[:5]


def test_ids_after_the_end_are_cut(opened: Open, server: FakeServer) -> None:
    engine = opened(remote(server))
    frame = {"token_ids": [*ANSWER, 77], "finish_reason": None, "stop_reason": None}
    server.faults.extend([Fault(frame=frame), Fault(frame=frame)])
    stopped = Column(engine).start(stop_ids=(ANSWER[4],))
    assert stopped.finish() == Ended("row", FinishReason.STOP)
    assert stopped.ids == ANSWER[:5]
    full = Column(engine).start()
    assert full.finish() == Ended("row", FinishReason.LENGTH)
    assert full.ids == ANSWER


def test_stream_may_arrive_byte_by_byte(opened: Open, server: FakeServer) -> None:
    server.faults.append(Fault(byte_by_byte=True))
    column = Column(opened(remote(server))).start()
    assert column.finish() == Ended("row", FinishReason.LENGTH)
    assert column.ids == ANSWER


def test_context_ends_an_answer(opened: Open, server: FakeServer) -> None:
    column = Column(opened(remote(server, context_length=8))).start()
    assert column.finish() == Ended("row", FinishReason.LENGTH)
    assert column.ids == ANSWER[:5]
    assert server.asked[0]["max_tokens"] == 5


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ((), "the prompt is empty; a model needs at least one token"),
        ((3,) * 256, "the prompt has 256 tokens; the model takes 256 in all"),
    ],
)
def test_empty_or_long_prompt_is_refused_without_a_request(
    opened: Open, server: FakeServer, ids: tuple[int, ...], error: str
) -> None:
    assert Column(opened(remote(server))).start(ids=ids).finish() == Ended("row", FinishReason.ERROR, error)
    assert server.asked == []


def test_server_with_a_shorter_context_refuses_longer_jobs(
    opened: Open, server: FakeServer, second: FakeServer
) -> None:
    server.models[0]["max_model_len"] = 16
    engine = opened(remote(server))
    assert Column(engine).start().finish().finish_reason is FinishReason.LENGTH
    assert engine.status()["far"].detail == "its server takes 16 tokens; the card says 256"
    ended = Column(engine).start(params=SamplingParams(max_new_tokens=14)).finish()
    assert ended.error == (
        "prompt and answer may take 17 tokens; the model's server takes 16; ask for a shorter answer"
    )
    both = opened(remote(server, second))
    wait_until(lambda: both.status()["far"].detail == "its server takes 16 tokens; the card says 256")
    for _ in range(3):
        assert Column(both).start(params=SamplingParams(max_new_tokens=14)).finish().error is None
    assert len(second.asked) == 3
