"""The remote engine against real HTTP servers on the loopback: exact ids, many servers, and everything that breaks."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.catalog.card_files import read_card
from playground.engines.fleet import Fleet
from playground.engines.protocol import Ended, Engine, Event, Job, Queued, Started, Tokens
from playground.engines.remote.engine import RemoteEngine
from playground.engines.remote.patience import Patience
from playground.errors import EngineError, InvalidCard, InvalidValue, Unknown
from playground.records import BattleState, FinishReason, Instruction, ModelCard, SamplingParams
from playground.settings import Settings, read_settings
from tests.support import columns
from tests.support.cast import card as cast_card
from tests.support.paths import ROOT
from tests.support.patience import wait_until
from tests.support.remote_server import STALLS, Fault, RemoteServer, greedy, likeliest, running_server

PROMPT = (5, 9, 20)
PARAMS = SamplingParams(max_new_tokens=12)
ANSWER = greedy(PROMPT, 12)
CALM = Patience(retry_s=(0.01, 0.02, 0.03), backoff_s=(0.02, 0.05), retry_after_s=1.0)
WAITS_S = 20.0
WAITING = replace(CALM, first_token_s=WAITS_S, next_token_s=WAITS_S)
FAILED = b'{"error":{"message":"at http://10.1.2.3 it broke\\nbadly","type":"InternalServerError","code":500}}'


class Column(columns.Column):
    """Starts jobs as these tests like them."""

    def start(
        self,
        model_id: str = "far",
        params: SamplingParams = PARAMS,
        *,
        seed: int = 7,
        ids: tuple[int, ...] = PROMPT,
        stop_ids: tuple[int, ...] = (2,),
        deadline_s: float = 60.0,
    ) -> Column:
        self.begin(model_id, Job(self.row, ids, params, seed, stop_ids, deadline_s))
        return self

    @property
    def started(self) -> Started:
        (started,) = (event for event in self.events if isinstance(event, Started))
        return started

    def heard_after_its_end(self, engine: Engine) -> list[Event]:
        """Events that came after the last one, once the engine has ended."""
        engine.close()
        return [self._fresh.get() for _ in range(self._fresh.qsize())]


def remote(*servers: RemoteServer | str, **changes: object) -> ModelCard:
    urls = tuple(server if isinstance(server, str) else server.url for server in servers)
    known = cast_card("far", name="Far", repo="org/tiny", engine="remote", servers=urls, context_length=256)
    return replace(known, **changes)


@pytest.fixture
def server() -> Iterator[RemoteServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def second() -> Iterator[RemoteServer]:
    with running_server() as server:
        yield server


Open = Callable[..., RemoteEngine]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Makes engines that are closed in the end, without a thread left."""
    with ExitStack() as stack:

        def open_engine(*cards: ModelCard, patience: Patience = CALM, **settings: object) -> RemoteEngine:
            engine = RemoteEngine(Settings(**settings), patience=patience)
            stack.callback(engine.close)
            engine.open(cards)
            return engine

        yield open_engine
    assert not [thread for thread in threading.enumerate() if thread.name == "engine-remote"]


def state(engine: Engine, model_id: str = "far") -> str:
    return engine.status()[model_id].state


def pass_s(engine: RemoteEngine, seconds: float) -> None:
    """Let time pass for the engine, whose loop tells it; nobody else has to wait."""
    loop = engine._loop
    assert loop is not None
    now = loop.time
    loop.call_soon_threadsafe(lambda: setattr(loop, "time", lambda: now() + seconds))


def outwaited(engine: RemoteEngine, server: RemoteServer, fault: Fault, times: int = 1) -> None:
    """Where an answer stalls, have the engine lose its patience as soon as it does."""
    for _ in range(times if fault.kind in STALLS else 0):
        assert server.stalled.acquire(timeout=columns.PATIENCE_S)
        pass_s(engine, WAITS_S + 1)


def written(column: Column, count: int) -> None:
    """Wait until so many ids have come."""
    while len(column.ids) < count:
        column.wait_for(Tokens)


