"""Servers that take no token ids are sent text or messages; streams recorded from several servers are read alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from playground.engines.protocol import Ended, Event, Job, Text
from playground.engines.remote.engine import RemoteEngine
from playground.records import FinishReason, ModelCard, SamplingParams
from playground.settings import Settings
from tests.engines.remote.conftest import Open
from tests.support.chat_server import CHAT, COMPLETIONS, OLLAMA_NO_IDS, ChatServer, Plays, playing
from tests.support.patience import wait_until
from tests.support.remote_jobs import QUICK, Column, remote, state

MESSAGES = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is an alpaca?"}])
SAMPLED = SamplingParams(max_new_tokens=12, do_sample=True, temperature=0.7, top_p=0.9)
OLLAMA = {"id": "org/tiny:latest", "object": "model", "owned_by": "library"}
IS_OLLAMA = {"/api/version": {"version": "0.12.3"}}

Serve = Callable[..., ChatServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server."""
    with ExitStack() as stack:
        yield lambda **plays: stack.enter_context(playing(Plays(**plays)))


def ask(engine: RemoteEngine, text: str = MESSAGES, params: SamplingParams = SAMPLED) -> Column:
    column = Column(engine)
    column.begin("far", Job(column.row, (), params, 7, (2,), 60.0, text))
    return column


def written(events: list[Event]) -> tuple[str, str]:
    """Return text and reasoning."""
    pieces = [event for event in events if isinstance(event, Text)]
    return "".join(piece.text for piece in pieces), "".join(piece.reasoning for piece in pieces)


@pytest.mark.parametrize(
    ("stream", "text", "reasoning", "ended"),
    [
        ("openai-chat.sse", "An alpaca is a Südamerican animal.", "", Ended("row", FinishReason.STOP, None, 30)),
        ("ollama-chat.sse", "An alpaca is soft.", "", Ended("row", FinishReason.STOP, None, 21)),
        (
            "ollama-reasoning.sse",
            "It is soft.",
            "The user asks about alpacas.",
            Ended("row", FinishReason.LENGTH, None, 31),
        ),
        # no usage: one token for each three characters of what was sent and written
        ("lm-studio-reasoning.sse", "Soft.", "Thinking.", Ended("row", FinishReason.STOP, None, 37)),
        ("llama-cpp-python-chat.sse", "Alpacas", "", Ended("row", FinishReason.LENGTH, None, 34)),
    ],
)
def test_streams_of_several_servers_are_read(
    opened: Open, serve: Serve, stream: str, text: str, reasoning: str, ended: Ended
) -> None:
    server = serve(streams={CHAT: stream})
    column = ask(opened(remote(server.url, feed="messages")))
    assert column.finish() == ended
    assert written(column.events) == (text, reasoning)
    facts = column.started.facts
    assert (facts.faithful, facts.versions["feed"]) == (False, "messages")


