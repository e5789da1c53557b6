"""The remote engine on a real llama-cpp-python server with a real model, SmolLM2 135M."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from playground.engines.protocol import Job, Text
from playground.engines.remote.engine import RemoteEngine
from playground.records import FinishReason, SamplingParams
from playground.settings import Settings
from tests.support.llama_server import NAME, NEEDS_LLAMA, running_llama
from tests.support.patience import wait_until
from tests.support.remote_jobs import Column, remote

CAPITAL = "What is the capital of France?"
MESSAGES = json.dumps([{"role": "user", "content": CAPITAL}])
CHATML = f"<|im_start|>user\n{CAPITAL}<|im_end|>\n<|im_start|>assistant\n"
GREEDY = SamplingParams(max_new_tokens=64)

pytestmark = NEEDS_LLAMA


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_llama(tmp_path_factory.mktemp("llama")) as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[RemoteEngine]:
    """Open an engine with a card for each way to ask."""
    engine = RemoteEngine(Settings())
    names = {"served_name": NAME, "context_length": 2048}
    engine.open([remote(url, id=feed, feed=feed, **names) for feed in ("ids", "text", "messages")])
    yield engine
    engine.close()


def ask(engine: RemoteEngine, feed: str, text: str, params: SamplingParams = GREEDY, row: str = "row") -> Column:
    column = Column(engine, row)
    column.begin(feed, Job(row, (1,) if feed == "ids" else (), params, 7, (2,), 120.0, text))
    return column


def text_of(column: Column) -> str:
    return "".join(event.text for event in column.events if isinstance(event, Text))


def test_card_of_ids_is_told_what_the_server_takes(engine: RemoteEngine) -> None:
    error = ask(engine, "ids", "").finish().error or ""
    assert 'write feed = "text" in its card; its answers are then marked as not exact' in error


@pytest.mark.parametrize(("feed", "text"), [("text", CHATML), ("messages", MESSAGES)])
def test_model_answers(engine: RemoteEngine, feed: str, text: str) -> None:
    answers = []
    for row in ("first", "second"):
        column = ask(engine, feed, text, row=row)
        ended = column.finish()
        assert (ended.finish_reason, ended.error) == (FinishReason.STOP, None)
        assert ended.num_tokens
        assert column.started.facts.versions["feed"] == feed
        answers.append(text_of(column))
    assert "Paris" in answers[0]
    assert answers[0] == answers[1], "greedy"


def test_cancelled_answer_frees_the_server(engine: RemoteEngine) -> None:
    story = json.dumps([{"role": "user", "content": "Write a story about an alpaca."}])
    column = ask(engine, "messages", story, SamplingParams(max_new_tokens=400), "long")
    column.wait_for(Text)
    engine.cancel("long")
    assert column.finish().finish_reason is FinishReason.CANCELLED
    assert "Paris" in text_of(finished(ask(engine, "messages", MESSAGES, row="next")))


def finished(column: Column) -> Column:
    assert column.finish().error is None
    return column


def test_prompt_that_is_too_long_ends_as_an_error(engine: RemoteEngine) -> None:
    long = json.dumps([{"role": "user", "content": "alpaca " * 600}])
    error = ask(engine, "messages", long).finish().error
    assert error == "the model's server closed the connection", "it has sent its headers before it counts the tokens"
    wait_until(lambda: engine.status()["messages"].state == "ready")
    assert "Paris" in text_of(finished(ask(engine, "messages", MESSAGES, row="next")))