def all_up(engine: Engine) -> bool:
    status = engine.status()["far"]
    return (status.state, status.detail) == ("ready", "")


# -- what is sent, and what comes back ------------------------------------------------------------------------------


def test_ids_go_out_and_ids_come_back(opened: Open, server: RemoteServer) -> None:
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


def test_every_parameter_is_named_so_that_no_default_of_the_server_has_a_say(
    opened: Open, server: RemoteServer
) -> None:
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
def test_the_stop_id_is_part_of_the_ids(opened: Open, server: RemoteServer, last_frame: dict[str, object]) -> None:
    server.faults.append(Fault(last_frame=last_frame))
    column = Column(opened(remote(server))).start(stop_ids=(ANSWER[4],))
    assert column.finish() == Ended("row", FinishReason.STOP)
    assert column.ids == ANSWER[:5]


def test_a_server_that_writes_on_after_the_stop_or_the_end_is_cut(opened: Open, server: RemoteServer) -> None:
    engine = opened(remote(server))
    frame = {"token_ids": [*ANSWER, 77], "finish_reason": None, "stop_reason": None}
    server.faults.extend([Fault(frame=frame), Fault(frame=frame)])
    stopped = Column(engine).start(stop_ids=(ANSWER[4],))
    assert stopped.finish() == Ended("row", FinishReason.STOP)
    assert stopped.ids == ANSWER[:5]
    full = Column(engine).start()
    assert full.finish() == Ended("row", FinishReason.LENGTH)
    assert full.ids == ANSWER


def test_a_stream_that_comes_byte_by_byte_is_read_as_any_other(opened: Open, server: RemoteServer) -> None:
    server.faults.append(Fault(byte_by_byte=True))
    column = Column(opened(remote(server))).start()
    assert column.finish() == Ended("row", FinishReason.LENGTH)
    assert column.ids == ANSWER


def test_an_answer_ends_where_the_context_does(opened: Open, server: RemoteServer) -> None:
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
def test_a_prompt_that_cannot_be_fed_is_refused_here(
    opened: Open, server: RemoteServer, ids: tuple[int, ...], error: str
) -> None:
    assert Column(opened(remote(server))).start(ids=ids).finish() == Ended("row", FinishReason.ERROR, error)
    assert server.asked == []


def test_a_server_with_a_shorter_context_says_so_and_refuses_what_does_not_fit(
    opened: Open, server: RemoteServer, second: RemoteServer
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


# -- servers that do not do what an exact answer needs ---------------------------------------------------------------


def no_such_model(server: RemoteServer) -> None:
    server.models[0]["id"] = "/data/secret/other"


def no_token_ids(server: RemoteServer) -> None:
    server.always = Fault(frame={"token_ids": None})


def no_top_k(server: RemoteServer) -> None:
    server.heeds_top_k = False


def no_streams(server: RemoteServer) -> None:
    server.always = Fault(kind="send", data=b"\r\n\r\n<html>")


def wants_a_key(server: RemoteServer) -> None:
    server.always = Fault(status=401, body=b'{"error":"Unauthorized"}')


def unknown_keys(server: RemoteServer) -> None:
    server.always = Fault(status=422, body=b'{"detail":"extra fields not permitted"}', answers_only=True)


def redirects(server: RemoteServer) -> None:
    server.always = Fault(status=307, headers={"Location": "http://10.1.2.3/"})


def not_json(server: RemoteServer) -> None:
    server.models = "nothing"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (no_such_model, "does not have Far under its card's name; check 'served_name' in the card"),
        (no_token_ids, "returns no token ids; exact answers need one that does, such as vLLM"),
        (no_top_k, "pays no heed to top_k; exact answers need one that does, such as vLLM"),
        (unknown_keys, "does not take what exact answers need: token ids, top_k, a seed, stop ids; use one that does"),
        (no_streams, "closed the connection"),
        (wants_a_key, "wants a key that it knows; set PLAYGROUND_REMOTE_KEY to one"),
        (redirects, "failed with status 307; try again a little later"),
        (not_json, "does not say which models it has"),
    ],
)
def test_a_server_that_cannot_write_exact_answers_is_refused_in_words(
    opened: Open, server: RemoteServer, spoil: Callable[[RemoteServer], None], error: str
) -> None:
    spoil(server)
    engine = opened(remote(server))
    column = Column(engine).start()
    assert column.finish() == Ended("row", FinishReason.ERROR, f"the model's server {error}")
    assert [type(event) for event in column.events] == [Queued, Ended]
    status = engine.status()["far"]
    assert (status.state, status.detail) == ("failed", f"the model's server {error}")
    assert server.asked == []