def test_messages_and_taken_parameters_are_sent(opened: Open, serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"})
    named = {"top_k": "top_k", "repetition_penalty": "repeat_penalty", "max_new_tokens": "max_completion_tokens"}
    card = remote(server.url, feed="messages", served_name="org/tiny", server_params=named)
    engine = opened(card)
    ask(engine, params=replace(SAMPLED, top_k=40, repetition_penalty=1.1)).finish()
    ask(engine, params=SamplingParams(max_new_tokens=12)).finish()
    (path, sampled), (_, greedy) = server.asked
    assert path == CHAT
    common = {"model": "org/tiny", "stream": True, "stream_options": {"include_usage": True}, "seed": 7}
    common |= {"messages": json.loads(MESSAGES), "max_completion_tokens": 12}
    assert sampled == common | {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "repeat_penalty": 1.1}
    assert greedy == common | {"temperature": 0.0, "repeat_penalty": 1.0}


def test_switches_of_the_chat_template_are_sent_with_messages(opened: Open, serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"})
    ask(opened(remote(server.url, feed="messages", chat_template_kwargs={"enable_thinking": False}))).finish()
    [(_, body)] = server.asked
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_text_is_sent_as_it_is(opened: Open, serve: Serve) -> None:
    server = serve(streams={COMPLETIONS: "llama-cpp-python-text.sse"})
    column = ask(opened(remote(server.url, feed="text")), "USER: Hi\nASSISTANT:")
    assert column.finish().finish_reason is FinishReason.STOP
    assert written(column.events)[0] == " Alpacas hum.\nUSER: And llamas?", "stop strings are cut by the listener"
    [(path, body)] = server.asked
    assert (path, body["prompt"]) == (COMPLETIONS, "USER: Hi\nASSISTANT:")
    assert column.started.facts.versions["feed"] == "text"


@pytest.mark.parametrize(
    ("feed", "plays", "error"),
    [
        (
            "ids",
            {"streams": {COMPLETIONS: "llama-cpp-python-text.sse", CHAT: "llama-cpp-python-chat.sse"}},
            'token ids, top_k, a seed, stop ids; write feed = "text" in its card; its answers are then marked as '
            "not exact",
        ),
        ("ids", {"streams": {CHAT: "openai-chat.sse"}}, 'write feed = "messages" in its card'),
        ("ids", {}, "does not take what exact answers need: token ids, top_k, a seed, stop ids; use one that does"),
        (
            "text",
            {"streams": {CHAT: "openai-chat.sse"}},
            'takes no text at /v1/completions; write feed = "messages" in its card; its answers are then',
        ),
        (
            "messages",
            {"streams": {COMPLETIONS: "llama-cpp-python-text.sse"}},
            "takes no messages at /v1/chat/completions, or its model has no chat template; "
            'write feed = "text" in its card',
        ),
        (
            "text",
            {
                "streams": {COMPLETIONS: "ollama-chat.sse", CHAT: "ollama-chat.sse"},
                "models": [OLLAMA],
                "documents": IS_OLLAMA,
                "no_ids": OLLAMA_NO_IDS,
            },
            'is Ollama, which puts every text into its own template; write feed = "messages" in its card',
        ),
        (
            "ids",
            {
                "streams": {COMPLETIONS: "ollama-chat.sse", CHAT: "ollama-chat.sse"},
                "models": [OLLAMA],
                "documents": IS_OLLAMA,
                "no_ids": OLLAMA_NO_IDS,
            },
            'write feed = "messages" in its card',
        ),
    ],
    ids=["llama-cpp-python", "chat only", "nothing", "no text", "no chat", "Ollama, text", "Ollama, ids"],
)
def test_wrong_feed_is_refused_with_the_right_one(
    opened: Open, serve: Serve, feed: str, plays: dict[str, object], error: str
) -> None:
    server = serve(**plays)
    engine = opened(remote(server.url, feed=feed))
    found = ask(engine).finish().error or ""
    assert error in found
    assert server.asked == []


@pytest.mark.parametrize("feed", ["ids", "text", "messages"])
def test_server_that_fails_at_everything_is_not_said_to_lack_a_feed(opened: Open, serve: Serve, feed: str) -> None:
    server = serve(refusal=(500, {"error": {"message": "engine is dead"}}))
    error = ask(opened(remote(server.url, feed=feed))).finish().error
    assert error == "the model's server failed with status 500; try again a little later"


def test_first_feed_that_works_is_named(opened: Open, serve: Serve) -> None:
    server = serve(streams={COMPLETIONS: "llama-cpp-python-text.sse"}, no_ids=(503, {}))
    engine = opened(remote(server.url, feed="messages"))
    assert "write feed" in (ask(engine).finish().error or "")


def test_names_of_ollama_and_of_a_router_are_found(opened: Open, serve: Serve) -> None:
    ollama = serve(streams={CHAT: "ollama-chat.sse"}, models=[OLLAMA], documents=IS_OLLAMA)
    column = ask(opened(remote(ollama.url, feed="messages")))
    assert column.finish().error is None
    assert column.started.facts.device == "remote: Ollama 0.12.3"
    router = serve(streams={CHAT: "openai-chat.sse"}, models=[{"id": "org/tiny", "owned_by": "org"}])
    column = ask(opened(remote(router.url, feed="messages", served_name="org/tiny:fastest")))
    assert column.finish().error is None
    assert column.started.facts.device == "remote: unnamed server", "the owner of a model is no software"
    assert router.asked[0][1]["model"] == "org/tiny:fastest"


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        ("content-filter.sse", "the model's server stopped this answer with its content filter"),
        ("error-within.sse", "the model's server failed with status 500; try again a little later"),
        ("no-end.sse", "the model's server closed the connection"),
    ],
)
def test_broken_answer_keeps_its_text_and_says_why(opened: Open, serve: Serve, stream: str, error: str) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"})
    engine = opened(remote(server.url, feed="messages"))
    wait_until(lambda: state(engine) == "ready")
    server.plays.streams = {CHAT: stream}
    column = ask(engine)
    assert column.finish().error == f"{error}; it had begun to answer"
    assert written(column.events)[0] == "An"


