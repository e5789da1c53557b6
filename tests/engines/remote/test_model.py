"""Failures before the first token are retried, later ones end the job; jobs go to the server with the fewest."""

from __future__ import annotations

import socket

import pytest

from playground.engines.protocol import Ended, Tokens
from playground.records import FinishReason
from tests.engines.remote.conftest import Open
from tests.support.columns import PATIENCE_S
from tests.support.patience import wait_until
from tests.support.remote_jobs import (
    ANSWER,
    STALLING,
    Column,
    advance_clock,
    all_up,
    remote,
    state,
    time_out,
)
from tests.support.remote_server import FakeServer, Fault

FAILED = b'{"error":{"message":"at http://10.1.2.3 it broke\\nbadly","type":"InternalServerError","code":500}}'

BROKEN = {
    "500": Fault(status=500, body=FAILED),
    "503": Fault(status=503, headers={"Retry-After": "0"}),
    "429": Fault(status=429, headers={"Retry-After": "0"}),
    "an error in the stream": Fault(kind="send", data=b'data: {"error": {"message": "m", "code": 500}}\n\n'),
    "closed": Fault(kind="close"),
    "stalled": Fault(kind="stall"),
    "only keepalives": Fault(kind="keepalives"),
    "garbage": Fault(kind="send", data=b"data: \xff\xfe what?\n\n"),
    "half a line": Fault(kind="send", data=b'data: {"choices": [{"token_'),
    "a list": Fault(kind="send", data=b"data: [1, 2]\n\n"),
    "deep": Fault(kind="send", data=b"data: " + b"[" * 100_000 + b"\n\n"),
    "a huge line": Fault(kind="send", data=b"data: " + b"x" * 2_000_000 + b"\n\n"),
    "invalid ids": Fault(frame={"token_ids": ["a"]}),
    "no end": Fault(kind="send", data=b"data: [DONE]\n\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_failure_before_the_first_token_is_retried(opened: Open, server: FakeServer, fault: Fault) -> None:
    server.faults.extend([fault, fault])
    engine = opened(remote(server), timeouts=STALLING)
    column = Column(engine).start()
    time_out(engine, server, fault, times=2)
    assert column.finish() == Ended("row", FinishReason.LENGTH)
    assert column.ids == ANSWER
    assert len(server.asked) == 3
    assert column.later_events(engine) == []


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_retry_goes_to_another_server_first(opened: Open, server: FakeServer, second: FakeServer, fault: Fault) -> None:
    engine = opened(remote(server, second), timeouts=STALLING)
    wait_until(lambda: all_up(engine))
    server.faults.append(fault)
    column = Column(engine).start()
    time_out(engine, server, fault)
    assert column.finish() == Ended("row", FinishReason.LENGTH)
    assert column.ids == ANSWER
    assert (len(server.asked), len(second.asked)) == (1, 1)


def test_server_that_keeps_failing_is_down(opened: Open, server: FakeServer) -> None:
    engine = opened(remote(server))
    wait_until(lambda: state(engine) == "ready")
    server.always = Fault(status=500, body=FAILED)
    ended = Column(engine).start().finish()
    assert ended.error == "the model's server failed with status 500; try again a little later"
    assert len(server.asked) == 4
    wait_until(lambda: state(engine) == "failed")


def test_full_server_stays_up(opened: Open, server: FakeServer) -> None:
    server.faults.extend([Fault(status=429)] * 4)
    engine = opened(remote(server))
    ended = Column(engine).start().finish()
    assert ended.error == "the model's server has too many requests; try again a little later"
    assert len(server.asked) == 4
    assert state(engine) == "ready"


def test_long_retry_after_fails_the_job(opened: Open, server: FakeServer) -> None:
    server.faults.append(Fault(status=429, headers={"Retry-After": "3600"}))
    engine = opened(remote(server))
    ended = Column(engine).start().finish()
    assert ended.error == "the model's server has too many requests; try again a little later"
    assert len(server.asked) == 1
    assert state(engine) == "ready"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, FAILED, "refuses this request; the log of the playground says why"),
        (422, b"", "refuses this request; the log of the playground says why"),
        (413, b"<html>", "finds this request too large"),
        (
            400,
            b'{"error":{"message":"temperature must be in [0, 2], got 5.0","param":"temperature","code":400}}',
            "does not take this temperature; choose another",
        ),
    ],
)
def test_refused_request_is_not_retried(opened: Open, server: FakeServer, status: int, body: bytes, error: str) -> None:
    server.faults.append(Fault(status=status, body=body))
    engine = opened(remote(server))
    assert Column(engine).start().finish() == Ended("row", FinishReason.ERROR, f"the model's server {error}")
    assert len(server.asked) == 1
    assert state(engine) == "ready"
    assert Column(engine).start().finish().error is None