def test_an_architecture_that_the_server_no_longer_has_is_said_so(opened: Open, server: RemoteServer) -> None:
    server.models[0]["id"] = "something-else"
    engine = opened(remote(server, architecture="MPTForCausalLM"))
    assert Column(engine).start().finish().error == (
        "the model's server is vLLM 0.32.0 and does not have Far: it served MPTForCausalLM until 0.28; "
        "use such a server, or the local engine"
    )


def test_a_server_that_is_repaired_is_found_again(opened: Open, server: RemoteServer) -> None:
    server.heeds_top_k = False
    engine = opened(remote(server))
    wait_until(lambda: state(engine) == "failed")
    server.heeds_top_k = True
    wait_until(lambda: state(engine) == "ready")
    assert Column(engine).start().finish().error is None


def test_opening_again_asks_a_server_that_is_left_out_at_once(opened: Open, server: RemoteServer) -> None:
    server.heeds_top_k = False
    card = remote(server)
    engine = opened(card, patience=replace(CALM, backoff_s=(3600.0,)))
    wait_until(lambda: state(engine) == "failed")
    server.heeds_top_k = True
    engine.open([card])
    assert Column(engine).start().finish().error is None


def test_a_server_without_a_version_or_a_context_is_taken_as_it_is(opened: Open, server: RemoteServer) -> None:
    server.version = None
    server.models = [{"id": "org/tiny", "owned_by": "http://10.1.2.3 <b>"}]
    column = Column(opened(remote(server))).start()
    assert column.finish().error is None
    assert column.started.facts.device == "remote: unnamed server"
    assert column.started.facts.versions == {"server": "unnamed server"}


def test_an_answer_to_another_prompt_is_not_faithful(opened: Open, server: RemoteServer) -> None:
    server.faults.append(Fault(frame={"prompt_token_ids": [1, *PROMPT]}))
    column = Column(opened(remote(server), patience=replace(CALM, retry_s=()))).start()
    assert column.finish().error == "the model's server fed its model something else than it was sent"
    assert column.started.facts.faithful is False
    assert column.ids == ()


# -- before the first token: tried again -----------------------------------------------------------------------------