def test_prompt_that_is_too_long_is_said_in_words(opened: Open, serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"})
    engine = opened(remote(server.url, feed="messages"))
    wait_until(lambda: state(engine) == "ready")
    server.plays.refusal = (400, {"error": {"message": "too many tokens", "code": "context_length_exceeded"}})
    error = ask(engine).finish().error
    assert error == "the model's server cannot take a prompt of this length; shorten the text"


def test_cancel_closes_the_connection(opened: Open, serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"}, stalls_after=3)
    engine = opened(remote(server.url, feed="messages"))
    column = ask(engine)
    column.wait_for(Text)
    engine.cancel("row")
    ended = column.finish()
    assert ended.finish_reason is FinishReason.CANCELLED
    assert ended.num_tokens, "an answer that was broken off is counted too"
    assert server.closed.acquire(timeout=10)


def test_answer_that_is_cancelled_before_its_first_piece_is_counted(opened: Open, serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"}, stalls_after=0)
    engine = opened(remote(server.url, feed="messages"))
    column = ask(engine)
    wait_until(lambda: server.asked)
    engine.cancel("row")
    assert column.finish() == Ended("row", FinishReason.CANCELLED, None, -(-len(MESSAGES) // 3))


def test_request_that_is_refused_is_not_counted(opened: Open, serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"})
    engine = opened(remote(server.url, feed="messages"))
    wait_until(lambda: state(engine) == "ready")
    server.plays.refusal = (400, {"error": {"message": "no"}})
    assert ask(engine).finish().num_tokens is None


def test_usage_that_never_comes_is_not_waited_for_long(opened: Open, serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"}, stalls_after=5)
    engine = opened(remote(server.url, feed="messages"), timeouts=replace(QUICK, usage_s=0.05))
    assert ask(engine).finish().finish_reason is FinishReason.STOP


def card_with_key(server: ChatServer) -> ModelCard:
    return remote(server.url, feed="messages", key_variable="ROUTER_TOKEN")


def test_key_comes_from_the_variable_that_the_card_names(serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"})
    settings = Settings(remote_key="of-all-others")
    engine = RemoteEngine(settings, timeouts=QUICK, environ={"ROUTER_TOKEN": "sesame"})
    engine.open([card_with_key(server)])
    assert ask(engine).finish().error is None
    engine.close()
    assert server.keys == {"Bearer sesame"}


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({}, "needs a key: set ROUTER_TOKEN, which its card names, and start the playground again"),
        ({"ROUTER_TOKEN": "two words"}, "needs a key, and ROUTER_TOKEN holds a character that no key has"),
    ],
)
def test_missing_or_broken_key_is_said(serve: Serve, environ: dict[str, str], error: str) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"})
    engine = RemoteEngine(Settings(remote_key="of-all-others"), timeouts=QUICK, environ=environ)
    engine.open([card_with_key(server)])
    assert error in (ask(engine).finish().error or "")
    engine.close()
    assert server.keys == set(), "nothing was sent, least of all another server's key"


def test_refused_key_names_the_cards_variable(serve: Serve) -> None:
    server = serve(streams={CHAT: "openai-chat.sse"})
    server.plays.refusal = (401, {"error": "Unauthorized"})
    engine = RemoteEngine(Settings(), timeouts=QUICK, environ={"ROUTER_TOKEN": "old"})
    engine.open([card_with_key(server)])
    assert (
        ask(engine).finish().error == "the model's server does not know this key; set ROUTER_TOKEN to one that it knows"
    )
    engine.close()