@pytest.mark.proves("an error after half an answer")
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("stall", 5), "has stopped answering"),
        (Fault("keepalives", 5), "has stopped answering"),
        (Fault("close", 5), "closed the connection"),
        (Fault("send", 5, data=b"data: [DONE]\n\n"), "closed the connection"),
        (Fault("send", 5, data=b"data: {what?}\n\n"), "sent a reply that is not a stream of tokens"),
        (Fault("send", 5, data=b'data: {"choices": [{"tok'), "closed the connection"),
        (Fault("send", 5, data=b"data: " + b"x" * 2_000_000), "sent a reply that is not a stream of tokens"),
        (
            Fault("send", 5, data=b'data: {"error": {"message": "EngineCore at 10.1.2.3", "code": 500}}\n\n'),
            "failed with status 500; try again a little later",
        ),
        (
            Fault("send", 5, data=b'data: {"choices": [{"token_ids": [], "finish_reason": "abort"}]}\n\n'),
            "ended the answer after 5 tokens for an unknown reason",
        ),
    ],
    ids=lambda value: value.data[:40].decode() or value.kind if isinstance(value, Fault) else "",
)
def test_failure_within_an_answer_keeps_its_tokens_and_is_not_retried(
    opened: Open, server: FakeServer, fault: Fault, error: str
) -> None:
    server.faults.append(fault)
    engine = opened(remote(server), timeouts=STALLING)
    column = Column(engine).start()
    column.wait_for_ids(5)
    time_out(engine, server, fault)
    words = f"the model's server {error}; it had begun to answer"
    assert column.finish() == Ended("row", FinishReason.ERROR, words)
    assert column.ids == ANSWER[:5]
    assert len(server.asked) == 1
    assert Column(engine).start().finish().error is None
    assert column.later_events(engine) == []


def test_deadline_ends_an_answer_as_an_error(opened: Open, server: FakeServer) -> None:
    engine = opened(remote(server))
    server.faults.append(Fault("hold", 5))
    column = Column(engine).start(deadline_s=10.0)
    column.wait_for_ids(5)
    advance_clock(engine, 11.0)
    assert column.finish() == Ended("row", FinishReason.ERROR, "the answer was not finished after 10 s")
    assert column.ids == ANSWER[:5]
    assert server.closed.acquire(timeout=PATIENCE_S)
    assert state(engine) == "ready"


def test_jobs_go_to_the_server_with_the_fewest(opened: Open, server: FakeServer, second: FakeServer) -> None:
    engine = opened(remote(server, second))
    wait_until(lambda: all_up(engine))
    server.faults.extend([Fault("hold", 1)] * 8)
    second.faults.extend([Fault("hold", 1)] * 8)
    columns = [Column(engine, f"r{number}").start() for number in range(6)]
    for column in columns:
        column.wait_for(Tokens)
    assert (server.writing, second.writing) == (3, 3)
    assert engine.status()["far"].running == 6
    server.go_on.set()
    for column in columns:
        if column.row in ("r0", "r2", "r4"):
            column.finish()
    late = [Column(engine, f"late{number}").start() for number in range(3)]
    for column in late:
        column.wait_for(Tokens)
    assert len(server.asked) == 6
    second.go_on.set()
    for column in (*columns[1::2], *late):
        assert column.finish().error is None


def test_jobs_avoid_a_dead_server(opened: Open, second: FakeServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: connections are refused
        engine = opened(remote(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", second))
        for number in range(4):
            assert Column(engine, f"r{number}").start().finish().error is None
        assert len(second.asked) == 4
        wait_until(lambda: engine.status()["far"].detail == "1 of 2 servers answer")