BROKEN = {
    "500": Fault(status=500, body=FAILED),
    "503": Fault(status=503, headers={"Retry-After": "0"}),
    "429": Fault(status=429, headers={"Retry-After": "0"}),
    "an error in the stream": Fault(kind="send", data=b'data: {"error": {"message": "m", "code": 500}}\n\n'),
    "closed": Fault(kind="close"),
    "stalled": Fault(kind="stall"),
    "only signs of life": Fault(kind="keepalives"),
    "garbage": Fault(kind="send", data=b"data: \xff\xfe what?\n\n"),
    "half a line": Fault(kind="send", data=b'data: {"choices": [{"token_'),
    "a list": Fault(kind="send", data=b"data: [1, 2]\n\n"),
    "deep": Fault(kind="send", data=b"data: " + b"[" * 100_000 + b"\n\n"),
    "a huge line": Fault(kind="send", data=b"data: " + b"x" * 2_000_000 + b"\n\n"),
    "ids that are none": Fault(frame={"token_ids": ["a"]}),
    "no end": Fault(kind="send", data=b"data: [DONE]\n\n"),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_what_breaks_before_the_first_token_is_tried_again(opened: Open, server: RemoteServer, fault: Fault) -> None:
    server.faults.extend([fault, fault])
    engine = opened(remote(server), patience=WAITING)
    column = Column(engine).start()
    outwaited(engine, server, fault, times=2)
    assert column.finish() == Ended("row", FinishReason.LENGTH)
    assert column.ids == ANSWER
    assert len(server.asked) == 3
    assert column.heard_after_its_end(engine) == []


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_another_server_is_asked_first(opened: Open, server: RemoteServer, second: RemoteServer, fault: Fault) -> None:
    engine = opened(remote(server, second), patience=WAITING)
    wait_until(lambda: all_up(engine))
    server.faults.append(fault)
    column = Column(engine).start()
    outwaited(engine, server, fault)
    assert column.finish() == Ended("row", FinishReason.LENGTH)
    assert column.ids == ANSWER
    assert (len(server.asked), len(second.asked)) == (1, 1)


def test_a_server_that_always_fails_ends_the_row_in_words_and_is_left_out(opened: Open, server: RemoteServer) -> None:
    engine = opened(remote(server))
    wait_until(lambda: state(engine) == "ready")
    server.always = Fault(status=500, body=FAILED)
    ended = Column(engine).start().finish()
    assert ended.error == "the model's server failed with status 500; try again a little later"
    assert len(server.asked) == 4
    wait_until(lambda: state(engine) == "failed")


def test_a_server_that_is_full_is_not_left_out(opened: Open, server: RemoteServer) -> None:
    server.faults.extend([Fault(status=429)] * 4)
    engine = opened(remote(server))
    ended = Column(engine).start().finish()
    assert ended.error == "the model's server has too many requests; try again a little later"
    assert len(server.asked) == 4
    assert state(engine) == "ready"


def test_a_server_that_asks_for_a_long_pause_is_not_waited_for(opened: Open, server: RemoteServer) -> None:
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
def test_a_request_that_is_refused_is_not_repeated_and_hurts_nobody(
    opened: Open, server: RemoteServer, status: int, body: bytes, error: str
) -> None:
    server.faults.append(Fault(status=status, body=body))
    engine = opened(remote(server))
    assert Column(engine).start().finish() == Ended("row", FinishReason.ERROR, f"the model's server {error}")
    assert len(server.asked) == 1
    assert state(engine) == "ready"
    assert Column(engine).start().finish().error is None


def test_a_model_that_has_left_its_server_is_said_so(opened: Open, server: RemoteServer) -> None:
    engine = opened(remote(server))
    wait_until(lambda: state(engine) == "ready")
    server.models[0]["id"] = "another"
    server.faults.append(Fault(status=404, body=b'{"error":{"message":"The model does not exist.","code":404}}'))
    assert "does not have Far under its card's name" in (Column(engine).start().finish().error or "")


# -- after the first token: said, never repeated ---------------------------------------------------------------------


@pytest.mark.proves("an error after half an answer")
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("stall", 5), "has stopped answering"),
        (Fault("keepalives", 5), "has stopped answering"),
        (Fault("close", 5), "closed the connection"),
        (Fault("send", 5, data=b"data: [DONE]\n\n"), "closed the connection"),
        (Fault("send", 5, data=b"data: {what?}\n\n"), "sent something that is no stream of tokens"),
        (Fault("send", 5, data=b'data: {"choices": [{"tok'), "closed the connection"),
        (Fault("send", 5, data=b"data: " + b"x" * 2_000_000), "sent something that is no stream of tokens"),
        (
            Fault("send", 5, data=b'data: {"error": {"message": "EngineCore at 10.1.2.3", "code": 500}}\n\n'),
            "failed with status 500; try again a little later",
        ),
        (
            Fault("send", 5, data=b'data: {"choices": [{"token_ids": [], "finish_reason": "abort"}]}\n\n'),
            "ended the answer after 5 tokens for a reason of its own",
        ),
    ],
    ids=lambda value: value.data[:40].decode() or value.kind if isinstance(value, Fault) else "",
)
def test_what_breaks_in_mid_answer_keeps_what_was_written_and_says_so(
    opened: Open, server: RemoteServer, fault: Fault, error: str
) -> None:
    server.faults.append(fault)
    engine = opened(remote(server), patience=WAITING)
    column = Column(engine).start()
    written(column, 5)
    outwaited(engine, server, fault)
    words = f"the model's server {error}; it had begun to answer"
    assert column.finish() == Ended("row", FinishReason.ERROR, words)
    assert column.ids == ANSWER[:5]
    assert len(server.asked) == 1
    assert Column(engine).start().finish().error is None
    assert column.heard_after_its_end(engine) == []


