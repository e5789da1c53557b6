"""Servers that cannot write exact answers, or cannot be reached, are refused with the reason."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from playground.engines.protocol import Ended, Queued
from playground.errors import InvalidValue
from playground.records import FinishReason
from playground.settings_sources import read_settings
from tests.engines.remote.conftest import Open
from tests.support.patience import wait_until
from tests.support.remote_jobs import (
    ANSWER,
    PROMPT,
    QUICK,
    Column,
    remote,
    state,
)
from tests.support.remote_server import FakeServer, Fault


def no_such_model(server: FakeServer) -> None:
    server.models[0]["id"] = "/data/secret/other"


def no_token_ids(server: FakeServer) -> None:
    server.always = Fault(frame={"token_ids": None})


def no_top_k(server: FakeServer) -> None:
    server.uses_top_k = False


def no_streams(server: FakeServer) -> None:
    server.always = Fault(kind="send", data=b"\r\n\r\n<html>")


def refuses_the_key(server: FakeServer) -> None:
    server.always = Fault(status=401, body=b'{"error":"Unauthorized"}')


def unknown_keys(server: FakeServer) -> None:
    server.always = Fault(status=422, body=b'{"detail":"extra fields not permitted"}', answers_only=True)


def redirects(server: FakeServer) -> None:
    server.always = Fault(status=307, headers={"Location": "http://10.1.2.3/"})


def not_json(server: FakeServer) -> None:
    server.models = "nothing"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (no_such_model, "does not have Far under its card's name; check 'served_name' in the card"),
        (no_token_ids, "returns no token ids; exact answers need one that does, such as vLLM"),
        (no_top_k, "ignores top_k; exact answers need one that does not, such as vLLM"),
        (unknown_keys, "does not take what exact answers need: token ids, top_k, a seed, stop ids; use one that does"),
        (no_streams, "closed the connection"),
        (refuses_the_key, "does not know this key; set PLAYGROUND_REMOTE_KEY to one that it knows"),
        (redirects, "failed with status 307; try again a little later"),
        (not_json, "does not list its models"),
    ],
)
def test_server_without_exact_answers_is_refused(
    opened: Open, server: FakeServer, spoil: Callable[[FakeServer], None], error: str
) -> None:
    spoil(server)
    engine = opened(remote(server))
    column = Column(engine).start()
    assert column.finish() == Ended("row", FinishReason.ERROR, f"the model's server {error}")
    assert {type(event) for event in column.events} <= {Queued, Ended}  # the probe may have ended before the job came
    status = engine.status()["far"]
    assert (status.state, status.detail) == ("failed", f"the model's server {error}")
    assert server.asked == []


def test_error_names_the_last_vllm_with_the_architecture(opened: Open, server: FakeServer) -> None:
    server.models[0]["id"] = "something-else"
    engine = opened(remote(server, architecture="MPTForCausalLM"))
    assert Column(engine).start().finish().error == (
        "the model's server is vLLM 0.32.0 and does not have Far: vLLM served MPTForCausalLM until 0.28; "
        "use such a server, or the local engine"
    )


def test_repaired_server_comes_up_again(opened: Open, server: FakeServer) -> None:
    server.uses_top_k = False
    engine = opened(remote(server))
    wait_until(lambda: state(engine) == "failed")
    server.uses_top_k = True
    wait_until(lambda: state(engine) == "ready")
    assert Column(engine).start().finish().error is None


def test_open_probes_a_server_that_is_down_at_once(opened: Open, server: FakeServer) -> None:
    server.uses_top_k = False
    card = remote(server)
    engine = opened(card, timeouts=replace(QUICK, backoff_s=(3600.0,)))
    wait_until(lambda: state(engine) == "failed")
    server.uses_top_k = True
    engine.open([card])
    assert Column(engine).start().finish().error is None


def test_version_and_context_are_optional(opened: Open, server: FakeServer) -> None:
    server.version = None
    server.models = [{"id": "org/tiny", "owned_by": "http://10.1.2.3 <b>"}]
    column = Column(opened(remote(server))).start()
    assert column.finish().error is None
    assert column.started.facts.device == "remote: unnamed server"
    assert column.started.facts.versions == {"server": "unnamed server"}


def test_answer_to_another_prompt_is_recorded_as_not_faithful(opened: Open, server: FakeServer) -> None:
    server.faults.append(Fault(frame={"prompt_token_ids": [1, *PROMPT]}))
    column = Column(opened(remote(server), timeouts=replace(QUICK, retry_s=()))).start()
    assert column.finish().error == "the model's server gave its model another prompt than it was sent"
    assert column.started.facts.faithful is False
    assert column.ids == ()


def test_model_removed_from_its_server_is_reported(opened: Open, server: FakeServer) -> None:
    engine = opened(remote(server))
    wait_until(lambda: state(engine) == "ready")
    server.models[0]["id"] = "another"
    server.faults.append(Fault(status=404, body=b'{"error":{"message":"The model does not exist.","code":404}}'))
    assert "does not have Far under its card's name" in (Column(engine).start().finish().error or "")


def test_card_without_servers_is_reported(opened: Open) -> None:
    assert Column(opened(remote())).start().finish().error == "its card names no server"


@pytest.mark.parametrize("url", ["http://[bad/v1", "http://a:99999/v1", "http://a..b:1/v1", "ftp://a/v1", "a"])
def test_invalid_address_is_reported(opened: Open, url: str) -> None:
    error = Column(opened(remote(url))).start().finish().error or ""
    assert "has an invalid address; check 'servers' in its card" in error or "cannot be reached" in error


def test_unreachable_servers_are_reported_without_addresses(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: connections are refused
        port = taken.getsockname()[1]
        engine = opened(remote(f"http://127.0.0.1:{port}/v1", f"http://localhost:{port}/v1"))
        ended = Column(engine).start().finish()
        assert ended.error == (
            "none of its 2 servers answers; the first: the model's server cannot be reached; "
            "the playground keeps trying"
        )
        assert engine.status()["far"].detail == ended.error
    assert f"127.0.0.1:{port}" in caplog.text, "the operator's log names the address"


def test_key_is_sent_and_never_logged(opened: Open, server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    settings = read_settings({}, {"PLAYGROUND_REMOTE_KEY": "sesame"})
    assert "sesame" not in repr(settings)
    server.faults.append(Fault(status=400, body=b'{"error":{"message":"key sesame is not allowed"}}'))
    engine = opened(remote(server), remote_key="sesame")
    Column(engine).start().finish()
    short = opened(remote(server), remote_key="1")
    column = Column(short).start()
    assert column.finish().error is None, "only the log is masked"
    assert column.ids == ANSWER
    assert server.keys == {"Bearer sesame", "Bearer 1"}
    assert "key *** is not allowed" in caplog.text
    assert "sesame" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"%s sesame\\"\\\\street is not allowed"}}' % (b"x" * 190),
        b'{"error":{"message":"key sesame\\"\\\\street is not allowed"}}',
        b'{"detail":"key sesame\\"\\\\street is not allowed"}',
    ],
    ids=["cut", "escaped", "no error in OpenAI's format"],
)
def test_key_is_masked_before_words_are_cut_or_escaped(
    opened: Open, server: FakeServer, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.append(Fault(status=400, body=body))
    Column(opened(remote(server), remote_key='sesame"\\street')).start().finish()
    assert "status 400" in caplog.text
    assert "sesame" not in caplog.text


def test_invalid_key_is_refused_without_showing_it() -> None:
    with pytest.raises(InvalidValue, match="PLAYGROUND_REMOTE_KEY holds a space") as caught:
        read_settings({}, {"PLAYGROUND_REMOTE_KEY": "sesame\n"})
    assert "sesame" not in str(caught.value)