def test_an_answer_that_is_late_ends_as_an_error_in_words(opened: Open, server: RemoteServer) -> None:
    engine = opened(remote(server))
    server.faults.append(Fault("hold", 5))
    column = Column(engine).start(deadline_s=10.0)
    written(column, 5)
    pass_s(engine, 11.0)
    assert column.finish() == Ended("row", FinishReason.ERROR, "the answer was not finished after 10 s")
    assert column.ids == ANSWER[:5]
    assert server.hung_up.acquire(timeout=columns.PATIENCE_S)
    assert state(engine) == "ready"


# -- cancel, unload, close -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 5], ids=["while waiting", "while writing"])
def test_cancel_hangs_up_on_the_server_and_keeps_what_was_written(
    opened: Open, server: RemoteServer, after: int
) -> None:
    server.faults.append(Fault("hold", after))
    engine = opened(remote(server))
    column = Column(engine).start()
    wait_until(lambda: server.writing == 1 and bool(server.asked))
    written(column, after)
    engine.cancel("row")
    assert column.finish() == Ended("row", FinishReason.CANCELLED)
    assert column.ids == ANSWER[:after]
    assert server.hung_up.acquire(timeout=columns.PATIENCE_S)
    engine.cancel("row")
    engine.cancel("never heard of")
    wait_until(lambda: engine.status()["far"].running == 0)
    assert column.heard_after_its_end(engine) == []


def test_a_row_that_waits_for_its_server_can_be_cancelled(opened: Open, server: RemoteServer) -> None:
    server.always = Fault("hold")
    engine = opened(remote(server))
    column = Column(engine).start()
    assert column.wait_for(Queued) == Queued("row", 0, "waiting for its server")
    assert engine.status()["far"].waiting == 1
    engine.cancel("row")
    assert column.finish() == Ended("row", FinishReason.CANCELLED)


def test_an_unloaded_model_leaves_its_server_and_is_there_again_when_it_is_asked(
    opened: Open, server: RemoteServer
) -> None:
    server.faults.append(Fault("hold", 3))
    engine = opened(remote(server))
    column = Column(engine).start()
    written(column, 3)  # as many as come: now the server waits
    engine.unload("far")
    assert column.finish() == Ended("row", FinishReason.ERROR, "Far was unloaded")
    assert server.hung_up.acquire(timeout=columns.PATIENCE_S)
    assert state(engine) == "off"
    assert Column(engine).start().finish().error is None
    assert state(engine) == "ready"


def test_closing_ends_open_jobs_and_again_does_nothing(opened: Open, server: RemoteServer) -> None:
    server.faults.extend([Fault("hold", 3), Fault("hold", 0)])
    engine = opened(remote(server))
    columns = [Column(engine, "r0").start()]
    columns[0].wait_for(Tokens)
    columns.append(Column(engine, "r1").start())
    wait_until(lambda: server.writing == 2)
    engine.close()
    assert [column.finish().finish_reason for column in columns] == [FinishReason.CANCELLED] * 2
    engine.close()
    engine.cancel("r0")
    with pytest.raises(EngineError, match="closed"):
        columns[0].start()
    with pytest.raises(EngineError, match="closed"):
        engine.open([remote(server)])
    RemoteEngine(Settings()).close()


def test_a_listener_that_raises_does_not_stop_the_engine(
    opened: Open, server: RemoteServer, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ValueError("not my day")

    engine = opened(remote(server))
    engine.start("far", Job("broken", PROMPT, PARAMS, 0, (), 60.0), broken)
    assert Column(engine).start().finish().error is None
    assert "a listener failed" in caplog.text


# -- several servers -------------------------------------------------------------------------------------------------


def test_rows_go_where_the_fewest_are(opened: Open, server: RemoteServer, second: RemoteServer) -> None:
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


def test_a_dead_server_is_left_out_and_found_again(opened: Open, second: RemoteServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens: connections are refused
        engine = opened(remote(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", second))
        for number in range(4):
            assert Column(engine, f"r{number}").start().finish().error is None
        assert len(second.asked) == 4
        wait_until(lambda: engine.status()["far"].detail == "1 of 2 servers answer")


def test_a_card_without_a_server_is_said_so(opened: Open) -> None:
    assert Column(opened(remote())).start().finish().error == "its card names no server"


@pytest.mark.parametrize("url", ["http://[bad/v1", "http://a:99999/v1", "http://a..b:1/v1", "ftp://a/v1", "a"])
def test_an_address_that_is_none_is_said_so(opened: Open, url: str) -> None:
    error = Column(opened(remote(url))).start().finish().error or ""
    assert "has no address that can be used; check 'servers' in its card" in error or "cannot be reached" in error


def test_no_server_at_all_is_said_without_its_address(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens: connections are refused
        port = taken.getsockname()[1]
        engine = opened(remote(f"http://127.0.0.1:{port}/v1", f"http://localhost:{port}/v1"))
        ended = Column(engine).start().finish()
        assert ended.error == (
            "none of its 2 servers answers; the first: the model's server cannot be reached; "
            "it is asked again from time to time"
        )
        assert engine.status()["far"].detail == ended.error
    assert f"127.0.0.1:{port}" in caplog.text, "whoever runs the playground has to know which"


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_the_key_is_sent_and_never_shown(opened: Open, server: RemoteServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    settings = read_settings({}, {"PLAYGROUND_REMOTE_KEY": "sesame"})
    assert "sesame" not in repr(settings)
    server.faults.append(Fault(status=400, body=b'{"error":{"message":"key sesame may not"}}'))
    engine = opened(remote(server), remote_key="sesame")
    Column(engine).start().finish()
    short = opened(remote(server), remote_key="1")
    column = Column(short).start()
    assert column.finish().error is None, "hiding the key changes nothing but the log"
    assert column.ids == ANSWER
    assert server.keys == {"Bearer sesame", "Bearer 1"}
    assert "key *** may not" in caplog.text
    assert "sesame" not in caplog.text


def test_a_key_that_no_header_can_hold_is_refused_unseen() -> None:
    with pytest.raises(InvalidValue, match="PLAYGROUND_REMOTE_KEY holds a space") as caught:
        read_settings({}, {"PLAYGROUND_REMOTE_KEY": "sesame\n"})
    assert "sesame" not in str(caught.value)


# -- cards, the fleet, the arena -------------------------------------------------------------------------------------


def write_card(folder: Path, card_id: str, repo: str, *lines: str) -> Path:
    path = folder / f"{card_id}.toml"
    path.write_text(
        f'id = "{card_id}"\nname = "{card_id.title()}"\nrepo = "{repo}"\nrevision = "local"\nlicense = "Apache-2.0"\n'
        'architecture = "LlamaForCausalLM"\ncontext_length = 256\ndtype = "float16"\ntemplate = "orca-mini"\n'
        'sampling_source = "ours"\n' + "\n".join(lines) + "\n[sampling]\nmax_new_tokens = 12\n"
    )
    return path


def test_a_remote_card_names_its_servers(tmp_path: Path) -> None:
    lines = ('engine = "remote"', 'servers = ["http://a:8000/v1", "https://b/x/v1"]', 'served_name = "n"')
    card = read_card(write_card(tmp_path, "far", "org/tiny", *lines))
    assert (card.engine, card.servers, card.served_name) == ("remote", ("http://a:8000/v1", "https://b/x/v1"), "n")


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (['engine = "remote"'], "'servers' is missing; a remote card needs one or more"),
        (['servers = ["http://a/v1"]'], "'servers' and 'served_name' are for remote cards"),
        (['served_name = "x"'], "'servers' and 'served_name' are for remote cards"),
        (['engine = "remote"', 'servers = ["a:8000"]'], "'servers' holds 'a:8000'; valid: 'http://host:port/v1'"),
        (['engine = "remote"', 'servers = ["http://u:p@a/v1"]'], "without a password or a query"),
        (['engine = "remote"', 'servers = ["http://a/v1?key=1"]'], "without a password or a query"),
    ],
)
def test_a_remote_card_that_cannot_be_used_is_refused_in_words(tmp_path: Path, lines: list[str], error: str) -> None:
    with pytest.raises(InvalidCard, match=error.replace("?", r"\?")):
        read_card(write_card(tmp_path, "far", "org/tiny", *lines))


@pytest.mark.usefixtures("models_of_one_process")
def test_a_fleet_sends_each_card_to_its_engine_and_names_what_there_is(opened: Open, server: RemoteServer) -> None:
    fleet = Fleet(Settings())
    try:
        with pytest.raises(EngineError, match="no engine 'zerogpu' yet; valid: local, remote; change 'engine'"):
            fleet.open([remote(server), cast_card("cloud", engine="zerogpu")])
        assert fleet.status() == {}
        fleet.open([remote(server), cast_card("near", name="Near", repo="/nowhere")])
        assert Column(fleet).start().finish().error is None
        assert Column(fleet).start("near").finish().error == "Near: there is no folder /nowhere"
        assert {model_id: status.state for model_id, status in fleet.status().items()} == {
            "far": "ready",
            "near": "failed",
        }
        with pytest.raises(Unknown, match="no model 'gpt-9' was brought up; there are: far, near"):
            Column(fleet).start("gpt-9")
        fleet.cancel("row")
        fleet.unload("far")
        wait_until(lambda: state(fleet) == "off")
    finally:
        fleet.close()


@pytest.fixture
def arena(tmp_path: Path, server: RemoteServer, second: RemoteServer) -> Iterator[Arena]:
    """Two remote models of which only the tokenizer is here."""
    for name in ("tokenizer.model", "tokenizer_config.json"):
        (tmp_path / "tiny").mkdir(exist_ok=True)
        shutil.copy(ROOT / "playground" / "pocket" / "weights" / "pocket-orca-mini" / name, tmp_path / "tiny")
    (tmp_path / "cards").mkdir()
    for card_id, one in (("far", server), ("away", second)):
        lines = ('engine = "remote"', f'servers = ["{one.url}"]', 'served_name = "org/tiny"')
        write_card(tmp_path / "cards", card_id, "../tiny", *lines)
    arena = Arena(Settings(db=tmp_path / "playground.db", cards=str(tmp_path / "cards"), models="far,away"))
    arena.open()
    yield arena
    arena.close()


def test_a_battle_of_remote_models_is_written_read_and_stored_without_an_address(
    arena: Arena, server: RemoteServer, tmp_path: Path
) -> None:
    battle_id = arena.compare(Instruction("What is an alpaca?"), owner="a" * 32, source="page", blind=False)
    wait_until(lambda: arena.view(battle_id, "a" * 32).state is BattleState.OPEN)
    for column in arena.view(battle_id, "a" * 32).columns:
        generation = column.generation
        assert generation is not None
        assert generation.token_ids == tuple(likeliest(generation.prompt.token_ids, i) for i in range(12))
        assert (generation.engine, generation.device) == ("remote", "remote: vLLM 0.32.0")
        assert (generation.dtype, generation.faithful, generation.repo) == ("float16", True, "tiny")
        assert generation.text == arena.catalog.tokenizer_of(arena.line_up[0]).decode(generation.token_ids).strip()
        assert "né…" not in generation.text, "text is made here, of ids"
    arena.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("playground.db*"))
    assert str(server.server_address[1]).encode() not in stored
    assert b"127.0.0.1" not in stored
    assert json.dumps(generation.text)[1:-1].encode() in stored or generation.text.encode() in stored
